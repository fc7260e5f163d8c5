"""The generated market: its charts agree with each other and with the rules of the exchange."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from datetime import date, datetime, timedelta
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chartinsightd.facts.krx import KST
from chartinsightd.facts.targets import DELISTED, TARGETS
from chartinsightd.simulator.market import MarketOptions, SimulatedMarket, create_generated
from chartinsightd.simulator.market import ticks as grids
from chartinsightd.simulator.market.options import Days
from chartinsightd.simulator.model import MinuteRows, Period, PeriodRows, Trade

SCOPES = (1, 3, 5, 10, 15, 30, 45, 60)
NOW = datetime(2026, 10, 28, 21, 0, tzinfo=KST)
THIN, SPLIT, HALTED, LIQUID = "035900", "005380", "033780", "000660"


@cache
def market(symbols: int = 120, options: MarketOptions | None = None) -> SimulatedMarket:
    return create_generated(7, symbols, options)


def at(day: date, hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=KST)


def codes() -> list[str]:
    return [issue.code for issue in market().issues(NOW)]


def rows_of(code: str, day: date, scope: int, now: datetime) -> MinuteRows:
    rows = market().minutes(code, day, scope, now)
    assert rows is not None
    return rows


def row(rows: PeriodRows, label: int) -> dict[str, int]:
    """Return one row by its label YYYYMMDD."""
    at_row = rows.day.tolist().index(label)
    return {
        name: getattr(rows, name)[at_row].item()
        for name in ("open", "high", "low", "close", "volume", "value")
    }


def number(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


quiet = MarketOptions(print_won=50_000_000)
"""Fewer prints than in truth: what holds of few holds of many, and is seen sooner."""
any_code = st.sampled_from(codes())
any_age = st.integers(0, 230)
slow = settings(max_examples=80, deadline=None)


def day_of(code: str, age: int) -> date | None:
    """Return the trading day with minutes that lies `age` such days back."""
    days = market().minute_days(code, NOW)
    return days[age % len(days)] if days else None


@slow
@given(code=any_code, age=any_age, scope=st.sampled_from(SCOPES))
def test_every_scope_folds_from_the_one_minute_rows(code: str, age: int, scope: int) -> None:
    """A row of any scope has the first open, last close, extremes and sum of the minutes inside it."""
    if (day := day_of(code, age)) is None:
        return
    ones, folded = rows_of(code, day, 1, NOW), rows_of(code, day, scope, NOW)

    for i, label in enumerate(folded.label.tolist()):
        inside = (ones.label >= label) & (ones.label < label + scope)
        assert folded.open[i] == ones.open[inside][0]
        assert folded.high[i] == ones.high[inside].max()
        assert folded.low[i] == ones.low[inside].min()
        assert folded.close[i] == ones.close[inside][-1]
        assert folded.volume[i] == ones.volume[inside].sum()
    assert folded.running.tolist() == np.cumsum(folded.volume).tolist()
    assert folded.volume.sum() == ones.volume.sum()


@slow
@given(code=any_code, age=any_age)
def test_the_day_row_is_what_its_minutes_say(code: str, age: int) -> None:
    """Regular minutes give the day's prices; the day's volume is theirs and a little more."""
    if (day := day_of(code, age)) is None:
        return
    minutes, daily = rows_of(code, day, 1, NOW), market().periods(code, Period.DAY, NOW, None)
    closes = 990 if day == date(2025, 11, 13) else 930  # the exam day
    regular = minutes.label <= closes
    found = row(daily, number(day))

    assert found["open"] == minutes.open[0]
    assert found["high"] == minutes.high[regular].max()
    assert found["low"] == minutes.low[regular].min()
    assert found["close"] == minutes.close[regular][-1]
    assert 0 <= found["volume"] - minutes.volume.sum() <= 0.04 * found["volume"] + 1


@slow
@given(code=any_code, age=any_age)
def test_minutes_lie_on_the_grid_inside_the_limits(code: str, age: int) -> None:
    """Every price is a multiple of its tick, within 30 % of the base price; high and low enclose."""
    if (day := day_of(code, age)) is None:
        return
    rows, issue = rows_of(code, day, 1, NOW), market().issue(code)
    assert issue is not None
    grid = grids.grid_on(issue.market_code, day)

    for prices in (rows.open, rows.high, rows.low, rows.close):
        assert grid.holds(prices)
        assert np.all((prices >= rows.low) & (prices <= rows.high))
    assert rows.high.max() <= rows.previous_close * 1.3
    assert rows.low.min() >= rows.previous_close * 0.7
    assert np.all(rows.volume > 0)


@slow
@given(code=any_code)
def test_daily_rows_lie_on_the_grid_inside_the_limits(code: str) -> None:
    """So do forty years of daily prices; only a corporate action moves a price further."""
    daily = market().periods(code, Period.DAY, NOW, None)
    issue = market().issue(code)
    assert issue is not None
    base = daily.previous_close[1:].astype(float)
    for ex_date, price_factor, _ in market().actions(code):
        base[daily.day[1:] == number(ex_date)] *= price_factor
    percent = np.where(daily.day[1:] >= number(grids.WIDE_LIMITS), 0.3, 0.15)

    assert np.all(daily.high[1:] <= np.ceil(base * (1 + percent)))
    assert np.all(daily.low[1:] >= np.floor(base * (1 - percent)) - 1)
    new = daily.day >= number(grids.REFORM)
    for prices in (daily.open, daily.high, daily.low, daily.close):
        assert grids.grid_on(issue.market_code, grids.REFORM).holds(prices[new])
        assert grids.grid_on(issue.market_code, date.min).holds(prices[~new])
        assert np.all((prices >= daily.low) & (prices <= daily.high))


def test_some_days_end_at_the_limit() -> None:
    """Limit-up and limit-down days happen."""
    moves = []
    for code in codes()[:60]:
        daily = market().periods(code, Period.DAY, NOW, None)
        moves.append(daily.close[1:] / daily.previous_close[1:])
    assert np.any(np.concatenate(moves) > 1.28)
    assert np.any(np.concatenate([move[move > 0.6] for move in moves]) < 0.72)


@slow
@given(
    code=any_code, period=st.sampled_from([Period.WEEK, Period.MONTH, Period.YEAR]), day=st.integers(0, 300)
)
def test_longer_periods_fold_from_the_days_of_the_same_moment(code: str, period: Period, day: int) -> None:
    """Weeks, months and years are labelled by their first trading day and hold the days up to the next."""
    now = NOW - timedelta(days=day, hours=9)
    daily = market().periods(code, Period.DAY, now, None)
    folded = market().periods(code, period, now, None)
    if len(daily.day) == 0:  # not listed yet
        return
    assert set(folded.day.tolist()) <= set(daily.day.tolist())
    starts = np.searchsorted(daily.day, folded.day)

    assert folded.volume.sum() == daily.volume.sum()
    assert folded.value.sum() == daily.value.sum()
    for start, end, i in list(zip(starts, [*starts[1:], len(daily.day)], range(len(starts)), strict=True))[
        -6:
    ]:
        assert folded.open[i] == daily.open[start]
        assert folded.high[i] == daily.high[start:end].max()
        assert folded.low[i] == daily.low[start:end].min()
        assert folded.close[i] == daily.close[end - 1]
        assert folded.volume[i] == daily.volume[start:end].sum()


unusual = MarketOptions(after_market_in_daily=True, late_print_since_reform=False, halted_day_has_row=False)
markets = st.sampled_from([None, unusual])
seconds_of_day = st.integers(8 * 3600, 24 * 3600 - 1)
close_days = st.sampled_from([date(2026, 9, 11), date(2026, 9, 14), date(2026, 10, 28), date(2026, 11, 19)])


@slow
@given(code=any_code, day=close_days, second=seconds_of_day, scope=st.sampled_from(SCOPES))
def test_what_was_final_never_changes(code: str, day: date, second: int, scope: int) -> None:
    """A row that was final is there, the same, a month later; a settled day stays as it is."""
    now = at(day, 0) + timedelta(seconds=second)
    early, late = (
        market().minutes(code, day, scope, now),
        market().minutes(code, day, scope, now + timedelta(30)),
    )
    if early is None or late is None:
        assert early is None
        return
    kept = np.isin(late.label, early.label[early.final])

    for name in ("label", "open", "high", "low", "close", "volume"):
        assert getattr(early, name)[early.final].tolist() == getattr(late, name)[kept].tolist()
    assert late.settled
    assert late.final.all()
    if early.settled:
        assert early.running.tolist() == late.running.tolist()


@slow
@given(
    code=any_code,
    second=seconds_of_day,
    days=st.integers(0, 40),
    period=st.sampled_from(list(Period)),
    options=markets,
)
def test_period_rows_that_were_final_never_change(
    code: str, second: int, days: int, period: Period, options: MarketOptions | None
) -> None:
    """The same for days, weeks, months and years; only the newest row may be open."""
    now = at(date(2026, 9, 1), 0) + timedelta(days=days, seconds=second)
    early = market(120, options).periods(code, period, now, None)
    late = market(120, options).periods(code, period, now + timedelta(400), None)

    assert early.final[:-1].all() or period is Period.DAY
    assert (~early.final).sum() <= 2
    count = int(early.final.sum())
    for name in ("day", "open", "high", "low", "close", "volume", "value", "previous_close"):
        assert getattr(early, name)[early.final].tolist() == getattr(late, name)[:count].tolist()


def test_a_forming_day_grows_into_its_final_self() -> None:
    """A moving day only ever adds volume and value and stays inside what it ends as."""
    day, seen = date(2026, 10, 28), []
    for minute in range(9 * 60 + 1, 20 * 60, 7):
        now = at(day, minute // 60, minute % 60, 30)
        seen.append(row(market().periods(LIQUID, Period.DAY, now, None), number(day)))
    end = row(market().periods(LIQUID, Period.DAY, at(day, 23), None), number(day))

    volumes = [figures["volume"] for figures in [*seen, end]]
    assert volumes == sorted(volumes)
    assert [figures["value"] for figures in [*seen, end]] == sorted(
        figures["value"] for figures in [*seen, end]
    )
    assert all(figures["high"] <= end["high"] and figures["low"] >= end["low"] for figures in seen)
    assert {figures["open"] for figures in seen} == {end["open"]}


def fold(trades: list[Trade]) -> tuple[int, int, int, int, int]:
    prices = [trade.price for trade in trades]
    return prices[0], max(prices), min(prices), prices[-1], sum(abs(trade.volume) for trade in trades)


@slow
@given(code=any_code, day=close_days, second=seconds_of_day)
def test_trades_fold_exactly_into_the_minutes(code: str, day: date, second: int) -> None:
    """At any moment the prints so far make exactly the one-minute rows served at that moment."""
    now = at(day, 0) + timedelta(seconds=second)
    rows, trades = (
        market(120, quiet).minutes(code, day, 1, now),
        market(120, quiet).trades(code, at(day, 0), now),
    )
    if rows is None:
        assert trades == []
        return
    inside: dict[int, list[Trade]] = {}
    for trade in trades:
        inside.setdefault(trade.at.hour * 60 + trade.at.minute, []).append(trade)

    served = zip(rows.open, rows.high, rows.low, rows.close, rows.volume, strict=True)
    assert [fold(found) for found in inside.values()] == [
        tuple(int(x) for x in figures) for figures in served
    ]
    assert list(inside) == rows.label.tolist()
    assert [found[-1].running_volume for found in inside.values()] == rows.running.tolist()
    assert [trade.at for trade in trades] == sorted(trade.at for trade in trades)
    values = [trade.running_value for trade in trades]
    assert values == sorted(values)


@slow
@given(code=any_code, second=seconds_of_day, cut=st.integers(1, 20_000))
def test_trades_come_the_same_in_pieces(code: str, second: int, cut: int) -> None:
    """(a, b] and (b, c] together are (a, c], whatever the cut."""
    start = at(date(2026, 10, 28), 0) + timedelta(seconds=second)
    middle, end = start + timedelta(seconds=cut / 10), start + timedelta(seconds=cut)
    pieces = [*market().trades(code, start, middle), *market().trades(code, middle, end)]
    whole = market().trades(code, start, end)
    # The late print joins a day's running totals only where the question reaches beyond its appearance.
    assert [(t.at, t.price, t.volume) for t in pieces] == [(t.at, t.price, t.volume) for t in whole]


@slow
@given(code=any_code, second=seconds_of_day)
def test_the_snapshot_agrees_with_the_charts(code: str, second: int) -> None:
    """Today's figures are the day row's volume and value, and the last print's price."""
    day = date(2026, 10, 28)
    now = at(day, 0) + timedelta(seconds=second)
    snapshot, trades = (
        market(120, quiet).snapshot(code, now),
        market(120, quiet).trades(code, at(day, 0), now),
    )
    assert snapshot is not None
    if not trades:
        assert snapshot.volume == 0
        assert snapshot.last_trade_at is None
        return
    assert (snapshot.price, snapshot.last_trade_at) == (trades[-1].price, trades[-1].at)
    assert (snapshot.open, snapshot.high, snapshot.low) == fold(list(trades))[:3]
    assert (
        snapshot.volume == row(market(120, quiet).periods(code, Period.DAY, now, None), number(day))["volume"]
    )
    assert snapshot.lower_limit <= snapshot.low <= snapshot.high <= snapshot.upper_limit


def pace(code: str, day: date, hour: int, minutes: int = 1) -> float:
    """Return the trades a second from an hour on."""
    start = at(day, hour)
    end = start + timedelta(minutes=minutes)
    return len(market().trades(code, start, end)) / (end - start).total_seconds()


def test_large_stocks_trade_at_their_true_pace() -> None:
    """Tens of trades a second in the first minute, several a second at eleven, a few a minute if thin."""
    day = date(2026, 10, 28)
    for code in ("005930", "000660", "035720"):
        assert 10 <= pace(code, day, 9) <= 50
        assert 1 <= pace(code, day, 11, minutes=30) <= 30
    assert pace(THIN, day, 9, minutes=360) < 0.2


def test_auctions_are_single_prints_and_trades_come_in_bursts() -> None:
    """Half of the opening minute is its auction, the close is one print, some seconds hold many trades."""
    day = date(2026, 10, 28)
    trades = market().trades(LIQUID, at(day, 0), NOW)
    opening = [abs(trade.volume) for trade in trades if trade.at < at(day, 9, 1)]
    closing = [trade for trade in trades if at(day, 15, 30) <= trade.at < at(day, 15, 31)]
    seconds = Counter(
        trade.at.replace(microsecond=0) for trade in trades if at(day, 10) <= trade.at < at(day, 11)
    )

    assert trades[0].at < at(day, 9, 0, 1)
    assert opening[0] == max(opening) >= sum(opening) * 0.45
    assert len(closing) == 1
    assert not [trade for trade in trades if at(day, 15, 20) <= trade.at < at(day, 15, 30)]
    assert max(seconds.values()) > 10 * sum(seconds.values()) / 3600


def test_another_process_makes_the_same_market() -> None:
    """Seed, code and time decide everything: hash randomisation and the order of questions do not matter."""
    script = (
        "from datetime import date, datetime\n"
        "from chartinsightd.facts.krx import KST\n"
        "from chartinsightd.simulator.market import create_generated\n"
        "now = datetime(2026, 10, 28, 21, tzinfo=KST)\n"
        "rows = create_generated(7, 60).minutes('000660', date(2026, 10, 28), 5, now)\n"
        "print(rows.close.tolist(), rows.volume.tolist())\n"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    rows = rows_of(LIQUID, date(2026, 10, 28), 5, NOW)
    assert answer.strip() == f"{rows.close.tolist()} {rows.volume.tolist()}"


def test_a_larger_market_contains_the_smaller_one() -> None:
    """The number of symbols changes nothing about a symbol; the targets come first."""
    small, large = create_generated(7, 31), market()
    assert set(TARGETS) - DELISTED.keys() <= {issue.code for issue in small.issues(NOW)} | {"none"}
    for issue in small.issues(NOW):
        assert large.issue(issue.code) == small.issue(issue.code)


def test_another_seed_is_another_market() -> None:
    """Two seeds have different prices for the same stock."""
    other = create_generated(8, 1).periods("005930", Period.DAY, NOW, None)
    assert other.close.tolist() != market().periods("005930", Period.DAY, NOW, None).close.tolist()


def test_the_universe_has_all_kinds() -> None:
    """Alphanumeric codes, ETFs, preferred shares, both markets, listings and delistings over time."""
    large = create_generated(7, 2700)
    now = {issue.code: issue for issue in large.issues(NOW)}
    year_ago = {issue.code for issue in large.issues(NOW - timedelta(365))}
    letters = [code for code in now if not code.isdigit()]

    assert all(len(code) == 6 for code in now)
    assert 0.01 < len(letters) / len(now) < 0.04
    assert {issue.market_code for issue in now.values()} == {"0", "10", "8"}
    assert len({issue.name for issue in now.values()}) == len(now)
    assert now.keys() - year_ago
    assert year_ago - now.keys()
    assert any(issue.audit_info == "거래정지" for issue in now.values())


@pytest.mark.parametrize(
    ("day", "first", "last"),
    [
        (date(2026, 9, 11), 540, 935),
        (date(2026, 9, 14), 540, 1199),
        (date(2026, 1, 2), 600, 935),
        (date(2025, 11, 13), 600, 995),
        (date(2026, 11, 19), 600, 1199),
    ],
)
def test_hours_follow_the_day(day: date, first: int, last: int) -> None:
    """Normal, after-market, first day of the year, exam day: first and last row; a gap before the auction."""
    rows = rows_of("005930", day, 1, at(day, 12) + timedelta(days=1))
    closes = last - 5 if last < 1000 else (990 if first == 600 else 930)

    assert (rows.label[0], rows.label[-1]) == (first, last)
    assert not np.any((rows.label >= closes - 10) & (rows.label < closes))
    auction = rows.label.tolist().index(closes)
    assert rows.open[auction] == rows.high[auction] == rows.low[auction] == rows.close[auction]
    assert rows.volume[auction] > 5 * np.median(rows.volume)
    assert closes + 5 in rows.label


def test_the_late_print_appears_at_six_next_morning() -> None:
    """15:35 is absent at 05:59, present at 06:00 at the closing price; rows that hold it stay open."""
    day = date(2026, 9, 10)
    night, morning = at(day, 5, 59) + timedelta(days=1), at(day, 6) + timedelta(days=1)
    before, after = rows_of(LIQUID, day, 1, night), rows_of(LIQUID, day, 1, morning)

    assert 935 not in before.label
    assert after.label[-1] == 935
    assert after.close[-1] == after.close[-2]
    assert (before.settled, after.settled) == (False, True)
    for scope, label in ((30, 930), (60, 900), (10, 930), (45, 900)):
        rows = rows_of(LIQUID, day, scope, night)
        assert rows.label[~rows.final].tolist() == [label]
    assert rows_of(LIQUID, day, 5, night).final.all()
    daily = [market().periods(LIQUID, Period.DAY, now, None) for now in (night, morning)]
    assert daily[1].volume[-1] - daily[0].volume[-1] == after.volume[-1]
    assert [bool(rows.final[-1]) for rows in daily] == [False, True]


def test_rows_per_day_are_those_of_the_broker() -> None:
    """A full past day of a liquid stock before the reform has the rows of kiwoom.md#minute-labels."""
    day = date(2026, 9, 10)
    counts = {scope: len(rows_of(LIQUID, day, scope, NOW).label) for scope in SCOPES}
    assert counts == {1: 382, 3: 129, 5: 78, 10: 39, 15: 27, 30: 14, 45: 9, 60: 7}


def test_a_thin_stock_has_idle_minutes() -> None:
    """A minute without trades has no row."""
    assert 5 < len(rows_of(THIN, date(2026, 9, 10), 1, NOW).label) < 300


def test_a_halted_day_has_a_flat_row_and_no_minutes() -> None:
    """O=H=L=C at the last close with zero volume, or with the switch no row at all."""
    halted = date(2026, 10, 14)
    daily = market().periods(HALTED, Period.DAY, NOW, None)
    flat = row(daily, number(halted))

    assert flat["volume"] == flat["value"] == 0
    assert len({flat["open"], flat["high"], flat["low"], flat["close"]}) == 1
    assert flat["close"] == row(daily, 20261012)["close"]
    assert market().minutes(HALTED, halted, 1, NOW) is None
    assert halted not in market().minute_days(HALTED, NOW)
    without = market(30, MarketOptions(halted_day_has_row=False))
    assert number(halted) not in without.periods(HALTED, Period.DAY, NOW, None).day


def test_a_split_shows_in_adjusted_rows_up_to_its_day_only() -> None:
    """Raw prices fall by the factor after a halt; adjusted to the day they do not; value is never scaled."""
    [(ex_date, price, volume)] = market().actions(SPLIT)
    raw = market().periods(SPLIT, Period.DAY, NOW, None)
    adjusted = market().periods(SPLIT, Period.DAY, NOW, ex_date)
    earlier = market().periods(SPLIT, Period.DAY, NOW, ex_date - timedelta(days=1))
    at_ex = raw.day.tolist().index(number(ex_date))

    assert raw.volume[at_ex - 3 : at_ex].tolist() == [0, 0, 0]
    assert raw.close[at_ex] < raw.close[at_ex - 1] * price * 1.3
    assert adjusted.close[:at_ex].tolist() == np.round(raw.close[:at_ex] * price).astype(int).tolist()
    assert adjusted.volume[:at_ex].tolist() == np.round(raw.volume[:at_ex] * volume).astype(int).tolist()
    assert adjusted.value.tolist() == raw.value.tolist()
    assert adjusted.previous_close.tolist() == raw.previous_close.tolist()
    assert adjusted.close[at_ex:].tolist() == raw.close[at_ex:].tolist()
    assert earlier.close.tolist() == raw.close.tolist()


def test_minutes_are_adjusted_only_by_the_switch() -> None:
    """By default a split leaves minute charts as traded."""
    [(ex_date, price, _)] = market().actions(SPLIT)
    day = date(2026, 4, 8)
    raw = rows_of(SPLIT, day, 5, NOW)
    assert market().minutes(SPLIT, day, 5, NOW, ex_date).close.tolist() == raw.close.tolist()  # type: ignore[union-attr]
    switched = market(30, MarketOptions(adjusted_minutes=True)).minutes(SPLIT, day, 5, NOW, ex_date)
    assert switched is not None
    assert switched.close.tolist() == np.round(raw.close * price).astype(int).tolist()


def test_the_other_switches() -> None:
    """After-market in the day row, no late print since the reform, weeks by their Monday."""
    options = MarketOptions(
        after_market_in_daily=True, late_print_since_reform=False, week_label_is_monday=True
    )
    other, day = market(30, options), date(2026, 10, 7)
    later = at(day, 12) + timedelta(days=1)
    minutes, daily = other.minutes(LIQUID, day, 1, later), other.periods(LIQUID, Period.DAY, later, None)
    assert minutes is not None

    assert 935 not in minutes.label
    assert row(daily, number(day))["close"] == minutes.close[-1]
    assert row(daily, number(day))["high"] == minutes.high.max()
    evening = other.minutes(LIQUID, day, 1, at(day, 20))
    assert evening is not None
    assert evening.settled
    # Monday 2026-10-05 was a holiday.
    assert 20261005 in other.periods(LIQUID, Period.WEEK, NOW, None).day
    assert 20261006 in market().periods(LIQUID, Period.WEEK, NOW, None).day


def test_minutes_go_back_to_the_month_a_year_ago() -> None:
    """The oldest day is the first trading day of the same month one year before; older minutes are gone."""
    days = market().minute_days(LIQUID, datetime(2026, 10, 15, 12, tzinfo=KST))
    assert (days[0], days[-1]) == (date(2026, 10, 15), date(2025, 10, 1))
    assert list(days) == sorted(days, reverse=True)
    assert market().minutes(LIQUID, date(2025, 9, 30), 1, NOW) is None


def test_before_the_opening_there_is_no_row_of_today() -> None:
    """At 08:59 the newest day is yesterday; a minute in progress moves with the clock."""
    today = date(2026, 10, 28)
    assert market().minute_days(LIQUID, at(today, 8, 59))[0] == date(2026, 10, 27)
    assert market().minutes(LIQUID, today, 5, at(today, 8, 59)) is None
    moving = [rows_of(LIQUID, today, 1, at(today, 10, 3, second)) for second in (59, 30)]
    assert moving[0].running[-1] > moving[1].running[-1]
    assert not moving[0].final[-1]


def test_a_late_correction_is_in_every_chart() -> None:
    """A corrected minute changes all scopes, the day, the week and the trades; an unknown one is refused."""
    mine, day = create_generated(7, 5), date(2026, 10, 20)
    before = {scope: mine.minutes(LIQUID, day, scope, NOW) for scope in SCOPES}
    days = {period: mine.periods(LIQUID, period, NOW, None) for period in Period}

    assert mine.correct(LIQUID, day, 600, 3.0)
    assert not mine.correct(LIQUID, day, 400, 3.0)
    assert not mine.correct(LIQUID, date(2026, 10, 18), None, 3.0)
    assert not mine.correct("ZZZZZZ", day, None, 3.0)

    ones = mine.minutes(LIQUID, day, 1, NOW)
    assert ones is not None
    assert before[1] is not None
    more = int(ones.volume.sum() - before[1].volume.sum())
    assert more == 2 * before[1].volume[before[1].label == 600].item()
    for scope in SCOPES:
        rows, old = mine.minutes(LIQUID, day, scope, NOW), before[scope]
        assert rows is not None
        assert old is not None
        assert (rows.volume - old.volume).tolist() == np.where(
            rows.label == 600 // scope * scope, more, 0
        ).tolist()
    for period in Period:
        assert mine.periods(LIQUID, period, NOW, None).volume.sum() - days[period].volume.sum() == more
    prints = mine.trades(LIQUID, at(day, 0), at(day, 8) + timedelta(days=1))
    assert sum(abs(trade.volume) for trade in prints) == ones.volume.sum()


def test_a_corrected_day_leaves_its_minutes_alone() -> None:
    """Without a label the day, week, month and year change; minutes do not."""
    mine, day = create_generated(7, 5), date(2026, 10, 20)
    old, minutes = mine.periods(LIQUID, Period.DAY, NOW, None), mine.minutes(LIQUID, day, 5, NOW)
    assert minutes is not None

    assert mine.correct(LIQUID, day, None, 1.5)

    new, same = mine.periods(LIQUID, Period.DAY, NOW, None), mine.minutes(LIQUID, day, 5, NOW)
    assert same is not None
    changed = np.flatnonzero(new.volume != old.volume)
    assert new.day[changed].tolist() == [number(day)]
    assert new.volume[changed[0]] == round(old.volume[changed[0]] * 1.5)
    assert same.volume.tolist() == minutes.volume.tolist()


def test_unknown_codes_have_nothing() -> None:
    """No row, no figure, no error."""
    assert market().issue("ZZZZZZ") is None
    assert market().minute_days("ZZZZZZ", NOW) == []
    assert market().minutes("ZZZZZZ", date(2026, 10, 28), 1, NOW) is None
    assert len(market().periods("ZZZZZZ", Period.DAY, NOW, None).day) == 0
    assert list(market().trades("ZZZZZZ", NOW - timedelta(1), NOW)) == []
    assert market().snapshot("ZZZZZZ", NOW) is None
    assert market().actions("ZZZZZZ") == []
    assert not market().correct("ZZZZZZ", date(2026, 10, 28), 600, 2.0)


def test_days_can_be_closed_and_opened() -> None:
    """A session can be silent and a day off busy, in every chart; the calendar around them stays."""
    closed, opened = date(2026, 10, 26), date(2026, 10, 9)
    changed = market(30, MarketOptions(closed_on=Days("2026-10-26"), open_on=Days("2026-10-09")))

    usual = market(30).trading_days(date(2026, 1, 1), date(2026, 12, 31))
    assert set(changed.trading_days(usual[0], usual[-1])) ^ set(usual) == {closed, opened}
    assert changed.minutes(LIQUID, closed, 5, NOW) is None
    assert changed.minutes(LIQUID, opened, 5, NOW) is not None
    days = changed.periods(LIQUID, Period.DAY, NOW, None).day.tolist()
    assert (number(closed) in days, number(opened) in days) == (False, True)
