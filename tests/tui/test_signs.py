"""The ASCII set of signs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from chartinsight_tui.app import VIEWS
from chartinsight_tui.signs import AsciiSigns, is_poor, to_ascii
from tests.tui.dashboards import connected, dashboard, settled, shown


@given(st.text(alphabet=st.characters(exclude_categories=("C", "M", "Zl", "Zp")), max_size=20))
def test_a_text_keeps_its_width(text: str) -> None:
    """Cell for cell, whatever stands there; without Hangul all of it is ASCII."""
    plain = to_ascii(text, keeps_hangul=False)
    assert plain.isascii()
    assert cell_len(plain) == cell_len(text)
    assert cell_len(to_ascii(text, keeps_hangul=True)) == cell_len(text)


def test_a_change_and_a_warning_are_told_apart() -> None:
    """The same sign is a plus before a number and a warning elsewhere."""
    assert to_ascii("▲1,500 ▼20 ▲ 주의", keeps_hangul=True) == "+1,500 -20 ! 주의"
    assert to_ascii("⏎ 🔎🦄", keeps_hangul=True) == "> : ??"


@pytest.mark.parametrize(
    ("environment", "poor"),
    [
        ({"TERM": "xterm-256color", "LANG": "ko_KR.UTF-8"}, False),
        ({"TERM": "linux", "LANG": "ko_KR.UTF-8"}, True),
        ({"TERM": "xterm", "LANG": "C"}, True),
        ({"TERM": "xterm", "LC_ALL": "C", "LANG": "en_US.utf8"}, True),
        ({"TERM": "xterm", "LC_CTYPE": "C.utf8"}, False),
        ({}, True),
    ],
)
def test_poor_terminals_are_known_by_name_and_locale(environment: dict[str, str], poor: bool) -> None:
    """LC_ALL before LC_CTYPE before LANG."""
    assert is_poor(environment) is poor


async def test_every_screen_is_drawn_in_ascii() -> None:
    """No other sign leaves for the terminal."""
    app = dashboard(signs=AsciiSigns(keeps_hangul=False))
    async with app.run_test(size=(120, 40)) as pilot:
        await connected(pilot)
        for name in VIEWS:
            await app.action_show(name)
            await settled(pilot)
            assert not {sign for sign in shown(app) if not sign.isascii()}, name
