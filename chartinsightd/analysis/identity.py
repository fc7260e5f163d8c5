"""Which rules a result rests on. With the candles (`domain.data_id`) they give the same bytes again."""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Mapping
from typing import Any

ANALYSER_MODULES = (
    "adjusted",
    "analyser",
    "candles",
    "patterns.breakout",
    "patterns.double",
    "patterns.head_shoulders",
    "patterns.life",
    "patterns.retest",
    "patterns.search",
    "points",
    "skeleton",
    "structure",
    "trend",
)
"""The modules of this package that decide points, trends and patterns: their sources make the analyser's
id."""
STRATEGY_MODULES = (
    *ANALYSER_MODULES,
    "indicators.averages",
    "indicators.momentum",
    "indicators.registry",
    "indicators.volatility",
    "indicators.volume",
    "strategy",
    "structured",
)
"""What an answer of a strategy rests on beside its own source."""
SCREEN_MODULES = (*STRATEGY_MODULES, "screens.evaluation", "screens.expression")
"""What an answer of a screen rests on beside the sources of its strategies and the expression."""
STATISTICS_MODULES = (*STRATEGY_MODULES, "statistics")
"""What a statistic rests on beside the sources of its strategy, or the analyser whose patterns it counts."""
_LENGTH = 32
"""Hexadecimal digits of an id."""


def code_id(sources: Mapping[str, str], parameters: Mapping[str, Any] | None = None) -> str:
    """Return the id of the rules that a result was computed with.

    Comments, docstrings and layout do not count: what computes the same makes nothing due.

    Args:
        sources: text of each module that takes part, by name.
        parameters: what the computation was given, in JSON's types.

    Raises:
        SyntaxError: a source is no Python.
    """
    rules = {name: _rules(source) for name, source in sources.items()}
    return _digest([rules, parameters or {}])


def _rules(source: str) -> str:
    """Return a source without words: what is left decides."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            kept = [one for one in body if not _is_text(one)]
            node.body = kept or [ast.Pass()]  # type: ignore[attr-defined]
    return ast.unparse(tree)


def _is_text(node: object) -> bool:
    is_constant = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return is_constant and isinstance(node.value.value, str)  # type: ignore[attr-defined]


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]
