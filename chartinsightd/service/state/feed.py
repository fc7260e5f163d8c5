"""How services listen to each other: one way for all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Generic, ParamSpec

from chartinsightd.domain.write import Write, Written

P = ParamSpec("P")


class Subscription:
    """A listener's place in a feed."""

    def __init__(self, cancel: Callable[[], object]) -> None:
        self._cancel = cancel

    def cancel(self) -> None:
        """Call the listener no more. A second call does nothing."""
        self._cancel()


class Feed(Generic[P]):
    """Calls every listener, in the order in which they subscribed.

    Listeners run inside `publish`: they must be quick, must not wait and must not raise.
    """

    def __init__(self) -> None:
        self._listeners: dict[object, Callable[P, None]] = {}

    def subscribe(self, listener: Callable[P, None]) -> Subscription:
        """Call a listener from now on."""
        place = object()
        self._listeners[place] = listener
        return Subscription(partial(self._listeners.pop, place, None))

    def publish(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Call every listener. One that subscribes meanwhile is called the next time."""
        for listener in [*self._listeners.values()]:
            listener(*args, **kwargs)


class CommitFeed(Feed[[Sequence[Write], Sequence[Written]]]):
    """What the writer committed: the writes and what each of them did, once both are durable.

    The writer publishes; services that count, watch or prove subscribe.
    """
