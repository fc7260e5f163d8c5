"""What a seed means: market, settings, days and the storm, all drawn from one `random.Random(seed)`."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.kst import day_of
from chartinsightd.facts.targets import TARGETS
from chartinsightd.simulator.faults import NEVER_CAPTURED, Fault
from tests.support.harness import moment


class Kind(StrEnum):
    """What can happen in a storm."""

    FAULTS = "broker answers wrongly"
    BROKER_KILLED = "broker killed"
    BROKER_STOPPED = "broker stopped"
    BROKER_CUT = "broker link cut"
    BROKER_SWALLOWED = "broker link swallows"
    BROKER_DELAYED = "broker link slow"
    TOKENS_ENDED = "tokens ended"
    ADDRESS_BLOCKED = "address blocked"
    LOGIN_REFUSED = "login refused"
    CORRECTED = "candles corrected"
    DAEMON_KILLED = "daemon killed"
    DAEMON_STOPPED = "daemon stopped"
    DAEMON_RESTARTED = "daemon restarted"
    CHECKPOINT_DAMAGED = "checkpoint damaged"
    SPOOL_DAMAGED = "spool damaged"
    DATABASE_KILLED = "database killed"
    DATABASE_STOPPED = "database stopped"
    DATABASE_CUT = "database link cut"
    DATABASE_SWALLOWED = "database link swallows"
    DATABASE_DELAYED = "database link slow"
    DATABASE_READ_ONLY = "database read-only"
    SESSIONS_ENDED = "database sessions ended"
    DISK_FULL = "disk full"
    CLOCK_FORWARD = "clock stepped forward"
    CLOCK_BACK = "clock stepped back"
    CLOCK_WRONG = "the daemon's clock wrong"
    SYMBOL_ADDED = "symbol added"
    SYMBOL_REMOVED = "symbol removed"
    BACKFILL = "backfill started"
    BACKFILL_CANCELLED = "backfill cancelled"
    PAUSED = "paused and resumed"
    RELOADED = "settings reloaded"
    SYNCED = "stock list synchronised"
    PAGES_SPOILT = "pages stale, tenfold or cut"
    LIST_CUT_SHORT = "stock list cut short"
    CLOCK_DAYS_OFF = "the daemon's clock days off"
    DATABASE_SET_BACK = "database set back"
    DATABASE_LOCKED = "database tables locked"
    SESSION_LEFT = "daemon killed, its sessions left"
    PARTITION_MADE = "partition made by an administrator"
    ROWS_DELETED = "rows deleted behind its back"
    FOLDER_REMOVED = "state folder removed"
    FILE_BYTE = "a byte of any state file"
    LOG_STALLED = "log reader stalled"


AROUND: Mapping[Kind, float] = {
    Kind.PAGES_SPOILT: 2.0,
    Kind.LIST_CUT_SHORT: 1.0,
    Kind.CLOCK_DAYS_OFF: 3.0,
    Kind.DATABASE_SET_BACK: 1.5,
    Kind.DATABASE_LOCKED: 1.0,
    Kind.SESSION_LEFT: 1.5,
    Kind.PARTITION_MADE: 1.0,
    Kind.ROWS_DELETED: 2.0,
    Kind.FOLDER_REMOVED: 1.0,
    Kind.FILE_BYTE: 1.0,
    Kind.LOG_STALLED: 2.0,
}
"""What is drawn from the second stream (`around.py`), and how often: the first gives what it always gave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """One thing that happens."""

    kind: Kind
    at: float
    """When, as a share of its window."""
    lasts_s: float
    """Real seconds, for what lasts."""
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Some hours that are lived through; between two windows the clock jumps."""

    begins_at: datetime
    real_s: float
    strikes: tuple[Strike, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """Everything that a seed decides."""

    seed: int
    environment: str
    market_seed: int
    options: tuple[str, ...]
    """Of the simulator."""
    symbols: tuple[str, ...]
    """Collected from the start."""
    spare: tuple[str, ...]
    """May be added by hand."""
    horizons: Mapping[str, str]
    fold: tuple[str, ...]
    is_embedded: bool
    follows_clock: bool
    """Whether the daemon follows the simulator's clock; else it is told start, speed and anchor."""
    time_zone: str
    has_small_disk: bool
    """Whether the state folder is a small file system of its own, which can be filled."""
    speed: float
    starts_at: datetime
    first_mix: tuple[Mapping[str, Any], ...]
    """Wrong answers from the daemon's first request to the end of the first window."""
    windows: tuple[Window, ...]
    has_pooler: bool = False
    """Whether PgBouncer, in session mode, stands between the daemon and PostgreSQL."""
    pipes_log: bool = False
    """Whether the daemon's log goes through a pipe, whose reader may stop."""

    @property
    def last_day(self) -> date:
        """The Korean day of the last window."""
        return day_of(self.windows[-1].begins_at)

    @property
    def corrects(self) -> bool:
        """Whether candles change that were final, for whatever reason at the broker."""
        blows = [blow for window in self.windows for blow in window.strikes]
        rules = [*self.first_mix, *(rule for blow in blows for rule in blow.detail.get("mix", ()))]
        return any(blow.kind is Kind.CORRECTED for blow in blows) or any(
            rule["fault"] == Fault.LATE_CORRECTION for rule in rules
        )

    def described(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return asdict(self)


STORM_S = (2.5, 4.5)
"""Real seconds of a window, at least and at most."""
_AROUND = timedelta(minutes=15)
"""How far a window may reach beyond its session."""
_NOTABLE = (
    "2026-11-18",  # before the exam day
    "2026-11-19",  # exam day: 10:00 to 16:30
    "2026-09-11",  # before the session reform
    "2026-09-14",  # the reform: the after-market begins
    "2026-09-23",  # before Chuseok
    "2026-09-28",  # after Chuseok
    "2026-12-29",
    "2026-12-30",  # the last session of the year
    "2026-01-02",  # the first session of a year opens at 10:00
    "2025-12-29",
    "2026-02-13",  # before New Year by the moon
    "2026-04-30",  # before the days of labour and of children
    "2026-06-02",  # before a local election
    "2026-07-16",  # before Constitution Day
)
_FIRST_DAY, _LAST_DAY = date(2025, 10, 13), date(2026, 12, 18)
_ZONES = ("Asia/Seoul", "UTC", "America/New_York", "Europe/Berlin", "Pacific/Chatham")
_HORIZONS = (
    {"5m": "10d", "30m": "10d", "1h": "10d", "1d": "6m", "1w": "6m"},
    {"5m": "10d", "30m": "15d", "1h": "1m", "1d": "2y", "1w": "max"},
    {"5m": "1m", "30m": "2m", "1h": "3m", "1d": "max", "1w": "max"},
)
_BROKER_OPTIONS: Mapping[str, Sequence[str]] = {
    "flow_window": ("sliding", "fixed", "bucket"),
    "token_policy": ("same", "rotate"),
    "row_tail": ("new", "old"),
    "empty_page_loop": ("false", "true"),
    "bad_key": ("first_page", "blank"),
    "gzip": ("false", "true"),
    "chunked": ("true", "false"),
    "after_market_in_daily": ("false", "true"),
    "late_print_since_reform": ("true", "false"),
    "halted_day_has_row": ("true", "false"),
}
_REAL_FAULTS = frozenset({Fault.HANG, Fault.SLOW})
_CHART_IDS = ["ka10080", "ka10081", "ka10082"]
OF_PAGES = (Fault.STALE_PAGE, Fault.TENFOLD_PAGE, Fault.LOST_HEADER)
_NOT_IN_A_MIX = NEVER_CAPTURED | {*OF_PAGES, Fault.LIST_CUT_SHORT}
_ALWAYS = {
    Kind.FAULTS: 6.0,
    Kind.BROKER_KILLED: 0.8,
    Kind.BROKER_STOPPED: 1.0,
    Kind.BROKER_CUT: 1.0,
    Kind.BROKER_SWALLOWED: 1.0,
    Kind.BROKER_DELAYED: 1.0,
    Kind.TOKENS_ENDED: 1.0,
    Kind.ADDRESS_BLOCKED: 0.6,
    Kind.LOGIN_REFUSED: 0.6,
    Kind.DAEMON_KILLED: 2.5,
    Kind.DAEMON_STOPPED: 1.0,
    Kind.DAEMON_RESTARTED: 0.6,
    Kind.CHECKPOINT_DAMAGED: 1.2,
    Kind.SPOOL_DAMAGED: 1.2,
    Kind.DATABASE_KILLED: 1.2,
    Kind.DATABASE_STOPPED: 1.0,
    Kind.SESSIONS_ENDED: 1.0,
    Kind.SYMBOL_ADDED: 1.0,
    Kind.SYMBOL_REMOVED: 0.7,
    Kind.BACKFILL: 1.0,
    Kind.BACKFILL_CANCELLED: 0.6,
    Kind.PAUSED: 0.6,
    Kind.RELOADED: 0.4,
    Kind.SYNCED: 0.4,
}
"""How often each kind is drawn, relative to the others."""


def draw(seed: int, windows: int | None = None) -> Draw:
    """Return what a seed means, without what happens around the daemon (`around.py`).

    Args:
        seed: any number.
        windows: how many windows there are; None draws one to three.
    """
    dice = random.Random(f"campaign/{seed}")
    symbols = dice.sample(sorted(TARGETS), 5)
    tracked = dice.randint(2, 4)
    is_embedded, follows_clock = dice.random() < 0.4, dice.random() < 0.75
    has_small_disk = dice.random() < 0.25
    kinds = _kinds(dice, is_embedded=is_embedded, follows_clock=follows_clock, has_small_disk=has_small_disk)
    speed = dice.choice((1200.0, 2400.0, 4000.0))
    days = _days(dice, windows or dice.choice((1, 2, 2, 3)))
    drawn = tuple(_window(dice, day, speed, kinds) for day in days)
    return Draw(
        seed=seed,
        environment=dice.choice(("real", "real", "paper")),
        market_seed=dice.randint(1, 10_000),
        options=_options(dice),
        symbols=tuple(symbols[:tracked]),
        spare=tuple(symbols[tracked:]),
        horizons=dice.choice(_HORIZONS),
        fold=dice.choice(((), (), ("30m", "1h"), ("1h",))),
        is_embedded=is_embedded,
        follows_clock=follows_clock,
        time_zone=dice.choice(_ZONES),
        has_small_disk=has_small_disk,
        speed=speed,
        starts_at=moment(days[0], 7) + timedelta(minutes=dice.randint(0, 55)),
        first_mix=tuple(_mix(dice, corrects=_corrects(kinds), most=0.12)) if dice.random() < 0.4 else (),
        windows=drawn,
    )


def _kinds(
    dice: random.Random, *, is_embedded: bool, follows_clock: bool, has_small_disk: bool
) -> dict[Kind, float]:
    """Return what this seed's storm is made of: not everything each time, so that mixes differ."""
    kinds = dict(_ALWAYS)
    # Without corrections, a candle that changes after it was final was called so too early.
    kinds |= {Kind.CORRECTED: 2.0} if dice.random() < 0.6 else {}
    if not is_embedded:
        kinds |= dict.fromkeys((Kind.DATABASE_CUT, Kind.DATABASE_SWALLOWED, Kind.DATABASE_DELAYED), 1.0)
        kinds[Kind.DATABASE_READ_ONLY] = 1.0
    if follows_clock:
        kinds |= {Kind.CLOCK_FORWARD: 1.0, Kind.CLOCK_BACK: 1.0}
    else:
        kinds[Kind.CLOCK_WRONG] = 4.0
    if has_small_disk:
        kinds[Kind.DISK_FULL] = 3.0
    for kind in dice.sample(sorted(kinds), len(kinds) // 3):
        kinds[kind] = 0.0 if kind is not Kind.FAULTS else kinds[kind]
    return kinds


def _days(dice: random.Random, count: int) -> list[date]:
    """Return sessions that follow each other, holidays between them included."""
    calendar = Calendar()
    day = date.fromisoformat(dice.choice(_NOTABLE))
    if dice.random() < 0.4:
        day = _FIRST_DAY + timedelta(days=dice.randrange((_LAST_DAY - _FIRST_DAY).days))
    days = [calendar.next_session(day - timedelta(days=1)).day]
    while len(days) < count:
        days.append(calendar.next_session(days[-1]).day)
    return days


def _window(
    dice: random.Random,
    day: date,
    speed: float,
    kinds: Mapping[Kind, float],
    real_s: tuple[float, float] = STORM_S,
    strikes: tuple[int, int] = (4, 8),
) -> Window:
    lasts_s, session = round(dice.uniform(*real_s), 2), Calendar().session(day)
    assert session is not None  # `_days` gives trading days
    first, last = session.open_at - _AROUND, session.ends_at + _AROUND
    spare = max(timedelta(), last - first - timedelta(seconds=lasts_s * speed))
    begins_at = first + spare * dice.random()
    names = sorted(kinds)
    chosen = dice.choices(names, [kinds[kind] for kind in names], k=dice.randint(*strikes))
    drawn = sorted(
        (_strike(dice, kind, corrects=_corrects(kinds)) for kind in chosen), key=lambda blow: blow.at
    )
    return Window(begins_at=begins_at, real_s=lasts_s, strikes=tuple(drawn))


def chain(seeds: Sequence[int], first_day: date, speed: float = 2400.0) -> Draw:
    """Return one life through a short storm of each seed, a session each: for where time is dear."""
    base = draw(seeds[0], 1)
    days = [session.day for session in Calendar().sessions(first_day, first_day + timedelta(days=400))]
    windows = tuple(storm(seed, day, speed) for seed, day in zip(seeds, days, strict=False))
    return replace(
        base,
        is_embedded=False,
        follows_clock=True,
        has_small_disk=True,
        horizons=_HORIZONS[0],
        speed=speed,
        starts_at=moment(days[0], 8),
        windows=windows,
    )


def storm(
    seed: int,
    day: date,
    speed: float,
    *,
    without: Collection[Kind] = (),
    real_s: tuple[float, float] = (0.6, 1.0),
    strikes: tuple[int, int] = (2, 3),
) -> Window:
    """Return a short storm of one session, of every kind but some.

    Its daemon follows the simulator's clock: it has none of its own that could be wrong.
    """
    dice = random.Random(f"storm/{seed}/{day}")
    kinds = {
        kind: _ALWAYS.get(kind, 1.0) for kind in Kind if kind not in {*without, *AROUND, Kind.CLOCK_WRONG}
    }
    return _window(dice, day, speed, kinds, real_s, strikes)


def _corrects(kinds: Mapping[Kind, float]) -> bool:
    return kinds.get(Kind.CORRECTED, 0.0) > 0.0


def _strike(dice: random.Random, kind: Kind, *, corrects: bool) -> Strike:
    at, lasts_s = round(dice.random(), 3), round(dice.uniform(0.05, 1.2), 2)
    detail: dict[str, Any] = {"dice": dice.randrange(2**32)}
    match kind:
        case Kind.FAULTS:
            detail["mix"] = _mix(dice, corrects=corrects)
            at, lasts_s = round(at * 0.7, 3), round(dice.uniform(0.6, 3.0), 2)
        case Kind.BROKER_DELAYED | Kind.DATABASE_DELAYED:
            detail["delay_s"] = round(dice.uniform(0.005, 0.3), 3)
        case Kind.CLOCK_FORWARD:
            detail["step_s"] = dice.choice((60, 600, 3600, 3 * 3600, 18 * 3600))
        case Kind.CLOCK_BACK:
            detail["step_s"] = -dice.choice((1, 60, 600, 1800, 3600))
        case Kind.CLOCK_WRONG:
            at, lasts_s = round(at * 0.5, 3), round(dice.uniform(0.5, 2.0), 2)
            detail["ahead_s"] = dice.choice((-3600, -300, 70, 300, 1200, 3600, 9 * 3600))
    return Strike(kind=kind, at=at, lasts_s=lasts_s, detail=detail)


def _mix(dice: random.Random, *, corrects: bool, most: float = 0.3) -> list[dict[str, Any]]:
    faults = [
        fault
        for fault in Fault
        if (corrects or fault is not Fault.LATE_CORRECTION) and fault not in _NOT_IN_A_MIX
    ]
    chosen = dice.sample(faults, dice.randint(1, 8))
    shares = (0.3, 0.9) if dice.random() < 0.2 and most >= 0.3 else (0.03, most)
    return [_rule(dice, fault, dice.uniform(*shares)) for fault in chosen]


def _rule(dice: random.Random, fault: Fault, probability: float) -> dict[str, Any]:
    rule: dict[str, Any] = {"fault": fault.value, "probability": round(probability, 3)}
    if fault in _REAL_FAULTS:
        rule["seconds"] = round(dice.uniform(0.02, 0.6), 2)
    if fault is Fault.FIREWALL:
        # A firewall that refuses the very login ends the daemon for a person to look; see docs/operating.md.
        rule["api_ids"] = _CHART_IDS
    return rule


def _options(dice: random.Random) -> tuple[str, ...]:
    chosen = dice.sample(sorted(_BROKER_OPTIONS), dice.randint(0, 4))
    return tuple(f"{name}={dice.choice(_BROKER_OPTIONS[name])}" for name in chosen)
