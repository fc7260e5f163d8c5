"""The symbols that are collected now."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from chartinsightd.service.state.feed import Feed, Subscription


class Watchlist:
    """The symbols that are collected now. One writer (the stock list), any number of readers."""

    def __init__(self) -> None:
        self._symbols: tuple[str, ...] = ()
        self._is_known = False
        self._changes: Feed[[]] = Feed()

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols, largest stock first; empty before the list of stocks was read."""
        return self._symbols

    @property
    def is_known(self) -> bool:
        """Whether the list of stocks was read since the start: an empty watchlist means nothing before."""
        return self._is_known

    def replace(self, symbols: Iterable[str]) -> None:
        """Collect these symbols and no others. Listeners are called only on a change."""
        before = (self._is_known, self._symbols)
        self._is_known, self._symbols = True, tuple(symbols)
        if before != (self._is_known, self._symbols):
            self._changes.publish()

    def on_change(self, listener: Callable[[], None]) -> Subscription:
        """Call a listener after each change, the first list included."""
        return self._changes.subscribe(listener)
