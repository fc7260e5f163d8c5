"""First consonants of Korean names: ㅅㅅㅈㅈ finds 삼성전자."""

from __future__ import annotations

_FIRST, _LAST = 0xAC00, 0xD7A3
"""The syllables of Hangul in Unicode."""
_A_CONSONANT = 21 * 28
"""Syllables that begin with one consonant: vowels times final consonants, none included."""
_CONSONANTS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"


def initials(text: str) -> str:
    """Return a text with each Korean syllable as its first consonant; other signs stay."""
    return "".join(map(_initial, text))


def _initial(sign: str) -> str:
    code = ord(sign)
    return _CONSONANTS[(code - _FIRST) // _A_CONSONANT] if _FIRST <= code <= _LAST else sign


def matches(words: str, name: str) -> bool:
    """Whether a name holds the words, in one stretch: syllables and other signs as they are, ignoring case,
    consonants as first ones of a syllable.
    """
    wanted, given = words.casefold(), name.casefold()
    heads = initials(given)
    return any(
        all(sign in (given[start + i], heads[start + i]) for i, sign in enumerate(wanted))
        for start in range(len(given) - len(wanted) + 1)
    )
