"""Whatever the database says is one of two errors of ours; once that has passed the same call succeeds."""

from __future__ import annotations

from dataclasses import replace
from socket import gaierror

import asyncpg
import pytest

from chartinsightd.adapters.postgres.connection import ReconnectingConnection
from chartinsightd.adapters.postgres.errors import said
from chartinsightd.adapters.postgres.store import Store
from chartinsightd.domain.errors import RowsRefused, StoreRefused, StoreUnavailable
from chartinsightd.domain.quality import RejectedRow
from chartinsightd.domain.write import Written
from tests.adapters.postgres.model import FIRST, STEP_S, page, write
from tests.support.postgres import connected

NO_ERRORS = ("00", "01", "02")
"""Classes of success and of warnings: they cannot be raised."""
CODES = sorted(
    {
        str(state)
        for error in vars(asyncpg).values()
        if isinstance(error, type) and (state := getattr(error, "sqlstate", None))
    }
)

BOOM = """
create function boom() returns trigger language plpgsql as $$
begin raise exception 'made by an administrator' using errcode = tg_argv[0]; end $$
"""


async def test_every_code_of_the_server_is_an_error_of_ours(store: Store, database: str) -> None:
    """Each SQLSTATE that the library knows, raised in our transaction, leaves nothing behind and passes."""
    codes = [code for code in CODES if code[:2] not in NO_ERRORS]
    assert len(codes) > 200
    async with connected(database) as connection:
        await connection.execute(BOOM)
        for number, code in enumerate(codes):
            one = write(page(at=[number]), (FIRST + 300 * number, FIRST + 300 * number + 300))
            await connection.execute(
                "create trigger boom before insert or update or delete on coverage"
                f" for each statement execute function boom('{code}')"
            )
            with pytest.raises(StoreUnavailable):
                await store.candles.save([one])
            await connection.execute("drop trigger boom on coverage")
            assert await store.candles.save([one]) == [Written(inserted=1)], code


async def test_a_refusal_has_the_servers_words_and_a_remedy(store: Store, database: str) -> None:
    """Who reads the message learns what the server said, its code, and what to look at."""
    async with connected(database) as connection:
        await connection.execute(BOOM)
        await connection.execute(
            "create trigger boom before insert or update on coverage"
            " for each statement execute function boom('P0001')"
        )
        with pytest.raises(StoreRefused, match=r"made by an administrator \(SQLSTATE P0001\)") as caught:
            await store.candles.save([write(page(at=[0]), (FIRST, FIRST + 300))])
    assert "trigger" in caught.value.remedy


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(111, "Connect call failed ('127.0.0.1', 5432)"), "Connection refused"),
        (OSError("Multiple exceptions: [Errno 111] Connect call failed, [Errno 101]"), "Connection refused"),
        (asyncpg.InterfaceError("cannot call Transaction.__aexit__(): the connection is closed"), "was lost"),
        (asyncpg.ConnectionDoesNotExistError("closed in the middle of operation"), "the connection was lost"),
        (ConnectionError("unexpected connection_lost() call"), "the connection was lost"),
        (gaierror(-2, "Name or service not known"), "Name or service not known"),
        (asyncpg.CannotConnectNowError("words of the\n server"), "words of the server"),
        (OSError(), "OSError"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_library_has_no_words_here(error: Exception, words: str) -> None:
    """People read what the system or the server says, not how Python writes an error."""
    assert said(error).endswith(words)


@pytest.mark.parametrize("error", [RuntimeError, RecursionError, MemoryError, KeyError, ValueError, OSError])
async def test_any_error_below_is_an_error_of_ours(error: type[Exception], database: str) -> None:
    """What is raised while the connection is in use, by whomever, ends that use and no more."""
    link = ReconnectingConnection(database)
    with pytest.raises(StoreUnavailable):
        async with link.use():
            raise error("some words")
    assert link.failure is not None
    async with link.use() as connection:
        assert await connection.fetchval("select 1") == 1
    assert link.failure is None
    await link.close()


async def test_a_right_that_is_missing_is_named_with_its_grant(store: Store, database: str) -> None:
    """A lost right on a table is not answered with the right to make databases."""
    async with connected(database) as connection:
        await connection.execute("create role app login; grant usage, create on schema simulation to app")
        try:
            link = ReconnectingConnection(database.replace("//chartinsight@", "//app@"))
            with pytest.raises(StoreRefused, match="permission denied") as caught:
                async with link.use() as other:
                    await other.execute(
                        "insert into simulation.coverage values ('005930', '5m', now(), now())"
                    )
            await link.close()
        finally:
            await connection.execute("drop owned by app; drop role app")
    assert "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES" in caught.value.remedy
    assert store.presence.failure is None


SPOILT = 70_007
"""The close that an administrator's rule does not like."""
_SPOILT_ROW = f"for each row when (new.close = {SPOILT})"
_TRIGGER = "create constraint trigger rule after insert or update on candles_5m"
RULES = {
    "constraint": f"alter table candles_5m add constraint rule check (close <> {SPOILT})",
    "raised at once": f"{_TRIGGER} {_SPOILT_ROW} execute function boom('P0001')",
    "raised at commit": f"{_TRIGGER} deferrable initially deferred {_SPOILT_ROW}"
    " execute function boom('22003')",
    "swallowed": "create function swallow() returns trigger language plpgsql as 'begin return null; end';"
    f"create trigger rule before insert or update on candles_5m {_SPOILT_ROW} execute function swallow()",
}


@pytest.mark.parametrize("rule", RULES)
async def test_a_row_that_is_refused_alone_is_named(rule: str, store: Store, database: str) -> None:
    """Of a COPY and a poll exactly the rows of an administrator's rule are to blame; nothing is left of the
    try, and without these rows it succeeds.
    """
    closes = [70_000] * 100
    closes[17] = closes[60] = SPOILT
    one = write(page(at=range(100), close=closes), (FIRST, FIRST + STEP_S * 100))
    poll = write(page("000660", at=range(3), close=[70_000, 70_001, SPOILT]))
    async with connected(database) as connection:
        await connection.execute(BOOM + ";" + RULES[rule])

        with pytest.raises(RowsRefused) as caught:
            await store.candles.save([one, poll])

        assert caught.value.rows == {0: [FIRST + STEP_S * 17, FIRST + STEP_S * 60], 1: [FIRST + STEP_S * 2]}
        assert caught.value.remedy
        assert await connection.fetchval("select count(*) from candles_5m") == 0
    sound = [replace(some, candles=some.candles.where(some.candles.close != SPOILT)) for some in (one, poll)]
    assert await store.candles.save(sound) == [Written(inserted=98), Written(inserted=2)]


@pytest.mark.parametrize("rule", ["check (close < 0)", f"check (close <> {SPOILT})"])
async def test_what_refuses_every_row_blames_none(rule: str, store: Store, database: str) -> None:
    """Then the rows are to be written later: nothing says that it is for one of them."""
    async with connected(database) as connection:
        await connection.execute(f"alter table candles_5m add constraint rule {rule}")
        with pytest.raises(StoreRefused) as caught:
            await store.candles.save([write(page(at=range(60), close=SPOILT))])
    assert not isinstance(caught.value, RowsRefused)


async def test_a_refused_row_that_comes_again_is_kept_once(store: Store, database: str) -> None:
    """Every poll brings it until it leaves the page; it is counted each time, and kept once."""
    bad = RejectedRow(symbol="005930", reason="high_below_low", payload={"cur_prc": "1"})
    other = replace(bad, payload={"cur_prc": "2"})
    polls = [
        write(page(at=range(3)), rejected=rows, api_id="ka10080") for rows in [(bad,), (bad, other), (bad,)]
    ]

    written = [one for poll in polls for one in await store.candles.save([poll])]

    assert [one.quarantined for one in written] == [1, 2, 1]
    async with connected(database) as connection:
        assert await connection.fetchval("select count(*) from quarantine") == 2
