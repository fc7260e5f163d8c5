"""Rules of the code base that no tool knows."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import quantiles

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = [
    path for name in ("chartinsightd", "chartinsight_tui") for path in sorted((ROOT / name).rglob("*.py"))
]
TESTS = sorted((ROOT / "tests").rglob("*.py"))
OWN = [*SHIPPED, *sorted((ROOT / "script").rglob("*.py"))]

Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = ast.Module | ast.ClassDef | Function

WALL_CLOCK = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"}
STRAY_TASKS = {"asyncio.create_task", "asyncio.ensure_future", "loop.create_task"}


@cache
def tree_of(path: Path) -> ast.Module:
    """Return a file's syntax tree: eight rules read it, and parsing is most of their time."""
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="module", autouse=True)
def _trees() -> Iterator[None]:
    """Give the memory of all trees back when the rules are done."""
    yield
    tree_of.cache_clear()


def parsed(paths: list[Path]) -> Iterator[tuple[str, ast.Module]]:
    """Yield each file's name below the top and its syntax tree."""
    for path in paths:
        yield str(path.relative_to(ROOT)), tree_of(path)


def functions(paths: list[Path]) -> Iterator[tuple[str, Function]]:
    """Yield each function, methods and inner ones too, with the place where it stands."""
    for name, tree in parsed(paths):
        for node in ast.walk(tree):
            if isinstance(node, Function):
                yield f"{name}:{node.lineno} {node.name}", node


def length(function: Function) -> int:
    """Return a function's lines, its docstring left out."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    if ast.get_docstring(function) is None:
        return lines
    docstring = function.body[0]
    return lines - ((docstring.end_lineno or docstring.lineno) - docstring.lineno + 1)


def calls(paths: list[Path], forbidden: set[str]) -> list[str]:
    """Return the places that call one of these dotted names."""
    ends = {name.rpartition(".")[2] for name in forbidden}
    return [
        f"{name}:{node.lineno} {ast.unparse(node.func)}"
        for name, tree in parsed(paths)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ends  # to write out each call would take longer than all else
        and ast.unparse(node.func) in forbidden
    ]


def without_words(node: Documented, place: str) -> Iterator[str]:
    """Yield the public things that have no docstring; a method of a subclass may have its parent's words."""
    if ast.get_docstring(node) is None:
        yield place
    for child in node.body:
        if not isinstance(child, ast.ClassDef | Function) or child.name.startswith("_"):
            continue
        if isinstance(child, ast.ClassDef):
            yield from without_words(child, f"{place}:{child.lineno} {child.name}")
        elif ast.get_docstring(child) is None and not (isinstance(node, ast.ClassDef) and node.bases):
            yield f"{place}:{child.lineno} {child.name}"


def test_modules_are_named_for_what_they_hold() -> None:
    """No module is a drawer for everything: one stray import there taints all that stands above it."""
    drawers = {"utils.py", "util.py", "helpers.py", "common.py", "misc.py"}
    assert [path for path in [*OWN, *TESTS] if path.name in drawers] == []


def test_functions_are_small() -> None:
    """Half of the functions have fewer than ten lines, nine in ten at most thirty."""
    tenths = quantiles([length(function) for _, function in functions(OWN)], n=10)
    assert tenths[4] < 10
    assert tenths[8] <= 30


def test_public_things_have_words() -> None:
    """Each module, public class and public function says what it is for."""
    assert [place for name, tree in parsed(OWN) for place in without_words(tree, name)] == []


def test_tests_state_their_rule() -> None:
    """The docstring of a test is the rule that it holds."""
    nameless = [
        place
        for place, function in functions(TESTS)
        if function.name.startswith("test_") and ast.get_docstring(function) is None
    ]
    assert nameless == []


def test_only_a_clock_reads_the_wall_clock() -> None:
    """Everything else is given a clock, so that a trading day can pass in seconds."""
    assert calls([path for path in SHIPPED if path.name != "clock.py"], WALL_CLOCK) == []


def test_every_task_has_an_owner() -> None:
    """Tasks are made by a TaskGroup alone: none is forgotten, none fails unheard."""
    assert calls(OWN, STRAY_TASKS) == []


def test_every_task_group_stands_eager_tasks() -> None:
    """Groups are our own, which create all their tasks before one begins; the simulator shares no code."""
    files = [path for path in OWN if path.name != "task_group.py" and "simulator" not in path.parts]
    assert calls(files, {"asyncio.TaskGroup"}) == []


def test_errors_are_not_swallowed() -> None:
    """No handler of all exceptions consists of `pass` alone."""
    broad = {"Exception", "BaseException"}
    assert [
        f"{name}:{node.lineno}"
        for name, tree in parsed(OWN)
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in broad)
        and all(isinstance(statement, ast.Pass) for statement in node.body)
    ] == []


IMPORT_ALL = """
import importlib, sys

def refuse(event, arguments):
    writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    opens = event in {"socket.connect", "socket.bind", "subprocess.Popen", "os.mkdir", "sqlite3.connect"}
    if writes or opens:
        raise RuntimeError(f"an import did {event} {arguments!r}")

sys.addaudithook(refuse)
for name in sys.argv[1:]:
    importlib.import_module(name)
print(" ".join(sorted({"pandas", "scipy", "talib"} & sys.modules.keys())))
"""


@pytest.fixture(scope="module")
def importing_everything() -> subprocess.CompletedProcess[str]:
    """What came of importing every module but the entry points, where nothing may be written or opened."""
    modules = [path.relative_to(ROOT).with_suffix("") for path in SHIPPED if path.name != "__main__.py"]
    names = [".".join(module.parts).removesuffix(".__init__") for module in modules]
    command = [sys.executable, "-B", "-W", "error", "-c", IMPORT_ALL, *names]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def test_importing_does_nothing(importing_everything: subprocess.CompletedProcess[str]) -> None:
    """Importing a module opens no connection, writes no file, starts no process and warns of nothing."""
    assert importing_everything.returncode == 0, importing_everything.stderr


def test_frames_are_imported_when_used(importing_everything: subprocess.CompletedProcess[str]) -> None:
    """No import of ours loads pandas, scipy or TA-Lib: the daemon does without their memory."""
    assert importing_everything.stdout.split() == []


def test_the_dashboard_is_imported_by_its_own_name() -> None:
    """`tui` is the folder's name alone: imported by it, the dashboard would be loaded a second time."""
    by_folder = re.compile(r"^\s*(from|import) tui\b", re.MULTILINE)
    assert [path for path in [*OWN, *TESTS] if by_folder.search(path.read_text(encoding="utf-8"))] == []


def test_times_are_logged_as_times() -> None:
    """Only the log writes a time as text: in KST, as the line's own."""
    assert [
        f"{name}:{node.lineno}"
        for name, tree in parsed(SHIPPED)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("log.")
        for value in node.keywords
        if re.search(r"\.isoformat\(|str\(.*(now\(\)|\.at\b)", ast.unparse(value.value))
    ] == []


def test_people_read_korean_times() -> None:
    """No text that is formatted for a person names a time in UTC."""
    utc = re.compile(r"\{[^{}]*:%[^{}]*\} ?UTC")
    assert [path for path in SHIPPED if utc.search(path.read_text(encoding="utf-8"))] == []


def test_nothing_is_left_to_do_later() -> None:
    """Notes to oneself are not committed; what is missing stands in the changelog or is done."""
    note = re.compile(r"#\s*(TO" + r"DO|FIX" + r"ME|XX" + r"X|HACK)\b")
    assert [path for path in [*OWN, *TESTS] if note.search(path.read_text(encoding="utf-8"))] == []
