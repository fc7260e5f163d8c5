"""Finding stocks by symbol, by Korean name, or by the first consonants of a name."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import islice
from typing import Protocol, TypeVar

_FIRST_SYLLABLE, _LAST_SYLLABLE = 0xAC00, 0xD7A3
_SYLLABLES_A_CONSONANT = 588
_CONSONANTS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"


class Named(Protocol):
    """What is searched."""

    @property
    def symbol(self) -> str:
        """Kiwoom's code."""

    @property
    def name(self) -> str:
        """The Korean name."""


_Stock = TypeVar("_Stock", bound=Named)


@lru_cache(maxsize=8_192)
def consonants(name: str) -> str:
    """Return the name with each Hangul syllable as its first consonant: `삼성SDI` as `ㅅㅅSDI`."""
    return "".join(
        _CONSONANTS[(ord(char) - _FIRST_SYLLABLE) // _SYLLABLES_A_CONSONANT]
        if _FIRST_SYLLABLE <= ord(char) <= _LAST_SYLLABLE
        else char
        for char in name
    )


def is_found(text: str, symbol: str, name: str) -> bool:
    """Whether a text is the symbol's start, or part of the name or of its consonants; case is ignored."""
    wanted = text.strip().casefold()
    return (
        symbol.casefold().startswith(wanted)
        or wanted in name.casefold()
        or wanted in consonants(name).casefold()
    )


def found(text: str, stocks: Iterable[_Stock], limit: int) -> list[_Stock]:
    """Return the first stocks that a text finds, exact names before others."""
    wanted = text.strip().casefold()
    hits = islice((stock for stock in stocks if is_found(text, stock.symbol, stock.name)), 200)
    return sorted(hits, key=lambda stock: wanted not in {stock.symbol.casefold(), stock.name.casefold()})[
        :limit
    ]
