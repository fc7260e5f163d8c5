"""Candles for a notebook, straight from PostgreSQL.

    from chartinsightd.reader import read
    read("005930", "1d", "2024-01-01")

What the analysis found is read by `points`, `patterns` and `screen`. Nothing else of the daemon is imported,
and the daemon need not run where the database is the user's own.
"""

from chartinsightd.reader.arrow import read_arrow
from chartinsightd.reader.findings import patterns, points, screen
from chartinsightd.reader.frames import read, read_many
from chartinsightd.reader.place import NotFound

__all__ = ["NotFound", "patterns", "points", "read", "read_arrow", "read_many", "screen"]
