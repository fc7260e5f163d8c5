"""Who belongs to the universe: everyone on the list is judged once, with one reason, in one order."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.issue_kind import IssueKind
from chartinsightd.domain.universe import OPTIONAL, Exclusion, Membership, UniverseRule, changes, decide


@dataclass(frozen=True)
class Row:
    """A row of the stock list."""

    symbol: str
    name: str = "한빛전자"
    kind: IssueKind = IssueKind.SHARE
    state: str = "증거금20%|담보대출"
    market_cap: int = 200


RULE = UniverseRule(min_market_cap=100)
SYMBOLS = st.integers(0, 60).map(lambda number: f"{number:05}{number % 3 * 5 % 10}")
ROWS = st.builds(
    Row,
    symbol=SYMBOLS,
    name=st.sampled_from(["한빛전자", "하나29호스팩", "KODEX 200"]),
    kind=st.sampled_from(IssueKind),
    state=st.sampled_from(["증거금20%", "증거금100%|거래정지", "관리종목", "관리종목|거래정지", ""]),
    market_cap=st.integers(0, 200),
)
LISTS = st.lists(ROWS, max_size=30, unique_by=lambda row: row.symbol)
RULES = st.none() | st.builds(
    UniverseRule,
    min_market_cap=st.integers(0, 200),
    leaves_out=st.frozensets(st.sampled_from(sorted(OPTIONAL))),
)
NAMED = st.frozensets(SYMBOLS, max_size=5)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (Row("005930"), ""),
        (Row("0126Z0"), ""),
        (Row("005935"), "preferred"),
        (Row("03473K"), "preferred"),
        (Row("069500", kind=IssueKind.ETF), "fund"),
        (Row("530031", kind=IssueKind.ETN), "fund"),
        (Row("500001", kind=IssueKind.OTHER), "fund"),
        (Row("469900", name="하나29호스팩"), "spac"),
        (Row("000020", state="증거금100%|관리종목"), "administrative"),
        (Row("000020", state="증거금100%|거래정지"), "halted"),
        (Row("000020", market_cap=99), "too_small"),
        (Row("000020", market_cap=100), ""),
    ],
)
def test_each_rule_leaves_out_its_stocks(row: Row, reason: str) -> None:
    """What a stock is counts before how it stands, and that before its size."""
    assert decide([row], RULE) == [Membership(symbol=row.symbol, member=not reason, reason=reason)]


@given(LISTS, RULES, NAMED, NAMED)
def test_members_and_excluded_add_up_to_the_list(
    rows: list[Row], rule: UniverseRule | None, targets: frozenset[str], removed: frozenset[str]
) -> None:
    """Every listed stock is judged once, the largest first; a reason stands exactly where it is left out."""
    judged = decide(rows, rule, targets=targets, removed=removed)

    wanted = {row.symbol for row in rows if rule is not None or row.symbol in targets}
    caps = {row.symbol: row.market_cap for row in rows}
    assert sorted(one.symbol for one in judged) == sorted(wanted)
    assert [caps[one.symbol] for one in judged] == sorted((caps[one.symbol] for one in judged), reverse=True)
    assert all(one.member is (one.reason == "") for one in judged)


@given(LISTS, RULES, NAMED, NAMED)
def test_a_person_decides_before_any_rule(
    rows: list[Row], rule: UniverseRule | None, targets: frozenset[str], removed: frozenset[str]
) -> None:
    """What was removed by hand is never a member; a listed target that was not is always one."""
    judged = {one.symbol: one for one in decide(rows, rule, targets=targets, removed=removed)}

    assert not any(judged[symbol].member for symbol in removed & judged.keys())
    assert all(judged[row.symbol].member for row in rows if row.symbol in targets - removed)


@given(LISTS, RULES.filter(lambda rule: rule is not None))
def test_a_rule_that_leaves_out_less_never_loses_a_member(rows: list[Row], rule: UniverseRule) -> None:
    """Letting one kind in takes nobody else out."""
    members = {one.symbol for one in decide(rows, rule) if one.member}
    for kind in rule.leaves_out:
        wider = UniverseRule(min_market_cap=rule.min_market_cap, leaves_out=rule.leaves_out - {kind})
        assert members <= {one.symbol for one in decide(rows, wider) if one.member}


@given(st.lists(st.tuples(LISTS, RULES, NAMED), min_size=1, max_size=5))
def test_the_record_tells_who_was_a_member_after_each_list(
    days: list[tuple[list[Row], UniverseRule | None, frozenset[str]]],
) -> None:
    """The changes alone, read in order, give the members of every day; an unchanged list adds no row."""
    record: dict[str, Membership] = {}
    for rows, rule, targets in days:
        listed = {row.symbol for row in rows}
        judged = decide(rows, rule, targets=targets)
        record |= {one.symbol: one for one in changes(record, judged, listed=listed)}

        assert {one.symbol for one in record.values() if one.member} == {
            one.symbol for one in judged if one.member
        }
        assert changes(record, judged, listed=listed) == []


def test_an_unreadable_row_changes_nothing() -> None:
    """A stock whose row cannot be read stays what it was; one that left is delisted, not forgotten."""
    record = {symbol: Membership(symbol=symbol, member=True) for symbol in ("000010", "000020", "000030")}

    changed = changes(record, [], listed={"000030"}, unreadable={"000010"})

    assert {one.symbol: one.reason for one in changed} == {
        "000020": Exclusion.DELISTED,
        "000030": Exclusion.OFF,
    }
