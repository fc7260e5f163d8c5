"""How much of an answer is looked at: applied to its bytes, before anything is made of them."""

from __future__ import annotations

from chartinsightd.domain.errors import MalformedAnswer

LARGEST_ANSWER = 8 * 1024 * 1024
"""Bytes of one answer, unpacked. The largest known, the stock list, has 2,500 rows of about 400 bytes."""
_LARGEST_PAGE = 2 * 1024 * 1024
"""Bytes of a page of a chart; 600 daily rows are about 134 kB (kiwoom.md#page-sizes)."""
_MOST_PAGE_ROWS = 2_000
"""Kiwoom's largest page has 900 rows (kiwoom.md#page-sizes)."""
_MOST_LIST_ROWS = 20_000
"""Both markets have about 4,300 issues (kiwoom.md#stock-list)."""
_MOST_FIELDS = 100
"""Fields of a row, at most 63 are known."""


def check_page(document: bytes, name: str) -> None:
    """Refuse a document that has more than a page of a chart can have.

    Raises:
        MalformedAnswer: it is too long, or has too many rows.
    """
    _check(document, name, _LARGEST_PAGE, _MOST_PAGE_ROWS)


def check_rows(count: int, name: str) -> None:
    """Refuse a page with more rows than a chart can have.

    Raises:
        MalformedAnswer: it has too many.
    """
    if count > _MOST_PAGE_ROWS:
        raise MalformedAnswer(f"{name} has {count} rows, more than are possible.")


def check_list(document: bytes, name: str) -> None:
    """Refuse a document that has more than a list of stocks can have.

    Raises:
        MalformedAnswer: it is too long, or has too many rows.
    """
    _check(document, name, LARGEST_ANSWER, _MOST_LIST_ROWS)


def _check(document: bytes, name: str, largest: int, most_rows: int) -> None:
    """Count objects and values by their marks: exact numbers matter less than that nothing is built."""
    if len(document) > largest:
        raise MalformedAnswer(f"{name} has {len(document)} bytes, more than the {largest} that are possible.")
    objects, values = document.count(b"{"), document.count(b",")
    lists = document.count(b"[")
    if max(objects, lists) > most_rows or values > most_rows * _MOST_FIELDS:
        raise MalformedAnswer(
            f"{name} has more rows than are possible: {objects} objects, {lists} lists and {values} values."
        )
