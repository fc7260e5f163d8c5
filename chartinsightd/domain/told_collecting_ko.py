"""What the daemon says of collecting, proving and analysing, in Korean: what happened, and what to do."""

from __future__ import annotations

KOREAN_COLLECTING = {
    # what happened
    "{} Nothing is asked before {}.": "{0} {1}까지 요청하지 않습니다.",
    "{} The other accounts collect its symbols, more slowly.": (
        "{0} 그 계정의 종목은 나머지 계정이 더 천천히 받습니다."
    ),
    "The prices of {} differ by a factor from those of other charts or of the stock list: they are held back "
    "until the chart has said so for an hour.": (
        "{0}의 가격이 다른 차트나 종목 목록과 몇 배씩 다릅니다. 한 시간 동안 같은 값이 올 때까지 보류합니다."
    ),
    "The chart {} contradicts {} of {} candles that were read before: it is held back until it has said so "
    "for an hour.": (
        "{0} 차트가 전에 받은 {2}봉 가운데 {1}봉과 다릅니다. 한 시간 동안 같은 값이 올 때까지 보류합니다."
    ),
    "A page of {} had {} rows, and {} are accounted for.": (
        "{0} 페이지의 {1}행 가운데 {2}행만 셈이 맞습니다."
    ),
    "{} writes were given, {} were accounted for.": "저장 {0}건 가운데 {1}건만 셈이 맞습니다.",
    "A write of {} had {} rows, the store says {}.": "{0} 저장은 {1}행인데 DB에는 {2}행이라고 합니다.",
    "The answer showed nothing of what it was asked for.": "요청한 것이 답에 하나도 없었습니다.",
    "A page of {} ends far from the price of the candle after it: it is held back until the broker has said "
    "so for an hour.": (
        "{0} 페이지의 마지막 가격이 다음 봉과 크게 다릅니다. 한 시간 동안 같은 값이 올 때까지 보류합니다."
    ),
    "Two readings of a page of {} give different prices.": "{0} 페이지를 두 번 받았는데 가격이 다릅니다.",
    "A commit of {} pages failed: {}.": "{0}페이지를 저장하지 못했습니다: {1}.",
    "The list of stocks was never read since the start: nothing is collected.": (
        "시작한 뒤로 종목 목록을 받지 못해 수집하지 않습니다."
    ),
    "The broker does not answer; it is asked again at {} KST.": (
        "키움이 응답하지 않습니다. {0}에 다시 요청합니다."
    ),
    "The broker does not answer; it is asked again shortly.": (
        "키움이 응답하지 않습니다. 곧 다시 요청합니다."
    ),
    "The broker refuses this key or this address.": "키움이 이 키나 주소를 막았습니다.",
    "A read has been due for {} s, and nothing was committed meanwhile.": (
        "받을 때가 {0}초 지났는데 그동안 저장된 것이 없습니다."
    ),
    "Nothing is due.": "지금 할 것이 없습니다.",
    "Data is being committed, or was due just now.": "저장하는 중이거나 방금 받을 때가 되었습니다.",
    "The stock list is taken for incomplete: {}. Nothing was changed.": (
        "종목 목록이 온전하지 않은 것으로 보고 아무것도 바꾸지 않았습니다: {0}."
    ),
    "The universe shrank from {} to {} symbols; two lists say the same.": (
        "대상이 {0}종목에서 {1}종목으로 줄었습니다. 목록을 두 번 받아도 같습니다."
    ),
    "{} of {} symbols would leave at once: the list is read again first.": (
        "{1}종목 가운데 {0}종목이 한꺼번에 빠지게 되어 목록부터 다시 받습니다."
    ),
    "The broker has no adjusted {} chart of {}.": "키움에 {1}의 {0} 수정주가 차트가 없습니다.",
    "The adjusted chart of {} ends at {}, after what is stored begins.": (
        "{0}의 수정주가 차트가 {1}에서 끝나 저장된 봉의 처음까지 닿지 않습니다."
    ),
    "The raw and the adjusted chart share no day.": "원주가와 수정주가 차트에 같은 날이 없습니다.",
    "The raw and the adjusted chart share no week.": "원주가와 수정주가 차트에 같은 주가 없습니다.",
    "{} of {} rows of the adjusted chart are no multiple of the raw ones.": (
        "수정주가 차트 {1}행 가운데 {0}행이 원주가의 배수가 아닙니다."
    ),
    "The record of the last month, {}, cannot be used: {}.": "지난 한 달 기록 {0}을(를) 쓸 수 없습니다: {1}.",
    "The {} {} cannot be used: {}.": "{1}을(를) 쓸 수 없습니다: {2}.",
    "The state folder {} cannot be used: {}.": "상태 폴더 {0}을(를) 쓸 수 없습니다: {1}.",
    "Process {} already {}.": "프로세스 {0}이(가) 이미 쓰고 있습니다({1}).",
    "The table coverage was changed behind the daemon's back, in {} series ({}).": (
        "수집기 밖에서 수집 기록(coverage 표)이 바뀌었습니다: 시계열 {0}개({1})."
    ),
    # analysis
    "The daily candles of {} are not final yet.": "{0} 일봉이 아직 확정되지 않았습니다.",
    "They are after the next morning's corrections; the last final day is {}.": (
        "다음 날 아침 정정이 끝나야 확정됩니다. 마지막 확정일은 {0}입니다."
    ),
    "{} is no trading day.": "{0}은(는) 거래일이 아닙니다.",
    "The one before is {}.": "그 앞 거래일은 {0}입니다.",
    "There are no candles to count over.": "셀 봉이 없습니다.",
    "There is no strategy {}.": "{0}(이)라는 전략이 없습니다.",
    "There are {}.": "있는 것: {0}.",
    "{} does not work on {} candles.": "{0}은(는) {1} 봉에 쓸 수 없습니다.",
    "{} is the name of a strategy.": "{0}은(는) 전략의 이름입니다.",
    "Choose another name.": "다른 이름을 쓰세요.",
    "It is being proved.": "확인하는 중입니다.",
    "There is no prompt {}.": "{0}(이)라는 프롬프트가 없습니다.",
    "No provider {} is set up.": "{0} 제공자가 설정되지 않았습니다.",
    "{} series are due, and wait until their candles are collected.": (
        "시계열 {0}개가 봉을 다 받을 때까지 기다립니다."
    ),
    "They are analysed when they are; `chartinsightctl coverage` shows what is missing.": (
        "다 받으면 분석합니다. 빠진 것은 `chartinsightctl coverage`로 봅니다."
    ),
    # what to do
    "It catches up while the daemon runs; the log names what fails (`chartinsightctl logs`).": (
        "수집기가 도는 동안 저절로 따라옵니다. 실패한 것은 로그에 있습니다(`chartinsightctl logs`)."
    ),
    "Once it is fixed, `chartinsightctl resume` tries at once.": (
        "고친 뒤에는 `chartinsightctl resume`으로 바로 다시 해 볼 수 있습니다."
    ),
    "Pages that were read before still wait on disk for the database.": (
        "전에 받은 페이지가 아직 디스크에서 DB를 기다립니다."
    ),
    "It is read again now.": "지금 다시 받습니다.",
    "Look after the time service of this machine (`timedatectl`).": (
        "PC의 시각 동기화를 보세요(`timedatectl`)."
    ),
    "Look at the message: the key may lack a right, or Kiwoom changed something.": (
        "내용을 보세요. 키에 권한이 없거나 키움이 무엇인가 바꾸었을 수 있습니다."
    ),
    "Its REST API portal tells; an update of ChartInsight may be needed.": (
        "키움 REST API 포털에서 확인하세요. ChartInsight를 새 판으로 올려야 할 수도 있습니다."
    ),
    "It is read again now, as far back as Kiwoom reaches.": "키움이 주는 데까지 지금 다시 받습니다.",
    "Who else writes to this database, and was it restored from a backup?": (
        "이 DB에 다른 프로그램이 쓰는지, 백업에서 되살렸는지 보세요."
    ),
    "It is read again.": "다시 받습니다.",
    "If it stays, report it with the log lines rows.unaccounted.": (
        "거듭되면 로그의 rows.unaccounted와 함께 알려 주세요."
    ),
    "It is tried again.": "다시 해 봅니다.",
    "If it stays, report it.": "거듭되면 알려 주세요.",
    "Candles come from polls meanwhile; the stream is tried again.": (
        "그동안 봉은 정기 수집으로 받습니다. 실시간은 저절로 다시 잇습니다."
    ),
    "If the exchange says otherwise, name the day in the file of collect.calendar_overrides.": (
        "거래소의 발표와 다르면 collect.calendar_overrides 파일에 그날을 적으세요."
    ),
    "Bring the database back, or raise collect.spool_mb where the disk has room.": (
        "DB를 되살리거나, 디스크에 자리가 있으면 collect.spool_mb를 늘리세요."
    ),
    "They are kept in the table quarantine as they came, and read again.": (
        "받은 그대로 격리해 두고 다시 받습니다."
    ),
    "They are tried again.": "저절로 다시 합니다.",
    "Look into the log; if it tells nothing, restart the daemon.": (
        "로그를 보고, 사유가 없으면 수집기를 다시 시작하세요."
    ),
    "See stocks.sync_failed in the log.": "로그의 stocks.sync_failed를 보세요.",
    "Wait, or check the network.": "기다리거나 네트워크를 보세요.",
    "Stacks of all threads are in the log. systemd restarts the daemon within two minutes; report it.": (
        "모든 스레드의 스택이 로그에 있습니다. 2분 안에 systemd가 수집기를 다시 시작합니다. 알려 주세요."
    ),
    "See `chartinsightctl status`.": "`chartinsightctl status`를 보세요.",
    "It takes too long.": "너무 오래 걸립니다.",
    "Let a time service set it: `timedatectl set-ntp true`.": (
        "시각 동기화를 켜세요: `timedatectl set-ntp true`."
    ),
    'If `timedatectl` says that it is right, Kiwoom\'s is wrong: set kiwoom.dates = "ignored".': (
        '`timedatectl`이 맞다고 하면 키움이 틀린 것입니다: kiwoom.dates = "ignored"로 두세요.'
    ),
    "Give the daemon the simulator's clock: set clock.follow = true, or clock.start, clock.speed and "
    "clock.anchor as the simulator's --start, --speed and --anchor.": (
        "수집기를 시뮬레이터의 시각에 맞추세요: clock.follow = true로 두거나 clock.start, clock.speed, "
        "clock.anchor를 시뮬레이터의 --start, --speed, --anchor와 같게 하세요."
    ),
    "All other parts go on.": "나머지는 그대로 동작합니다.",
    "If it lasts, report it with the lines around `service.failed` in the log.": (
        "거듭되면 로그의 `service.failed` 앞뒤 줄과 함께 알려 주세요."
    ),
    "Make room, or move state_dir; when it is full, nothing can be stored any more.": (
        "자리를 비우거나 state_dir을 옮기세요. 가득 차면 아무것도 저장할 수 없습니다."
    ),
    "Does another program use the same key?": "같은 키를 쓰는 다른 프로그램이 있나요?",
    "Else lower kiwoom.requests_per_second.": "없으면 kiwoom.requests_per_second를 낮추세요.",
    "After a suspend that is normal.": "절전에서 깨어난 뒤라면 괜찮습니다.",
    "Else look after the time service (timedatectl).": "아니면 시각 동기화를 보세요(timedatectl).",
    "It is tried again; without a token nothing is collected.": (
        "저절로 다시 합니다. 토큰이 없으면 수집하지 못합니다."
    ),
    "Is its disk still there?": "그 디스크가 아직 있나요?",
    "Each is tried again every hour; everything else continues.": (
        "한 시간마다 다시 합니다. 나머지는 그대로 동작합니다."
    ),
    "If the cause is no database's, report it with the log lines work.failed.": (
        "DB 탓이 아니면 로그의 work.failed와 함께 알려 주세요."
    ),
    "The stocks followed so far are collected as before.": "지금까지 받던 종목은 그대로 받습니다.",
    "The list is asked for every five minutes; see stocks.sync_failed.": (
        "목록은 5분마다 다시 요청합니다. 로그의 stocks.sync_failed를 보세요."
    ),
    "It is asked for every five minutes; see stocks.sync_failed in the log.": (
        "5분마다 다시 요청합니다. 로그의 stocks.sync_failed를 보세요."
    ),
    "Compare `chartinsightctl symbols list` with what you expect; `symbols add` keeps a symbol.": (
        "`chartinsightctl symbols list`를 예상과 견주어 보세요. `symbols add`로 종목을 남길 수 있습니다."
    ),
    "See `chartinsightctl symbols universe --excluded`; `symbols add` keeps a symbol.": (
        "`chartinsightctl symbols universe --excluded`를 보세요. `symbols add`로 종목을 남길 수 있습니다."
    ),
    "See `chartinsightctl coverage --venue {}` and the log; KRX is collected as before.": (
        "`chartinsightctl coverage --venue {0}`과 로그를 보세요. KRX는 그대로 받습니다."
    ),
    "Look after the disk.": "디스크를 보세요.",
    "Candles are not concerned.": "봉 수집에는 영향이 없습니다.",
    "Look after the disk; a damaged file is put aside at the next start.": (
        "디스크를 보세요. 깨진 파일은 다음 시작 때 옆으로 치웁니다."
    ),
    "Make the folder writable.": "폴더에 쓸 수 있게 하세요.",
    "Let the other program, such as a backup, finish.": "백업 같은 다른 프로그램이 끝나기를 기다리세요.",
    "Make it writable for this user, or set state_dir to a folder on a local disk.": (
        "이 사용자가 쓸 수 있게 하거나 state_dir을 이 PC 디스크의 폴더로 바꾸세요."
    ),
    "Stop that daemon first, or give this one another state_dir.": (
        "그 수집기를 먼저 끄거나 이 수집기에 다른 state_dir을 주세요."
    ),
    "Start chartinsight-simulator first, and set kiwoom.base_url to the address it prints.": (
        "chartinsight-simulator를 먼저 시작하고 kiwoom.base_url을 그 주소로 두세요."
    ),
    # channels of alerts
    "{} did not take the message.": "{0}이(가) 알림을 받지 않았습니다.",
    "Install the extra: pip install 'chartinsight[apprise]'. Or take the setting out.": (
        "pip install 'chartinsight[apprise]'로 설치하거나 그 설정을 빼세요."
    ),
    "Test it with apprise's own command: apprise -vv -b test URL.": (
        "apprise 명령으로 시험해 보세요: apprise -vv -b test URL."
    ),
    "{} failed ({}).": "{0} 실패({1}).",
    "Test the URL with apprise's own command: apprise -vv -b test URL.": (
        "apprise 명령으로 URL을 시험해 보세요: apprise -vv -b test URL."
    ),
    "The mail server {}:{} took no mail ({}{}).": "메일 서버 {0}:{1}이(가) 메일을 받지 않았습니다({2}{3}).",
    "Check alerts.smtp_user and the password; many providers want an application password.": (
        "alerts.smtp_user와 비밀번호를 보세요. 앱 비밀번호를 써야 하는 곳이 많습니다."
    ),
    "Check alerts.mail_from and alerts.mail_to.": "alerts.mail_from과 alerts.mail_to를 보세요.",
    "Check alerts.smtp_host, alerts.smtp_port and alerts.smtp_starttls.": (
        "alerts.smtp_host, alerts.smtp_port, alerts.smtp_starttls를 보세요."
    ),
    "Make a new incoming webhook in Slack and set CHARTINSIGHT_ALERTS__SLACK_WEBHOOK to it.": (
        "Slack에서 수신 웹훅을 새로 만들어 CHARTINSIGHT_ALERTS__SLACK_WEBHOOK에 넣으세요."
    ),
    "Slack takes about one message a second; it is tried again later.": (
        "Slack은 1초에 하나쯤 받습니다. 나중에 다시 보냅니다."
    ),
    "Slack answered {}.": "Slack이 {0}(으)로 답했습니다.",
    "Slack was not reached ({}).": "Slack에 연결하지 못했습니다({0}).",
    "Check the network, and that the webhook is complete.": "네트워크와, 웹훅 주소가 온전한지 보세요.",
}
