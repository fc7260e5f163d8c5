"""Corrections of past candles in a file, so that a simulator that is started again serves the same truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import msgspec


@dataclass(frozen=True, slots=True)
class Correction:
    """One change of a past volume; see `Market.correct`."""

    code: str
    day: date
    label: int | None
    """The minute of the day; None is the day itself."""
    factor: float


_BEGINNING = b'{"code":'


class CorrectionLog:
    """A line of JSON for each correction, in the order in which they were made.

    A last line that was torn by a kill was never served, and is cut off.

    Args:
        path: of the file; it need not be there.

    Raises:
        OSError: it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._path.touch()

    def read(self) -> Iterator[Correction]:
        """Yield what was added, then cut off a torn line.

        Raises:
            ValueError: a line is no correction.
        """
        decode = msgspec.json.Decoder(Correction).decode
        *lines, torn = self._path.read_bytes().split(b"\n")
        yield from map(decode, lines)
        if not _BEGINNING.startswith(torn[: len(_BEGINNING)]):
            raise ValueError("its last line is no correction")
        if torn:
            self._path.write_bytes(b"".join(line + b"\n" for line in lines))

    def add(self, correction: Correction) -> None:
        """Append one."""
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(correction) + b"\n")
