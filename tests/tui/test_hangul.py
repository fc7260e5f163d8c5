"""Keys pressed while a Korean input method is in Hangul mode."""

from __future__ import annotations

import string
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartinsight_tui.hangul import letters_of

ROWS = {"ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔ": "qwertyuiop", "ㅁㄴㅇㄹㅎㅗㅓㅏㅣ": "asdfghjkl", "ㅋㅌㅊㅍㅠㅜㅡ": "zxcvbnm"}
LETTERS = {
    jamo: letter for jamos, letters in ROWS.items() for jamo, letter in zip(jamos, letters, strict=True)
}


def test_every_letter_has_its_jamo() -> None:
    """Each of the 26 letters is typed by the jamo on its key; P, E and O with Shift have one of their own."""
    assert {letters_of(jamo) for jamo in LETTERS} == set(string.ascii_lowercase)
    assert [letters_of(jamo) for jamo in "ㅖㄸㅒ"] == ["P", "E", "O"]


@pytest.mark.parametrize(
    ("syllable", "letters"),
    [("쇼", "ty"), ("과", "rhk"), ("넋", "sjrt"), ("뷁", "qnpfr"), ("ㄳ", "rt"), ("₩", "`")],
)
def test_a_composed_syllable_is_taken_apart(syllable: str, letters: str) -> None:
    """What an input method sends late as one sign stands for its keys in order."""
    assert letters_of(syllable) == letters


@given(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3))
def test_composed_and_decomposed_syllables_are_alike(syllable: str) -> None:
    """NFC and NFD give the same letters, and every syllable gives at least two."""
    assert letters_of(syllable) == letters_of(unicodedata.normalize("NFD", syllable))
    assert len(letters_of(syllable)) >= 2


@given(st.text(string.ascii_letters + string.digits + string.punctuation, min_size=1))
def test_other_keys_are_left_alone(text: str) -> None:
    """What is no Hangul is no letter of a Hangul key."""
    assert letters_of(text) == ""
