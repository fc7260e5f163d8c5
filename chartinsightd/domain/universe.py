"""Who belongs to the universe: a rule over the stock list, and the reason of each stock it leaves out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from chartinsightd.domain.issue_kind import IssueKind


class Exclusion(StrEnum):
    """Why a stock is left out."""

    REMOVED = "removed"
    """A person removed it (`symbols remove`)."""
    FUND = "fund"
    """ETF, ETN, REIT, fund, or another issue that is no share (kiwoom.md#stock-list)."""
    SPAC = "spac"
    """기업인수목적회사: KRX has such a company carry 스팩 in its name."""
    PREFERRED = "preferred"
    """A preferred share: its code does not end in 0."""
    ADMINISTRATIVE = "administrative"
    """관리종목 (kiwoom.md#stock-states)."""
    HALTED = "halted"
    """거래정지 (kiwoom.md#stock-states)."""
    TOO_SMALL = "too_small"
    """Its market cap is below the least one."""
    DELISTED = "delisted"
    """It left the stock list."""
    OFF = "off"
    """There is no universe any more, and it is no target."""


OPTIONAL = frozenset(
    {
        Exclusion.FUND,
        Exclusion.SPAC,
        Exclusion.PREFERRED,
        Exclusion.ADMINISTRATIVE,
        Exclusion.HALTED,
    }
)
"""What a rule may leave out or let in."""


class Issue(Protocol):
    """What a row of the stock list says of an issue."""

    @property
    def symbol(self) -> str:
        """Kiwoom's code."""

    @property
    def name(self) -> str:
        """The Korean name."""

    @property
    def kind(self) -> IssueKind:
        """What it is."""

    @property
    def state(self) -> str:
        """Words joined by `|`, such as `증거금100%|거래정지`."""

    @property
    def market_cap(self) -> int:
        """Won."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UniverseRule:
    """Which listed stocks are collected and screened beside the targets."""

    min_market_cap: int
    """Won; 0: of any size."""
    leaves_out: frozenset[Exclusion] = OPTIONAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """Whether a stock belongs to the universe, from a Korean day on."""

    symbol: str
    member: bool
    reason: str = ""
    """Why it is left out, as in `Exclusion`; empty for a member."""


def decide(
    issues: Iterable[Issue],
    rule: UniverseRule | None,
    *,
    targets: Collection[str] = (),
    removed: Collection[str] = (),
) -> list[Membership]:
    """Return what a stock list makes of each issue, the largest first; equal ones by their codes.

    Args:
        issues: the whole list.
        rule: which stocks are admitted beside the targets; None: no others, and they get no reason.
        targets: they belong to the universe whatever they are.
        removed: what a person does not want.
    """
    largest_first = sorted(issues, key=lambda issue: (-issue.market_cap, issue.symbol))
    wanted = [issue for issue in largest_first if rule is not None or issue.symbol in targets]
    return [_judged(issue, rule, targets, removed) for issue in wanted]


def _judged(
    issue: Issue, rule: UniverseRule | None, targets: Collection[str], removed: Collection[str]
) -> Membership:
    reason: Exclusion | None = None
    if issue.symbol in removed:
        reason = Exclusion.REMOVED
    elif issue.symbol not in targets and rule is not None:
        reason = _left_out(issue, rule)
    return Membership(symbol=issue.symbol, member=reason is None, reason=reason or "")


def _left_out(issue: Issue, rule: UniverseRule) -> Exclusion | None:
    """Return the first reason that holds, what a stock is before how it stands."""
    for reason in _kinds_of(issue):
        if reason in rule.leaves_out:
            return reason
    return Exclusion.TOO_SMALL if issue.market_cap < rule.min_market_cap else None


def _kinds_of(issue: Issue) -> Iterator[Exclusion]:
    if issue.kind is not IssueKind.SHARE:
        yield Exclusion.FUND
    if "스팩" in issue.name:
        yield Exclusion.SPAC
    # of a fund the last character says nothing
    if issue.kind is IssueKind.SHARE and not issue.symbol.endswith("0"):
        yield Exclusion.PREFERRED
    if "관리종목" in issue.state:
        yield Exclusion.ADMINISTRATIVE
    if "거래정지" in issue.state:
        yield Exclusion.HALTED


def changes(
    before: Mapping[str, Membership],
    now: Iterable[Membership],
    *,
    listed: Collection[str],
    unreadable: Collection[str] = (),
) -> list[Membership]:
    """Return what to record: memberships that differ from the recorded ones.

    Args:
        before: the last record of each symbol.
        now: what the list makes of its issues.
        listed: every symbol whose row could be read.
        unreadable: listed symbols whose rows could not be read: of them nothing changes.
    """
    judged = {one.symbol: one for one in now}
    new = [one for symbol, one in judged.items() if before.get(symbol) != one]
    gone = [one for symbol, one in before.items() if symbol not in judged and symbol not in unreadable]
    return [*new, *_departures(gone, listed)]


def _departures(gone: Iterable[Membership], listed: Collection[str]) -> Iterator[Membership]:
    for one in gone:
        reason = Exclusion.OFF if one.symbol in listed else Exclusion.DELISTED
        if one.member or (reason is Exclusion.DELISTED and one.reason != reason):
            yield Membership(symbol=one.symbol, member=False, reason=reason)
