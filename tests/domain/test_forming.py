"""Trades fold into forming candles of all timeframes, and tell what they do not know."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from chartinsightd.domain.calendar import Calendar, Session
from chartinsightd.domain.candle import Candle, Candles
from chartinsightd.domain.fold import fold
from chartinsightd.domain.forming import Forming, SessionFold, forming_week
from chartinsightd.domain.grid import candle_starts
from chartinsightd.domain.ranges import EMPTY
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.trade import DayFigures, Trade
from tests.support.sessions import session_of

CALENDAR = Calendar()
INTRADAY = (Timeframe.M5, Timeframe.M30, Timeframe.H1)

DAY = session_of(date(2026, 11, 20))
MIDNIGHT = int(DAY.starts_at.timestamp())
EXAM = session_of(date(2026, 11, 19))


def at(hour: int, minute: int = 0, second: int = 0) -> int:
    """Return an instant of the day, KST, in seconds since the epoch."""
    return MIDNIGHT + (hour * 60 + minute) * 60 + second


def tape(shares: list[tuple[int, int, int]], *, told: bool = True) -> list[Trade]:
    """Return trades from (second of the day, price, volume), with the running figures of a whole day."""
    found: list[Trade] = []
    running, worth = 0, 0
    for second, price, volume in shares:
        running, worth = running + volume, worth + price * volume
        before = found[-1].day if found else None
        day = DayFigures(
            open=before.open if before else price,
            high=max(before.high, price) if before else price,
            low=min(before.low, price) if before else price,
        )
        found.append(
            Trade(
                symbol="005930",
                at=MIDNIGHT + second,
                price=price,
                volume=volume,
                running_volume=running,
                running_value=worth,
                day=day,
            )
        )
    return found if told else [replace(trade, day=None) for trade in found]


def folded(trades: list[Trade], session: Session = DAY) -> SessionFold:
    made = SessionFold("005930", session)
    for trade in trades:
        made.take(trade)
    return made


def candles(made: SessionFold, timeframe: Timeframe, session: Session = DAY) -> list[Forming]:
    """Return all candles of a day, oldest first."""
    found = (made.candle(timeframe, ts) for ts in candle_starts(session, timeframe).tolist())
    return [candle for candle in found if candle is not None]


seconds = st.one_of(
    st.integers(9 * 3600, 15 * 3600 + 20 * 60 - 1),
    st.integers(15 * 3600 + 30 * 60, 15 * 3600 + 30 * 60 + 59),
    st.integers(16 * 3600, 20 * 3600 - 1),
)
tapes = st.lists(
    st.tuples(seconds, st.integers(50_000, 60_000), st.integers(1, 10_000)), min_size=1, max_size=40
).map(sorted)


@given(shares=tapes)
def test_longer_candles_are_those_that_final_ones_fold_into(shares: list[tuple[int, int, int]]) -> None:
    """30m and 1h are the fold of the 5m candles, by the rule that final candles obey."""
    made = folded(tape(shares))
    five = Candles.of("005930", Timeframe.M5, [one.candle for one in candles(made, Timeframe.M5)])

    for timeframe in (Timeframe.M30, Timeframe.H1):
        assert [one.candle for one in candles(made, timeframe)] == list(fold(five, timeframe, EMPTY))


@given(shares=tapes)
def test_every_share_is_in_a_candle_and_all_are_explained(shares: list[tuple[int, int, int]]) -> None:
    """Whoever saw all trades has every share once in each timeframe, exactly."""
    made = folded(tape(shares))
    total = sum(volume for _, _, volume in shares)

    for timeframe in INTRADAY:
        found = candles(made, timeframe)
        assert sum(one.candle.volume for one in found) == total
        assert all(one.unexplained_since is None for one in found)


@given(shares=tapes, told=st.booleans())
def test_the_day_has_the_prices_of_regular_hours_and_the_volume_of_all(
    shares: list[tuple[int, int, int]], told: bool
) -> None:
    """After-market trades add shares and won; open, high, low and close stand at the closing auction."""
    day = folded(tape(shares, told=told)).newest(Timeframe.D1)
    regular = [price for second, price, _ in shares if second < 16 * 3600]
    if not regular:
        assert day is None
        return
    assert day is not None
    made = day.candle
    assert (made.open, made.high, made.low, made.close) == (
        regular[0],
        max(regular),
        min(regular),
        regular[-1],
    )
    assert made.volume == sum(volume for _, _, volume in shares)
    assert made.value == sum(price * volume for _, price, volume in shares)
    assert day.unexplained_since is None
    assert made.ts == DAY.starts_at


@given(shares=tapes, high=st.integers(1, 49_999))
def test_figures_of_a_day_that_cannot_be_are_not_believed(
    shares: list[tuple[int, int, int]], high: int
) -> None:
    """A high below the price of the trade that tells it: the day is what its own trades make."""
    wrong = [replace(trade, day=DayFigures(open=high, high=high, low=high)) for trade in tape(shares)]
    assert folded(wrong).newest(Timeframe.D1) == folded(tape(shares, told=False)).newest(Timeframe.D1)


@given(shares=tapes, dice=st.randoms(use_true_random=False), told=st.booleans())
def test_doubled_and_late_trades_change_nothing(
    shares: list[tuple[int, int, int]], dice: object, told: bool
) -> None:
    """In whatever order and however often the trades come, the candles are the same in the end."""
    trades = tape(shares, told=told)
    shuffled = trades + dice.choices(trades, k=len(trades))  # type: ignore[attr-defined]
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    right, made = folded(trades), folded(shuffled)

    for timeframe in INTRADAY:
        assert candles(made, timeframe) == candles(right, timeframe)
    assert made.newest(Timeframe.D1) == right.newest(Timeframe.D1)


@given(shares=tapes, seen=st.data())
def test_a_candle_that_misses_a_trade_says_so(
    shares: list[tuple[int, int, int]], seen: st.DataObject
) -> None:
    """A candle without a word is the true one; one that misses a trade is unexplained from before it."""
    trades = tape(shares)
    keep = seen.draw(st.lists(st.booleans(), min_size=len(trades), max_size=len(trades)))
    right, made = folded(trades), folded([trade for trade, kept in zip(trades, keep, strict=True) if kept])
    newest = max((trade.running_volume for trade, kept in zip(trades, keep, strict=True) if kept), default=0)
    # A loss shows when the next trade comes; until then nobody can know of it.
    known = [trade for trade in trades if trade.running_volume <= newest]
    lost = [trade for trade, kept in zip(trades, keep, strict=True) if trade in known and not kept]

    for timeframe in INTRADAY:
        span = int(timeframe.span.total_seconds())
        so_far = {one.candle.ts: one.candle for one in candles(folded(known), timeframe)}
        for one in candles(made, timeframe):
            start = int(one.candle.ts.timestamp())
            missed = [trade.at for trade in lost if start <= trade.at < start + span]
            if one.unexplained_since is None:
                assert not missed
                assert one.candle == so_far[one.candle.ts]
            elif missed:
                assert start <= one.unexplained_since.timestamp() <= min(missed)
    assert right.take(trades[-1]) is False


@given(shares=tapes, first=st.integers(0, 39))
def test_who_joins_late_knows_the_day_and_what_begins_later(
    shares: list[tuple[int, int, int]], first: int
) -> None:
    """A day's prices and volume are told by the broker; candles that began before are unexplained."""
    trades = tape(shares)[first:]
    if not trades:
        return
    made, whole = folded(trades), folded(tape(shares))

    if trades[-1].at < at(16):
        assert made.newest(Timeframe.D1) == whole.newest(Timeframe.D1)
    for one in candles(made, Timeframe.M5):
        if one.candle.ts.timestamp() > trades[0].at:
            assert one.unexplained_since is None
    if first and trades[0].at < at(15, 30):
        joined = made.candle(Timeframe.M5, trades[0].at // 300 * 300)
        assert joined is not None
        assert joined.unexplained_since == joined.candle.ts


def test_only_traded_minutes_count() -> None:
    """No candle before the opening, in the silence before the closing auction, or before the after-market."""
    outside = [
        (8 * 3600 + 1800, 50_000, 5),
        (15 * 3600 + 25 * 60, 50_000, 5),
        (15 * 3600 + 45 * 60, 50_000, 5),
    ]
    made = folded(tape(outside))

    assert candles(made, Timeframe.M5) == []
    assert candles(made, Timeframe.H1) == []
    assert made.newest(Timeframe.M5) is None
    assert made.newest(Timeframe.D1) is None


def test_an_exam_day_has_its_own_hours() -> None:
    """09:30 does not trade and 15:25 does."""
    midnight = int(EXAM.starts_at.timestamp())
    trades = tape([(9 * 3600 + 1800, 50_000, 5), (15 * 3600 + 1500, 51_000, 7)])
    moved = [replace(trade, at=trade.at - MIDNIGHT + midnight) for trade in trades]

    found = candles(folded(moved, EXAM), Timeframe.M5, EXAM)
    assert [(one.candle.ts, one.candle.volume) for one in found] == [
        (datetime(2026, 11, 19, 6, 25, tzinfo=UTC), 7)
    ]


def test_the_newest_candle_follows_the_newest_trade() -> None:
    """After 10:05 the 5m candle is another and the hour's is the same."""
    trades = tape([(36_000, 50_000, 5), (36_299, 51_000, 5), (36_300, 52_000, 5)])
    made = folded(trades)

    five, hour = made.newest(Timeframe.M5), made.newest(Timeframe.H1)
    assert five is not None
    assert hour is not None
    assert (five.candle.ts.minute, five.candle.volume) == (5, 5)
    assert (hour.candle.ts.minute, hour.candle.volume, hour.candle.high) == (0, 15, 52_000)
    with pytest.raises(ValueError, match="week"):
        made.newest(Timeframe.W1)


def test_a_volume_that_contradicts_itself_is_unexplained() -> None:
    """A trade of more shares than the day's volume grew by leaves its candle unexplained for good."""
    first, second = tape([(36_000, 50_000, 5), (36_010, 51_000, 5)])
    made = folded([first, replace(second, volume=8)])

    found = made.newest(Timeframe.M5)
    assert found is not None
    assert found.unexplained_since == datetime.fromtimestamp(first.at, UTC)


def test_many_holes_are_told_as_one() -> None:
    """A day of losses keeps a bounded memory: the oldest become one that reaches over what lay between."""
    trades = tape([(36_000 + 60 * i, 50_000, 5) for i in range(200)])
    made = folded(trades[::2])

    assert all(one.unexplained_since is not None for one in candles(made, Timeframe.M5))
    assert sum(one.candle.volume for one in candles(made, Timeframe.M5)) == 5 * 100


def day_candle(day: date, price: int = 50_000, volume: int = 100) -> Candle:
    return Candle(
        symbol="005930",
        timeframe=Timeframe.D1,
        ts=session_of(day).starts_at,
        open=price,
        high=price + 500,
        low=price - 500,
        close=price + 100,
        volume=volume,
        value=price * volume,
    )


def test_a_week_is_its_days() -> None:
    """The days before give open, extremes and volume; it starts with its first session."""
    today = Forming(candle=day_candle(date(2026, 11, 19), 52_000), unexplained_since=None)
    days = [day_candle(date(2026, 11, 16) + timedelta(days=i), 50_000 + 200 * i) for i in range(3)]

    week = forming_week(today, days, CALENDAR)
    assert week is not None
    made = week.candle
    assert (made.ts, made.timeframe, made.final) == (days[0].ts, Timeframe.W1, False)
    assert (made.open, made.high, made.low, made.close) == (50_000, 52_500, 49_500, 52_100)
    assert (made.volume, made.value) == (400, sum(one.value or 0 for one in [*days, today.candle]))
    assert week.unexplained_since is None


def test_a_week_without_one_of_its_days_says_so() -> None:
    """Unexplained from the missing day on; on the week's first day nothing is missing."""
    today = Forming(candle=day_candle(date(2026, 11, 19)), unexplained_since=None)
    monday = Forming(candle=day_candle(date(2026, 11, 16)), unexplained_since=None)

    week = forming_week(today, [day_candle(date(2026, 11, 16)), day_candle(date(2026, 11, 18))], CALENDAR)
    first = forming_week(monday, [], CALENDAR)
    assert week is not None
    assert first is not None
    assert week.unexplained_since == session_of(date(2026, 11, 17)).starts_at
    assert (first.unexplained_since, first.candle.volume) == (None, 100)


@settings(deadline=None, max_examples=20)
@given(second=st.integers(9 * 3600, 20 * 3600))
def test_the_day_so_far_never_has_more_than_one_newest_candle(second: int) -> None:
    """The newest candle of each intraday timeframe holds the newest trade's second."""
    made = folded(tape([(s, 50_000, 1) for s in range(9 * 3600, second, 97) if s < 15 * 3600]))
    for timeframe in INTRADAY:
        if (one := made.newest(timeframe)) is not None:
            assert one == candles(made, timeframe)[-1]
