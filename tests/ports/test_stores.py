"""Stocks, wishes, actions, learned days, seals, gaps and jobs; and the checkpoint."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from chartinsightd.adapters.checkpoint import open_checkpoint
from chartinsightd.clock import SystemClock
from chartinsightd.domain.adjustment import CorporateAction
from chartinsightd.domain.chain import Chain, ChainState
from chartinsightd.domain.errors import StoreRefused
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.series import Series, SeriesState
from chartinsightd.domain.silence import LearnedDay
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Written
from chartinsightd.facts.krx import KST
from chartinsightd.ports.stores import (
    AdjustmentCheck,
    Checkpoint,
    KeptLog,
    Seal,
    UnfinishedBackfill,
    Unsealed,
)
from tests.adapters.postgres.model import FIRST, STEP_S, page, write
from tests.support.fakes import FakeCheckpoint, listed_stock

from .conftest import Stores

NOW = datetime(2026, 11, 20, 22, 0, tzinfo=UTC)
"""Already the 21st in Korea."""
DAY = datetime.fromtimestamp(FIRST, KST).date()
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FOREVER = datetime(2100, 1, 1, tzinfo=UTC)
LIST = [listed_stock(symbol=f"{i:06}", last_price=100 * i) for i in range(20)]
TRACKED = frozenset({"000001"})


async def test_the_list_of_stocks_is_replaced(stores: Stores) -> None:
    """New ones are added, changed ones updated; a missing one leaves on the Korean day and stays known."""
    save = stores.stocks.save_stocks
    assert await save(LIST, TRACKED, NOW) == Written(inserted=20)
    assert await save(LIST, TRACKED, NOW) == Written(unchanged=20)
    renamed = replace(LIST[1], name="새이름")
    assert await save([renamed, *LIST[2:]], TRACKED, NOW) == Written(changed=1, unchanged=18)

    known = await stores.stocks.known_stocks()
    assert known.listed == {stock.symbol for stock in LIST[1:]}
    assert known.priced == known.listed
    assert known.delisted == {"000000": date(2026, 11, 21)}


async def test_a_stock_that_returns_is_listed_again(stores: Stores) -> None:
    """The day on which it left is taken back; it is no new one."""
    await stores.stocks.save_stocks(LIST, frozenset(), NOW)
    await stores.stocks.save_stocks(LIST[1:], frozenset(), NOW)
    assert await stores.stocks.save_stocks(LIST, frozenset(), NOW) == Written(changed=1, unchanged=19)

    known = await stores.stocks.known_stocks()
    assert (len(known.listed), known.delisted) == (20, {})


async def test_a_short_list_is_refused(stores: Stores) -> None:
    """A list that lost more than a tenth is a broken answer: nothing changes. Unreadable rows are listed."""
    await stores.stocks.save_stocks(LIST, frozenset(), NOW)
    with pytest.raises(StoreRefused, match="17 stocks"):
        await stores.stocks.save_stocks(LIST[3:], frozenset(), NOW)
    assert len((await stores.stocks.known_stocks()).listed) == 20

    unreadable = frozenset(stock.symbol for stock in LIST[:3])
    await stores.stocks.save_stocks(LIST[3:], frozenset(), NOW, unreadable)
    assert len((await stores.stocks.known_stocks()).listed) == 20


async def test_wishes_are_kept(stores: Stores) -> None:
    """What a person added or removed last counts."""
    await stores.tracking.set_tracking(["035720", "000660"], True, NOW, "me")
    await stores.tracking.set_tracking(["005930", "000660"], False, NOW, "me")

    assert await stores.tracking.tracking() == {"035720": True, "000660": False, "005930": False}


async def test_the_ledger_gives_back_what_was_put(stores: Stores) -> None:
    """Actions come oldest first; one that is put again replaces the old and keeps the moment of its find."""
    later = NOW + timedelta(days=1)
    first = CorporateAction(
        ex_date=date(2026, 10, 21), price_factor=Fraction(1, 2), volume_factor=Fraction(2), evidence={"n": 1}
    )
    second = replace(first, ex_date=date(2026, 11, 2), evidence={})
    await stores.actions.put_actions("005930", [second, first], NOW)
    await stores.actions.put_actions("005930", [replace(second, volume_factor=Fraction(3))], later)

    assert await stores.actions.actions("005930") == [first, replace(second, volume_factor=Fraction(3))]
    assert await stores.actions.actions("000660") == []
    assert await stores.actions.found_since(date(2026, 11, 1)) == {"005930": NOW}
    assert await stores.actions.found_since(date(2026, 11, 3)) == {}


async def test_a_new_action_has_its_own_moment(stores: Stores) -> None:
    """Of a symbol the newest action counts, and when that one was found."""
    later = NOW + timedelta(days=1)
    old = CorporateAction(ex_date=date(2026, 10, 21), price_factor=Fraction(1, 2), volume_factor=Fraction(2))
    await stores.actions.put_actions("005930", [old], NOW)
    await stores.actions.put_actions("005930", [replace(old, ex_date=date(2026, 11, 2))], later)

    assert await stores.actions.found_since(date(2026, 10, 1)) == {"005930": later}


async def test_checks_are_kept(stores: Stores) -> None:
    """What was looked at and what is suspected; a symbol is replaced as a whole."""
    day = date(2026, 11, 20)
    checks = {
        "005930": AdjustmentCheck(
            complete_to=day, checked_at=NOW, suspicion={"day": "2026-11-20", "base_price": 1}
        ),
        "000660": AdjustmentCheck(complete_to=day, checked_at=NOW, complete_from=date(2026, 9, 14)),
    }
    await stores.actions.put_checks(checks)
    assert await stores.actions.checks() == checks
    await stores.actions.put_checks({"005930": checks["000660"]})
    assert await stores.actions.checks() == dict.fromkeys(checks, checks["000660"])


async def test_a_ledger_is_what_the_last_look_left(stores: Stores) -> None:
    """Actions that came, went or changed since a look are noticed, whatever a morning noted of the symbol."""
    actions = stores.actions
    split = CorporateAction(ex_date=date(2026, 11, 2), price_factor=Fraction(1, 2), volume_factor=Fraction(2))
    check = AdjustmentCheck(complete_to=date(2026, 11, 20), checked_at=NOW)
    await actions.put_checks({"005930": check, "000660": check})
    assert await actions.changed_ledgers() == set()
    await actions.put_actions("005930", [split], NOW)
    await actions.put_checks({"005930": replace(check, complete_to=date(2026, 11, 21))})
    assert await actions.changed_ledgers() == {"005930"}
    assert await actions.changed_ledgers(["000660"]) == set()

    await actions.put_checks({"005930": replace(check, checked_at=NOW + timedelta(days=1))})
    assert await actions.changed_ledgers() == set()


async def test_learned_days_are_kept(stores: Stores) -> None:
    """A day is kept once, as it was learned last; forgotten it is gone."""
    closed = LearnedDay(
        day=date(2026, 11, 20),
        is_open=False,
        evidence={"symbols": 30},
        learned_at=datetime(2026, 11, 20, 2, tzinfo=UTC),
    )
    confirmed = replace(closed, confirmed_at=datetime(2026, 11, 20, 22, 31, tzinfo=UTC))
    opened = replace(closed, day=date(2026, 10, 9), is_open=True)
    for learned in (closed, opened, confirmed):
        await stores.learned_days.save_learned_day(learned)

    assert await stores.learned_days.learned_days() == [opened, confirmed]
    await stores.learned_days.forget_learned_day(opened.day, closed.learned_at)
    assert await stores.learned_days.learned_days() == [confirmed]


def chain(**changes: Any) -> Chain:
    """Return a session that is proved."""
    return replace(Chain(day=DAY, state=ChainState.PROVED, rows=3, volume=30), **changes)


async def test_a_session_is_asked_for_until_it_is_sealed_and_again_when_it_changed(stores: Stores) -> None:
    """Without a seal, or with a chain that is newer than it, a session is asked for."""
    broken = chain(
        state=ChainState.BROKEN, breaks=1, broken_at=datetime(2026, 9, 14, 1, tzinfo=UTC), missing_volume=5
    )
    pages = {"005930": broken, "000660": chain()}
    await stores.candles.save(
        [replace(write(page(symbol, at=range(3))), chains=(one,)) for symbol, one in pages.items()]
    )
    other = DAY + timedelta(days=1)
    asked = ["000660", "005930"], [DAY, other]
    found = [
        Unsealed(symbol="000660", day=DAY, chain=chain()),
        Unsealed(symbol="000660", day=other, chain=None),
        Unsealed(symbol="005930", day=DAY, chain=broken),
        Unsealed(symbol="005930", day=other, chain=None),
    ]
    assert await stores.seals.unsealed(*asked) == found
    assert await stores.seals.unsealed(asked[0], [], asked[1]) == []
    assert await stores.seals.chains([("005930", DAY), ("000660", other)]) == [found[2], found[1]]

    seals = [Seal(symbol=one, day=day, state="broken", evidence={}) for one in asked[0] for day in asked[1]]
    await stores.seals.save_seals(seals, FOREVER)
    assert await stores.seals.unsealed(*asked) == []

    await stores.seals.save_seals(seals, LONG_AGO)
    assert {(one.symbol, one.day) for one in await stores.seals.unsealed(*asked)} == {
        ("000660", DAY),
        ("005930", DAY),
    }
    assert await stores.seals.unsealed(asked[0], [], asked[1]) == await stores.seals.unsealed(*asked)


async def test_seals_of_sessions_that_are_not_over_are_withdrawn(stores: Stores) -> None:
    """With the finality of candles goes the proof of the present day and of later ones."""
    seals = [
        Seal(symbol="005930", day=DAY + timedelta(days=number), state="broken", evidence={})
        for number in range(3)
    ]
    await stores.seals.save_seals(seals, NOW)

    await stores.candles.withdraw_finality(dict.fromkeys(Timeframe, FIRST), DAY + timedelta(days=1))

    assert await stores.seals.open_seals() == seals[:1]


async def test_open_seals_are_the_ones_that_are_not_sealed(stores: Stores) -> None:
    """They come by symbol and day, with their evidence."""
    states = {"005930": "broken", "000660": "sealed", "035720": "unproved"}
    seals = [Seal(symbol=one, day=DAY, state=state, evidence={"n": 1}) for one, state in states.items()]

    await stores.seals.save_seals(seals, LONG_AGO)

    assert await stores.seals.open_seals() == [seals[0], seals[2]]


async def test_candles_of_many_sessions_come_with_one_question(stores: Stores) -> None:
    """Each span gets its own candles, in the order asked, none where there are none."""
    await stores.candles.save([write(page("005930", at=range(3))), write(page("000660", at=[1]))])
    spans = [("000660", FIRST, FIRST + STEP_S), ("035720", FIRST, FIRST + 9), ("005930", FIRST, FIRST)]

    found = await stores.seals.candles_of(Timeframe.M5, spans)

    assert [(one.symbol, (one.ts - FIRST).tolist()) for one in found] == [
        ("000660", [STEP_S]),
        ("035720", []),
        ("005930", [0]),
    ]


async def test_jobs_of_an_earlier_daemon_are_interrupted(stores: Stores) -> None:
    """One left running is marked once; those that ended, and those that are known to run, stay."""
    ids = [await stores.jobs.add_job("backfill", "cli", {"n": number}, NOW) for number in range(3)]
    assert ids == sorted(set(ids))
    await stores.jobs.update_job(ids[0], {"pages": 3})
    await stores.jobs.finish_job(ids[0], "failed", {"pages": 4}, "no answer", NOW)

    assert await stores.jobs.end_orphans(NOW, known={ids[2]}) == 1
    assert await stores.jobs.end_orphans(NOW, known={ids[2]}) == 0

    found = await stores.archive.jobs([], [], None, 10)
    assert [job.state for job in found.rows] == ["running", "interrupted", "failed"]
    assert [job.params for job in found.rows] == [{"n": 2}, {"n": 1}, {"n": 0}]
    assert (found.rows[2].progress, found.rows[2].error) == ({"pages": 4}, "no answer")


async def test_a_job_keeps_its_slice_of_the_log(stores: Stores) -> None:
    """Exactly as it was given, whatever is in it; a job without one, and no job, have an empty one."""
    job_id = await stores.jobs.add_job("backfill", "cli", {}, NOW)
    assert await stores.archive.job_log(job_id) == KeptLog()
    log = KeptLog(lines=('{"event": "fetch.failed", "error": "\\u0000 한글"}', "{}"), left_out=7)
    await stores.jobs.keep_log(job_id, log)
    found = await stores.archive.job_log(job_id)
    assert (tuple(found.lines), found.left_out) == (log.lines, 7)
    assert await stores.archive.job_log(job_id + 1) == KeptLog()


READ_AT = datetime(2026, 11, 20, 1, 2, 3, 456789, tzinfo=UTC)
STATES = {
    Series(symbol=symbol, timeframe=timeframe): SeriesState(
        covered=RangeSet.of((1000 * i, 1000 * i + 10), (1000 * i + 20, 1000 * i + 21)), read_at=READ_AT
    )
    for i, (symbol, timeframe) in enumerate(itertools.product(["005930", "0126Z0"], Timeframe))
}


@pytest.fixture(params=["memory", "file"])
async def checkpoint(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Checkpoint]:
    """An empty checkpoint of each implementation."""
    if request.param == "memory":
        yield FakeCheckpoint()
        return
    async with open_checkpoint(tmp_path / "checkpoint.sqlite", SystemClock()) as opened:
        yield opened


async def test_states_are_replaced_one_by_one_or_all(checkpoint: Checkpoint) -> None:
    """`advance` leaves other series alone, `replace_all` forgets them."""
    [first, second, *_] = STATES
    smaller = SeriesState(covered=RangeSet.of((1, 2)))
    await checkpoint.advance(STATES)
    await checkpoint.advance({first: smaller})
    assert await checkpoint.load() == {**STATES, first: smaller}

    await checkpoint.replace_all({second: smaller})
    assert await checkpoint.load() == {second: smaller}


async def test_backfills_are_kept_until_they_end(checkpoint: Checkpoint) -> None:
    """One that has begun is unfinished, one that ended is gone; to end one twice does no harm."""
    backfills = [UnfinishedBackfill(job_id=number, params={"symbols": ["005930"]}) for number in (7, 8)]
    for one in backfills:
        await checkpoint.begin_backfill(one)
    assert await checkpoint.unfinished_backfills() == backfills

    for _ in range(2):
        await checkpoint.end_backfill(7)
    assert await checkpoint.unfinished_backfills() == backfills[1:]


async def test_failed_tries_are_found_by_series_newest_first(stores: Stores) -> None:
    """A try about a whole day of a stock belongs to each timeframe; a job without tries has no row."""
    tries = [
        {"at": f"2026-11-20T0{hour}:00:00+00:00", "about": about, "reason": "no answer"}
        for hour, about in enumerate(("005930/5m", "005930/1d", "005930 2026-11-19", "000660/5m"))
    ]
    first, other, last = [await stores.jobs.add_job("poll", "schedule", {}, NOW) for _ in range(3)]
    await stores.jobs.update_job(first, {"tries": tries})
    await stores.jobs.update_job(other, {"pages": 1})
    await stores.jobs.update_job(last, {"tries": tries[:1]})

    found = await stores.archive.tries(["005930"], [Timeframe.M5], 10)

    assert [(one.job_id, one.about) for one in found.rows] == [
        (last, "005930/5m"),
        (first, "005930 2026-11-19"),
        (first, "005930/5m"),
    ]
    assert (await stores.archive.tries([], [], 2)).total == 5
