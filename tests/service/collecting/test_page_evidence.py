"""A page proves what it proves: not an end, a silence or another history that one answer claims alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.candle import Candles
from chartinsightd.domain.errors import MalformedAnswer
from chartinsightd.domain.gap_reason import Listing
from chartinsightd.domain.grid import grid_between
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.broker import ChartPage
from chartinsightd.service.collecting.page_evidence import PageEvidence

NOW = datetime(2026, 9, 10, 3, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
CALENDAR = Calendar()


def days(count: int, factor: int = 1, symbol: str = "005930", timeframe: Timeframe = Timeframe.D1) -> Candles:
    """Return the newest so many candles of the grid, all prices times a factor."""
    ts = grid_between(
        CALENDAR, timeframe, int((NOW - timedelta(days=3000)).timestamp()), int(NOW.timestamp())
    ).ts
    prices = (np.arange(len(ts), dtype=np.int64) % 97 + 1_000)[-count:] * factor
    return Candles(
        symbol=symbol,
        timeframe=timeframe,
        ts=ts[-count:],
        open=prices,
        high=prices,
        low=prices,
        close=prices,
        volume=prices,
        value=None,
        final=np.zeros(count, dtype=np.bool_),
    )


def page(candles: Candles, rows: int, *, is_last: bool = True) -> ChartPage:
    """Return a page of these candles."""
    return ChartPage(candles=candles, rows=rows, asked_at=NOW, is_last=is_last)


def test_one_page_overturns_nothing() -> None:
    """A page in another measure is held back; said for an hour, it is what the broker means."""
    evidence = PageEvidence()
    evidence.take(days(600), NOW)
    for minutes in (0, 20, 59):
        with pytest.raises(MalformedAnswer, match="contradicts"):
            evidence.take(days(600, factor=10), NOW + timedelta(minutes=minutes))
    evidence.take(days(600), NOW + HOUR)
    with pytest.raises(MalformedAnswer):
        evidence.take(days(600, factor=10), NOW + 2 * HOUR)

    evidence.take(days(600, factor=10), NOW + 3 * HOUR)
    evidence.take(days(600, factor=10), NOW + 3 * HOUR)


def test_a_few_revisions_are_no_contradiction() -> None:
    """Late corrections of single candles pass."""
    evidence = PageEvidence()
    evidence.take(days(600), NOW)
    revised = days(600)
    revised.close[::50] = 2_000

    evidence.take(revised, NOW)


@pytest.mark.parametrize(
    ("rows", "listed_on", "is_last", "believed"),
    [
        (500, None, True, True),
        (500, None, False, False),
        (600, None, True, False),
        (500, date(2015, 1, 2), True, False),
        (500, date(2024, 8, 1), True, True),
    ],
)
def test_an_end_of_history_is_believed_when_nothing_speaks_against_it(
    rows: int, listed_on: date | None, is_last: bool, believed: bool
) -> None:
    """A full page, or a day of listing long before, says that more is there; said again later, it is so."""
    evidence = PageEvidence(lambda _: Listing(state="", listed_on=listed_on))
    candles = days(500)
    oldest = int(candles.ts[0])

    assert evidence.ends(page(candles, rows, is_last=is_last), oldest, NOW) is believed
    assert not evidence.ends(page(candles, rows, is_last=False), oldest, NOW + 2 * HOUR)
    if is_last:
        assert evidence.ends(page(candles, rows), oldest, NOW + 2 * HOUR)


def test_an_empty_answer_confirms_an_end_that_was_claimed() -> None:
    """Neither the claim nor an empty answer ends a history that begins late; both, minutes apart, do."""
    evidence = PageEvidence(lambda _: Listing(state="", listed_on=date(2015, 1, 2)))
    candles = days(500)
    series, oldest = Series(symbol="005930", timeframe=Timeframe.D1), int(candles.ts[0])
    later = NOW + timedelta(minutes=10)
    assert not evidence.is_end_confirmed(series, oldest, later), "nothing was claimed"

    assert not evidence.ends(page(candles, 500), oldest, NOW)

    assert not evidence.is_end_confirmed(series, oldest, NOW + timedelta(minutes=9))
    assert not evidence.is_end_confirmed(series, oldest + 1, later), "newer candles were asked for too"
    assert evidence.is_end_confirmed(series, oldest, later)


def test_a_first_page_in_another_measure_than_another_chart_is_held() -> None:
    """Weeks ten times as dear as the days of the same stock: held for an hour, then what the broker means."""
    evidence = PageEvidence()
    evidence.take(days(600), NOW)
    weeks = days(100, factor=10, timeframe=Timeframe.W1)
    for minutes in (0, 30):
        with pytest.raises(MalformedAnswer, match="differ by a factor"):
            evidence.take(weeks, NOW + timedelta(minutes=minutes))

    evidence.take(days(100, timeframe=Timeframe.W1), NOW + HOUR)
    with pytest.raises(MalformedAnswer):
        evidence.take(weeks, NOW + 2 * HOUR)
    with pytest.raises(MalformedAnswer):
        evidence.take(days(600, factor=10), NOW + 2 * HOUR)
    evidence.take(weeks, NOW + 3 * HOUR)


@pytest.mark.parametrize(("price", "is_held"), [(100, True), (1_050, False), (0, False), (None, False)])
def test_a_first_page_is_held_against_the_price_in_the_stock_list(price: int | None, is_held: bool) -> None:
    """The newest page of a stock of which nothing is known ends near its price in the list."""
    evidence = PageEvidence(lambda _: Listing(state="", listed_on=None, last_price=price))
    if is_held:
        with pytest.raises(MalformedAnswer, match="stock list"):
            evidence.take(days(600), NOW)
    else:
        evidence.take(days(600), NOW)
    evidence.take(days(1_200).where(slice(0, 600)), NOW)


def test_what_an_earlier_process_stored_is_known_again() -> None:
    """After a restart too, one page overturns nothing, and the candle after an older page is known."""
    evidence, stored = PageEvidence(), days(600)
    series = Series(symbol="005930", timeframe=Timeframe.D1)
    assert not evidence.knows(series)
    evidence.recall(stored.marked(np.ones(600, dtype=np.bool_)))

    assert evidence.knows(series)
    assert evidence.next_price(days(1_200).where(slice(0, 600))) == int(stored.close[0])
    assert evidence.next_price(days(1_200).where(slice(0, 500))) is None, "too far away"
    with pytest.raises(MalformedAnswer, match="contradicts"):
        evidence.take(days(600, factor=10), NOW)
