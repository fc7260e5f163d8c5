"""The stock lists and figures, from the market (kiwoom.md#stocks)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

import msgspec

from chartinsightd.simulator import wire_errors as errors
from chartinsightd.simulator import wire_stocks as wire
from chartinsightd.simulator.faults import KEPT_OF_A_LIST
from chartinsightd.simulator.model import Market, Period, PeriodRows
from chartinsightd.simulator.pages import served_code
from chartinsightd.simulator.sectors import sector_rows
from chartinsightd.simulator.settings import Profile

_YEAR_ROWS = 250
_SLICE = 8
"""Stocks looked up before other requests have their turn: some milliseconds; all of them take seconds."""

_Asked = TypeVar("_Asked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """An answer of the stock APIs."""

    body: bytes
    rows: int | None
    """For the header resp-cnt; None for answers that are no list."""


def cut_short(listing: Listing) -> Listing:
    """Return a stock list that ends after its first rows, as if that were all."""
    fields = msgspec.json.decode(listing.body)
    rows = fields["list"][: int(len(fields["list"]) * KEPT_OF_A_LIST) + 1]
    return Listing(body=msgspec.json.encode(fields | {"list": rows}), rows=len(rows))


class Stocks:
    """Answers ka10001, ka10095, ka10099, ka10100 and ka10101."""

    def __init__(self, market: Market, profile: Profile) -> None:
        self._market = market
        self._profile = profile
        self._lists: dict[str, tuple[date, Listing]] = {}

    def forget(self) -> None:
        """Drop what was encoded, after a correction."""
        self._lists.clear()

    async def answer(self, api_id: str, fields: dict[str, str], now: datetime) -> Listing:
        """Return the answer of one of the five.

        Raises:
            Refused: 1634, or 1902 where the profile says so.
        """
        match api_id:
            case "ka10099":
                return await self._list(fields["mrkt_tp"], now)
            case "ka10101":
                rows = sector_rows(fields["mrkt_tp"])
                return Listing(body=wire.sectors_body(rows), rows=len(rows))
            case "ka10095":
                return await self._batch(fields["stk_cd"], now)
            case "ka10100":
                return Listing(body=wire.flat_body(self._issue(fields["stk_cd"], now)), rows=None)
        return Listing(body=wire.flat_body(self._info(fields["stk_cd"], now)), rows=None)

    async def _list(self, market_type: str, now: datetime) -> Listing:
        day, listing = self._lists.get(market_type, (None, None))
        if listing is None or day != now.date():
            issues = [one for one in self._market.issues(now) if wire.is_in_list(one, market_type)]
            rows = await _in_slices(
                issues, lambda issue: wire.issue_row(issue, self._last_close(issue.code, now))
            )
            listing = Listing(body=wire.list_body(rows), rows=len(rows))
            self._lists[market_type] = now.date(), listing
        return listing

    def _last_close(self, code: str, now: datetime) -> int:
        return wire.last_close(self._market.snapshot(code, now), now)

    def _issue(self, code: str, now: datetime) -> wire.Row:
        issue = self._market.issue(code)
        if issue is None:
            self._refuse_unknown(code)
            return wire.BLANK_ISSUE
        return wire.issue_row(issue, self._last_close(code, now))

    def _info(self, code: str, now: datetime) -> wire.Row:
        figures = self._figures(code, now)
        if figures is None:
            self._refuse_unknown(code)
            return wire.blank_info(code)
        days = self._market.periods(figures.snapshot.code, Period.DAY, now, None)
        return wire.info_row(figures, _newest(days))

    def _refuse_unknown(self, code: str) -> None:
        if self._profile.unknown_stock == "1902":
            raise errors.unknown_stock(code)

    async def _batch(self, joined: str, now: datetime) -> Listing:
        codes = joined.split("|")
        if len(codes) > self._profile.codes_per_batch:
            raise errors.batch_too_big(self._profile.batch_status)
        rows = await _in_slices(codes, lambda code: self._batch_row(code, now))
        return Listing(body=wire.batch_body(rows), rows=len(rows))

    def _batch_row(self, code: str, now: datetime) -> wire.Row:
        figures = self._figures(code, now)
        return wire.BLANK_BATCH_ROW if figures is None else wire.batch_row(figures, now)

    def _figures(self, code: str, now: datetime) -> wire.Figures | None:
        served = served_code(code, self._market, self._profile)
        if served is None:
            return None
        snapshot = self._market.snapshot(served, now)
        issue = self._market.issue(served)
        if snapshot is None or issue is None:
            return None
        return wire.Figures(code=code, issue=issue, snapshot=snapshot)


async def _in_slices(asked: Iterable[_Asked], row_of: Callable[[_Asked], wire.Row]) -> list[wire.Row]:
    """Return a row for each stock; requests that came meanwhile are counted when they came."""
    rows: list[wire.Row] = []
    for place, one in enumerate(asked, 1):
        rows.append(row_of(one))
        if place % _SLICE == 0:
            await asyncio.sleep(0)
    return rows


def _newest(days: PeriodRows) -> PeriodRows:
    part = slice(-_YEAR_ROWS, None)
    names = PeriodRows.__dataclass_fields__
    return PeriodRows(**{name: getattr(days, name)[part] for name in names})
