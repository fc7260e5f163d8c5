"""Believable pages: as candles, and as the broker's JSON."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np

from chartinsightd.domain.candle import Candles
from chartinsightd.domain.ranges import RangeSet
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Write

PAGE = 900
STEP_S = 300
START = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
LIST = "stk_min_pole_chart_qry"
_NEWEST = datetime(2026, 11, 20, 15, 15)  # noqa: DTZ001 - a KST wall time, only written down


class FullRow(msgspec.Struct, gc=False):
    """All fields of a minute row: what any typed decoder has to read."""

    cur_prc: str
    trde_qty: str
    cntr_tm: str
    open_pric: str
    high_pric: str
    low_pric: str
    acc_trde_qty: str
    pred_pre: str
    pred_pre_sig: str


class FullPage(msgspec.Struct):
    """A minute page."""

    stk_min_pole_chart_qry: list[FullRow]


def document(bad_rows: int = 0) -> bytes:
    """Return a page of 900 rows, newest first, signed as the broker signs; some with a price that is none."""
    dice = random.Random(1)
    rows = []
    for number in range(PAGE):
        prices = [f"{dice.choice('+-')}{dice.randint(70_000, 79_999)}" for _ in range(4)]
        rows.append(
            {
                "cur_prc": "?" if number < bad_rows else prices[0],
                "trde_qty": str(dice.randint(1, 999_999)),
                "cntr_tm": f"{_NEWEST - timedelta(minutes=5 * number):%Y%m%d%H%M%S}",
                "open_pric": prices[1],
                "high_pric": prices[2],
                "low_pric": prices[3],
                "acc_trde_qty": str(20_000_000 - number),
                "pred_pre": "-600",
                "pred_pre_sig": "5",
            }
        )
    return json.dumps({LIST: rows, "return_code": 0, "return_msg": "ok"}).encode()


def candles(symbol: str, first: int = 0, count: int = PAGE, step_s: int = STEP_S) -> Candles:
    """Return final candles, `first` steps after the start of the year."""
    rng = np.random.default_rng(first + int(symbol))
    close = 70_000 + rng.integers(-50, 51, count).cumsum()
    return Candles(
        symbol=symbol,
        timeframe=Timeframe.M5,
        ts=START + step_s * np.arange(first, first + count, dtype=np.int64),
        open=close - 10,
        high=close + 50,
        low=close - 60,
        close=close,
        volume=rng.integers(1, 100_000, count),
        value=None,
        final=np.ones(count, np.bool_),
    )


def write(page: Candles) -> Write:
    """Return a write that covers what it brings."""
    return Write(candles=page, covered=RangeSet.of((int(page.ts[0]), int(page.ts[-1]) + STEP_S)))


def polled(page: Candles) -> Candles:
    """Return the page of the next poll: 898 same, one changed, one new."""
    close = page.close.copy()
    close[-1] += 10
    new = candles(page.symbol, int((page.ts[-1] - START) // STEP_S) + 1, 1)
    moved = replace(page, close=close)
    columns = ("ts", "open", "high", "low", "close", "volume", "final")
    joined: dict[str, Any] = {
        name: np.concatenate([getattr(moved, name)[1:], getattr(new, name)]) for name in columns
    }
    return replace(page, **joined)


def backfill(symbol: str, pages: int, step_s: int = STEP_S) -> list[list[Candles]]:
    """Return the pages of a symbol, newest first, ten to a batch."""
    newest_first = [candles(symbol, first * PAGE, step_s=step_s) for first in reversed(range(pages))]
    return [newest_first[i : i + 10] for i in range(0, pages, 10)]
