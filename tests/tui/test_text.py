"""The texts in both languages."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

from chartinsight_tui import theme
from chartinsight_tui.__main__ import _THEMES
from chartinsight_tui.text import LANGUAGES
from chartinsightd.domain.language import language_of
from chartinsightd.service.state.alert_kinds import AlertKind

SOURCES = sorted((Path(__file__).resolve().parents[2] / "tui").rglob("*.py"))
CODE = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES if path.parent.name != "words")


def places(text: str) -> set[str | None]:
    """Return the names of a text's places."""
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_languages_have_the_same_texts() -> None:
    """Each text exists in each language, with the same places in it."""
    english, korean = LANGUAGES["en"], LANGUAGES["ko"]
    assert set(english) == {key for key in korean if not key.startswith("alert.")}
    assert [key for key in english if places(english[key]) != places(korean[key])] == []


def test_every_text_that_is_asked_for_exists() -> None:
    """A key written in the code is in the table."""
    asked = set(re.findall(r"""(?:words\[|words\.put\(\s*)["']([a-z_]+\.[a-z_]+)["']""", CODE))
    asked |= set(re.findall(r'"(key\.[a-z_]+)"', CODE))
    assert len(asked) > 80
    assert asked - set(LANGUAGES["en"]) == set()


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "ko_KR.UTF-8"}, "ko"),
        ({"LANG": "ko_KR.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LC_MESSAGES": "ko_KR", "LANG": "en_US.UTF-8"}, "ko"),
        ({"LC_ALL": "", "LANG": "ko"}, "ko"),
    ],
)
def test_the_locale_chooses_the_language(environment: dict[str, str], language: str) -> None:
    """LC_ALL goes before LC_MESSAGES, that before LANG; empty ones count for nothing."""
    assert language_of(environment) == language


def test_the_command_offers_every_theme() -> None:
    """The option knows the themes without loading them."""
    assert _THEMES == theme.NAMES


def test_every_alert_has_korean_words() -> None:
    """What the daemon can alert of has a title and something to do in Korean."""
    korean = LANGUAGES["ko"]
    keys = [key for kind in AlertKind for key in (f"alert.{kind.value}", f"alert.{kind.value}.do")]
    assert [key for key in keys if key not in korean] == []
