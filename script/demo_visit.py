"""How the demonstration ends: a market that moves at ten in the morning, and the ways to look at it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.kst import at_kst
from chartinsightd.facts.krx import KST
from chartinsightd.simulator.admin_client import AdminClient

BIN = Path(sys.executable).parent
NINE = time(9)
SHOWN_AT = time(10)
MORNING_BEGINS = time(8, 45)
"""A jump of the clock raises an alert that lasts ten minutes: it is over before the market opens."""
MORNING_SPEED = 240.0
KEYS = "Keys: 1 to 8 the screens, : a stock or a command, ? help, q leaves"


def ordinary_day(after_day: date, calendar: Calendar) -> date:
    """Return the first session after a day that opens at nine: no exam, no first day of the year."""
    session = calendar.next_session(after_day)
    while session.open_at.astimezone(KST).time() != NINE:
        session = calendar.next_session(session.day)
    return session.day


async def open_market(admin: AdminClient, day: date, progress: Progress) -> None:
    """Let the morning of a day pass until ten, and leave the clock at its natural pace."""
    opens, shown_at = at_kst(day, MORNING_BEGINS), at_kst(day, SHOWN_AT)
    await admin.set_clock(to=opens, speed=MORNING_SPEED)
    with progress:
        total = int((shown_at - opens).total_seconds()) // 60
        task = progress.add_task("minutes", total=total, note="")
        while (now := await admin.now()) < shown_at:
            progress.update(task, completed=minutes(opens, now), note=f"{now.astimezone(KST):%H:%M} KST")
            await asyncio.sleep(0.2)
        await admin.set_clock(speed=1.0)
        progress.update(task, completed=total, note=f"{SHOWN_AT:%H:%M} KST")


def minutes(since: datetime, now: datetime) -> int:
    """Return the whole minutes between two moments."""
    return (now - since) // timedelta(minutes=1)


def show_dashboard(socket: Path) -> None:
    """Open the dashboard on this terminal until it is left."""
    subprocess.run([BIN / "chartinsight-tui", "--hints", "--socket", socket], check=False)


def ways_in(socket: Path, symbol: str, *, has_own_server: bool) -> Mapping[str, str]:
    """Return a command to paste for each way to look at what runs."""
    control = f"'{BIN / 'chartinsightctl'}' --socket '{socket}'"
    return {
        "dashboard": f"'{BIN / 'chartinsight-tui'}' --socket '{socket}'",
        "CLI": f"{control} status",
        "psql": f"{control} psql" if has_own_server else "psql <your --dsn>",
        "page": f"{control} radar {symbol}",
    }


def print_ways_in(console: Console, socket: Path, symbol: str, *, has_own_server: bool) -> None:
    """Print them, one a line."""
    for name, command in ways_in(socket, symbol, has_own_server=has_own_server).items():
        console.print(f"[bold]{name:>10}[/]  {command}", soft_wrap=True, highlight=False)
