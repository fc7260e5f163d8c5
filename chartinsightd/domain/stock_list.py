"""Whether a new stock list can be the whole list, judged before anything is chosen from it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

_LEAST_SHARE = 0.9
"""Of the issues known: a shorter list is a broken answer, not a market that shrank overnight."""
_LEAST_PRICED = 0.5
"""Of the issues listed: without a list to compare with, fewer prices are no list."""
_MOST_LEAVING = 0.1
"""Of the symbols followed: if more would leave at once, a second list must say the same."""
_FEW = 2
"""Symbols that may always leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownStocks:
    """What the last accepted list said."""

    listed: frozenset[str]
    priced: frozenset[str]
    """Those of them with a last price."""
    delisted: Mapping[str, date] = field(default_factory=dict)
    """The Korean day on which each symbol was first missing from the list."""


NOTHING_KNOWN = KnownStocks(listed=frozenset(), priced=frozenset())


def why_incomplete(listed: Collection[str], priced: Collection[str], known: KnownStocks) -> str | None:
    """Return why a list cannot be whole, in words; None where it can.

    Args:
        listed: the symbols of the list.
        priced: those of them with a last price.
        known: what the last accepted list said.
    """
    if len(listed) < _LEAST_SHARE * len(known.listed):
        return f"it has {len(listed)} issues, {len(known.listed)} are known"
    still_priced = known.priced & frozenset(listed)
    without = len(still_priced) - len(still_priced.intersection(priced))
    if without > (1 - _LEAST_SHARE) * len(still_priced):
        return f"{without} of {len(still_priced)} issues lost their price"
    if len(priced) < _LEAST_PRICED * len(listed):
        return f"only {len(priced)} of {len(listed)} issues have a price"
    return None


def leave_at_once(before: Collection[str], after: Collection[str]) -> bool:
    """Whether more symbols would leave what is followed than one list can be believed about."""
    leaving = len(set(before).difference(after))
    return leaving > max(_FEW, _MOST_LEAVING * len(before))
