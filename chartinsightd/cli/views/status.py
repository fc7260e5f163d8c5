"""The answer of `status` for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from chartinsightd.cli.formatting import NONE, clock_time, duration, moment, number, percent, row_counts, size
from chartinsightd.cli.tables import Column, FittedTable, Marked
from chartinsightd.cli.views.alerts import alert_line
from chartinsightd.control.protocol.status import (
    ClockStatus,
    DaemonStatus,
    DatabaseStatus,
    LiveState,
    LiveStatus,
    Phase,
    PriorityName,
    SessionStatus,
    SpoolStatus,
    Status,
    TokenState,
    TokenStatus,
    VenueStatus,
    Verdict,
)
from chartinsightd.domain.foreign_text import printable
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.verdict import VerdictState

_PHASES = {
    Phase.CLOSED: "no session today",
    Phase.PRE_OPEN: "before the opening",
    Phase.REGULAR: "regular session",
    Phase.CLOSING_AUCTION: "closing auction",
    Phase.BETWEEN: "between regular session and after-market",
    Phase.AFTER_MARKET: "after-market",
    Phase.AFTER_HOURS: "trading has ended for the day",
}
_GOOD, _BAD, _SOSO = "green", "bold red", "yellow"
_VERDICTS = {
    VerdictState.WELL: ("●", _GOOD),
    VerdictState.WORKING: ("▶", "cyan"),
    VerdictState.ATTENTION: ("▲", _SOSO),
    VerdictState.TROUBLE: ("✕", _BAD),
}


def render_status(status: Status) -> RenderableType:
    """Return the overview: facts, freshness, gate, alerts."""
    parts: list[RenderableType] = [verdict_line(status.verdict, status.clock), "", _facts(status)]
    if status.freshness:
        parts += ["", _freshness(status)]
    if status.gate:
        parts += ["", _gate(status)]
    if status.alerts:
        parts += ["", Text("Alerts", style="bold"), *(alert_line(alert) for alert in status.alerts)]
    return Group(*parts)


def verdict_line(verdict: Verdict, clock: ClockStatus) -> Text:
    """Return the verdict in one line: its state, the first cause, and what happens next."""
    mark, style = _VERDICTS[verdict.state]
    text = Text(f"{mark} {verdict.state.value.upper()}", style=style)
    text.append(f"  {printable(verdict.words.en)}", style="default")
    if verdict.next_at is not None:
        left = duration(max(0.0, (verdict.next_at - clock.now).total_seconds()))
        coming = f"  next {clock_time(verdict.next_at)[:5]} {printable(verdict.next_words.en)} in {left}"
        text.append(coming, style="default")
    return text


def _facts(status: Status) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, text in _lines(status):
        grid.add_row(name, text)
    return grid


def _lines(status: Status) -> Iterator[tuple[str, Text]]:
    yield "daemon", _daemon(status.daemon)
    for note in status.daemon.notes:
        yield "", Text(printable(note), style=_SOSO)
    yield "clock", Text(_clock(status.clock))
    yield "session", Text(_session(status.session, status.clock))
    yield "token", _token(status.token)
    yield "database", _database(status.database)
    yield "spool", _spool(status.spool)
    if status.live is not None:
        yield "live", _live(status.live)
    yield "symbols", Text(f"{number(status.tracked)} tracked of {number(status.listed)} listed")
    if status.universe is not None:
        yield "universe", Text(f"{number(status.universe.members)} more, read each evening and morning")
    for venue in status.venues:
        yield venue.venue.value, _venue(venue)
    yield "rows today", Text(row_counts(status.rows_today) + _counted_since(status))
    yield "jobs", Text(f"{number(status.jobs_running)} running")
    yield "gaps", Text(number(status.gaps), style=_SOSO if status.gaps else "")


def _venue(venue: VenueStatus) -> Text:
    """Say how complete a venue is; how late, the table of freshness says."""
    more = f" and {number(venue.universe)} of the universe" if venue.universe else ""
    text = Text(f"{number(venue.symbols)} symbols{more}, {percent(venue.complete_ratio)} complete")
    for count, words in ((venue.missing, "sessions missing"), (venue.unsealed, "not sealed")):
        if count:
            text.append(f", {number(count)} {words}", style=_SOSO)
    return text.append(f", rows today: {row_counts(venue.rows_today)}", style="default")


def _counted_since(status: Status) -> str:
    """Say since when rows are counted, where that is not midnight: the daemon counts its own."""
    started = status.daemon.started_at
    return f", since {clock_time(started)}" if day_of(started) == day_of(status.clock.now) else ""


def _daemon(daemon: DaemonStatus) -> Text:
    style = _GOOD if daemon.state == "running" and daemon.ready else _SOSO
    text = Text(daemon.state.value if daemon.ready else f"{daemon.state.value}, not ready", style=style)
    if daemon.paused_until is not None:
        text.append(f" until {clock_time(daemon.paused_until)}", style=style)
    rest = f", {_source(daemon)}, version {daemon.version}, process {daemon.pid}"
    return text.append(f"{rest}, up {duration(daemon.uptime_s)}", style="default")


def _source(daemon: DaemonStatus) -> str:
    """Say where the data comes from: no orders are placed here, so nothing is "live trading"."""
    host = "paper server" if daemon.environment == "paper" else "real server"
    return f"simulated {host}" if daemon.mode == "simulation" else host


def _clock(clock: ClockStatus) -> str:
    return f"{moment(clock.now)} KST" + (f", {clock.speed:g} times as fast" if clock.speed != 1 else "")


def _session(session: SessionStatus, clock: ClockStatus) -> str:
    words = _PHASES[session.phase]
    if session.day is not None:
        words += f", {session.day} {clock_time(session.opens_at)}–{clock_time(session.ends_at)}"
    if session.next_change_at is not None:
        left = (session.next_change_at - clock.now).total_seconds()
        words += f", changes in {duration(max(0.0, left))}"
    if session.next_session is not None:
        words += f"; next session {session.next_session}"
    return words


def _token(token: TokenStatus) -> Text:
    text = Text(token.state.value, style=_GOOD if token.state is TokenState.VALID else _BAD)
    if token.expires_at is not None:
        text.append(f" until {moment(token.expires_at)}", style="default")
    return text.append(f": {printable(token.note)}" if token.note else "", style="default")


def _database(database: DatabaseStatus) -> Text:
    text = Text("reachable" if database.reachable else "away", style=_GOOD if database.reachable else _BAD)
    version = f" {printable(database.version)}" if database.version else ""
    extension = f", {printable(database.extension)}" if database.extension else ""
    place = f" at {printable(database.place)}" if database.place else ""
    facts = f", {database.kind} PostgreSQL{version}{place}{extension}, schema {printable(database.schema_)}"
    text.append(f"{facts}, {size(database.size_bytes)}", style="default")
    return text.append(f": {printable(database.note)}" if database.note else "", style="default")


def _spool(spool: SpoolStatus) -> Text:
    if not spool.pages:
        return Text("empty")
    words = f"{number(spool.pages)} pages wait for the database, {size(spool.bytes)}"
    return Text(f"{words}, the oldest since {moment(spool.oldest_at)}", style=_SOSO)


def _live(live: LiveStatus) -> Text:
    """Say how the stream of trades is, and how its closes compare with the charts'."""
    style = {LiveState.OPEN: _GOOD, LiveState.LOST: _SOSO}.get(live.state, "")
    text = Text(live.state.value, style=style)
    text.append(f", {number(live.symbols)} symbols, {number(live.trades)} trades", style="default")
    closes = live.closes
    if closes.compared or closes.unseen:
        seen = f"{number(closes.compared)} closes compared, {number(closes.differing)} differ"
        text.append(f"; today {seen}, {number(closes.unseen)} unseen", style="default")
    return text.append(f": {printable(live.note)}" if live.note else "", style="default")


def _freshness(status: Status) -> FittedTable:
    columns = (
        Column(title="timeframe"),
        Column(title="newest candle"),
        Column(title="late", right=True),
        Column(title="median age", right=True, rank=1),
        Column(title="worst age", right=True),
        Column(title="target", right=True, rank=3),
        Column(title="of", rank=2),
    )
    of_universe = status.universe.freshness if status.universe is not None else ()
    named = [(fresh.timeframe.value, fresh) for fresh in status.freshness]
    named += [(f"{fresh.timeframe.value} universe", fresh) for fresh in of_universe]
    named += [
        (f"{fresh.timeframe.value} {one.venue.value}", fresh)
        for one in status.venues
        for fresh in one.freshness
    ]
    rows = [
        (
            name,
            moment(fresh.newest_ts),
            Marked(number(fresh.late), _SOSO) if fresh.late else "0",
            duration(fresh.median_age_s),
            duration(fresh.worst_age_s),
            duration(fresh.target_s),
            (fresh.worst_symbol or NONE) if fresh.worst_age_s else "",
        )
        for name, fresh in named
    ]
    return FittedTable(columns, rows)


def _gate(status: Status) -> FittedTable:
    columns = (
        Column(title="gate"),
        Column(title="used", right=True),
        Column(title="last minute", right=True),
        Column(title="limit/s", right=True),
        Column(title="in flight", right=True, rank=2),
        Column(title="throttled", right=True, rank=1),
        Column(title="waiting", cut=True),
    )
    rows = [
        (
            printable(lane.api_id),
            f"{lane.utilisation * 100:.0f} %",
            number(lane.sent_last_minute),
            _limit(lane.limit, lane.ceiling),
            number(lane.in_flight),
            number(lane.throttled),
            _queued(lane.queued),
        )
        for lane in status.gate
    ]
    return FittedTable(columns, rows)


def _limit(limit: float, ceiling: float) -> str | Marked:
    return f"{limit:g}" if limit >= ceiling else Marked(f"{limit:g} of {ceiling:g}", _SOSO)


def _queued(queued: Mapping[PriorityName, int]) -> str:
    waiting = [f"{name.value} {number(queued[name])}" for name in PriorityName if queued.get(name)]
    return ", ".join(waiting) or NONE
