"""The watchlist: groups of stocks, each in its owner's order. Every change is a new value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

MOST_GROUPS = 50
MOST_STOCKS = 1_000
"""Over all groups; a stock counts once in each of its groups."""
LONGEST_NAME = 40
"""Characters of a group's name."""


@dataclass(frozen=True, slots=True)
class WatchGroup:
    """Stocks under a name; the name may be empty, and each screen then says `Watchlist` in its language."""

    name: str
    symbols: tuple[str, ...] = ()


WatchGroups = tuple[WatchGroup, ...]
"""Never empty, and no two have one name."""
EMPTY: WatchGroups = (WatchGroup(""),)


def group_of(groups: WatchGroups, name: str) -> WatchGroup | None:
    """Return the group of a name; None where there is none."""
    return next((group for group in groups if group.name == name), None)


def with_stocks(
    groups: WatchGroups, symbols: Sequence[str], name: str | None = None, place: int | None = None
) -> WatchGroups:
    """Return the groups with stocks in one of them, each once.

    Args:
        groups: as they are.
        symbols: stocks that are there already stay where they are, unless a place is named.
        name: of the group, made at the end where there is none; None: the first group.
        place: from 0, of the first of them; None: behind the others.
    """
    name = groups[0].name if name is None else name
    group = group_of(groups, name) or WatchGroup(name)
    new = [one for one in dict.fromkeys(symbols) if place is not None or one not in group.symbols]
    rest = [one for one in group.symbols if one not in new]
    at = len(rest) if place is None else place
    return _put(groups, replace(group, symbols=(*rest[:at], *new, *rest[at:])))


def without_stocks(groups: WatchGroups, symbols: Sequence[str], name: str | None = None) -> WatchGroups:
    """Return the groups without stocks, in one group or (None) in all. A group may become empty."""
    gone = frozenset(symbols)
    return tuple(
        replace(group, symbols=tuple(one for one in group.symbols if one not in gone))
        if name in {None, group.name}
        else group
        for group in groups
    )


def with_moved_stock(groups: WatchGroups, symbol: str, source: str, target: str, place: int) -> WatchGroups:
    """Return the groups with a stock of one of them at a place, from 0, of the same or another group."""
    return with_stocks(without_stocks(groups, [symbol], source), [symbol], target, place)


def with_group(groups: WatchGroups, name: str, place: int | None = None) -> WatchGroups:
    """Return the groups with one of a name, made where there is none; moved to a place, from 0, if named."""
    group = group_of(groups, name) or WatchGroup(name)
    if place is None:
        return _put(groups, group)
    rest = [one for one in groups if one.name != name]
    return (*rest[:place], group, *rest[place:])


def with_renamed_group(groups: WatchGroups, name: str, new_name: str) -> WatchGroups:
    """Return the groups with another name for one of them; where that is taken, the two become one."""
    if name == new_name:
        return groups
    group = group_of(groups, name)
    if group is None:
        return groups
    if group_of(groups, new_name) is not None:
        return with_stocks(without_group(groups, name), group.symbols, new_name)
    return tuple(replace(one, name=new_name) if one.name == name else one for one in groups)


def without_group(groups: WatchGroups, name: str) -> WatchGroups:
    """Return the groups without one; after the last there is an empty one without a name."""
    return tuple(group for group in groups if group.name != name) or EMPTY


def too_many(groups: WatchGroups) -> bool:
    """Whether there are more groups or stocks than are kept."""
    return len(groups) > MOST_GROUPS or sum(len(group.symbols) for group in groups) > MOST_STOCKS


def watched(groups: WatchGroups) -> tuple[str, ...]:
    """Return every watched stock, each once, in the order of the groups."""
    return tuple(dict.fromkeys(symbol for group in groups for symbol in group.symbols))


def _put(groups: WatchGroups, group: WatchGroup) -> WatchGroups:
    """Return the groups with one in the place of that of its name, or at the end."""
    if group_of(groups, group.name) is None:
        return (*groups, group)
    return tuple(group if one.name == group.name else one for one in groups)
