"""Rows in = rows accounted for: asserted while the daemon runs, for every page and every commit."""

from __future__ import annotations

from collections.abc import Sequence

from chartinsightd.domain.write import Write, Written
from chartinsightd.ports.broker import ChartPage


class RowsUnaccounted(RuntimeError):
    """A count of rows does not add up: some were lost on the way, so nothing of the page is claimed."""


def check_page(page: ChartPage) -> None:
    """Compare the rows of a page with its candles, and those that are none.

    Raises:
        RowsUnaccounted: they differ.
    """
    found = len(page.candles) + len(page.rejected) + page.repeated
    if found != page.rows:
        name = f"{page.candles.symbol}/{page.candles.timeframe}"
        raise RowsUnaccounted(f"A page of {name} had {page.rows} rows, and {found} are accounted for.")


def check_commit(writes: Sequence[Write], written: Sequence[Written]) -> None:
    """Compare what a commit was given with what the store says became of it, write by write.

    Raises:
        RowsUnaccounted: they differ.
    """
    if len(writes) != len(written):
        raise RowsUnaccounted(f"{len(writes)} writes were given, {len(written)} were accounted for.")
    for write, result in zip(writes, written, strict=True):
        if write.rows != result.total:
            raise RowsUnaccounted(
                f"A write of {write.series} had {write.rows} rows, the store says {result}."
            )
