"""What a seal says it rests on: words that people and the daemon read, so each is a contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.candle import Candle, Candles
from chartinsightd.domain.chain import Chain, ChainState
from chartinsightd.domain.fold import fold
from chartinsightd.domain.kst import midnight
from chartinsightd.domain.ranges import EMPTY
from chartinsightd.domain.seal import SealState, SessionData, Verdict, verify_session
from chartinsightd.domain.timeframe import Timeframe
from tests.support.sessions import session_of

FRIDAY = date(2026, 11, 20)
SESSION = session_of(FRIDAY)
assert SESSION.after_open_at is not None
AFTER_MARKET = SESSION.after_open_at
SYMBOL = "005930"


def of(timeframe: Timeframe, ts: datetime, values: Sequence[int]) -> Candle:
    """Build a candle of its open, high, low, close and volume."""
    names = ("open", "high", "low", "close", "volume")
    value = None if timeframe.is_intraday else 0
    figures: dict[str, Any] = dict(zip(names, values, strict=True))
    return Candle(symbol=SYMBOL, timeframe=timeframe, ts=ts, value=value, final=True, **figures)


def minutes_of(*rows: tuple[datetime, Sequence[int]]) -> Candles:
    return Candles.of(SYMBOL, Timeframe.M5, [of(Timeframe.M5, ts, values) for ts, values in rows])


def day_of(values: Sequence[int]) -> Candles:
    return Candles.of(SYMBOL, Timeframe.D1, [of(Timeframe.D1, SESSION.starts_at, values)])


# 100 at 9:00, then 105 at 9:30; in the after-market both higher and lower than before
MINUTES = minutes_of(
    (SESSION.open_at, (100, 110, 98, 103, 40)),
    (SESSION.open_at + timedelta(minutes=30), (103, 112, 95, 105, 60)),
    (AFTER_MARKET, (106, 120, 90, 108, 23)),
)
DAY = {"open": 100, "high": 112, "low": 95, "close": 105, "volume": 150}
PROVED = Chain(day=FRIDAY, state=ChainState.PROVED, rows=3, volume=123)


def witnesses(**changes: Any) -> SessionData:
    """A whole session, of which only minutes are collected."""
    return replace(SessionData(session=SESSION, chain=PROVED, minutes=MINUTES, longer={}), **changes)


def with_day(**changes: int) -> Verdict:
    return verify_session(witnesses(day=day_of([*(DAY | changes).values()])))


def test_a_seal_says_what_was_counted_and_compared() -> None:
    """Candles, shares, the witnesses that were heard, and the part of the day that the minutes hold."""
    longer = {Timeframe.H1: fold(MINUTES, Timeframe.H1, EMPTY)}

    verdict = verify_session(witnesses(longer=longer, day=day_of([*DAY.values()])))

    assert verdict == Verdict(
        state=SealState.SEALED,
        evidence={
            "chain": "proved",
            "candles": 3,
            "volume": 123,
            "compared": ["1h", "1d"],
            "minutes_of_day": 0.82,
        },
    )


def test_who_was_not_heard_is_not_named() -> None:
    """Minutes alone are sealed by their chain; the part of the day is a ratio of four digits."""
    assert verify_session(witnesses()).evidence["compared"] == []
    assert "minutes_of_day" not in verify_session(witnesses()).evidence
    assert with_day(volume=190).evidence["minutes_of_day"] == 0.6474


@pytest.mark.parametrize(
    ("chain", "words"),
    [
        (PROVED, "proved"),
        (replace(PROVED, rows=2), "proved for 2 candles"),
        (replace(PROVED, state=ChainState.UNPROVED), "unproved"),
        (replace(PROVED, state=ChainState.UNPROVED, rows=2), "unproved"),
        (None, "not read whole"),
    ],
)
def test_the_words_of_a_chain(chain: Chain | None, words: str) -> None:
    """What a read of the whole session proved, and of how many candles where others are stored."""
    assert verify_session(witnesses(chain=chain)).evidence["chain"] == words


def test_a_session_without_a_candle_says_so() -> None:
    """There is no chain where there is nothing to chain."""
    assert verify_session(witnesses(chain=None, minutes=minutes_of())).evidence == {
        "chain": "no candle",
        "candles": 0,
        "volume": 0,
        "compared": [],
    }


def test_candles_that_were_not_read_whole_are_to_be_read_again() -> None:
    """However few: one read of the whole session may prove them; but none, without a running volume."""
    one, none = MINUTES.where(slice(1)), minutes_of()
    mute = replace(PROVED, state=ChainState.UNPROVED, rows=2)

    assert verify_session(witnesses(chain=None, minutes=one)).evidence["suspects"] == ["5m"]
    for heard in (witnesses(chain=None, minutes=none), witnesses(chain=mute)):
        verdict = verify_session(heard)
        assert (verdict.state, "suspects" in verdict.evidence) == (SealState.UNPROVED, False)


def test_a_broken_chain_says_where_and_adds_its_suspect_to_others() -> None:
    """With the first place and its shares, beside what all seals say; no suspect hides another."""
    broken = replace(PROVED, state=ChainState.BROKEN, breaks=2, broken_at=SESSION.open_at, missing_volume=-7)

    verdict = verify_session(witnesses(chain=broken, **week_of(FLAT, TRADED, week=[1, 1, 1, 1, 1])))

    assert verdict.state is SealState.BROKEN
    rest = {name: value for name, value in verdict.evidence.items() if name != "differs"}
    assert rest == {
        "chain": "broken",
        "candles": 3,
        "volume": 123,
        "compared": ["1w"],
        "breaks": 2,
        "broken_at": "2026-11-20T00:00:00+00:00",
        "missing_volume": -7,
        "suspects": ["5m", "1d", "1w"],
    }


def test_a_longer_candle_that_differs_is_shown_with_both_values() -> None:
    """Expected is what the 5m candles fold into, found what the broker says of the longer one."""
    hours = fold(MINUTES, Timeframe.H1, EMPTY)
    hours.high[0] = 113

    assert verify_session(witnesses(longer={Timeframe.H1: hours})).evidence["differs"] == [
        {
            "timeframe": "1h",
            "ts": "2026-11-20T00:00:00+00:00",
            "kind": "values",
            "expected": {"high": 112},
            "found": {"high": 113},
            "against": "5m",
        }
    ]


@pytest.mark.parametrize(
    ("field", "regular", "accepted", "refused"),
    [
        ("volume", 100, [100, 123, 10**9], [99, 1]),
        ("open", 100, [100], [99, 101, 106]),
        ("high", 112, [112, 115, 120], [111, 121]),
        ("low", 95, [95, 93, 90], [96, 89]),
        ("close", 105, [105, 108], [104, 106, 107, 109]),
    ],
)
def test_a_day_is_held_to_what_is_right_with_or_without_the_after_market(
    field: str, regular: int, accepted: list[int], refused: list[int]
) -> None:
    """Each value has its bound; what is beyond it is shown against that of the regular session."""
    for value in accepted:
        assert with_day(**{field: value}).state is SealState.SEALED
    for value in refused:
        verdict = with_day(**{field: value})
        assert (verdict.state, verdict.evidence["suspects"]) == (SealState.BROKEN, ["5m", "1d"])
        assert verdict.evidence["differs"] == [
            {"timeframe": "1d", "against": "5m", "field": field, "expected": regular, "found": value}
        ]


def test_minutes_without_a_day_and_a_day_without_minutes() -> None:
    """One of the two must be wrong: candles without a day, or shares without minutes."""
    no_day = verify_session(witnesses(day=Candles.empty(SYMBOL, Timeframe.D1)))
    unequal = witnesses(chain=None, minutes=minutes_of(), day=day_of([100, 100, 100, 100, 9]))
    no_minutes = verify_session(unequal)

    shared = {"timeframe": "1d", "against": "5m"}
    assert no_day.evidence["differs"] == [shared | {"field": "no_day", "expected": 3, "found": 0}]
    assert no_minutes.evidence["differs"] == [shared | {"field": "no_minutes", "expected": 9, "found": 0}]
    for verdict in (no_day, no_minutes):
        assert (verdict.state, verdict.evidence["suspects"]) == (SealState.BROKEN, ["5m", "1d"])


FLAT = (100, 100, 100, 100, 0)
"""A day of a halt: the last price and no share."""
TRADED = (102, 110, 101, 105, 1)


def week_of(*days: Sequence[int], week: Sequence[int] | None) -> dict[str, Candles]:
    """Days of the week from its Monday on, and its candle."""
    monday = midnight(FRIDAY - timedelta(days=4)).astimezone(UTC)
    rows = [of(Timeframe.D1, monday + timedelta(days=number), values) for number, values in enumerate(days)]
    candle = [] if week is None else [of(Timeframe.W1, monday, week)]
    return {
        "week_days": Candles.of(SYMBOL, Timeframe.D1, rows),
        "week": Candles.of(SYMBOL, Timeframe.W1, candle),
    }


PRICES = st.tuples(st.integers(1, 50), st.integers(50, 99), st.integers(1, 50), st.integers(1, 99))


@given(st.lists(st.tuples(PRICES, st.integers(0, 3)), min_size=1, max_size=5), st.booleans())
def test_a_week_is_its_days_with_or_without_the_silent_ones(
    drawn: list[tuple[tuple[int, int, int, int], int]], without_silent: bool
) -> None:
    """Whether a day without shares counts for open, high and low is not known: either week is sealed."""
    days = [(*prices, volume) for prices, volume in drawn]
    shown = [day for day in days if day[4] or not without_silent] or days
    week = (
        shown[0][0],
        max(day[1] for day in shown),
        min(day[2] for day in shown),
        days[-1][3],
        sum(day[4] for day in days),
    )

    verdict = verify_session(witnesses(**week_of(*days, week=week)))

    assert (verdict.state, verdict.evidence["compared"]) == (SealState.SEALED, ["1w"])


@pytest.mark.parametrize(
    ("days", "week", "difference"),
    [
        pytest.param(
            [FLAT, TRADED, TRADED],
            [101, 110, 100, 104, 2],
            {
                "kind": "values",
                "expected": {"open": 102, "low": 101, "close": 105},
                "found": {"open": 101, "low": 100, "close": 104},
            },
            id="against the days that traded",
        ),
        pytest.param(
            [FLAT, FLAT],
            [100, 101, 100, 100, 0],
            {"kind": "values", "expected": {"high": 100}, "found": {"high": 101}},
            id="a silent week has a price too",
        ),
        pytest.param([FLAT, TRADED, TRADED], None, {"kind": "missing"}, id="days without their week"),
        pytest.param([], [102, 110, 101, 105, 1], {"kind": "extra"}, id="a week without its days"),
    ],
)
def test_a_week_that_is_not_its_days_is_shown(
    days: list[Sequence[int]], week: list[int] | None, difference: dict[str, Any]
) -> None:
    """Once, where the week starts; the days or the week are wrong."""
    verdict = verify_session(witnesses(**week_of(*days, week=week)))

    where = {"timeframe": "1w", "ts": "2026-11-15T15:00:00+00:00", "against": "1d"}
    assert (verdict.state, verdict.evidence["suspects"]) == (SealState.BROKEN, ["1d", "1w"])
    assert verdict.evidence["differs"] == [where | difference]


def test_a_week_may_start_before_its_first_candle() -> None:
    """A day without a candle does not move the week."""
    heard = week_of(FLAT, TRADED, week=TRADED)
    late = heard["week_days"].where(slice(1, None))

    assert verify_session(witnesses(week_days=late, week=heard["week"])).state is SealState.SEALED


def test_a_week_is_judged_only_where_both_sides_are_known() -> None:
    """Days without a stored week, a week without days, and a silent week without a candle say nothing."""
    whole = week_of(TRADED, week=[1, 1, 1, 1, 1])

    for heard in ({"week_days": whole["week_days"]}, {"week": whole["week"]}, week_of(FLAT, week=None)):
        assert verify_session(witnesses(**heard)).state is SealState.SEALED
    for alone in ("week_days", "week"):
        assert verify_session(witnesses(**{alone: whole[alone]})).evidence["compared"] == []
