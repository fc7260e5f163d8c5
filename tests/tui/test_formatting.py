"""How values are written."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from chartinsight_tui import formatting
from chartinsight_tui.text import Words

WORDS = st.text(alphabet=st.sampled_from("abc 삼성전자ㅅ…▲漢1,"), max_size=30)


@given(WORDS, st.integers(1, 40), st.sampled_from(["left", "right", "center"]))
def test_fitted_text_has_its_width(text: str, width: int, align: formatting.Align) -> None:
    """Whatever the text, Hangul or not, it takes exactly the cells it is given."""
    assert cell_len(formatting.fit(text, width, align)) == width


@given(st.lists(st.integers(0, 100), max_size=80).map(tuple), st.integers(0, 60), st.floats(0, 10))
def test_a_sparkline_has_its_width(values: tuple[int, ...], width: int, top: float) -> None:
    """A sparkline takes its cells, also with more or fewer values, or above its top."""
    assert cell_len(formatting.sparkline(values, width, top)) == width


@given(st.integers(0, 10**6), st.integers(1, 10**6))
def test_only_complete_is_a_hundred(part: int, whole: int) -> None:
    """A share is written 100 when nothing is missing, and never otherwise."""
    ratio = min(part, whole) / whole
    assert (formatting.percent(ratio) == "100") == (ratio == 1)


@pytest.mark.parametrize(
    ("won", "text"),
    [(None, "–"), (99_999_999, "99,999,999"), (341_200_000_000, "3,412억"), (471_234_000_000_000, "471.2조")],
)
def test_large_amounts_of_won(won: int | None, text: str) -> None:
    """Amounts are written in 억 and 조 as Korean readers know them."""
    assert formatting.big_won(won) == text


@pytest.mark.parametrize(
    ("seconds", "korean", "english"),
    [
        (None, "–", "–"),
        (-3.0, "0초", "0s"),
        (48.0, "48초", "48s"),
        (126.0, "2분 06초", "2m 06s"),
        (16_620.0, "4시간 37분", "4h 37m"),
        (273_600.0, "3일 04시간", "3d 04h"),
    ],
)
def test_durations_have_two_units(seconds: float | None, korean: str, english: str) -> None:
    """A duration has at most two units; a clock that was set back makes none below nothing."""
    assert (Words("ko").duration(seconds), Words("en").duration(seconds)) == (korean, english)


def test_times_are_korean() -> None:
    """An instant in UTC is shown in KST."""
    instant = datetime(2026, 10, 14, 16, 7, 30, tzinfo=UTC)
    assert formatting.stamp(instant) == "10-15 01:07:30"
    assert formatting.candle_start(instant, "5m") == "10-15 01:07"
    assert formatting.candle_start(instant, "1d") == "2026-10-15"


def test_sizes() -> None:
    """Bytes are written with the unit that fits."""
    assert [formatting.size(n) for n in (999, 412_876_800, 5e15)] == ["999 B", "412.9 MB", "5,000.0 TB"]
