"""The watchlist: groups, their order and their stocks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.watch_groups import (
    EMPTY,
    WatchGroup,
    WatchGroups,
    group_of,
    watched,
    with_group,
    with_moved_stock,
    with_renamed_group,
    with_stocks,
    without_group,
    without_stocks,
)

NAMES, CODES = ("", "반도체", "금융"), ("005930", "000660", "035720", "105560")
CHIPS = (WatchGroup("", ("035720",)), WatchGroup("반도체", ("005930", "000660")))

names, codes = st.sampled_from(NAMES), st.sampled_from(CODES)
many = st.lists(codes, max_size=4)
places = st.integers(0, 5)
changes = st.one_of(
    st.tuples(st.just(with_stocks), many, st.none() | names, st.none() | places),
    st.tuples(st.just(without_stocks), many, st.none() | names),
    st.tuples(st.just(with_moved_stock), codes, names, names, places),
    st.tuples(st.just(with_group), names, st.none() | places),
    st.tuples(st.just(with_renamed_group), names, names),
    st.tuples(st.just(without_group), names),
)


@given(st.lists(changes, max_size=12))
def test_groups_stay_whole_whatever_is_done(steps: list[tuple[object, ...]]) -> None:
    """There is always a group, no two have one name, and no group has a stock twice."""
    groups: WatchGroups = EMPTY
    for change, *arguments in steps:
        groups = change(groups, *arguments)  # type: ignore[operator]

        assert groups
        assert len({group.name for group in groups}) == len(groups)
        assert all(len(set(group.symbols)) == len(group.symbols) for group in groups)


@given(st.lists(changes, max_size=6), codes, names, names, places)
def test_a_moved_stock_is_where_it_was_put(
    steps: list[tuple[object, ...]], symbol: str, source: str, target: str, place: int
) -> None:
    """At the place, or at the end of a shorter group; nothing else changes its order."""
    groups: WatchGroups = EMPTY
    for change, *arguments in steps:
        groups = change(groups, *arguments)  # type: ignore[operator]
    groups = with_stocks(groups, [symbol], source)

    moved = with_moved_stock(groups, symbol, source, target, place)

    found = group_of(moved, target)
    assert found is not None
    assert found.symbols.index(symbol) == min(place, len(found.symbols) - 1)
    assert set(watched(moved)) == set(watched(groups))
    before = group_of(groups, target)
    rest = [one for one in (before.symbols if before else ()) if one != symbol]
    assert [one for one in found.symbols if one != symbol] == rest


def test_a_stock_that_is_there_stays_where_it_is() -> None:
    """To add a stock again moves nothing, unless a place is named."""
    assert with_stocks(CHIPS, ["005930"], "반도체") == CHIPS
    assert with_stocks(CHIPS, ["005930"], "반도체", 1)[1].symbols == ("000660", "005930")
    assert with_stocks(CHIPS, ["105560"])[0].symbols == ("035720", "105560")


def test_a_new_name_that_is_taken_joins_the_groups() -> None:
    """The stocks of the renamed group come behind those of the other."""
    assert with_renamed_group(CHIPS, "", "반도체") == (WatchGroup("반도체", ("005930", "000660", "035720")),)
