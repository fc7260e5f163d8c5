"""Lets each key through now and then, however often it has news."""

from __future__ import annotations

from collections.abc import Set as AbstractSet


class Coalescer:
    """A key that has news is due at once, and then at most once in a while; held back news are not lost.

    Args:
        every_s: seconds between two times of a key.
    """

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._waiting: set[str] = set()
        self._last_s: dict[str, float] = {}

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._waiting)

    def add(self, keys: AbstractSet[str]) -> None:
        """Note news of keys."""
        self._waiting |= keys

    def take_due(self, now_s: float) -> list[str]:
        """Return the keys whose time has come; they wait no longer."""
        before = now_s - self._every_s
        due = [key for key in self._waiting if self._last_s.get(key, before) <= before]
        self._waiting.difference_update(due)
        self._last_s.update(dict.fromkeys(due, now_s))
        return due
