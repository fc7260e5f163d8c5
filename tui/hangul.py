"""Keys pressed in the Hangul mode of an input method: each stands for the letter on the same key. Pure."""

from __future__ import annotations

import unicodedata

_ROWS = (
    ("ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔ", "qwertyuiop"),
    ("ㅁㄴㅇㄹㅎㅗㅓㅏㅣ", "asdfghjkl"),
    ("ㅋㅌㅊㅍㅠㅜㅡ", "zxcvbnm"),
    ("ㅃㅉㄸㄲㅆㅒㅖ", "QWERTOP"),
)
_LETTERS = {jamo: letter for jamos, letters in _ROWS for jamo, letter in zip(jamos, letters, strict=True)}
_PARTS = {
    "ㅘ": "ㅗㅏ", "ㅙ": "ㅗㅐ", "ㅚ": "ㅗㅣ", "ㅝ": "ㅜㅓ", "ㅞ": "ㅜㅔ", "ㅟ": "ㅜㅣ", "ㅢ": "ㅡㅣ",
    "ㄳ": "ㄱㅅ", "ㄵ": "ㄴㅈ", "ㄶ": "ㄴㅎ", "ㄺ": "ㄹㄱ", "ㄻ": "ㄹㅁ", "ㄼ": "ㄹㅂ", "ㄽ": "ㄹㅅ",
    "ㄾ": "ㄹㅌ", "ㄿ": "ㄹㅍ", "ㅀ": "ㄹㅎ", "ㅄ": "ㅂㅅ",
}  # fmt: skip
"""Jamo that are typed with two keys."""
_LEADS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_TAILS = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
_FIRST_SYLLABLE, _LAST_SYLLABLE = 0xAC00, 0xD7A3
_FIRST_LEAD, _FIRST_VOWEL, _FIRST_TAIL = 0x1100, 0x1161, 0x11A7


def letters_of(text: str) -> str:
    """Return the letters of the keys that a Hangul text is typed with, in order; empty for any other text.

    Single jamo, composed syllables and decomposed ones (NFD) are taken alike. The won sign stands for the key
    of the grave accent on Korean keyboards.
    """
    if text == "₩":
        return "`"
    keys = [_LETTERS.get(part, "") for sign in unicodedata.normalize("NFC", text) for part in _jamo(sign)]
    return "".join(keys) if all(keys) else ""


def _jamo(sign: str) -> str:
    """Return the jamo of one sign, those of two keys taken apart."""
    return "".join(_PARTS.get(jamo, jamo) for jamo in _plain_jamo(sign))


def _plain_jamo(sign: str) -> str:
    code = ord(sign)
    if _FIRST_SYLLABLE <= code <= _LAST_SYLLABLE:
        lead, rest = divmod(code - _FIRST_SYLLABLE, len(_VOWELS) * len(_TAILS))
        vowel, tail = divmod(rest, len(_TAILS))
        return (_LEADS[lead] + _VOWELS[vowel] + _TAILS[tail]).strip()
    for first, jamo in ((_FIRST_LEAD, _LEADS), (_FIRST_VOWEL, _VOWELS), (_FIRST_TAIL, _TAILS)):
        if 0 <= code - first < len(jamo):
            return jamo[code - first].strip()
    return sign
