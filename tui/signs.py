"""The ASCII set of signs, for terminals that lack others: each cell becomes one cell of ASCII.

Translated where lines leave for the terminal, so that no screen knows of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_SIGNS = {
    "★": "*", "⇧": "^",
    "●": "*", "◐": "o", "▲": "!", "▼": "-", "△": "^", "▽": "v", "■": "#", "□": ".", "▪": "#", "▫": ".",
    "▣": "=", "◆": "r", "◇": "o", "✕": "X", "✓": "v", "✎": "n",
    "›": ">", "»": ">", "…": "~", "·": ".", "–": "-",
    "→": ">", "←": "<", "↑": "^", "↓": "v", "─": "-", "━": "=", "│": "|", "┃": "o", "┊": ":", "┆": ":",
    "┈": ".", "╌": "-", "╎": ":", "┼": "+", "┬": "+", "┴": "+", "├": "+", "┤": "+", "╭": "+", "╮": "+",
    "╰": "+", "╯": "+", "┌": "+", "┐": "+", "└": "+", "┘": "+", "▏": "|", "▎": "|", "▍": "|", "▌": "#",
    "▋": "#", "▊": "#", "▉": "#", "█": "#", "▓": "#", "▒": "%", "░": ":", "▁": "_", "▂": ".", "▃": "-",
    "▄": "=", "▅": "=", "▆": "+", "▇": "*", "▀": "#", "▔": "-", "╷": "|", "╵": "|", "╻": "o", "╹": "o",
    "╽": "o", "╿": "o", "╥": "|", "╨": "|", "◂": "<", "▸": ">", "◀": "<", "▶": ">", "÷": "/", "×": "x",
    "‖": "=", "‘": "'", "’": "'", "“": '"', "”": '"', "≥": ">", "≤": "<", "±": "~", "☐": ".", "☑": "x",
    "−": "-", "₩": "W", "⏎": ">", "🔎": ": ",
}  # fmt: skip
_CHANGE = re.compile(r"([▲▼])(?=\d)")
"""Before a number it is the sign of a change, elsewhere a mark."""
_POOR_TERMINALS = {"linux", "dumb"}


def is_poor(environment: Mapping[str, str]) -> bool:
    """Whether a terminal lacks the full set of signs, as far as its name and the locale tell."""
    return environment.get("TERM", "") in _POOR_TERMINALS or not has_unicode(environment)


def has_unicode(environment: Mapping[str, str]) -> bool:
    """Whether the locale is one of UTF-8."""
    names = (environment.get(name, "") for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    locale = next((name for name in names if name), "")
    return "utf-8" in locale.lower() or "utf8" in locale.lower()


@lru_cache(maxsize=4_096)
def to_ascii(text: str, *, keeps_hangul: bool) -> str:
    """Return a text of the same width in ASCII.

    Args:
        text: what stands on the screen.
        keeps_hangul: letters of two cells stay; otherwise each becomes `??`.
    """
    if text.isascii():
        return text
    signed = _CHANGE.sub(lambda sign: "+" if sign[1] == "▲" else "-", text)
    return "".join(_sign(sign, keeps_hangul) for sign in signed)


def _sign(sign: str, keeps_hangul: bool) -> str:
    if sign.isascii():
        return sign
    if sign in _SIGNS:
        return _SIGNS[sign]
    width = cell_len(sign)
    if width == 2:
        return sign if keeps_hangul and sign.isalpha() else "??"
    return "." * width


class AsciiSigns(LineFilter):
    """Draws with ASCII signs alone.

    Args:
        keeps_hangul: the terminal has Hangul.
    """

    def __init__(self, *, keeps_hangul: bool) -> None:
        super().__init__()
        self._keeps_hangul = keeps_hangul

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments of a line in ASCII."""
        del background
        return [
            Segment(to_ascii(text, keeps_hangul=self._keeps_hangul), style, control)
            for text, style, control in segments
        ]
