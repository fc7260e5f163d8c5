"""Two views of the same candles, compared row by row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import numpy as np

from chartinsightd.domain.candle import Candles, Flags, Ints
from chartinsightd.domain.timeframe import Timeframe

_PRICES = ("open", "high", "low", "close", "volume")


class DifferenceKind(StrEnum):
    """How a candle differs."""

    VALUES = "values"
    MISSING = "missing"
    """It is expected and was not found."""
    EXTRA = "extra"
    """It was found and is not expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One candle that is not the same in both views."""

    symbol: str
    timeframe: Timeframe
    ts: datetime
    """When it opens: aware, UTC."""
    kind: DifferenceKind
    expected: Mapping[str, int] = field(default_factory=dict)
    """The values that differ; empty unless they are what differs."""
    found: Mapping[str, int] = field(default_factory=dict)

    def fields(self) -> dict[str, Any]:
        """Return it as it is kept in JSON."""
        values = {"expected": dict(self.expected), "found": dict(self.found)} if self.expected else {}
        return {
            "symbol": self.symbol,
            "timeframe": str(self.timeframe),
            "ts": self.ts.isoformat(),
            "kind": str(self.kind),
        } | values


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How many candles are the same, and how many are not."""

    equal: int = 0
    differing: int = 0
    missing: int = 0
    extra: int = 0
    examples: tuple[Difference, ...] = ()
    """The first of those that are not the same."""

    def __add__(self, other: Comparison) -> Comparison:
        return Comparison(
            equal=self.equal + other.equal,
            differing=self.differing + other.differing,
            missing=self.missing + other.missing,
            extra=self.extra + other.extra,
            examples=self.examples + other.examples,
        )

    def shortened(self, examples: int) -> Comparison:
        """Return the same counts with no more examples than this."""
        return replace(self, examples=self.examples[:examples])

    @property
    def unequal(self) -> int:
        """How many are not the same."""
        return self.differing + self.missing + self.extra


def compare(expected: Candles, found: Candles, examples: int = 5) -> Comparison:
    """Compare candles of one series; whether they are final does not matter.

    `value` is compared where both views have it.
    """
    both, at_expected, at_found = np.intersect1d(
        expected.ts, found.ts, assume_unique=True, return_indices=True
    )
    names = _PRICES if expected.value is None or found.value is None else (*_PRICES, "value")
    differs = np.zeros(len(both), dtype=np.bool_)
    for name in names:
        differs |= getattr(expected, name)[at_expected] != getattr(found, name)[at_found]
    is_missing, is_extra = ~np.isin(expected.ts, both), ~np.isin(found.ts, both)
    count = int(np.count_nonzero(differs))
    odd = [
        *_changed(expected.where(_mask(at_expected[differs], expected)), found, names, examples),
        *_absent(expected, is_missing, DifferenceKind.MISSING, examples),
        *_absent(found, is_extra, DifferenceKind.EXTRA, examples),
    ]
    return Comparison(
        equal=len(both) - count,
        differing=count,
        missing=int(np.count_nonzero(is_missing)),
        extra=int(np.count_nonzero(is_extra)),
        examples=tuple(odd[:examples]),
    )


def _mask(places: Ints, candles: Candles) -> Flags:
    mask = np.zeros(len(candles), dtype=np.bool_)
    mask[places] = True
    return mask


def _changed(expected: Candles, found: Candles, names: tuple[str, ...], most: int) -> list[Difference]:
    changed = []
    for candle in expected.where(slice(most)):
        [other] = found.where(found.ts == int(candle.ts.timestamp()))
        pairs = {name: (getattr(candle, name), getattr(other, name)) for name in names}
        unequal = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
        changed.append(
            Difference(
                symbol=candle.symbol,
                timeframe=candle.timeframe,
                ts=candle.ts,
                kind=DifferenceKind.VALUES,
                expected={name: pair[0] for name, pair in unequal.items()},
                found={name: pair[1] for name, pair in unequal.items()},
            )
        )
    return changed


def _absent(candles: Candles, which: Flags, kind: DifferenceKind, most: int) -> list[Difference]:
    instants = candles.ts[np.flatnonzero(which)[:most]].tolist()
    return [
        Difference(
            symbol=candles.symbol,
            timeframe=candles.timeframe,
            ts=datetime.fromtimestamp(ts, UTC),
            kind=kind,
        )
        for ts in instants
    ]
