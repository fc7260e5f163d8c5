"""The overview: everything about the daemon, read at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import (
    ConfigDict,
    Field,
)

from chartinsightd.control.protocol.words import (
    API_VERSION,
    Count,
    Day,
    Instant,
    Limit,
    Message,
    Ratio,
    Request,
    Seconds,
    Symbol,
)
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.venue import Venue
from chartinsightd.domain.verdict import VerdictState

LONGEST_SILENCE_S = 30 * 86_400.0


class DaemonState(StrEnum):
    """Whether the daemon works."""

    RUNNING = "running"
    PAUSED = "paused"
    """Nothing is asked of the broker until `resume`."""
    STOPPING = "stopping"


class Phase(StrEnum):
    """Where in the trading day the clock stands."""

    CLOSED = "closed"
    """No session today."""
    PRE_OPEN = "pre_open"
    """A session today that has not opened yet."""
    REGULAR = "regular"
    CLOSING_AUCTION = "closing_auction"
    BETWEEN = "between"
    """After the regular session, before the after-market."""
    AFTER_MARKET = "after_market"
    AFTER_HOURS = "after_hours"
    """Trading has ended for the day."""


class TokenState(StrEnum):
    """The broker's access token; never the token itself."""

    VALID = "valid"
    RENEWING = "renewing"
    REFUSED = "refused"
    """The broker refuses the key or this address; `note` says how to fix it."""
    NONE = "none"


class PriorityName(StrEnum):
    """Who passes the gate first, in this order."""

    LIVE = "live"
    CATCH_UP = "catch_up"
    UNIVERSE = "universe"
    SEAL = "seal"
    BACKFILL = "backfill"
    VERIFICATION = "verification"
    QUOTES = "quotes"


class DaemonStatus(Message):
    """The process."""

    version: str
    pid: int
    mode: Literal["live", "simulation"]
    environment: Literal["real", "paper"]
    started_at: Instant
    """By the daemon's clock; virtual in simulation mode."""
    uptime_s: Seconds
    """By the daemon's clock."""
    state: DaemonState
    paused_until: Instant | None = None
    """When the pause ends without `resume`; None: it does not, or there is none."""
    ready: bool
    """Whether the start is over: database and token work, the first catch-up was planned."""
    notes: tuple[str, ...] = ()
    """What the daemon waits for or does without, one sentence each."""


class ClockStatus(Message):
    """The daemon's clock."""

    now: Instant
    speed: float = 1.0
    """Seconds of this clock in a real one; other than 1 in simulation mode only."""


class SessionStatus(Message):
    """The trading day that is, and the one that comes next."""

    phase: Phase
    day: Day | None = None
    """Today's session; None when there is none today."""
    opens_at: Instant | None = None
    closes_at: Instant | None = None
    """End of the regular session."""
    after_opens_at: Instant | None = None
    """Begin of the after-market; None on a day without one."""
    ends_at: Instant | None = None
    """End of all trading of the day, the after-market included."""
    next_change_at: Instant | None = None
    """When the phase changes next."""
    next_session: Day | None = None
    """The first session after today."""
    previous_session: Day | None = None
    """The last session before today: the newest whose seals can be expected."""


class TokenStatus(Message):
    """The broker's access token; never the token itself."""

    state: TokenState
    expires_at: Instant | None = None
    note: str = ""
    """Why it is refused and what to do; empty while all is well."""


class GateLane(Message):
    """The gate for one api-id: limits are per api-id."""

    api_id: str
    limit: float
    """Requests a second allowed now; it falls when the broker throttles, and recovers."""
    ceiling: float
    """Requests a second allowed at best, as configured."""
    queued: Mapping[PriorityName, Count] = Field(default_factory=dict)
    """Requests that wait, by priority; priorities without any may be missing."""
    in_flight: Count = 0
    sent_last_minute: Count = 0
    utilisation: Ratio = 0.0
    """Sent in the last minute, as a share of what the limit allowed."""
    throttled: Count = 0
    """Refusals for the pace since the start."""
    recent: tuple[Count, ...] = ()
    """Requests sent in each of the last seconds, oldest first, at most 60."""
    smallest_round_trip_s: Seconds | None = None
    mean_round_trip_s: Seconds | None = None
    """Of the latest answers, by the daemon's clock: a gate that proves its pace can use no more of its limit
    than 1 / (1 + mean - smallest), whatever waits for it."""


class DatabaseStatus(Message):
    """PostgreSQL."""

    kind: Literal["embedded", "external"]
    reachable: bool
    version: str = ""
    """Such as `18.6`; empty until it was reached once."""
    extension: str = ""
    """What spreads the tables over machines, such as `Citus 14.0-1, 3 workers, 6 tables distributed`; empty:
    PostgreSQL alone."""
    place: str = ""
    """Host, port and database of an external server."""
    size_bytes: Count = 0
    """On all machines that hold candles."""
    schema_: Annotated[str, Field(alias="schema")] = ""
    """`live` or `simulation`."""
    note: str = ""
    """Why it is away, and what to do; empty while all is well."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)


class SpoolStatus(Message):
    """Pages that were fetched and wait on disk for the database."""

    pages: Count = 0
    bytes: Count = 0
    oldest_at: Instant | None = None


class Freshness(Message):
    """How old the newest candle of each tracked symbol is, for one timeframe.

    Age counts trading time only: seconds since the newest candle that could be there should have been there.
    0 means up to date, at night as well.
    """

    timeframe: Timeframe
    worst_age_s: Seconds | None = None
    """None while nothing is stored."""
    median_age_s: Seconds | None = None
    worst_symbol: Symbol | None = None
    newest_ts: Instant | None = None
    """Start of the newest final candle of any symbol."""
    late: Count = 0
    """Symbols whose newest due candle is not there yet."""
    late_symbols: tuple[Symbol, ...] = ()
    """Some of these, at most 100: those without any stored candle, then those that wait longest."""
    target_s: Seconds | None = None
    """How late the worst may be, `freshness.target_s`; None: no target is set."""

    @property
    def is_fresh(self) -> bool:
        """Whether the target is kept; without one whether no symbol is late."""
        if self.target_s is None or self.worst_age_s is None:
            return not self.late
        return self.worst_age_s <= self.target_s


class UniverseStatus(Message):
    """The stocks beside the targets. Their days are not sealed: a proof needs 5m candles."""

    members: Count = 0
    """Without the targets."""
    freshness: tuple[Freshness, ...] = ()
    """One a timeframe that is collected of them; they are read each evening and each morning."""


class LiveState(StrEnum):
    """How the live stream of trades is."""

    OPEN = "open"
    CONNECTING = "connecting"
    """Not yet there, or nothing is tracked."""
    LOST = "lost"
    """`note` says why; it is tried again."""


class CloseCounts(Message):
    """Today's 5m candles of the stream, compared with those of Kiwoom's charts."""

    compared: Count = 0
    differing: Count = 0
    wrong: Count = 0
    """Differing although every share was explained."""
    unseen: Count = 0
    """Candles without any trade in the stream."""
    shares_missing: int = 0
    """Shares of the charts less those of the trades."""


class LiveStatus(Message):
    """The live stream of trades."""

    state: LiveState
    since: Instant | None = None
    """When the connection in force logged in."""
    symbols: Count = 0
    """Symbols whose trades come."""
    refused: Count = 0
    """Symbols that Kiwoom did not register."""
    trades: Count = 0
    """Since the daemon's start."""
    repeated: Count = 0
    """Trades that came more than once."""
    closes: CloseCounts = CloseCounts.model_construct()
    note: str = ""
    """Why it is lost and what to do; empty while all is well."""


class RowCounts(Message):
    """What became of rows."""

    inserted: Count = 0
    changed: Count = 0
    unchanged: Count = 0
    quarantined: Count = 0


class VenueStatus(Message):
    """What is collected at a venue beside KRX."""

    venue: Venue
    symbols: Count = 0
    """Targets whose candles are collected there."""
    universe: Count = 0
    """Stocks beside them."""
    freshness: tuple[Freshness, ...] = ()
    """Of its targets, one a collected timeframe."""
    expected: Count = 0
    """Sessions of its targets (weeks for 1w), over all timeframes, that should be complete by now."""
    missing: Count = 0
    """Of these, the ones that are not."""
    unsealed: Count = 0
    """Sessions, of those that are stored, that are not proved complete or contradict themselves."""
    rows_today: RowCounts = RowCounts.model_construct()
    """Since 00:00 KST, or since the daemon's start where that was later."""

    @property
    def complete_ratio(self) -> float:
        """The share of what is expected that is complete; 1 where nothing is expected."""
        return 1 - self.missing / self.expected if self.expected else 1.0


class Alert(Message):
    """Something a person should know, until it is over."""

    at: Instant
    level: Literal["warning", "error"]
    event: str
    """Its name, such as `database.away`."""
    message: str
    remedy: str = ""
    ended_at: Instant | None = None
    """None while it lasts."""
    acknowledged_at: Instant | None = None
    """When a person took note of it."""
    acknowledged_by: str = ""


class ChannelState(Message):
    """One way in which alerts leave the machine."""

    channel: str
    """`slack`, `mail`, `apprise 1 (tgram)`."""
    ok: bool
    """Whether it took the last message; true before the first."""
    detail: str = ""
    """Why not."""
    remedy: str = ""
    waiting: Count = 0
    """Alerts it still owes."""


class AlertSilence(Message):
    """Alerts of one kind are shown and not sent."""

    event: str
    until: Instant
    by: str
    """Who wanted it."""


class AlertList(Message):
    """What a person should know, and how it reaches people."""

    items: tuple[Alert, ...] = ()
    """Newest first; all that last, and the last ones that ended."""
    channels: tuple[ChannelState, ...] = ()
    """Empty: alerts are shown here and sent nowhere."""
    silences: tuple[AlertSilence, ...] = ()
    """Kinds that are shown and not sent, for a time."""


class AlertHistoryQuery(Request):
    """Which alerts of the last thirty days."""

    event: tuple[str, ...] = ()
    """Only these kinds; empty: all."""
    limit: Limit = 200


class AlertHistory(Message):
    """Alerts of the last thirty days, over restarts; newest first."""

    items: tuple[Alert, ...] = ()
    total: Count = 0
    """How many there are without the limit."""


class AcknowledgeRequest(Request):
    """Which active alerts a person knows of."""

    event: Annotated[str, Field(max_length=100)] = ""
    """Its name, such as `database.away`; empty: every active one."""


class SilenceRequest(Request):
    """A kind of alert that is not to be sent for a time."""

    event: Annotated[str, Field(min_length=1, max_length=100)]
    for_s: Annotated[float, Field(ge=0.0, le=LONGEST_SILENCE_S)]
    """Seconds by the daemon's clock, from now; 0 ends a silence."""


class AlertTrial(Message):
    """What came of a message sent through each channel."""

    items: tuple[ChannelState, ...] = ()
    """Empty: no channel is set up."""


class Words(Message):
    """One sentence in two languages."""

    en: str
    ko: str


class VerdictCause(Message):
    """Something that keeps the verdict from being better."""

    kind: str
    """An alert's name, `paused`, `gaps` or `late`."""
    state: VerdictState
    since: Instant | None = None
    words: Words


class Verdict(Message):
    """How things are, in one sentence that every surface shows as it is."""

    state: VerdictState
    words: Words
    causes: tuple[VerdictCause, ...] = ()
    """Worst first, and among equals the one that began first; empty while all is well."""
    next_at: Instant | None = None
    """When the next thing happens that needs no one's help."""
    next_words: Words
    """What that is; empty without `next_at`."""


class AnalysisFreshness(Message):
    """How the analysis stands, at its last look."""

    series: Count = 0
    """That are analysed at all."""
    done: Count = 0
    """Whose newest candles are taken in."""
    too_short: Count = 0
    held: Count = 0
    """Held back by a price step that no known corporate action explains."""
    failed: Count = 0
    left: Count = 0
    """Collected, and not analysed yet."""
    since: Instant | None = None
    """Since when some are left."""


class Status(Message):
    """Everything the overview shows, read at one moment."""

    api_version: int = API_VERSION
    verdict: Verdict
    daemon: DaemonStatus
    clock: ClockStatus
    session: SessionStatus
    token: TokenStatus
    gate: tuple[GateLane, ...] = ()
    queue: Mapping[PriorityName, Count] = Field(default_factory=dict)
    """Requests that wait at the gate, of all api-ids together."""
    database: DatabaseStatus
    spool: SpoolStatus = SpoolStatus.model_construct()
    live: LiveStatus | None = None
    """None where it is switched off."""
    analysis: AnalysisFreshness | None = None
    """None before its first look."""
    freshness: tuple[Freshness, ...] = ()
    """Of the targets, one a collected timeframe, shortest first."""
    universe: UniverseStatus | None = None
    """None where there are targets alone."""
    venues: tuple[VenueStatus, ...] = ()
    """What is collected beside KRX; all else here is about KRX."""
    rows_today: RowCounts = RowCounts.model_construct()
    """Since 00:00 KST, or since the daemon's start where that was later."""
    tracked: Count = 0
    """Tracked symbols."""
    listed: Count = 0
    """Listed stocks of both markets."""
    gaps: Count = 0
    """Gaps in the list of gaps."""
    jobs_running: Count = 0
    alerts: tuple[Alert, ...] = ()
    """The last ones, newest first, at most 20; those that last come in any case."""


class HealthCheck(Message):
    """One part and whether it is well."""

    part: str
    ok: bool
    detail: str = ""
    remedy: str = ""


class Health(Message):
    """Whether data flows, or provably nothing was due. HTTP status 200, or 503 when not `ok`."""

    ok: bool
    checks: tuple[HealthCheck, ...] = ()
