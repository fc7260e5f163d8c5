"""The server over the generated market: what it serves is the truth, on every way."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from chartinsightd.facts.krx import KST
from chartinsightd.simulator.market import SimulatedMarket, create_generated
from tests.simulator.server_client import UNLIMITED, Broker, running
from tests.simulator.test_server_charts import read_all
from tests.simulator.test_server_websocket import REG, socket_of

EVENING = datetime(2026, 11, 20, 20, 30, tzinfo=KST)
PRICES = ("open_pric", "high_pric", "low_pric", "cur_prc")
SCOPES = {"5m": "5", "30m": "30", "1h": "60"}


@pytest.fixture(scope="module")
def market() -> SimulatedMarket:
    """The first two targets."""
    return create_generated(7, 2)


async def served(broker: Broker, timeframe: str) -> list[list[int | None]]:
    """Read a whole chart as a client does, oldest first: epoch, prices, volume, value in won."""
    body = {"stk_cd": "005930", "upd_stkpc_tp": "0", "base_dt": "20261120"}
    if timeframe in SCOPES:
        rows, _ = await read_all(broker, "ka10080", **body, tic_scope=SCOPES[timeframe])
    else:
        rows, _ = await read_all(broker, "ka10081" if timeframe == "1d" else "ka10082", **body)
    return [candle(row, timeframe) for row in reversed(rows)]


def candle(row: dict[str, str], timeframe: str) -> list[int | None]:
    """Decode one row."""
    stamp = row.get("cntr_tm") or row["dt"] + "000000"
    start = datetime.strptime(stamp, "%Y%m%d%H%M%S").replace(tzinfo=KST)
    prices = [int(row[name].lstrip("+-")) for name in PRICES]
    unit = {"1d": 1_000_000, "1w": 1}.get(timeframe)
    value = None if unit is None else int(row["trde_prica"]) * unit
    return [int(start.timestamp()), *prices, int(row["trde_qty"]), value]


@pytest.mark.parametrize("timeframe", ["5m", "30m", "1h", "1d", "1w"])
async def test_every_candle_served_is_the_truth(market: SimulatedMarket, timeframe: str) -> None:
    """Reading a chart page by page to its end gives the truth, no row more and none less."""
    async with running(at=EVENING, market=market) as broker:
        rows = await served(broker, timeframe)
        truth = await broker.admin("GET", f"truth?symbol=005930&timeframe={timeframe}")

    assert len(rows) > 250
    assert rows == [row[:7] for row in truth["rows"]]


async def test_streamed_trades_fold_into_served_candles(market: SimulatedMarket) -> None:
    """The 0B trades of ten minutes sum to the minutes' volumes and make their prices; no trade is missing."""
    fast = replace(UNLIMITED, ws_trade_period_s=0.01)
    start = datetime(2026, 11, 20, 10, 0, tzinfo=KST)
    async with running(fast, start, market=market) as broker, socket_of(broker) as socket:
        await socket.log_in(broker)
        await socket.ask(REG)
        await broker.step(timedelta(minutes=10))
        rows = (await broker.minutes(tic_scope="1")).json["stk_min_pole_chart_qry"]
        wanted = [row for row in rows if "20261120100000" <= row["cntr_tm"] < "20261120101000"]
        values: list[dict[str, str]] = []
        while not values or values[-1]["13"] != wanted[0]["acc_trde_qty"]:
            frame = await asyncio.wait_for(socket.next(), 60)
            values += [entry["values"] for entry in frame["data"]]

    for row in wanted:
        inside = [value for value in values if value["20"][:4] == row["cntr_tm"][8:12]]
        prices = [int(value["10"].lstrip("+-")) for value in inside]
        made = (prices[0], max(prices), min(prices), prices[-1])
        assert made == tuple(int(row[name].lstrip("+-")) for name in PRICES)
        assert sum(abs(int(value["15"])) for value in inside) == int(row["trde_qty"])
