"""What is not known is shown as unknown, and what changed is read again."""

from __future__ import annotations

import re
import time

from chartinsight_tui import connection
from chartinsightd.control.handlers import UnknownThing
from chartinsightd.control.protocol.coverage import (
    CoverageRow,
    GapRow,
    SessionCoverage,
    SessionCoverageList,
    SessionCoverageQuery,
)
from chartinsightd.control.protocol.events import EventType
from chartinsightd.control.protocol.rows import CandleList, CandleQuery
from chartinsightd.domain.gap_reason import GapReason
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.venue import Venue
from tests.support.fake_backend import SEALED_DAY, FakeBackend, Scene
from tests.tui.dashboards import Daemon, connected, dashboard, offline, settled, shown, until

NEW = "000270"


class Changing(FakeBackend):
    """A daemon whose gaps come and go, and that may not have asked for a stock yet."""

    is_repaired = False
    knows_new = True

    def _gaps(self) -> list[GapRow]:
        return [] if self.is_repaired else super()._gaps()

    def _coverage_row(self, symbol: str, timeframe: Timeframe, reason: GapReason | None) -> CoverageRow:
        row = super()._coverage_row(symbol, timeframe, None if self.is_repaired else reason)
        if symbol == NEW and not self.knows_new:
            unasked = {"expected": 0, "covered": 0, "missing": 0, "complete_ratio": 1.0, "read_at": None}
            return row.model_copy(update=unasked)
        return row

    async def session_coverage(self, query: SessionCoverageQuery) -> SessionCoverageList:
        answer = await super().session_coverage(query)
        kept = tuple(symbol for symbol in answer.symbols if symbol != NEW or self.knows_new)
        return answer.model_copy(update={"symbols": kept})


def row_of(text: str, symbol: str) -> str:
    """Return a stock's row of a screen."""
    return next(line for line in text.splitlines() if symbol in line)


async def test_a_stock_nobody_asked_for_is_unknown() -> None:
    """Neither its percentage nor its trading days are green before anything was read."""
    daemon = Daemon()
    daemon.backend = Changing()
    daemon.backend.knows_new = False
    app = dashboard(daemon.open)
    async with app.run_test(size=(120, 40)) as pilot:
        await app.action_show("coverage")
        await connected(pilot)
        await settled(pilot)
        row = row_of(shown(app), NEW)
        assert "■" not in row
        percentages, _, days = row.partition("?????")
        assert percentages.count("? ?") == len(Timeframe)
        assert "???" in days


async def test_days_and_gaps_are_read_again_when_coverage_changes(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """A repaired gap leaves the map, the detail and the list without a key."""
    monkeypatch.setattr(connection, "_CALM_S", 0.01)
    daemon = Daemon()
    backend = daemon.backend = Changing()
    app = dashboard(daemon.open)
    async with app.run_test(size=(120, 40)) as pilot:
        await app.action_show("coverage")
        await connected(pilot)
        await settled(pilot)
        assert "▲" in row_of(shown(app), "005930")
        backend.is_repaired = True
        for timeframe in Timeframe:
            row = backend._coverage_row("005930", timeframe, None)
            backend.hub.publish(EventType.COVERAGE, row, key=f"005930 {timeframe}")
        await until(pilot, lambda: app.store.gaps == () and not app.is_drawing)
        await until(pilot, lambda: "No gaps, as of" in shown(app))
        await until(pilot, lambda: "halted" not in shown(app))


async def test_a_proof_that_is_missing_is_no_gap_and_not_green() -> None:
    """A day that is stored and not proved is a question mark; one that contradicts itself a triangle."""
    app = dashboard(Daemon().open)
    async with app.run_test(size=(120, 40)) as pilot:
        await app.action_show("coverage")
        await connected(pilot)
        await settled(pilot)
        answer = app.store.sessions["5m"]
        marks = {}
        for reason in (GapReason.UNPROVED, GapReason.BROKEN):
            item = SessionCoverage(
                symbol="000660", timeframe=Timeframe.M5, day=SEALED_DAY, complete_ratio=1.0, reason=reason
            )
            app.store.put_sessions(answer.model_copy(update={"items": (item,)}))
            app.view.refresh_data(app.view.PARTS)
            await pilot.pause()
            marks[reason] = row_of(shown(app), "000660").rstrip("█ ")[-2]
        assert marks == {GapReason.UNPROVED: "?", GapReason.BROKEN: "▲"}


async def test_away_nothing_is_green_and_no_countdown_runs() -> None:
    """While the daemon is away marks are question marks, countdowns are dashes, and colours are gone."""
    daemon = Daemon()
    app = dashboard(daemon.open)
    async with app.run_test(size=(120, 40)) as pilot:
        await connected(pilot)
        await app.action_show("coverage")
        await connected(pilot)
        await app.action_show("overview")
        daemon.kill()
        await offline(pilot)
        await settled(pilot)
        text = shown(app)
        assert "■" not in text
        assert "●" not in text
        assert "regular –" in text.splitlines()[0]
        assert app.palette.good == app.palette.bad
        assert {tuple(row) for row in re.findall(r" ka10\d{3} [^–]*(–) +(\S+)", text)} == {("–", "–")}
        await app.action_show("alerts")
        await settled(pilot)
        assert "✓" not in shown(app)
        await app.action_show("coverage")
        await settled(pilot)
        for _ in range(3):
            assert not {"■", "▣", "●"} & set(shown(app))
            await pilot.press("tab")


async def test_a_list_emptied_by_a_filter_says_so() -> None:
    """Nothing wrong is good news, nothing found names the filter: neither says that there is nothing."""
    daemon = Daemon()
    daemon.backend = Changing()
    daemon.backend.is_repaired = True
    app = dashboard(daemon.open)
    async with app.run_test(size=(120, 40)) as pilot:
        await app.action_show("coverage")
        await connected(pilot)
        await pilot.press("f")
        assert "✓ No gaps: every series is complete." in shown(app)
        await pilot.press("f", "slash", *"zzz", "enter")
        await until(pilot, lambda: "Nothing for ‘zzz’. Esc lifts the filter." in shown(app))


async def test_an_alert_is_readable_in_full_and_in_korean() -> None:
    """Title and what to do in the user's language, the daemon's own words below, nothing cut."""
    app = dashboard(Daemon(Scene.ERROR).open, language="ko")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("7")
        await until(pilot, lambda: "DB를 켜세요. 그동안 받은 것은 디스크에 보관합니다." in shown(app))
        assert "Is it running? See database.dsn." in shown(app)


async def test_rows_of_today_say_since_when() -> None:
    """The daemon counts since its start: after a restart the number is not that of the day."""
    app = dashboard(Daemon().open)
    async with app.run_test(size=(120, 40)) as pilot:
        await connected(pilot)
        assert "+4,210 candles since 06:55" in shown(app)


async def test_an_idle_second_costs_little() -> None:
    """A second's drawing, and a status every other second, stay below a hundredth of a core."""
    app = dashboard(Daemon().open)
    async with app.run_test(size=(120, 40)) as pilot:
        await connected(pilot)
        status = app.store.status
        assert status is not None
        app._tick()
        began = time.process_time()
        for _ in range(40):
            app._tick()
            app._tick()
            app.store.put_status(status.model_copy(), 0.0)
            app.view.refresh_data(app.view.PARTS)
        a_second = (time.process_time() - began) / 80
        assert a_second < 0.01


class OfVenues(FakeBackend):
    """A daemon that collects NXT and not both together."""

    async def candles(self, query: CandleQuery) -> CandleList:
        if query.venue is Venue.UNIFIED:
            raise UnknownThing("UNIFIED is not collected.", remedy="Set venues.collect.")
        answer = await super().candles(query)
        return answer.model_copy(update={"items": answer.items[:1]}) if query.venue is Venue.NXT else answer


async def test_the_chart_says_whose_candles_it_shows() -> None:
    """KRX without a word, NXT by name, and a venue that is not collected with the remedy."""
    daemon = Daemon()
    daemon.backend = OfVenues()
    app = dashboard(daemon.open)
    async with app.run_test(size=(120, 40)) as pilot:
        await connected(pilot)
        await app.action_show("chart")
        await connected(pilot)
        await settled(pilot)
        assert "NXT" not in shown(app)
        await pilot.press("v")
        await until(pilot, lambda: "NXT" in shown(app) and "KRX + NXT" not in shown(app))
        await settled(pilot)
        await pilot.press("v")
        await until(pilot, lambda: "UNIFIED is not collected" in shown(app))
        assert "venues.collect" in shown(app)
        await settled(pilot)
        await pilot.press("v")
        await until(pilot, lambda: "NXT" not in shown(app))
        await settled(pilot)
