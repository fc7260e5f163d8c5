"""A broker's WebSocket for the benchmark of the live stream: trades of many codes, as fast as asked for.

    python -m benchmarks.trade_server

It prints its URL. The query says what a session gets after its REG: `trades`, `rate` (a second; 0: at once)
and `batch` (trades a frame). The price of a trade tells when it was sent, in milliseconds of the machine's
monotonic clock, so that whoever reads it knows how old it is.
"""

from __future__ import annotations

import asyncio
import time

import msgspec
import uvloop
from aiohttp import WSMsgType, web

SYMBOLS = tuple(f"{number:06d}" for number in range(100_000, 100_095))
_DAY = {"16": "+1000", "17": "+2147483647", "18": "-1"}
_FIELDS = (
    "20", "10", "11", "12", "27", "28", "15", "13", "14", "16", "17", "18", "25", "26", "29", "30", "31",
    "32", "228", "311", "290", "691", "567", "568", "851", "1890", "1891", "1892", "1030", "1031", "1032",
    "1071", "1072", "1313", "1315", "1316", "1314", "1497", "1498", "620", "732", "852", "9081",
)  # fmt: skip
_VALUES = dict.fromkeys(_FIELDS, "") | {"20": "103000", "15": "+1", "14": "1"} | _DAY
"""As the broker sends them: most fields of no use to a candle."""


def frame(first: int, batch: int) -> str:
    """Return a frame with the trades of these numbers; codes take turns."""
    sent = str(time.monotonic_ns() // 1_000_000)
    data = [
        {
            "type": "0B",
            "name": "주식체결",
            "item": SYMBOLS[number % len(SYMBOLS)],
            "values": _VALUES | {"13": str(number // len(SYMBOLS) + 1), "10": sent},
        }
        for number in range(first, first + batch)
    ]
    return msgspec.json.encode({"trnm": "REAL", "data": data}).decode()


async def serve(request: web.Request) -> web.WebSocketResponse:
    """Log in whoever comes, and send after the registration."""
    trades, rate, batch = (int(request.query[name]) for name in ("trades", "rate", "batch"))
    ready = [frame(first, batch) for first in range(0, trades, batch)] if not rate else []
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            break
        asked = msgspec.json.decode(message.data)["trnm"]
        if asked in ("LOGIN", "REG"):
            await socket.send_str(msgspec.json.encode({"trnm": asked, "return_code": 0}).decode())
        if asked == "REG":
            for text in ready:
                await socket.send_str(text)
            if rate:
                await _send_evenly(socket, trades, rate, batch)
    return socket


async def _send_evenly(socket: web.WebSocketResponse, trades: int, rate: int, batch: int) -> None:
    began_s = time.monotonic()
    for first in range(0, trades, batch):
        await asyncio.sleep(max(0.0, began_s + first / rate - time.monotonic()))
        await socket.send_str(frame(first, batch))


async def _main() -> None:
    app = web.Application()
    app.router.add_get("/", serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"ws://127.0.0.1:{runner.addresses[0][1]}/", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(_main())
