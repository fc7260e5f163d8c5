"""What the dashboard knows: the last known data of the daemon, and how it stands with the connection.

Nothing here waits or draws. While the daemon is away everything stays as it was last heard.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chartinsight_tui.quotes import Quote
    from chartinsightd.control.protocol.alarms import AlarmRow
    from chartinsightd.control.protocol.coverage import (
        CoverageRow,
        GapRow,
        SealRow,
        SessionCoverage,
        SessionCoverageList,
    )
    from chartinsightd.control.protocol.events import CandleChange, Event
    from chartinsightd.control.protocol.jobs import Job
    from chartinsightd.control.protocol.planning import CatchUpPlan
    from chartinsightd.control.protocol.rows import (
        CandleRow,
        LogLine,
        QuarantinedRow,
        RevisionRow,
        StockRow,
    )
    from chartinsightd.control.protocol.screens import StoredScreenRow, StrategyRow
    from chartinsightd.control.protocol.status import AlertList, Status
    from chartinsightd.control.protocol.watching import WatchGroupRow, WatchlistRows

MAX_LOG_LINES = 2_000
MAX_JOBS = 500
MOST_PACES = 60

Series = tuple[str, str]
"""Symbol and timeframe."""


class Part(StrEnum):
    """One kind of data; screens name those they show."""

    LINK = "link"
    STATUS = "status"
    JOBS = "jobs"
    LOGS = "logs"
    COVERAGE = "coverage"
    SESSIONS = "sessions"
    GAPS = "gaps"
    SEALS = "seals"
    REVISIONS = "revisions"
    QUARANTINE = "quarantine"
    PLAN = "plan"
    ALARMS = "alarms"
    ALERTS = "alerts"
    STOCKS = "stocks"
    SCREENS = "screens"
    CANDLE = "candle"
    WATCH = "watch"
    QUOTES = "quotes"


class LinkState(StrEnum):
    """How it stands with the daemon."""

    CONNECTING = "connecting"
    """Not heard of yet since the start."""
    ONLINE = "online"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The connection to the daemon."""

    state: LinkState = LinkState.CONNECTING
    since: datetime | None = None
    """When this state began, by this machine's clock; aware, UTC."""
    heard_at: datetime | None = None
    """When the daemon was last heard, by this machine's clock; None while never."""
    reason: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why something asked of the daemon was not done."""

    reason: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.reason} {self.remedy}".rstrip()


class Store:
    """The last known data. Changed by the connection alone, read by the screens."""

    def __init__(self) -> None:
        self.link = Link()
        self.status: Status | None = None
        self.status_at = 0.0
        """Monotonic seconds when the status was read."""
        self.jobs: dict[int, Job] = {}
        self.job_paces: dict[int, tuple[int, ...]] = {}
        """Pages of the last seconds of each job that runs, by its id, oldest first."""
        self._job_pages: dict[int, int] = {}
        self.logs: deque[LogLine] = deque(maxlen=MAX_LOG_LINES)
        self.log_count = 0
        """Log lines ever taken: tells who shows them how many are new."""
        self.coverage: dict[Series, CoverageRow] = {}
        self.coverage_at: datetime | None = None
        self.sessions: dict[str, SessionCoverageList] = {}
        """By timeframe; only of `sessions_of` kept up to date."""
        self.sessions_of = "5m"
        """The timeframe whose trading days are shown."""
        self.gaps: tuple[GapRow, ...] = ()
        self.gap_count = 0
        self.seals: dict[tuple[str, date], SealRow] = {}
        self.revisions: tuple[RevisionRow, ...] = ()
        self.revision_count = 0
        self.quarantine: tuple[QuarantinedRow, ...] = ()
        self.quarantine_count = 0
        self.plan: CatchUpPlan | None = None
        self.alarms: tuple[AlarmRow, ...] = ()
        self.alerts: AlertList | None = None
        self.screens: dict[str, StoredScreenRow] = {}
        """Stored screens, by name."""
        self.strategies: dict[str, StrategyRow] = {}
        self.stocks: dict[str, StockRow] = {}
        self._names: dict[str, str] = {}
        self._wrong_of: SessionCoverageList | None = None
        self._wrong_days: dict[tuple[str, date], SessionCoverage] = {}
        self.live: dict[Series, CandleRow] = {}
        """The newest candle of each watched series."""
        self.unexplained: dict[Series, datetime | None] = {}
        """Of a forming candle of the same: since when its volume does not add up."""
        self._watched: dict[str, frozenset[Series]] = {}
        self.watch_groups: tuple[WatchGroupRow, ...] = ()
        self.quotes: dict[str, Quote] = {}
        """The latest price of each stock that is collected or watched."""
        self._renewed: set[str] = set()
        self._moved: set[str] = set()
        self.trends: dict[str, list[int]] = {}
        """Closes of five minutes of today, of the stocks in sight."""
        self.trend_of: tuple[str, ...] = ()
        """The stocks in sight."""
        self.failures: dict[Part, Failure] = {}
        """Why a part could not be read, although the daemon answers."""
        self.loaded: set[Part] = set()
        """Parts that were read at least once."""
        self.read_at: dict[Part, datetime] = {}
        """When parts were read last, by the daemon's clock; not of those read before its first status."""
        self._takers: Mapping[str, Callable[[Event], Part | None]] = {
            "progress": self._take_job,
            "job": self._take_job,
            "log": self._take_log,
            "coverage": self._take_coverage,
            "candle": self._take_candle,
        }

    def frozen(self) -> Store:
        """Return a copy that no event changes; this one goes on."""
        kept = copy(self)
        kept.logs = deque(self.logs, maxlen=MAX_LOG_LINES)
        kept.loaded = set(self.loaded)
        for name, value in vars(self).items():
            if isinstance(value, dict):
                setattr(kept, name, dict(value))
        return kept

    @property
    def is_online(self) -> bool:
        """Whether the daemon answers."""
        return self.link.state is LinkState.ONLINE

    @property
    def watched(self) -> frozenset[Series]:
        """Series whose candles are shown somewhere."""
        return frozenset().union(*self._watched.values())

    def watch(self, owner: str, series: Iterable[Series]) -> None:
        """Keep the newest candles of these series, for one screen; they replace those it had before."""
        self._watched[owner] = frozenset(series)

    def take(self, event: Event) -> Part | None:
        """Take an event of the stream over; return the part that changed.

        Raises:
            ValueError: the event's data is not what its type says.
        """
        taker = self._takers.get(event.type)
        return taker(event) if taker else None

    def put_status(self, status: Status, monotonic: float) -> bool:
        """Take a status over, read at these monotonic seconds; return whether it says more than the time."""
        before, self.status, self.status_at = self.status, status, monotonic
        self.mark(Part.STATUS)
        return before is None or _timeless(before) != _timeless(status)

    def put_jobs(self, jobs: Iterable[Job]) -> None:
        """Replace the history."""
        self.jobs = {job.id: job for job in jobs}
        running = {job.id for job in self.jobs.values() if not job.state.is_over}
        self.job_paces = {one: paces for one, paces in self.job_paces.items() if one in running}
        self.mark(Part.JOBS)

    def put_logs(self, lines: Iterable[LogLine]) -> None:
        """Replace the log lines, oldest first."""
        self.logs.clear()
        for line in lines:
            self._add_line(line)
        self.mark(Part.LOGS)

    def put_coverage(self, rows: Iterable[CoverageRow], at: datetime) -> None:
        """Replace the coverage, computed at an instant."""
        self.coverage = {(row.symbol, row.timeframe.value): row for row in rows}
        self.coverage_at = at
        self._names |= {symbol: row.name for (symbol, _), row in self.coverage.items()}
        self.mark(Part.COVERAGE)

    def put_sessions(self, answer: SessionCoverageList) -> None:
        """Replace the trading days of one timeframe."""
        self.sessions[answer.timeframe.value] = answer
        self.mark(Part.SESSIONS)

    def put_gaps(self, rows: tuple[GapRow, ...], total: int) -> None:
        """Replace the gaps, newest range first."""
        self.gaps, self.gap_count = rows, total
        self.mark(Part.GAPS)

    def put_seals(self, rows: Iterable[SealRow]) -> None:
        """Replace the seals of the last days."""
        self.seals = {(row.symbol, row.day): row for row in rows}
        self.mark(Part.SEALS)

    def put_screens(self, screens: Iterable[StoredScreenRow], strategies: Iterable[StrategyRow]) -> None:
        """Replace stored screens and strategies."""
        self.screens = {one.name: one for one in screens}
        self.strategies = {one.id: one for one in strategies}
        self.mark(Part.SCREENS)

    def put_alerts(self, alerts: AlertList) -> None:
        """Replace alerts and channels."""
        self.alerts = alerts
        self.mark(Part.ALERTS)

    def gaps_of(self, series: Series) -> list[GapRow]:
        """Return the gaps of one series, as far as gaps were read."""
        return [gap for gap in self.gaps if (gap.symbol, gap.timeframe.value) == series]

    def is_known(self, symbol: str, day: date) -> bool:
        """Whether the last answer about the shown timeframe spoke of a symbol's trading day at all."""
        answer = self.sessions.get(self.sessions_of)
        return answer is not None and symbol in answer.symbols and day in answer.days

    def wrong(self, symbol: str, day: date) -> SessionCoverage | None:
        """Return what is wrong with a known trading day; None where it is complete and proved."""
        answer = self.sessions.get(self.sessions_of)
        return None if answer is None else self._wrong(answer).get((symbol, day))

    def _wrong(self, answer: SessionCoverageList) -> dict[tuple[str, date], SessionCoverage]:
        if self._wrong_of is not answer:
            self._wrong_of = answer
            self._wrong_days = {(item.symbol, item.day): item for item in answer.items}
        return self._wrong_days

    def put_revisions(self, rows: Iterable[RevisionRow], count: int) -> None:
        """Replace the revisions."""
        self.revisions, self.revision_count = tuple(rows), count
        self.mark(Part.REVISIONS)

    def put_quarantine(self, rows: Iterable[QuarantinedRow], count: int) -> None:
        """Replace the quarantined rows."""
        self.quarantine, self.quarantine_count = tuple(rows), count
        self.mark(Part.QUARANTINE)

    def put_plan(self, plan: CatchUpPlan) -> None:
        """Replace what waits for its turn."""
        self.plan = plan
        self.mark(Part.PLAN)

    def put_alarms(self, rows: Iterable[AlarmRow]) -> None:
        """Replace the alarms that people set."""
        self.alarms = tuple(rows)
        self.mark(Part.ALARMS)

    def put_stocks(self, rows: Iterable[StockRow]) -> None:
        """Replace the stock list; its order is kept."""
        self.stocks = {row.symbol: row for row in rows}
        self._names |= {symbol: row.name for symbol, row in self.stocks.items()}
        self.mark(Part.STOCKS)

    def put_watchlist(self, rows: WatchlistRows) -> None:
        """Replace the groups of the watchlist."""
        self.watch_groups = rows.groups
        self._names |= {one.symbol: one.name for group in rows.groups for one in group.stocks if one.name}
        self.mark(Part.WATCH)

    def put_quotes(self, quotes: Iterable[Quote], *, is_whole: bool) -> None:
        """Take quotes over: all there are, or those that changed."""
        new = {quote.symbol: quote for quote in quotes}
        before = self.quotes
        self._renewed |= {symbol for symbol, quote in new.items() if before.get(symbol) != quote}
        self._moved |= {one for one in new if one in before and before[one].price != new[one].price}
        self.quotes = new if is_whole else self.quotes | new
        self.mark(Part.QUOTES)

    def put_trends(self, trends: Mapping[str, list[int]]) -> bool:
        """Take the way of the price of the stocks in sight over; return whether anything of it is new."""
        new = {symbol for symbol, closes in trends.items() if self.trends.get(symbol) != closes}
        self._renewed |= new
        self.trends |= trends
        return bool(new)

    def take_news(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return the stocks of which something is new since the last call, and those whose price moved."""
        renewed, moved = frozenset(self._renewed), frozenset(self._moved)
        self._renewed, self._moved = set(), set()
        return renewed, moved

    def as_of(self, part: Part) -> datetime | None:
        """Return until when a part is known to be as it stands here, by the daemon's clock.

        Events tell of every change, so that is when the daemon was heard last; of a part that could not be
        read again since, when it was read. None: not known.
        """
        if part not in self.loaded or self.status is None:
            return None
        return self.read_at.get(part) if part in self.failures else self.status.clock.now

    def mark(self, part: Part) -> None:
        """A part was read: it is loaded and nothing is wrong with it."""
        self.loaded.add(part)
        self.failures.pop(part, None)
        if self.status is not None:
            self.read_at[part] = self.status.clock.now

    def know_names(self, names: Mapping[str, str]) -> None:
        """Take names of stocks over, beside those that are known."""
        self._names |= names

    @property
    def names(self) -> Mapping[str, str]:
        """The names of stocks, as far as they are known."""
        return self._names

    def name_of(self, symbol: str) -> str:
        """Return a symbol's name; empty where it is not known."""
        return self._names.get(symbol, "")

    def _take_job(self, event: Event) -> Part:
        job: Job = _message(event)
        self._note_pace(job)
        self.jobs = {job.id: job, **self.jobs} if job.id not in self.jobs else {**self.jobs, job.id: job}
        if len(self.jobs) > MAX_JOBS:
            self.jobs.pop(min(self.jobs))
        return Part.JOBS

    def _note_pace(self, job: Job) -> None:
        """Note the pages since the last time; progress comes once a second."""
        pages = job.progress.pages
        new = max(0, pages - self._job_pages.get(job.id, pages))
        if job.state.is_over:
            self.job_paces.pop(job.id, None)
            self._job_pages.pop(job.id, None)
        else:
            self._job_pages[job.id] = pages
            self.job_paces[job.id] = (*self.job_paces.get(job.id, ()), new)[-MOST_PACES:]

    def _take_log(self, event: Event) -> Part:
        self._add_line(_message(event))
        return Part.LOGS

    def _take_coverage(self, event: Event) -> Part | None:
        """Take one series over; before all of them were read it would stand there as if it were all."""
        if Part.COVERAGE not in self.loaded:
            return None
        row: CoverageRow = _message(event)
        self.coverage[row.symbol, row.timeframe.value] = row
        return Part.COVERAGE

    def _take_candle(self, event: Event) -> Part | None:
        """Read the candle only when it is shown: a whole market sends thousands."""
        series = (event.data.get("symbol", ""), event.data.get("timeframe", ""))
        if series not in self.watched:
            return None
        change: CandleChange = _message(event)
        self.live[series] = change.candle
        self.unexplained[series] = change.unexplained_since
        return Part.CANDLE

    def _add_line(self, line: LogLine) -> None:
        self.logs.append(line)
        self.log_count += 1


def _message(event: Event) -> Any:
    """Return the event's data as the message its type names; the caller knows which."""
    return event.message()


def _timeless(status: Status) -> Status:
    """Return a status without what moves while nothing happens: the clock, and how long the daemon runs."""
    clock = status.clock.model_copy(update={"now": None})
    daemon = status.daemon.model_copy(update={"uptime_s": 0.0})
    return status.model_copy(update={"clock": clock, "daemon": daemon})
