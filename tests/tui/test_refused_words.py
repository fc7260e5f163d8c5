"""Reasons of the quarantine on screens."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from chartinsight_tui.refused_words import refused_words
from chartinsight_tui.text import Words

ROOT = Path(__file__).resolve().parents[2] / "chartinsightd"
SOURCES = {
    "domain/quality.py": ("_not_asked_for", "_faults"),
    "service/collecting/second_look.py": ("doubted",),
    "adapters/kiwoom/wire.py": ("_number", "_instant", "_text"),
}
"""The functions in which reasons are written, each as words joined by underscores."""
OTHERS = {"refused_by_the_database", "row_not_an_object", "blank_row", "conflicting_duplicate"}
"""Reasons that stand beside other texts of their functions."""


def reasons() -> set[str]:
    """Return every reason that the daemon can give, with a field's name where one stands before it."""
    found = set(OTHERS)
    for file, functions in SOURCES.items():
        for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in functions:
                found |= {re.sub(r"^\{\w+\}", "open_pric", text) for text in _texts(node)}
    return found


def _texts(function: ast.AST) -> set[str]:
    texts = {ast.unparse(node).lstrip("f").strip("'\"") for node in ast.walk(function) if _is_text(node)}
    return {text for text in texts if re.fullmatch(r"(\{field\}|[a-z]+)(_[a-z]+)+", text)}


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


@pytest.mark.parametrize("words", [Words("en"), Words("ko")], ids=["en", "ko"])
def test_every_reason_of_a_refused_row_has_words(words: Words) -> None:
    """No screen shows a code of the daemon in the place of a reason."""
    assert len(reasons()) >= 18
    assert [reason for reason in reasons() if refused_words(reason, words) == reason] == []
