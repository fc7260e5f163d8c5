"""Runs inside the machine: compares the daemon's store with the simulator's truth, and prints the outcome.

Arguments: the simulator's URL, and optionally the minutes by which its clock jumps; then nothing is compared.
"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import timedelta
from pathlib import Path

import asyncpg

from chartinsightd.simulator.admin_client import AdminClient
from chartinsightd.simulator.comparison import Comparison

STATE = Path("/var/lib/chartinsight/simulation/daemon.json")
ROWS = """
select extract(epoch from ts)::bigint, open, high, low, close, volume, value, final from candles
where symbol = $1 and timeframe = $2 order by ts
"""
SYMBOL = "005930"
SETTLED_S = 900
"""A candle that began so long ago has ended, and has been read once more since."""


def database() -> str:
    """Return the URL of the daemon's database."""
    url: str = json.loads(STATE.read_text(encoding="utf-8"))["database"]
    return url


async def compare(admin: AdminClient, dsn: str) -> dict[str, int]:
    """Return how today's settled 5m candles differ from the truth, and the newest final one stored."""
    connection = await asyncpg.connect(dsn, server_settings={"search_path": "simulation"})
    try:
        now = await admin.now()
        morning = int(now.replace(hour=0, minute=0, second=0, microsecond=0).timestamp())
        settled = range(morning, int(now.timestamp()) - SETTLED_S)
        truth = await admin.truth(SYMBOL, "5m", settled.start, settled.stop)
        rows = [tuple(row) for row in await connection.fetch(ROWS, SYMBOL, "5m")]
    finally:
        await connection.close()
    comparison = Comparison()
    comparison.add(SYMBOL, truth, [row for row in rows if row[0] in settled])
    return {
        "compared": comparison.compared,
        "differences": comparison.differences,
        "newest": max((row[0] for row in rows if row[7]), default=0),
        "now": int(now.timestamp()),
    }


async def main(url: str, jump_minutes: int) -> None:
    """Jump if asked to, and print the virtual time it is then; else compare."""
    async with AdminClient(url) as admin:
        if jump_minutes:
            now = await admin.now() + timedelta(minutes=jump_minutes)
            await admin.set_clock(to=now)
            print(json.dumps({"now": int(now.timestamp())}))
        else:
            print(json.dumps(await compare(admin, database())))


asyncio.run(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0))
