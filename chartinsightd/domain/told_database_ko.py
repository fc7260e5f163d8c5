"""What the daemon says of PostgreSQL while it runs, in Korean: what is wrong, and what to do."""

from __future__ import annotations

KOREAN_DATABASE = {
    "PostgreSQL stored {} of {} candles and gave no error.": (
        "PostgreSQL이 {1}봉 가운데 {0}봉만 저장하고 오류를 내지 않았습니다."
    ),
    "PostgreSQL refuses {} of the rows: {}": "PostgreSQL이 {0}행을 거절합니다: {1}",
    "The coverage in the database is not what was written to it: it was set back or changed.": (
        "DB의 수집 기록이 쓴 것과 다릅니다. 되돌려졌거나 바뀌었습니다."
    ),
    "The pooler at {} keeps no sessions: {}.": "{0}의 풀러가 연결을 유지하지 않습니다: {1}.",
    "Another daemon writes this store and is alive: {}.": "다른 수집기가 이 DB에 쓰고 있습니다: {0}.",
    "A session of the role {} (server process {}) has the store, and this role may not see "
    "whether it lives.": (
        "역할 {0}의 연결(서버 프로세스 {1})이 DB를 쥐고 있는데 살아 있는지 볼 권한이 없습니다."
    ),
    "The session of {} (server process {}, role {}) has the store and says nothing; it cannot be "
    "ended: {}.": ("{0}의 연결(서버 프로세스 {1}, 역할 {2})이 DB를 쥔 채 답이 없고 끊을 수도 없습니다: {3}."),
    "The schema {} holds tables of another program: {}.": "스키마 {0}에 다른 프로그램의 표가 있습니다: {1}.",
    "The store in schema {} has otherwise than it was made: {}.": (
        "스키마 {0}이(가) 만들 때와 다릅니다: {1}."
    ),
    "The store in schema {} has version {}, this program knows {}.": (
        "스키마 {0}은(는) {1}판이고 이 프로그램은 {2}판까지 압니다."
    ),
    "The primary key of the table {} is gone and cannot be made again: {}.": (
        "표 {0}의 기본 키가 없어졌고 다시 만들 수 없습니다: {1}."
    ),
    "A pooler in transaction mode stands before PostgreSQL: what one statement sets, the next does not "
    "find.": "PostgreSQL 앞에 트랜잭션 방식의 풀러가 있어 설정이 다음 문장까지 남지 않습니다.",
    "PostgreSQL {}.{} is too old.": "PostgreSQL {0}.{1}은(는) 너무 오래되었습니다.",
    "The database takes no writes: it is a stand-by, or default_transaction_read_only is on.": (
        "DB에 쓸 수 없습니다. 대기 서버이거나 default_transaction_read_only가 켜져 있습니다."
    ),
    "The database stores text as {}; Korean names need UTF8.": (
        "DB의 문자 집합이 {0}입니다. 한글 이름에는 UTF8이 필요합니다."
    ),
    "The connection works in {} instead of {}: search_path does not hold.": (
        "연결이 {1}이(가) 아니라 {0}에서 움직입니다. search_path가 유지되지 않습니다."
    ),
    "The schema {} holds the store of mode {}: it was renamed, or restored here.": (
        "스키마 {0}에 {1} 방식의 자료가 있습니다. 이름이 바뀌었거나 여기에 되살린 것입니다."
    ),
    "The store in schema {} lacks {}.": "스키마 {0}에 {1}이(가) 없습니다.",
    "The new list has {} stocks, {} are known: it is taken for incomplete and was not stored.": (
        "새 목록은 {0}종목이고 아는 것은 {1}종목이라, 온전하지 않은 것으로 보고 저장하지 않았습니다."
    ),
    "The partition {} is in use by {}.": "파티션 {0}을(를) {1}이(가) 쓰고 있습니다.",
    # what to do
    "A trigger or rule on the tables of candles swallows rows: drop it.": (
        "봉 표의 트리거나 규칙이 행을 없앱니다. 그것을 지우세요."
    ),
    "It is believed as it is, and what it lacks is read again.": (
        "있는 그대로 믿고, 없는 것은 다시 받습니다."
    ),
    "Was a backup restored?": "백업에서 되살렸나요?",
    "Let database.dsn name the database itself, or a pooler in session mode: in transaction mode each "
    "transaction meets another session (docs/operating.md, Poolers).": (
        "database.dsn을 DB 자체나 세션 방식의 풀러로 두세요. 트랜잭션 방식은 매번 다른 연결로 갑니다"
        "(docs/operating.md, Poolers)."
    ),
    "If it stays: the server is too slow, or its {} too short (ALTER ROLE <user> RESET {}; ALTER DATABASE {} "
    "RESET {}).": (
        "거듭되면 서버가 느리거나 {0}이(가) 너무 짧은 것입니다(ALTER ROLE <user> RESET {1}; "
        "ALTER DATABASE {2} RESET {3})."
    ),
    "A trigger or function of the database raised this: correct it or drop it.": (
        "DB의 트리거나 함수가 낸 오류입니다. 고치거나 지우세요."
    ),
    "A constraint that ChartInsight did not make refuses the row: drop it.": (
        "ChartInsight가 만들지 않은 제약이 행을 거절합니다. 그것을 지우세요."
    ),
    "A trigger or a changed column refuses the value: `chartinsightd check` compares the tables.": (
        "트리거나 바뀐 열이 값을 거절합니다. `chartinsightd check`가 표를 견주어 봅니다."
    ),
    "The server has reached a limit; for transaction ids let an administrator run VACUUM.": (
        "서버가 한도에 닿았습니다. 트랜잭션 번호라면 관리자가 VACUUM을 해야 합니다."
    ),
    "The tables are not as ChartInsight made them: `chartinsightd check` says which.": (
        "표가 ChartInsight가 만든 것과 다릅니다. `chartinsightd check`로 봅니다."
    ),
    "The schema is gone: restore it, or restart the daemon, which makes it again.": (
        "스키마가 없어졌습니다. 되살리거나, 수집기를 다시 시작하면 새로 만듭니다."
    ),
    "This server does not know the statement: use PostgreSQL 15 or newer, without a layer between.": (
        "서버가 모르는 문장입니다. 중간 프로그램 없이 PostgreSQL 15 이상을 쓰세요."
    ),
    "Something ended or forbade the transaction: look for triggers and for a pooler between.": (
        "무엇인가 트랜잭션을 끝내거나 막았습니다. 트리거와 중간의 풀러를 보세요."
    ),
    "If it stays, report it with the log line store.unexpected_error.": (
        "거듭되면 로그의 store.unexpected_error와 함께 알려 주세요."
    ),
    "A page of the database is damaged: look after the disk, then REINDEX or restore a backup.": (
        "DB의 페이지가 깨졌습니다. 디스크를 보고 REINDEX하거나 백업에서 되살리세요."
    ),
    "What was lost is found and read again (docs/operating.md, Damaged pages).": (
        "잃은 것은 찾아서 다시 받습니다(docs/operating.md, Damaged pages)."
    ),
    "Look into the server's log.": "DB 서버의 로그를 보세요.",
    "ChartInsight needs six: raise max_connections or the role's CONNECTION LIMIT.": (
        "연결 여섯이 필요합니다. max_connections나 역할의 CONNECTION LIMIT을 늘리세요."
    ),
    "Let the transaction that holds it end; pg_stat_activity lists it.": (
        "잠금을 쥔 트랜잭션을 끝내세요. pg_stat_activity에서 볼 수 있습니다."
    ),
    "Look whether it runs and what it waits for: its disk, the network, or in pg_stat_activity "
    "SyncRep, which "
    "is a stand-by that confirms no commit.": (
        "도는지, 무엇을 기다리는지 보세요: 디스크, 네트워크, 또는 pg_stat_activity의 SyncRep"
        "(확인하지 않는 대기 서버)."
    ),
    "If it stays, the server's log has the reason; often a limit of time of the role or database "
    "is too short "
    "(transaction_timeout, idle_session_timeout).": (
        "거듭되면 사유는 서버 로그에 있습니다. 역할이나 DB의 시간 제한(transaction_timeout, "
        "idle_session_timeout)이 너무 짧은 일이 많습니다."
    ),
    "Stop it (the number before @ is its process id), or use another database.": (
        "그 수집기를 끄거나(@ 앞이 프로세스 번호) 다른 DB를 쓰세요."
    ),
    "Let both use one role, or GRANT pg_read_all_stats to this one.": (
        "둘이 같은 역할을 쓰거나 이 역할에 pg_read_all_stats를 주세요."
    ),
    "Let database.dsn name another database (createdb chartinsight), or rename theirs (ALTER "
    "SCHEMA {} RENAME "
    "TO {}_before); nothing of it was touched.": (
        "database.dsn을 다른 DB로 두거나(createdb chartinsight) 그 스키마의 이름을 바꾸세요"
        "(ALTER SCHEMA {0} RENAME TO {1}_before). 아무것도 건드리지 않았습니다."
    ),
    "Undo what was changed there, or rename the schema and let the daemon begin again.": (
        "바꾼 것을 되돌리거나, 스키마의 이름을 바꾸고 수집기가 새로 시작하게 하세요."
    ),
    "Start the newer ChartInsight that made it.": "그것을 만든 더 새로운 ChartInsight를 시작하세요.",
    "Remove what stands in the way, then let its owner run: ALTER TABLE {} ADD PRIMARY KEY ({});": (
        "막는 것을 없앤 뒤 표의 주인이 실행하세요: ALTER TABLE {0} ADD PRIMARY KEY ({1});"
    ),
    "ChartInsight needs version {} or newer.": "{0}판 이상이 필요합니다.",
    "Let database.dsn name the primary, or a user who may write.": (
        "database.dsn을 주 서버나 쓸 수 있는 사용자로 두세요."
    ),
    "Create it with: createdb -E UTF8 -T template0 <database>.": (
        "이렇게 만드세요: createdb -E UTF8 -T template0 <database>."
    ),
    "Let the role use the schema (GRANT USAGE ON SCHEMA), and let a pooler pass search_path on or keep "
    "sessions (docs/operating.md, Poolers).": (
        "역할이 스키마를 쓰게 하고(GRANT USAGE ON SCHEMA), 풀러가 search_path를 넘기거나 연결을 "
        "유지하게 하세요(docs/operating.md, Poolers)."
    ),
    "Rename it back (ALTER SCHEMA {} RENAME TO {}), or use another database.": (
        "이름을 되돌리거나(ALTER SCHEMA {0} RENAME TO {1}) 다른 DB를 쓰세요."
    ),
    "The daemon makes what can be made when it connects; `chartinsightd check` says what stands "
    "in the way.": (
        "만들 수 있는 것은 수집기가 연결할 때 만듭니다. 막는 것은 `chartinsightd check`로 봅니다."
    ),
    "Nothing is lost; the next list is tried as usual.": "잃은 것은 없습니다. 다음 목록을 평소처럼 받습니다.",
    "If the market really shrank, set delisted_on of the missing ones by hand.": (
        "정말 줄었다면 없어진 종목의 delisted_on을 직접 적으세요."
    ),
    "It is put in order another night.": "다른 밤에 정리합니다.",
}
