"""Ids change with what decides, and with nothing else."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import chartinsightd.analysis
from chartinsightd.analysis.identity import (
    ANALYSER_MODULES,
    SCREEN_MODULES,
    STRATEGY_MODULES,
    code_id,
)

ROOM = Path(chartinsightd.analysis.__file__).parent


def test_words_do_not_count_as_rules() -> None:
    """A comment, a docstring and a blank line make nothing due; a constant does."""
    source = "LIMIT = 3\n\ndef rule(x: int) -> bool:\n    return x > LIMIT\n"
    words = source.replace("= 3", '= 3  # a limit\n"""In candles."""\n').replace(
        "    ret", '    """More."""\n\n    ret'
    )
    assert code_id({"rules": words}) == code_id({"rules": source})
    assert code_id({"rules": source.replace("3", "4")}) != code_id({"rules": source})
    assert code_id({"rules": source}, {"length": 14}) != code_id({"rules": source}, {"length": 15})


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.booleans(), max_size=5))
def test_the_order_of_parameters_does_not_count(parameters: dict[str, int | str | bool]) -> None:
    """The same parameters in another order are the same rules."""
    backwards = dict(reversed(parameters.items()))
    assert code_id({}, parameters) == code_id({}, backwards)


@pytest.mark.parametrize("modules", [ANALYSER_MODULES, STRATEGY_MODULES, SCREEN_MODULES])
def test_rules_are_all_that_they_import(modules: tuple[str, ...]) -> None:
    """A list of modules that makes an id holds each one that its modules import of the package."""
    assert len(set(modules)) == len(modules)
    for name in modules:
        if (name, modules) == ("candles", ANALYSER_MODULES):
            continue  # it reads indicators for strategies; the analyser reads its rows
        assert imported(name) <= set(modules), name


def imported(name: str) -> set[str]:
    """Return the modules of the package that one of them imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse((ROOM / f"{name.replace('.', '/')}.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("chartinsightd.analysis"):
            module = (node.module or "").removeprefix("chartinsightd.analysis").removeprefix(".")
            is_package = (ROOM / module.replace(".", "/")).is_dir()
            found |= {f"{module}.{one.name}" for one in node.names} if is_package else {module}
    return found
