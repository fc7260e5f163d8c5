"""What every pattern has: kind, points, levels, evidence, and a life that ends once.

Tops and bottoms are one rule. Values of a bottom are turned upside down (`side` is -1), so that every pattern
is a top here: it completes by falling, and fails by rising over its limit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

from chartinsightd.analysis.adjusted import AdjustedCandle

ATR_LENGTH = 14
LIFE_IN_SPANS = 3
"""A forming pattern expires after as many times the candles between its first and last extreme …"""
LONGEST_LIFE = 60
"""… and after as many candles at most."""

Evidence = Mapping[str, tuple[float, str]]


class PatternKind(StrEnum):
    """The shapes that are looked for."""

    DOUBLE_TOP = "double_top"
    DOUBLE_BOTTOM = "double_bottom"
    RETEST_TOP = "retest_top"
    RETEST_BOTTOM = "retest_bottom"
    HEAD_SHOULDERS = "head_shoulders"
    INVERSE_HEAD_SHOULDERS = "inverse_head_shoulders"


class PatternState(StrEnum):
    """Where a pattern is in its life; the last three end it."""

    FORMING = "forming"
    COMPLETED = "completed"
    FAILED = "failed"
    EXPIRED = "expired"


class PatternPoint(NamedTuple):
    """One point of a shape."""

    role: str
    """`first`, `neckline`, `second`, `left_shoulder`, `head` …"""
    ts: int
    """Start of its candle, in seconds since 1970-01-01T00:00Z."""
    price: int
    """Won, as traded on its own day."""


class PatternEvent(NamedTuple):
    """A pattern enters a state."""

    key: str
    """The same for all events of one pattern, and of no other of its series."""
    kind: PatternKind
    state: PatternState
    ts: int
    """Start of the candle that made the state, in seconds since 1970-01-01T00:00Z."""
    confirmed_at: int
    """The close of that candle."""
    known: int
    """Number of that candle, counted from the first of the series."""
    points: tuple[PatternPoint, ...]
    """Oldest first."""
    levels: Mapping[str, float]
    """Won, as traded on the day of the candle."""
    evidence: Evidence
    """The figures that decided, each with its unit."""


@dataclass(slots=True, kw_only=True, eq=False)
class Forming(ABC):
    """A pattern whose end is open."""

    RULE: ClassVar[str]

    kind: PatternKind
    side: int
    """+1 where the pattern is a top, -1 where it is one upside down."""
    anchor: int
    """Number of the candle that only one forming pattern of a kind may stand on."""
    points: tuple[PatternPoint, ...]
    limit: float
    """A close over it ends the pattern as failed."""
    expires: int
    """Number of the candle with which it expires."""
    evidence: dict[str, tuple[float, str]]

    @property
    def is_shown(self) -> bool:
        """Whether the pattern has rows."""
        return True

    @property
    def key(self) -> str:
        """Kind and times of the extremes: what no other pattern of the series has."""
        return ":".join([self.kind, *[str(point.ts) for point in self.points[::2]]])

    @abstractmethod
    def judge(self, number: int, candle: AdjustedCandle, atr: float) -> PatternState | None:
        """Return the state that a candle brings, None where it changes nothing.

        Args:
            number: of the candle.
            candle: the newest final one.
            atr: average true range up to it.
        """

    @abstractmethod
    def levels(self, number: int) -> dict[str, float]:
        """Return the prices that decide at a candle, adjusted."""

    @abstractmethod
    def dump(self) -> dict[str, Any]:
        """Return the fields in JSON's types."""

    def event(self, state: PatternState, number: int, candle: AdjustedCandle) -> PatternEvent:
        """Return the row of a state that was entered at a candle."""
        ts, closes_at, _, _, _, close, _, _, factor = candle
        levels = {name: hundredths(level / factor) for name, level in self.levels(number).items()}
        evidence = {**self.evidence, "close": (hundredths(close / factor), "won")}
        return PatternEvent(self.key, self.kind, state, ts, closes_at, number, self.points, levels, evidence)

    def dumped(self) -> dict[str, Any]:
        """Return the fields that all patterns have, in JSON's types."""
        names = ("kind", "side", "anchor", "limit", "expires")
        return {
            "rule": self.RULE,
            **{name: getattr(self, name) for name in names},
            "points": list(self.points),
            "evidence": {name: list(pair) for name, pair in self.evidence.items()},
        }


def loaded(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a forming pattern from what its `dump` gave."""
    fields = {name: value for name, value in state.items() if name != "rule"}
    points = tuple(PatternPoint(*point) for point in state["points"])
    evidence = {name: (value, unit) for name, (value, unit) in state["evidence"].items()}
    return fields | {"kind": PatternKind(state["kind"]), "points": points, "evidence": evidence}


def hundredths(value: float) -> float:
    """Return a figure to two places.

    What lies half-way goes away from zero, with a margin: a later split moves the last bits of a quotient,
    and must not change a figure in won of an earlier day.
    """
    return round(value * _HUNDRED) / 100


_HUNDRED = 100 * (1 + 1e-11)


def expiry(known: int, span: int) -> int:
    """Return the candle with which a pattern of a span expires that became known at another."""
    return known + min(LIFE_IN_SPANS * span, LONGEST_LIFE)
