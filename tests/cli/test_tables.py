"""Tables fit, and say nothing to the terminal itself."""

from __future__ import annotations

import io
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from chartinsightd.cli.formatting import duration, percent, size
from chartinsightd.cli.tables import Column, FittedTable, Marked, fitting_widths
from chartinsightd.cli.views.lists import pairs

COLUMNS = (
    Column(title="symbol"),
    Column(title="name", cut=True, rank=2),
    Column(title="rows", right=True, rank=1),
    Column(title="reason", cut=True),
)
texts = st.text(alphabet=st.sampled_from("a7 삼성전자é…\x1b\n"), max_size=40)
rows = st.lists(st.tuples(st.just("005930"), texts, texts, texts), max_size=5)


@settings(deadline=None)  # the machine may be busy with other things
@given(rows, st.integers(18, 200))
def test_no_line_is_wider_than_the_terminal(table_rows: Any, width: int) -> None:
    """Whatever the cells hold, Hangul of double width too, each line fits."""
    file = io.StringIO()
    Console(file=file, width=width, color_system=None).print(FittedTable(COLUMNS, table_rows))

    lines = file.getvalue().splitlines()
    assert len(lines) == 1 + len(table_rows)
    assert max(cell_len(line) for line in lines) <= width


@settings(deadline=None)  # the machine may be busy with other things
@given(st.tuples(*[st.integers(1, 60)] * 4), st.integers(1, 300))
def test_columns_leave_by_their_rank(natural: list[int], room: int) -> None:
    """What must stay stays; a column is only gone when all of a higher rank are."""
    shown = fitting_widths(COLUMNS, natural, room)

    assert {0, 3} <= shown.keys()
    assert 2 in shown or 1 not in shown
    assert all(shown[place] <= natural[place] or shown[place] <= 6 for place in shown)


@settings(deadline=None)  # the machine may be busy with other things
@given(st.tuples(*[st.integers(1, 60)] * 4))
def test_with_room_nothing_is_cut(natural: list[int]) -> None:
    """Each column has the width it likes when there is room for all."""
    assert fitting_widths(COLUMNS, natural, sum(natural) + 2 * 4) == dict(enumerate(natural))


def test_colours_are_for_terminals() -> None:
    """A marked cell is plain text where there are no colours."""
    file = io.StringIO()
    Console(file=file, width=40).print(FittedTable((Column(title="a"),), [(Marked("x", "bold red"),)]))

    assert file.getvalue().split() == ["a", "x"]


@settings(deadline=None)  # the machine may be busy with other things
@given(st.floats(0, 1))
def test_only_all_is_a_hundred_percent(ratio: float) -> None:
    """What lacks the least bit is not shown as complete."""
    assert (percent(ratio) == "100 %") == (ratio == 1)


def test_values_are_short_words() -> None:
    """Two units at most, three digits or so."""
    assert [duration(s) for s in (None, -1179, 0, 0.2, 59.9, 152, 3_600, 11_520, 180_000)] == [
        "–",
        "0 s",
        "0 s",
        "<1 s",
        "59 s",
        "2 min 32 s",
        "1 h",
        "3 h 12 min",
        "2 d 2 h",
    ]
    assert [size(n) for n in (0, 999, 1_500, 412_876_800, 5 * 10**12)] == [
        "0 B",
        "999 B",
        "1.5 kB",
        "413 MB",
        "5.0 TB",
    ]


_evidence = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text("abc :0-", max_size=6),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.sampled_from(["m", "n_of"]), one, max_size=2),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["compared", "broken_at"]), _evidence))
def test_evidence_is_written_in_words(evidence: dict[str, Any]) -> None:
    """Whatever a seal or an adjustment rests on, a person sees no brackets, quotes or Python's own words."""
    shown = pairs(evidence)
    assert not set(shown) & set("[]{}'\"_")
    assert not set(shown.replace(",", " ").split()) & {"None", "True", "False"}
    assert pairs({"compared": ["30m", "1h"], "whole": True}) == "compared 30m 1h, whole yes"
