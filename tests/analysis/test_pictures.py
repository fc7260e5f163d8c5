"""The pictures of docs/analysis.md show what the analyser finds."""

from __future__ import annotations

import runpy
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "script" / "pattern_pictures.py"


def test_pictures_are_what_the_analyser_finds() -> None:
    """Each pattern's picture is the one that `script/pattern_pictures.py` draws today."""
    for file, text in runpy.run_path(str(SCRIPT))["pictures"]():
        assert file.read_text(encoding="utf-8") == text, f"python {SCRIPT.name} draws {file.name}"
