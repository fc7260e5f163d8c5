"""Symbols are divided among accounts evenly, and move only when they have to."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.account_share import account_of, shares

SYMBOLS = [f"{number:06}" for number in range(2_700)]
accounts = st.lists(st.text("abcdef", min_size=1, max_size=4), min_size=2, max_size=9, unique=True)


@given(names=accounts, data=st.data())
def test_a_lost_account_moves_its_own_symbols_and_no_others(names: list[str], data: st.DataObject) -> None:
    """Whoever is asked through a working account stays there."""
    lost = data.draw(st.sampled_from(names))
    left = [name for name in names if name != lost]
    before = {symbol: account_of(symbol, names) for symbol in SYMBOLS[:200]}
    after = {symbol: account_of(symbol, left) for symbol in SYMBOLS[:200]}
    assert {symbol for symbol in before if before[symbol] != after[symbol]} == {
        symbol for symbol, name in before.items() if name == lost
    }


@given(names=accounts)
def test_the_order_of_accounts_decides_nothing(names: list[str]) -> None:
    """A configuration file that lists them in another order moves no symbol."""
    assert all(account_of(one, names) == account_of(one, names[::-1]) for one in SYMBOLS[:100])


def test_each_account_gets_about_the_same_share() -> None:
    """Of a whole market no account has a tenth more or less than its part."""
    counts = Counter(account_of(symbol, ["main", "second", "third"]) for symbol in SYMBOLS)
    assert len(counts) == 3
    assert all(abs(count - 900) <= 90 for count in counts.values())


@given(names=accounts, most=st.integers(0, 40), wanted=st.integers(0, 300))
def test_room_is_used_up_and_never_exceeded(names: list[str], most: int, wanted: int) -> None:
    """The most wanted symbols are registered, each once, as many as there is room for."""
    found = shares(SYMBOLS[:wanted], names, most)
    assert all(len(some) <= most for some in found.values())
    registered = [symbol for some in found.values() for symbol in some]
    assert sorted(registered) == SYMBOLS[: min(wanted, most * len(names))]
