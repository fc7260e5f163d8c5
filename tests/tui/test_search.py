"""Finding stocks."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from chartinsight_tui.search import found, is_found


@dataclass(frozen=True)
class Stock:
    """A stock to be found."""

    symbol: str
    name: str


STOCKS = [
    Stock("005935", "삼성전자우"),
    Stock("005930", "삼성전자"),
    Stock("006400", "삼성SDI"),
    Stock("0126Z0", "한대"),
]


@pytest.mark.parametrize("text", ["005930", "0059", "삼성전자", "성전", "ㅅㅅㅈㅈ", " 삼성전자 ", ""])
def test_a_stock_is_found(text: str) -> None:
    """By the start of its symbol, part of its name, its first consonants, or nothing at all."""
    assert is_found(text, "005930", "삼성전자")


@pytest.mark.parametrize("text", ["930", "ㅅㅈㅅ", "하이닉스"])
def test_a_stock_is_not_found(text: str) -> None:
    """The middle of a symbol or other consonants do not find it."""
    assert not is_found(text, "005930", "삼성전자")


def test_case_is_ignored() -> None:
    """Latin letters are found in either case."""
    assert is_found("sdi", "006400", "삼성SDI")
    assert is_found("0126z", "0126Z0", "한대")


def test_the_exact_name_comes_first() -> None:
    """Who types a whole name gets that stock first."""
    assert [stock.symbol for stock in found("삼성전자", STOCKS, 2)] == ["005930", "005935"]
