"""What is collected: the targets, the rule of the universe, and what a person wants besides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chartinsightd.domain.universe import UniverseRule
from chartinsightd.facts.targets import DELISTED, TARGETS
from chartinsightd.ports.broker import ListedStock


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is collected, but for what a person adds and removes by hand."""

    targets: tuple[str, ...]
    """In all timeframes, listed or not."""
    universe: UniverseRule | None = None
    """Which stocks are collected beside them; None: no others."""


def delisted_target(symbol: str) -> ListedStock:
    """Return a target that left the list before anything was kept here, as it is shown."""
    delisting = DELISTED[symbol]
    return ListedStock(
        symbol=symbol,
        name=TARGETS[symbol],
        market="KOSDAQ",
        listed_shares=0,
        last_price=0,
        state=f"상장폐지 {delisting.day} (→ {delisting.successor})",
        order_warning="",
        nxt_enabled=False,
        listed_on=None,
        delisted_on=delisting.day,
    )


def with_wishes(chosen: Sequence[str], by_hand: Mapping[str, bool]) -> list[str]:
    """Return the chosen targets, without those removed by hand, then those added by hand."""
    kept = [symbol for symbol in chosen if by_hand.get(symbol, True)]
    return list(dict.fromkeys([*kept, *(symbol for symbol, wanted in by_hand.items() if wanted)]))
