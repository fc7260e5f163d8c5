"""What a repeated analysis adds to what is kept: nothing while it agrees, a generation where it differs."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import fields
from functools import cache
from typing import Any

from chartinsightd.ports.analysis import Findings

_KINDS = ("points", "trends", "patterns")
_ROUNDING = 0.02
"""Figures are kept with two decimals and more. After a split they are computed from other floats, and the
last decimal kept may fall to the other side: that is no difference."""


def first_difference(kept: Findings, found: Findings) -> int | None:
    """Return the earliest confirmation, in seconds, of a row that only one of two findings has.

    None: the new findings have every kept row, and beside them only rows confirmed after all kept ones.
    """
    last = max((row.confirmed_at for name in _KINDS for row in getattr(kept, name)), default=None)
    if last is None:
        return None
    gone, new = _differences(kept, found)
    inserted = [at for at in new if at <= last]
    return min([*gone, *inserted], default=None)


def news(kept: Findings, found: Findings, valid_from: int | None) -> Findings:
    """Return the rows to add: those of the new generation, or those that are not kept yet."""
    if valid_from is not None:
        return _where(found, lambda _, row: row.confirmed_at >= valid_from)
    if not any(getattr(kept, name) for name in _KINDS):
        return found
    known = {name: _by_identity(getattr(kept, name)).keys() for name in _KINDS}
    return _where(found, lambda name, row: _identity(row) not in known[name])


def _where(findings: Findings, keep: Callable[[str, Any], bool]) -> Findings:
    def kept(name: str) -> tuple[Any, ...]:
        return tuple(row for row in getattr(findings, name) if keep(name, row))

    return Findings(points=kept("points"), trends=kept("trends"), patterns=kept("patterns"))


def _differences(kept: Findings, found: Findings) -> tuple[list[int], list[int]]:
    """Return the confirmations of rows that are gone or say something else, and of rows that are new."""
    gone: list[int] = []
    new: list[int] = []
    for name in _KINDS:
        before, after = _by_identity(getattr(kept, name)), _by_identity(getattr(found, name))
        gone += [
            row.confirmed_at for key, row in before.items() if key not in after or not _agree(row, after[key])
        ]
        new += [after[key].confirmed_at for key in after.keys() - before.keys()]
    return gone, new


def _by_identity(rows: Iterable[Any]) -> dict[Hashable, Any]:
    return {_identity(row): row for row in rows}


def _identity(row: Any) -> Hashable:
    """Return everything that a row says but its computed figures."""
    values = (getattr(row, name) for name in _names(row.__class__))
    return tuple(value for value in values if not isinstance(value, Mapping))


@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    """Return the fields of a kind of row, which are asked for at every row."""
    return tuple(field.name for field in fields(kind))


def _agree(row: Any, other: Any) -> bool:
    """Return whether the computed figures of two rows are the same, but for the rounding of one of them."""
    figures, others = (
        {(field.name, name): value for field in fields(one) for name, value in _figures(one, field.name)}
        for one in (row, other)
    )
    return figures.keys() == others.keys() and all(
        _is_close(value, others[key]) for key, value in figures.items()
    )


def _figures(row: Any, name: str) -> Iterable[tuple[str, Any]]:
    value = getattr(row, name)
    return value.items() if isinstance(value, Mapping) else ()


def _is_close(value: Any, other: Any) -> bool:
    """Compare a level, or a figure with its unit."""
    if isinstance(value, tuple):
        return bool(value[1] == other[1]) and _is_close(value[0], other[0])
    return math.isclose(value, other, abs_tol=_ROUNDING)
