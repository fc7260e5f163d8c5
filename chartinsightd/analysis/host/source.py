"""A strategy's source: read without running it, then made a module."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from types import ModuleType

from chartinsightd.analysis.host.refusal import Check, StrategyRefused
from chartinsightd.analysis.strategy import Strategy

IMPORTS = frozenset(
    {
        "__future__",
        "bisect",
        "chartinsightd.analysis",
        "collections",
        "collections.abc",
        "dataclasses",
        "enum",
        "fractions",
        "functools",
        "itertools",
        "math",
        "numpy",
        "numpy.typing",
        "operator",
        "pydantic",
        "statistics",
        "typing",
    }
)
"""What a strategy may import: everything that computes and cannot read or write."""
_CALLS = frozenset(
    {
        "__import__",
        "breakpoint",
        "compile",
        "delattr",
        "eval",
        "exec",
        "exit",
        "globals",
        "help",
        "input",
        "open",
        "print",
        "quit",
        "setattr",
        "vars",
    }
)
_OF_NUMPY = frozenset(
    {
        "DataSource",
        "ctypeslib",
        "fromfile",
        "genfromtxt",
        "lib",
        "load",
        "loadtxt",
        "memmap",
        "random",
        "save",
        "savetxt",
        "savez",
        "savez_compressed",
        "setflags",
        "tofile",
    }
)
"""Parts of numpy that read, write, draw lots, or open an array that is closed for writing."""
_LONGEST = 200_000
"""Characters of a source that is read at all."""
_PACKAGE = "chartinsight_strategies"


def load(source: str, name: str) -> Strategy:
    """Return the strategy that a source defines.

    The module is run: do that in a process whose time and memory are bounded.

    Args:
        source: the text of the module.
        name: of its file, without the ending.

    Raises:
        StrategyRefused: the source is no Python, imports or calls what it may not, fails when it is run, or
            defines no strategy or several.
    """
    for place, what in forbidden(_parsed(source, name)):
        raise StrategyRefused(
            Check.SOURCE,
            f"{name}.py line {place} uses {what}.",
            remedy="A strategy computes from its candles alone; use numpy, math and what the candles offer.",
        )
    module = _run(source, name)
    found = [one for one in vars(module).values() if isinstance(one, Strategy)]
    if len(found) != 1:
        raise StrategyRefused(
            Check.SOURCE,
            f"{name}.py defines {len(found)} strategies.",
            remedy="Decorate one function with @strategy(…).",
        )
    return found[0]


def _parsed(source: str, name: str) -> ast.Module:
    if len(source) > _LONGEST:
        raise StrategyRefused(Check.SOURCE, f"{name}.py has more than {_LONGEST:,} characters.")
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise StrategyRefused(Check.SOURCE, f"{name}.py is no Python: {error}.") from error


def forbidden(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and name of what a strategy may not use."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, one.name) for one in node.names if one.name not in IMPORTS)
        elif isinstance(node, ast.ImportFrom):
            yield from _from(node)
        elif isinstance(node, ast.Name) and node.id in _CALLS:
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute) and (node.attr in _OF_NUMPY or _is_hidden(node.attr)):
            yield node.lineno, node.attr


def _from(node: ast.ImportFrom) -> Iterator[tuple[int, str]]:
    module = "." * node.level + (node.module or "")
    if module not in IMPORTS:
        yield node.lineno, module
    yield from ((node.lineno, one.name) for one in node.names if one.name in _OF_NUMPY)


def _is_hidden(attribute: str) -> bool:
    """Return whether an attribute leads behind the interface, as `__globals__` and `__subclasses__` do."""
    return attribute.startswith("__") and attribute.endswith("__")


def _run(source: str, name: str) -> ModuleType:
    module = ModuleType(f"{_PACKAGE}.{name}")
    sys.modules[module.__name__] = module  # pydantic looks the names of annotations up there
    try:
        exec(compile(source, f"{name}.py", "exec"), vars(module))
    except Exception as error:
        raise StrategyRefused(Check.SOURCE, f"{name}.py fails: {type(error).__name__}: {error}.") from error
    return module
