"""What is collected beside KRX, when it is told, and in whose turn it is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest

from chartinsightd.domain.alert_policy import Condition
from chartinsightd.domain.gap_reason import Listing
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.venue import Venue
from chartinsightd.facts import nxt
from chartinsightd.ports.broker import ChartPage, ChartRequest, Priority
from chartinsightd.service.state.alert_kinds import AlertKind
from chartinsightd.service.state.collected_stocks import CollectedStocks
from chartinsightd.service.venues.charts import VenueCharts
from chartinsightd.service.venues.probe import VenueProbe, VenueState
from chartinsightd.service.venues.selection import VenueSelection
from tests.support.virtual import LoopClock

LISTED = {
    "005930": Listing(state="", listed_on=date(1975, 6, 11), is_on_nxt=True),
    "000660": Listing(state="", listed_on=date(2026, 9, 1), is_on_nxt=True),
    "069500": Listing(state="", listed_on=date(2002, 10, 14)),
}
NOW = datetime(2026, 11, 20, 1, tzinfo=UTC)


def selected(venue: Venue, *wanted: str, with_universe: bool = False) -> CollectedStocks:
    krx, own = CollectedStocks(), CollectedStocks()
    selection = selection_of(venue, krx, own, *wanted, with_universe=with_universe)
    selection.choose()
    assert not own.is_known  # before KRX knows what it collects, nobody does
    krx.replace(["005930", "069500"], universe=["000660", "123456"])
    selection.choose()
    return own


def selection_of(
    venue: Venue, krx: CollectedStocks, own: CollectedStocks, *wanted: str, with_universe: bool = False
) -> VenueSelection:
    return VenueSelection(
        venue=venue,
        symbols=wanted,
        with_universe=with_universe,
        krx=krx,
        listing=LISTED.get,
        collected=own,
        clock=LoopClock(NOW),
    )


@pytest.mark.parametrize(
    ("venue", "wanted", "with_universe", "targets", "universe"),
    [
        (Venue.NXT, (), False, ("005930",), ()),
        (Venue.NXT, (), True, ("005930",), ("000660",)),
        (Venue.NXT, ("069500",), False, (), ()),
        (Venue.UNIFIED, (), False, ("005930", "069500"), ()),
        (Venue.UNIFIED, ("069500",), True, ("069500",), ("000660", "123456")),
    ],
)
def test_what_is_collected(
    venue: Venue,
    wanted: tuple[str, ...],
    with_universe: bool,
    targets: tuple[str, ...],
    universe: tuple[str, ...],
) -> None:
    """The named targets, or all; at NXT those that are traded there; the universe where it is wanted."""
    own = selected(venue, *wanted, with_universe=with_universe)
    assert (own.symbols, own.universe) == (targets, universe)


def test_no_history_is_longer_than_the_venue() -> None:
    """A chart of NXT that begins in 2025 is whole, however old the stock is."""
    selection = selection_of(Venue.NXT, CollectedStocks(), CollectedStocks())
    found = [selection.listing(symbol) for symbol in ("005930", "000660")]
    assert [one.listed_on if one else None for one in found] == [nxt.FIRST_DAY, date(2026, 9, 1)]
    assert (
        selection_of(Venue.UNIFIED, CollectedStocks(), CollectedStocks()).listing("005930")
        == LISTED["005930"]
    )


class Source:
    """Notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[ChartRequest, Priority]] = []

    async def pages(self, request: ChartRequest, priority: Priority) -> AsyncIterator[ChartPage]:
        self.asked.append((request, priority))
        return
        yield


async def test_polls_of_a_venue_wait_for_those_of_krx() -> None:
    """Only the venue and the turn differ from what was asked."""
    source = Source()
    request = ChartRequest(symbol="005930", timeframe=Timeframe.M5, until=NOW)
    for priority in (Priority.LIVE, Priority.BACKFILL):
        assert [page async for page in VenueCharts(source, Venue.NXT).pages(request, priority)] == []
    assert [(one.symbol, one.venue, turn) for one, turn in source.asked] == [
        ("005930", Venue.NXT, Priority.CATCH_UP),
        ("005930", Venue.NXT, Priority.BACKFILL),
    ]


def told(since: timedelta | None, refusal: str = "") -> dict[AlertKind, Condition]:
    clock = LoopClock(NOW)
    begun = None if since is None else NOW - since
    state = VenueState(venue=Venue.NXT, waiting_since=lambda: begun, refusal=lambda: refusal)
    return dict(VenueProbe([state], clock).look())


def test_a_standstill_is_told_after_half_an_hour() -> None:
    """A moment of waiting is none; a store that refuses is told at once, in its words."""
    assert told(None) == told(timedelta(minutes=29)) == {}
    assert "NXT" in told(timedelta(minutes=30))[AlertKind.VENUE_STALLED].message
    assert "no room" in told(None, "no room")[AlertKind.VENUE_STALLED].message
