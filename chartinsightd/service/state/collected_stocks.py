"""The symbols that are collected now: the targets, and the rest of the universe."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from types import MappingProxyType

from chartinsightd.service.state.feed import Feed, Subscription


class CollectedStocks:
    """The targets and the rest of the universe. One writer (the stock list), any number of readers."""

    def __init__(self) -> None:
        self._symbols: tuple[str, ...] = ()
        self._universe: tuple[str, ...] = ()
        self._ended: Mapping[str, date] = {}
        self._is_known = False
        self._changes: Feed[[]] = Feed()

    @property
    def symbols(self) -> tuple[str, ...]:
        """The targets, in the user's order; empty before anything is known."""
        return self._symbols

    @property
    def universe(self) -> tuple[str, ...]:
        """The universe without the targets, the largest stock first; empty where there is none."""
        return self._universe

    @property
    def all_symbols(self) -> tuple[str, ...]:
        """The targets, then the rest of the universe."""
        return self._symbols + self._universe

    @property
    def is_known(self) -> bool:
        """Whether it is known what is collected: no symbols mean nothing before."""
        return self._is_known

    @property
    def listed(self) -> tuple[str, ...]:
        """The targets without those that are not listed any more."""
        return tuple(symbol for symbol in self._symbols if symbol not in self._ended)

    def ended_on(self, symbol: str) -> date | None:
        """Return the first Korean day without a symbol that is not listed any more; None for others."""
        return self._ended.get(symbol)

    def replace(
        self,
        symbols: Iterable[str],
        ended: Mapping[str, date] = MappingProxyType({}),
        universe: Iterable[str] = (),
    ) -> None:
        """Collect these symbols and no others. Listeners are called only on a change.

        Args:
            symbols: the targets.
            ended: those of them that are not listed any more, and the first Korean day without each.
            universe: the stocks beside them, the largest first; targets among them are left out.
        """
        before = self._state()
        self._is_known, self._symbols, self._ended = True, tuple(symbols), dict(ended)
        targets = frozenset(self._symbols)
        self._universe = tuple(symbol for symbol in universe if symbol not in targets)
        if before != self._state():
            self._changes.publish()

    def _state(self) -> tuple[object, ...]:
        return self._is_known, self._symbols, self._ended, self._universe

    def on_change(self, listener: Callable[[], None]) -> Subscription:
        """Call a listener after each change, the first list included."""
        return self._changes.subscribe(listener)
