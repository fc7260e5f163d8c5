"""What the daemon answers to what was asked of it, in Korean: why something was not done, and what helps."""

from __future__ import annotations

KOREAN_ORDERS = {
    # alarms and alerts
    "An alarm of a screen needs the screen's name and no level.": (
        "조건 알림에는 조건 이름만 있어야 하고 값은 없어야 합니다."
    ),
    "An alarm {} needs a stock and a level above zero.": "{0} 알림에는 종목과 0보다 큰 값이 있어야 합니다.",
    "Only volume and value can be a multiple of the usual.": "평소의 몇 배는 거래량과 거래대금만 됩니다.",
    "There are {} alarms already.": "알림이 벌써 {0}개입니다.",
    "Remove some first.": "먼저 몇 개를 지우세요.",
    "There is no alarm {}.": "{0}번 알림이 없습니다.",
    "There is no kind of alert {}.": "{0}(이)라는 알림 종류가 없습니다.",
    "No alert {} is active.": "{0} 알림이 켜져 있지 않습니다.",
    "Did you mean {}?": "혹시 {0}?",
    "Kinds: {}.": "종류: {0}.",
    "Active: {}.": "켜진 것: {0}.",
    "There is no alert {}.": "{0} 알림이 없습니다.",
    "The channels were tried {} times within an hour.": "한 시간 안에 채널을 {0}번 시험했습니다.",
    "Try again in {} minutes.": "{0}분 뒤에 다시 하세요.",
    # jobs
    "There is no job {}.": "{0}번 작업이 없습니다.",
    "It begins when the daemon is resumed.": "수집을 다시 시작하면 시작합니다.",
    "It ends after the pages it is at.": "지금 받는 페이지까지만 받고 끝냅니다.",
    "Job {} ({}) is the daemon's own work: it would start again.": (
        "{0}번 작업({1})은 수집기가 스스로 하는 일이라 다시 시작됩니다."
    ),
    "{} jobs of this kind are open; no more are taken until some are over.": (
        "이런 작업이 {0}개 열려 있어 몇 개가 끝날 때까지 더 받지 않습니다."
    ),
    "Job {} ({}) cannot be done again by hand: the daemon does what is due of it.": (
        "{0}번 작업({1})은 손으로 다시 할 수 없습니다. 필요한 것은 수집기가 저절로 합니다."
    ),
    "Nothing of it waits.": "그 가운데 기다리는 것이 없습니다.",
    "Needs a restart: {}.": "다시 시작해야 적용됨: {0}.",
    "The broker refused us before; one request tries now.": (
        "전에 키움이 거절했습니다. 지금 요청 하나로 다시 해 봅니다."
    ),
    # what the daemon is doing
    "Waiting for the list of stocks; nothing is collected before.": (
        "종목 목록을 기다립니다. 그전에는 수집하지 않습니다."
    ),
    "Waiting for PostgreSQL; pages go to the spool.": "PostgreSQL을 기다립니다. 받은 것은 임시 저장합니다.",
    "No symbol is tracked.": "수집하는 종목이 없습니다.",
    "The spool is being drained into PostgreSQL.": "임시 저장한 것을 PostgreSQL로 옮기는 중입니다.",
    "The list of stocks was read.": "종목 목록을 받았습니다.",
    "The daemon is paused: it asks the broker nothing.": "수집 일시정지 중이라 키움에 요청하지 않습니다.",
    # notes, labels, screens, stocks
    "Label {} is not the newest version of one of {}.": "{0}번 라벨은 {1}의 최신 것이 아닙니다.",
    "Read the labels again and replace the newest version.": "라벨을 다시 읽고 최신 것을 바꾸세요.",
    "There is no note {}.": "{0}번 노트가 없습니다.",
    "GET /v1/notes lists them.": "GET /v1/notes에 목록이 있습니다.",
    "Leave as_of out.": "as_of를 빼세요.",
    "The database is one of your own (database.dsn).": "직접 마련한 DB입니다(database.dsn).",
    "There: create role chartinsight_reader login password '…'; grant pg_read_all_data to "
    "chartinsight_reader; read the schema {} as that role.": (
        "그 DB에서: create role chartinsight_reader login password '…'; grant pg_read_all_data to "
        "chartinsight_reader; 그 역할로 스키마 {0}을(를) 읽습니다."
    ),
    "{} is in no stock list.": "{0}은(는) 종목 목록에 없습니다.",
    "{} is not traded on {}, by the stock list.": "종목 목록을 보면 {0}은(는) {1}에서 거래되지 않습니다.",
    "No screen {} is stored.": "{0}(이)라는 조건이 없습니다.",
    "The list of stocks was not read yet, and nothing is known of an earlier one.": (
        "종목 목록을 아직 받지 못했고 전에 받은 것도 없습니다."
    ),
    "Try again in a moment; the log says why it takes longer (stocks.sync_failed).": (
        "잠시 뒤에 다시 하세요. 오래 걸리면 로그의 stocks.sync_failed를 보세요."
    ),
    "{} is not collected.": "{0}은(는) 수집하지 않습니다.",
    'Set venues.collect = ["{}"] and start the daemon again.': (
        'venues.collect = ["{0}"](으)로 두고 수집기를 다시 시작하세요.'
    ),
    "The watchlist has no group {}.": "관심에 {0} 그룹이 없습니다.",
    "{} is not in the group {}.": "{0}은(는) {1} 그룹에 없습니다.",
    "A watchlist holds {} groups and {} stocks at most.": "관심에는 {0}그룹 {1}종목까지 둘 수 있습니다.",
    # the control socket
    "{} was made by another user: what answers there is not trusted.": (
        "{0}은(는) 다른 사용자가 만든 것이라 믿을 수 없습니다."
    ),
    "Remove it, or name the daemon's socket with --socket.": (
        "지우거나, 수집기의 소켓을 --socket으로 알려 주세요."
    ),
    "The daemon gave no estimate.": "수집기가 예상을 주지 않았습니다.",
    "Are daemon and client of the same version?": "수집기와 화면이 같은 판인가요?",
    "The daemon's answer is not understood ({}: {}).": "수집기의 답을 알 수 없습니다({0}: {1}).",
    "The daemon did not get to an answer within {} s.": "수집기가 {0}초 안에 답하지 못했습니다.",
    "Try again; if it stays so, look into the log.": "다시 해 보고, 그대로면 로그를 보세요.",
    "This is a bug: please report it with the daemon's log.": (
        "프로그램의 잘못입니다. 수집기 로그와 함께 알려 주세요."
    ),
    "The bytes are no HTTP request that is understood here.": "알 수 없는 HTTP 요청입니다.",
    "Only `Expect: 100-continue` is understood.": "`Expect: 100-continue`만 압니다.",
    "The connection is gone.": "연결이 끊겼습니다.",
    "{} may only read here.": "{0}은(는) 읽기만 할 수 있습니다.",
}
