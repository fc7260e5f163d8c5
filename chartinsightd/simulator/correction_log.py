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


class CorrectionLog:
    """A line of JSON for each correction, in the order in which they were made.

    Args:
        path: of the file; it need not be there.

    Raises:
        OSError: it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._path.touch()

    def read(self) -> Iterator[Correction]:
        """Yield what was added; a last line that was torn by a kill was never served.

        Raises:
            ValueError: a line is no correction.
        """
        decode = msgspec.json.Decoder(Correction).decode
        for line in self._path.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n"):
                yield decode(line)

    def add(self, correction: Correction) -> None:
        """Append one."""
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(correction) + b"\n")
