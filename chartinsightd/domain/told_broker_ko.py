"""What the daemon says of Kiwoom's answers, in Korean: what was wrong with one, and what to do."""

from __future__ import annotations

KOREAN_BROKER = {
    "{} has {} rows, more than are possible.": "{0}에 {1}행이 있어 있을 수 있는 것보다 많습니다.",
    "{} has {} bytes, more than the {} that are possible.": (
        "{0}이(가) {1}바이트로 있을 수 있는 {2}바이트보다 깁니다."
    ),
    "{} has more rows than are possible: {} objects, {} lists and {} values.": (
        "{0}에 있을 수 있는 것보다 많은 행이 있습니다: 객체 {1}, 목록 {2}, 값 {3}."
    ),
    "{} sent {} rows of {} and announced {}.": "{0}이(가) {2} {1}행을 보내고 {3}행이라고 했습니다.",
    "{} announced another page of {} and gave a blank one.": (
        "{0}이(가) {1} 다음 페이지가 있다고 하고 빈 페이지를 주었습니다."
    ),
    "{} gave a page of {} with no older row than before.": (
        "{0}이(가) {1}의 앞 페이지보다 오래된 행이 없는 페이지를 주었습니다."
    ),
    "{} is no stock code.": "{0}은(는) 종목코드가 아닙니다.",
    "The numbers of {} are larger than any stock's.": "{0}의 숫자가 어느 종목보다도 큽니다.",
    "{} rows of ka10099 cannot be read.": "ka10099의 {0}행을 읽을 수 없습니다.",
    "Kiwoom's answer to {} holds bytes that are no UTF-8.": (
        "{0}에 대한 키움의 답에 글자가 아닌 것이 들어 있습니다."
    ),
    "Kiwoom's firewall refused the live stream (HTTP 400).": "키움 방화벽이 실시간 연결을 거절했습니다(400).",
    "Another program uses the live stream with this key: end it, or give it another key.": (
        "같은 키로 실시간을 쓰는 다른 프로그램이 있습니다. 그것을 끄거나 다른 키를 주세요."
    ),
    "Until then candles come from polls.": "그때까지 봉은 정기 수집으로 받습니다.",
    "The answer to {} is packed in a way that was not offered, or damaged on the way.": (
        "{0}에 대한 답이 요청하지 않은 방식으로 압축되었거나 오는 길에 깨졌습니다."
    ),
    "Asked for {}, Kiwoom gave an answer of {}.": "{0}을(를) 요청했는데 키움이 {1}의 답을 주었습니다.",
    "Kiwoom's answer is dated {} KST, days before this machine's clock ({} KST): it is not used.": (
        "키움의 답이 PC 시각({1})보다 며칠 앞선 {0}의 것이라 쓰지 않습니다."
    ),
    "Kiwoom's answer to {} is longer than {} bytes.": "{0}에 대한 키움의 답이 {1}바이트보다 깁니다.",
    "The chart of {} has no list {}.": "{0} 차트에 {1} 목록이 없습니다.",
    "Asked for the chart of {}, Kiwoom gave that of {}.": (
        "{0} 차트를 요청했는데 키움이 {1}의 것을 주었습니다."
    ),
    "The chart of {} is not a JSON object.": "{0} 차트가 JSON 객체가 아닙니다.",
    # what to do
    'Set kiwoom.user_agent to that of curl, such as "curl/8.5.0", or of a browser.': (
        'kiwoom.user_agent를 "curl/8.5.0"처럼 curl이나 브라우저와 같은 것으로 두세요.'
    ),
    "The token was issued to another IP address than the one now seen.": (
        "토큰을 받은 IP와 지금의 IP가 다릅니다."
    ),
    "Give this machine one fixed public address, register it for the key in the portal "
    "(지정단말기 IP 등록), and restart.": (
        "이 PC에 고정 공인 IP를 주고 포털에서 그 키에 등록(지정단말기 IP 등록)한 뒤 다시 시작하세요."
    ),
    "If it lasts: the key and kiwoom.environment (real = 실전투자, paper = 모의투자) do not match.": (
        "거듭되면 키와 kiwoom.environment(real = 실전투자, paper = 모의투자)가 맞지 않는 것입니다."
    ),
    'This request is not offered on the paper host (모의투자): use kiwoom.environment = "real".': (
        '모의투자에는 없는 요청입니다: kiwoom.environment = "real"을 쓰세요.'
    ),
    "This request is not offered to corporate customers (법인 고객): use a personal key.": (
        "법인 고객에게는 없는 요청입니다. 개인 키를 쓰세요."
    ),
    "Only gzip is offered: turn off the compression of the proxy or relay before Kiwoom.": (
        "gzip만 씁니다. 키움과의 사이에 있는 프록시의 압축을 끄세요."
    ),
    "Set this machine's clock (`timedatectl`), or look for a cache on the way to Kiwoom.": (
        "PC 시각을 맞추거나(`timedatectl`) 키움과의 사이에 캐시가 있는지 보세요."
    ),
}
