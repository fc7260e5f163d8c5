"""Shared state: one writer, readers that are called on a change."""

from __future__ import annotations

from chartinsightd.service.state.collected_stocks import CollectedStocks
from chartinsightd.service.state.feed import Feed


def test_listeners_are_called_only_on_a_change() -> None:
    """The first list counts, even an empty one; an equal one does not."""
    collected, seen = CollectedStocks(), list[tuple[str, ...]]()
    collected.on_change(lambda: seen.append(collected.symbols))
    assert not collected.is_known

    for symbols in ([], ["005930"], ["005930"], ["000660", "005930"], []):
        collected.replace(symbols)

    assert collected.is_known
    assert seen == [(), ("005930",), ("000660", "005930"), ()]


def test_a_cancelled_subscription_is_called_no_more() -> None:
    """Each listener has a place of its own, also one that subscribed twice."""
    feed: Feed[[int]] = Feed()
    heard: list[int] = []
    first = feed.subscribe(heard.append)
    feed.subscribe(heard.append)
    feed.publish(1)
    first.cancel()
    first.cancel()
    feed.publish(2)

    assert heard == [1, 1, 2]
