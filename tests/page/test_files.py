"""The files of the page: weight, words, colours, and what none of them may hold."""

from __future__ import annotations

import gzip
import hashlib
import re
from itertools import product
from pathlib import Path

import pytest

from tests.page.listener import STATIC

VENDORED = STATIC / "vendor" / "lightweight-charts.standalone.production.mjs"
VENDORED_SHA256 = "1bb1ee79f9d4dd17261b53d930f7a8995748276f80e7ba0e24412b5068062f5f"
"""Of the file in the npm package lightweight-charts 5.2.1."""
LICENSE_SHA256 = "70c9d5382506dd184465425c08a99ad9bd6d9ac1313c252968ba0b585e5ef823"
MAX_TRANSFERRED = 300_000
WORDING = (Path(__file__).resolve().parents[3] / "shared" / "radar" / "wording").with_suffix(".md")
SAMPLES = {"app.mock", "scr.title", "scr.c1", "scr.c2", "scr.c3", "scr.c4", "scr.c5", "n.r", "gap.reason"}
"""Words of the drawing's made-up data."""
FILES = [path for path in sorted(STATIC.rglob("*")) if path.is_file()]
OWN = [path for path in FILES if path.suffix in {".js", ".css", ".html"}]
SCRIPTS = [path for path in OWN if path.suffix == ".js"]


def test_the_chart_library_is_the_published_file() -> None:
    """The vendored bundle and its licence are byte for byte those of the package."""
    assert hashlib.sha256(VENDORED.read_bytes()).hexdigest() == VENDORED_SHA256
    assert hashlib.sha256((STATIC / "vendor" / "LICENSE").read_bytes()).hexdigest() == LICENSE_SHA256
    assert VENDORED_SHA256 in (STATIC / "vendor" / "NOTICE").read_text(encoding="utf-8")


def test_the_whole_page_is_light() -> None:
    """All files together weigh at most 300,000 bytes as they are transferred."""
    assert sum(len(gzip.compress(path.read_bytes(), 9)) for path in FILES) <= MAX_TRANSFERRED


def test_nothing_is_written_as_markup_or_style() -> None:
    """No script parses HTML, and no file holds an inline script, handler or style."""
    forbidden = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function")
    assert [path.name for path in SCRIPTS if forbidden.search(path.read_text(encoding="utf-8"))] == []
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<style|<script(?![^>]*\bsrc=)|\bon\w+=|\bstyle=", page)


def test_the_page_names_no_other_place() -> None:
    """The only foreign address in the page's own files is the link of the attribution."""
    found = {
        url for path in OWN for url in re.findall(r"https?://[^\s'\"]+", path.read_text(encoding="utf-8"))
    }
    assert found <= {"https://www.tradingview.com/", "http://www.w3.org/2000/svg"}


def words() -> dict[str, tuple[str, str]]:
    """Return the page's words by key."""
    text = (STATIC / "js" / "words.js").read_text(encoding="utf-8")
    line = re.compile(r"^  '([^']+)': \['((?:[^'\\]|\\.)*)', '((?:[^'\\]|\\.)*)'\],$", re.MULTILINE)
    return {key: (korean, english) for key, korean, english in line.findall(text)}


def test_the_words_are_those_of_the_design() -> None:
    """Every word of the design's table is the page's word, letter for letter."""
    if not WORDING.exists():
        pytest.skip("the design's table of words is not beside the repository")
    rows = re.findall(r"^\| `([^`]+)` \| (.*) \| (.*) \|$", WORDING.read_text(encoding="utf-8"), re.MULTILINE)
    ours = words()
    wanted = {key: (_dated(korean), _dated(english)) for key, korean, english in rows if key not in SAMPLES}
    assert {key: ours.get(key) for key in wanted} == wanted


def _dated(text: str) -> str:
    """Return a word of the table with a place for the day from which cases are out of sample.

    The table has the year of the drawing's data there.
    """
    return text.replace("2022년", "{d}").replace("2022", "{d}")


def test_every_word_used_is_there() -> None:
    """A key that a script names has its words."""
    keys = words()
    used = {
        key
        for path in SCRIPTS
        for key in re.findall(r"\bt\('([a-z0-9_.]+)'", path.read_text(encoding="utf-8"))
    }
    assert sorted(used - set(keys)) == []


def test_korean_words_are_korean() -> None:
    """A Korean text holds no Latin word but those a Korean trader writes so."""
    allowed = {
        "MACD",
        "RSI",
        "AI",
        "NDJSON",
        "n",
        "ai_api_key",
        "Enter",
        "T",
        "B",
        "English",
        "ATR",
        "KRX",
        "NXT",
    }
    strange = {
        key: found
        for key, (korean, _) in words().items()
        if (found := set(re.findall(r"[A-Za-z_]+", re.sub(r"\{\w+\}", "", korean))) - allowed)
    }
    assert strange == {}


def tokens(theme: str, palette: str) -> dict[str, str]:
    """Return the colours in force for a theme and a palette."""
    text = re.sub(
        r"/\*.*?\*/", "", (STATIC / "css" / "tokens.css").read_text(encoding="utf-8"), flags=re.DOTALL
    )
    found: dict[str, str] = {}
    for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", text):
        for selector in selectors.split(","):
            themes = re.findall(r'data-theme="(\w+)"', selector)
            palettes = re.findall(r'data-palette="(\w+)"', selector)
            if set(themes) <= {theme} and set(palettes) <= {palette}:
                found |= dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})\b", body))
    return found


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours by the WCAG formula."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


TEXT = ("ink", "ink-2", "ink-3", "up", "down", "pattern", "label", "doubt", "fault")
MARKS = ("line-strong", "ma20", "ma60", "focus", "flat")


@pytest.mark.parametrize(("theme", "palette"), list(product(("dark", "light"), ("kr", "safe", "west"))))
def test_text_and_marks_can_be_seen(theme: str, palette: str) -> None:
    """Text has a contrast of 4.5 and every mark 3 on page and panels, in all themes and palettes."""
    colours = tokens(theme, palette)
    weak = {
        (name, ground): round(contrast(colours[name], colours[ground]), 2)
        for names, least in ((TEXT, 4.5), (MARKS, 3.0))
        for name in names
        for ground in ("bg", "surface", "raised")
        if contrast(colours[name], colours[ground]) < least
    }
    assert weak == {}
    assert contrast(colours["inverse"], colours["on-inverse"]) >= 4.5
