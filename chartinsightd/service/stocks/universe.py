"""Which symbols are tracked: a rule over the list of stocks, and what a person wants besides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from chartinsightd.facts.targets import DELISTED, TARGETS
from chartinsightd.ports.broker import IssueKind, ListedStock


class Universe(Protocol):
    """The rule that says which symbols are tracked."""

    def choose(self, stocks: Sequence[ListedStock]) -> list[str]:
        """Choose from the list."""

    def without_list(self, tracked: Sequence[str]) -> list[str]:
        """Choose without one, from what was tracked before."""


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
    """Return the symbols that a rule chose, without those removed by hand, then those added by hand."""
    kept = [symbol for symbol in chosen if by_hand.get(symbol, True)]
    return list(dict.fromkeys([*kept, *(symbol for symbol, wanted in by_hand.items() if wanted)]))


@dataclass(frozen=True, slots=True)
class Named:
    """Implements `Universe`: these symbols, listed or not."""

    symbols: tuple[str, ...]

    def choose(self, stocks: Sequence[ListedStock]) -> list[str]:
        """Choose them, whatever the list says."""
        del stocks
        return list(self.symbols)

    def without_list(self, tracked: Sequence[str]) -> list[str]:
        """Choose them."""
        del tracked
        return list(self.symbols)


@dataclass(frozen=True, slots=True)
class LargeShares:
    """Implements `Universe`: every share of at least a market cap, largest first, beside some symbols."""

    min_market_cap: int
    """Won."""
    also: tuple[str, ...] = ()

    def choose(self, stocks: Sequence[ListedStock]) -> list[str]:
        """Choose the shares that are large enough by the list."""
        shares = [stock for stock in stocks if stock.kind is IssueKind.SHARE]
        large = [stock for stock in shares if stock.market_cap >= self.min_market_cap]
        ranked = [stock.symbol for stock in sorted(large, key=lambda stock: -stock.market_cap)]
        return list(dict.fromkeys([*self.also, *ranked]))

    def without_list(self, tracked: Sequence[str]) -> list[str]:
        """Choose what was tracked before."""
        return list(dict.fromkeys([*self.also, *tracked]))
