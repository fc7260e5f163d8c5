"""Foreign text that is shown on a terminal."""

from __future__ import annotations

from unicodedata import bidirectional, category

from hypothesis import assume, given
from hypothesis import strategies as st

from chartinsightd.domain.foreign_text import cleaned, printable, printable_lines

_TURNS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
foreign = st.text(st.characters() | st.sampled_from("\x00\x07\x1b\x9b\u061c\u200f\u202e\u2066\u2028\ud800"))


@given(foreign)
def test_no_text_commands_the_terminal(text: str) -> None:
    """Neither control characters nor turns of the writing direction get through."""
    shown = printable(text)
    assert not any(category(sign) in {"Cc", "Cs", "Zl", "Zp"} for sign in shown)
    assert not any(
        bidirectional(sign) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
        for sign in shown
    )


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs"))))
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    """Letters, digits, signs and blanks that are seen are not touched."""
    assume(cleaned(text) == text)
    assert printable(text) == text


def test_lines_stay_lines() -> None:
    """Of several lines each is made printable, and there are as many as before."""
    assert printable_lines("a\x1b[2J\n\rb") == "a\\x1b[2J\n\\rb"
