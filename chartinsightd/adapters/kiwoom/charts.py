"""Charts, page by page, newest first (kiwoom.md#charts)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import structlog

from chartinsightd.adapters.kiwoom.client import KiwoomClient
from chartinsightd.adapters.kiwoom.transport import Answer
from chartinsightd.adapters.kiwoom.wire import DecodedChart, decode_chart
from chartinsightd.clock import Clock
from chartinsightd.domain.candle import Flags
from chartinsightd.domain.errors import MalformedAnswer, SourceUnavailable
from chartinsightd.facts.kiwoom import CHART_API_IDS
from chartinsightd.facts.krx import KST
from chartinsightd.ports.broker import ChartPage, ChartRequest, Priority

_PATH = "/api/dostk/chart"
_NEVER = 2**62
_RETRY_WAITS_S = (1.0, 2.0, 4.0)
"""Waits between the tries of one page, in seconds of the clock."""

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Progress:
    """How far the reading of one chart has come."""

    key: str | None = None
    """The key of the next page; None for the first."""
    keys: set[str] = field(default_factory=set)
    oldest: int | None = None
    """The time of the oldest candle given so far."""


@dataclass(frozen=True, slots=True)
class _Page:
    """One decoded answer, and what speaks against following its key."""

    page: ChartPage
    next_key: str | None
    """Of the page to read next; None where the reading ends."""
    fault: str = ""


class KiwoomCharts:
    """The broker's charts, as `ports.ChartSource`.

    Args:
        client: who makes the requests.
        clock: what day it is, and for waits between tries.
    """

    def __init__(self, client: KiwoomClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock

    async def pages(self, request: ChartRequest, priority: Priority) -> AsyncIterator[ChartPage]:
        """Yield pages, newest first, as `ports.ChartSource.pages` promises.

        A page that cannot be believed (partial, blank or without older rows although the broker announced
        more, its key empty or used before) is asked for again, a few times, with growing waits. A wrong key
        does not make its rows wrong: such a page is yielded before the failure is raised.

        Raises:
            MalformedAnswer: also after the tries.
            SourceUnavailable: also after the tries.
            SourceError: the other classes of `domain.errors`, at once.
        """
        body = self._body(request)
        progress = _Progress()
        while True:
            found = await self._page(request, body, priority, progress)
            yield found.page
            if found.fault:
                raise MalformedAnswer(f"The chart {request.symbol}/{request.timeframe}: {found.fault}")
            if found.next_key is None:
                return
            progress.key = found.next_key
            progress.keys.add(found.next_key)
            if len(found.page.candles):
                progress.oldest = int(found.page.candles.ts[0])

    def _body(self, request: ChartRequest) -> dict[str, str]:
        code = request.venue.code_of(request.symbol)
        body = {"stk_cd": code, "upd_stkpc_tp": "1" if request.adjusted else "0"}
        base_day = request.base_day
        if request.timeframe.is_intraday:
            body["tic_scope"] = str(int(request.timeframe.span.total_seconds()) // 60)
        elif base_day is None:
            base_day = self._clock.now().astimezone(KST).date()
        return body | _base_dt(base_day)

    @staticmethod
    def _is_reached(request: ChartRequest, page: ChartPage) -> bool:
        """Whether nothing older is wanted: the bound was passed, or the broker has no data at all."""
        if page.rows == 0:
            return True
        return len(page.candles) > 0 and int(page.candles.ts[0]) <= request.until.timestamp()

    async def _page(
        self, request: ChartRequest, body: Mapping[str, str], priority: Priority, progress: _Progress
    ) -> _Page:
        """Return the next page, tried again while it cannot be believed."""
        for wait_s in _RETRY_WAITS_S:
            try:
                found = await self._try(request, body, priority, progress)
                if not found.fault:
                    return found
                fault = found.fault
            except (SourceUnavailable, MalformedAnswer) as error:
                fault = str(error)
            series = f"{request.symbol}/{request.timeframe}"
            log.warning("kiwoom.page_retried", series=series, wait_s=wait_s, error=fault)
            await self._clock.sleep(wait_s)
        return await self._try(request, body, priority, progress)

    async def _try(
        self, request: ChartRequest, body: Mapping[str, str], priority: Priority, progress: _Progress
    ) -> _Page:
        api_id = CHART_API_IDS[request.timeframe]
        answer = await self._client.post(api_id, _PATH, body, priority=priority, cont_key=progress.key)
        chart = decode_chart(answer.document, request.venue.code_of(request.symbol), request.timeframe)
        _check_count(api_id, answer, chart)
        fresh = _fresh(chart, progress.oldest)
        page = _chart_page(chart, fresh, answer)
        if progress.key is not None and chart.rows == 0:
            raise MalformedAnswer(
                f"{api_id} announced another page of {request.symbol} and gave a blank one."
            )
        if len(chart.candles) and not fresh.any():
            raise MalformedAnswer(f"{api_id} gave a page of {request.symbol} with no older row than before.")
        is_over = self._is_reached(request, page)
        return _Page(
            page, None if is_over else answer.cont_key, "" if is_over else _key_fault(answer, progress)
        )


def _base_dt(day: date | None) -> dict[str, str]:
    return {} if day is None else {"base_dt": f"{day:%Y%m%d}"}


def _check_count(api_id: str, answer: Answer, chart: DecodedChart) -> None:
    """A count that differs means a partial page; a blank row may be counted or not."""
    if answer.row_count is not None and answer.row_count not in {chart.sent, chart.rows}:
        raise MalformedAnswer(
            f"{api_id} sent {chart.sent} rows of {chart.candles.symbol} and announced {answer.row_count}."
        )


def _key_fault(answer: Answer, progress: _Progress) -> str:
    """Return why the key of the next page must not be followed (kiwoom.md#endless-pages); empty if it may."""
    if answer.cont_key is None:
        return ""
    if not (answer.cont_key and answer.cont_key.isascii() and answer.cont_key.isprintable()):
        return "the broker announces another page and gives no usable key."
    return "the broker gave a key a second time." if answer.cont_key in progress.keys else ""


def _fresh(chart: DecodedChart, oldest: int | None) -> Flags:
    """Return which candles are older than any given before; pages may overlap."""
    fresh: Flags = chart.candles.ts < (_NEVER if oldest is None else oldest)
    return fresh


def _chart_page(chart: DecodedChart, fresh: Flags, answer: Answer) -> ChartPage:
    running = chart.running_volume
    older = int(np.count_nonzero(fresh))
    return ChartPage(
        candles=chart.candles.where(fresh),
        running_volume=None if running is None else running[fresh],
        raw_rows=chart.raw_rows if older == len(fresh) else chart.raw_rows[:older],
        rejected=chart.rejected,
        repeated=chart.repeated + len(fresh) - older,
        rows=chart.rows,
        asked_at=answer.asked_at,
        is_last=answer.is_end and chart.rows > 0,
    )
