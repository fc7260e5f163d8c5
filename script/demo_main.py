"""Plays a day: simulator, embedded PostgreSQL and daemon, from nothing to a store that equals the truth."""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
from demo_analysis import SCHEMA, show_analysis
from demo_place import refuse_unless_empty
from demo_visit import KEYS, SHOWN_AT, open_market, ordinary_day, print_ways_in, show_dashboard
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from chartinsightd.adapters.postgres.dsn import checked
from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.kst import at_kst
from chartinsightd.domain.planning import PAGE_ROWS
from chartinsightd.domain.refresh import RefreshRule, session_refreshes
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.krx import KST
from chartinsightd.facts.targets import TARGETS
from chartinsightd.simulator.admin_client import AdminClient
from chartinsightd.simulator.comparison import Comparison

CHECKOUT = Path(__file__).resolve().parent.parent
STATE = CHECKOUT / ".state" / "demo"
KEPT = STATE / "kept.json"
SOCKET = STATE / "control.sock"
CREDENTIALS = {
    "CHARTINSIGHT_KIWOOM__APP_KEY": "simulator-app-key",
    "CHARTINSIGHT_KIWOOM__SECRET_KEY": "simulator-secret-key",
}
WON_OF_A_PRINT = 10_000_000
"""Few trades: the clock of the played day runs so fast that the usual ones would keep a core busy."""
HISTORY_SPEED = 12.0
"""So fast that the history takes seconds, and slow enough that the gate, not the machine, sets the pace."""
DAY_SPEED = 450.0
MORNING_SPEED = 60.0
NOTICED_S = 0.5
"""Real seconds after which the daemon has surely seen a change of the simulator's clock."""
LEAST_BUSY_S = 20.0
"""Shorter stretches of requests say nothing about how well the gate uses the limit."""
MORNING_READS = timedelta(hours=31, minutes=29)
"""07:29 of the next day: a minute before Kiwoom's overnight corrections are in."""
BEFORE_NEXT_DAY = timedelta(hours=32)
"""08:00 of the next day: its first trades are near, and the store would not come to rest before evening."""

_GAPS = "from gaps where reason not in ('broken', 'unproved')"
"""What is missing. What is stored and not proved is shown by the seals: played files lack minutes."""
console = Console()


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """What is played."""

    days: tuple[date, ...]
    symbols: tuple[str, ...]
    data: Path | None = None
    dsn: str = ""
    """The user's database; empty: the embedded one."""
    has_visitor: bool = False
    """Whether somebody will look at the running market afterwards."""

    @property
    def begins_at(self) -> datetime:
        """When virtual time starts: the morning of the first day."""
        return at_kst(self.days[0], datetime.min.time()) + timedelta(hours=7, minutes=40)


@dataclass(slots=True, kw_only=True)
class Figures:
    """What the demonstration measures."""

    least_history_requests: int = 0
    history_requests: int = 0
    closes: int = 0
    """Moments at which a listed symbol's timeframe had news while the days were played."""
    polls: int = 0
    utilisation: dict[str, float] = field(default_factory=dict)
    history_s: float = 0.0
    history_rows: int = 0


class Stage:
    """The running processes and the ways to look into them."""

    def __init__(self, admin: AdminClient, database: asyncpg.Connection, play: Play) -> None:
        self.admin = admin
        self.database = database
        self.play = play

    async def rows(self) -> dict[str, int]:
        """Count the candles by timeframe."""
        found = await self.database.fetch("select timeframe, count(*) as n from candles group by timeframe")
        return {row["timeframe"]: row["n"] for row in found}

    async def rows_about(self) -> dict[str, int]:
        """Count the final ones by what the daemon noted of them, which costs almost nothing."""
        found = await self.database.fetch(
            "select timeframe, sum(rows)::bigint as n from coverage_sums group by timeframe"
        )
        return {row["timeframe"]: row["n"] for row in found}

    async def complete(self) -> dict[str, int]:
        """Count the series that are covered and have no gap, by timeframe."""
        found = await self.database.fetch(
            "select timeframe, count(distinct symbol) as n from coverage c where not exists"
            f" (select {_GAPS} and gaps.symbol = c.symbol and gaps.timeframe = c.timeframe)"
            " group by timeframe"
        )
        return {row["timeframe"]: row["n"] for row in found}

    async def is_idle(self) -> bool:
        """Whether no job runs and nothing is missing."""
        query = f"select (select count(*) {_GAPS}) + (select count(*) from jobs where state = 'running')"
        return not await self.database.fetchval(query)


async def main(arguments: argparse.Namespace) -> int:
    """Run the demonstration; return the exit status."""
    began_at = time.monotonic()
    for number in (signal.SIGTERM, signal.SIGHUP):  # nothing is left behind by a closed terminal
        asyncio.get_running_loop().add_signal_handler(number, this_task().cancel)
    if arguments.dsn:
        await refuse_unless_empty(arguments.dsn)
    stop_kept()
    shutil.rmtree(STATE, ignore_errors=True)
    STATE.mkdir(parents=True)
    figures = Figures()
    async with AsyncExitStack() as stack:
        has_visitor = arguments.keep or has_dashboard(arguments)
        play, simulator, admin = await stack.enter_async_context(open_broker(arguments.data, has_visitor))
        play = replace(play, dsn=arguments.dsn)
        daemon, stage = await stack.enter_async_context(open_daemon(play, simulator, admin))
        await load_history(stage, figures)
        for day in play.days:
            await play_day(stage, day)
        figures.polls = await chart_requests(stage) - figures.history_requests
        failed = await show_result(stage, figures, began_at)
        console.rule("What the analysis found")
        rewritten = await show_analysis(console, SOCKET, play.dsn or embedded_url(), play.symbols)
        failed = failed or int(rewritten > 0)
        if has_visitor:
            await receive_visitor(stage, arguments)
        if arguments.keep:
            await keep(stack, stage, {"daemon": daemon.pid, "simulator": simulator.process.pid})
    if not arguments.keep:
        console.print("\nEverything has ended. `script/demo --keep` leaves it running, for these commands:")
        print_ways_in(console, SOCKET, play.symbols[0], has_own_server=not play.dsn)
    return failed


def has_dashboard(arguments: argparse.Namespace) -> bool:
    """Whether the demonstration ends in the dashboard: on a terminal, unless that is declined."""
    return not arguments.no_dashboard and sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()


async def receive_visitor(stage: Stage, arguments: argparse.Namespace) -> None:
    """Open the market of the next ordinary day; on a terminal show the dashboard until it is left."""
    day = ordinary_day(stage.play.days[-1], Calendar())
    console.rule(f"{day:%Y-%m-%d %A}, {SHOWN_AT:%H:%M}: the market moves")
    if has_dashboard(arguments):
        what = "it, the daemon stays" if arguments.keep else "it and ends the demonstration"
        console.print(f"The dashboard opens in a moment. {KEYS} {what}.")
    await open_market(stage.admin, day, bars())
    if has_dashboard(arguments):
        await asyncio.to_thread(show_dashboard, SOCKET)


def this_task() -> asyncio.Task[Any]:
    """Return the running task."""
    task = asyncio.current_task()
    assert task is not None  # only tasks ask
    return task


@dataclass(frozen=True, slots=True)
class Simulator:
    """A running simulator."""

    process: subprocess.Popen[str]
    url: str
    websocket_url: str


@asynccontextmanager
async def open_broker(
    data: Path | None, has_visitor: bool
) -> AsyncIterator[tuple[Play, Simulator, AdminClient]]:
    """Start the simulator and decide what is played."""
    days = (date(2025, 9, 2), date(2025, 9, 3)) if data else (date(2026, 11, 18),)
    play = Play(days=days, symbols=tuple(TARGETS), data=data, has_visitor=has_visitor)
    command = [sys.executable, "-m", "chartinsightd.simulator", "--port", "0"]
    command += ["--start", play.begins_at.astimezone(KST).isoformat(), "--speed", str(HISTORY_SPEED)]
    command += ["--data", str(data)] if data else []
    command += ["--option", f"print_won={WON_OF_A_PRINT}"]
    with (STATE / "simulator.log").open("w") as log:
        process = begin(command, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert process.stdout is not None  # asked for above
        line = await asyncio.to_thread(process.stdout.readline)
        if not line:
            raise SystemExit(f"The simulator did not start:\n{(STATE / 'simulator.log').read_text()}")
        address = json.loads(line)
        async with AdminClient(address["url"]) as admin:
            if data:
                play = replace(play, symbols=await playable(admin, days))
            yield play, Simulator(process, address["url"], address["websocket_url"]), admin
    finally:
        await end(process)


def begin(command: list[str], **how: Any) -> subprocess.Popen[Any]:
    """Start a process in the checkout."""
    # In a session of its own: Ctrl-C is for the demonstration, which then ends what it began.
    return subprocess.Popen(command, cwd=CHECKOUT, start_new_session=True, **how)


async def playable(admin: AdminClient, days: tuple[date, ...]) -> tuple[str, ...]:
    """Return thirty symbols that have minutes on all days, those of a data folder."""
    chosen: list[str] = []
    await admin.set_clock(to=at_kst(days[-1], datetime.min.time()) + timedelta(days=1, hours=8))
    for code in sorted(
        (issue["code"] for issue in await admin.issues()), key=lambda code: code not in TARGETS
    ):
        spans = [at_kst(day, datetime.min.time()).timestamp() for day in days]
        asked = [await admin.truth(code, "1h", int(at), int(at) + 86_400) for at in spans]
        if all(asked):
            chosen.append(code)
        if len(chosen) == len(TARGETS):
            break
    await admin.set_clock(to=Play(days=days, symbols=()).begins_at)
    return tuple(chosen)


@asynccontextmanager
async def open_daemon(
    play: Play, simulator: Simulator, admin: AdminClient
) -> AsyncIterator[tuple[subprocess.Popen[bytes], Stage]]:
    """Start the daemon with its embedded database and connect to that."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CHARTINSIGHT_")}
    environment |= CREDENTIALS | {
        "CHARTINSIGHT_MODE": "simulation",
        "CHARTINSIGHT_STATE_DIR": str(STATE),
        "CHARTINSIGHT_KIWOOM__BASE_URL": simulator.url,
        "CHARTINSIGHT_CLOCK__FOLLOW": "true",
        "CHARTINSIGHT_COLLECT__SYMBOLS": json.dumps(play.symbols),
        "CHARTINSIGHT_CONTROL__SOCKET": str(SOCKET),
    }
    if play.dsn:
        environment["CHARTINSIGHT_DATABASE__DSN"] = play.dsn
    if play.has_visitor:  # ticks, and the page on a free port
        environment["CHARTINSIGHT_KIWOOM__WEBSOCKET_URL"] = simulator.websocket_url
        environment["CHARTINSIGHT_WEB__LISTEN"] = "127.0.0.1:0"
    (STATE / "config.toml").write_text("# everything is in the environment\n", encoding="utf-8")
    command = [sys.executable, "-m", "chartinsightd", "--config", str(STATE / "config.toml")]
    with (STATE / "daemon.log").open("wb") as log:
        process = begin(command, stdout=log, stderr=log, env=environment)
    try:
        database = await connect(process, play.dsn)
        try:
            yield process, Stage(admin, database, play)
        finally:
            await database.close()
    finally:
        await end(process)


async def connect(daemon: subprocess.Popen[bytes], dsn: str) -> asyncpg.Connection:
    """Connect to the daemon's database as soon as it has made its tables."""
    while True:
        if daemon.poll() is not None:
            raise SystemExit(f"The daemon did not start:\n{(STATE / 'daemon.log').read_text()}")
        try:
            database = await asyncpg.connect(
                checked(dsn or embedded_url()), server_settings={"search_path": "simulation"}
            )
        except (OSError, ValueError, asyncpg.PostgresError):
            await asyncio.sleep(0.1)
            continue
        if await database.fetchval("select to_regclass('gaps') is not null"):
            return database
        await database.close()


def bars() -> Progress:
    """Return progress bars in the demonstration's layout."""
    columns = (
        TextColumn("{task.description:<14}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeRemainingColumn(compact=True),
    )
    return Progress(*columns, console=console)


async def load_history(stage: Stage, figures: Figures) -> None:
    """Show the first load until nothing is missing."""
    console.rule(f"History: {len(stage.play.symbols)} symbols, five timeframes, from nothing")
    began_at, series = time.monotonic(), len(stage.play.symbols)
    with bars() as progress:
        tasks = {tf: progress.add_task(tf.value, total=series, note="") for tf in Timeframe}
        while True:
            rows, complete = await stage.rows_about(), await stage.complete()
            elapsed_s = time.monotonic() - began_at
            for timeframe, task in tasks.items():
                count = rows.get(timeframe.value, 0)
                note = f"{count:>9,} candles {count / elapsed_s:>8,.0f}/s"
                progress.update(task, completed=complete.get(timeframe.value, 0), note=note)
            if sum(complete.values()) == series * len(tasks) and await stage.is_idle():
                break
            await asyncio.sleep(0.25)
    figures.history_s = time.monotonic() - began_at
    figures.history_rows = sum((await stage.rows()).values())
    figures.utilisation = utilisation(await stage.admin.requests())
    figures.history_requests, figures.least_history_requests = (
        await chart_requests(stage),
        await least_history(stage),
    )
    figures.closes = await polled_closes(stage)


async def chart_requests(stage: Stage) -> int:
    """Return how many requests for charts the simulator was sent."""
    by_api = (await stage.admin.stats())["api_ids"]
    return sum(one["requests"] for name, one in by_api.items() if is_chart(name))


def is_chart(api_id: str) -> bool:
    """Whether an api-id serves one of our timeframes."""
    return api_id in {"ka10080", "ka10081", "ka10082"}


def utilisation(requests: list[dict[str, Any]]) -> dict[str, float]:
    """Return how much of the limit each chart api used while it had work, from the simulator's own log."""
    found = {}
    for api_id in sorted({request["api_id"] for request in requests if is_chart(request["api_id"])}):
        at = [datetime.fromisoformat(one["virtual_at"]) for one in requests if one["api_id"] == api_id]
        busy_s = (at[-1] - at[0]).total_seconds()
        if busy_s >= LEAST_BUSY_S:
            found[api_id] = (len(at) - 1) / busy_s / 5
    return found


async def least_history(stage: Stage) -> int:
    """Return the fewest requests that could have brought the history: full pages for every series."""
    found = await stage.database.fetch(
        "select timeframe, symbol, count(*) as n from candles group by timeframe, symbol"
    )
    return sum(math.ceil(row["n"] / PAGE_ROWS[Timeframe(row["timeframe"])]) for row in found)


async def polled_closes(stage: Stage) -> int:
    """Return how many moments of news the days have, over all listed symbols and timeframes."""
    listed = {issue["code"] for issue in await stage.admin.issues()}
    polled = len(listed.intersection(stage.play.symbols))
    return sum(len(moments_of_news(day)) for day in stage.play.days) * polled


def moments_of_news(day: date) -> list[datetime]:
    """Return when the daemon reads the candles of a day, for every timeframe."""
    session = Calendar().session(day)
    if session is None:
        return []
    rule = RefreshRule(settle=timedelta(seconds=60), poll_delay=timedelta(seconds=5))
    return [at for timeframe in Timeframe for at in session_refreshes(session, timeframe, rule)]


async def play_day(stage: Stage, day: date) -> None:
    """Let one trading day and the night after it pass."""
    console.rule(f"One trading day: {day:%Y-%m-%d %A}")
    midnight = at_kst(day, datetime.min.time())
    opens = midnight + timedelta(hours=8, minutes=58)
    await stage.admin.set_clock(to=opens, speed=DAY_SPEED)
    with bars() as progress:
        total = int((MORNING_READS - timedelta(hours=9)).total_seconds()) // 60
        task = progress.add_task("minutes", total=total, note="")
        evening = max(at for at in moments_of_news(day) if at < midnight + timedelta(days=1))
        await watch(stage, progress, task, opens, evening + timedelta(minutes=5))
        await stage.admin.set_clock(speed=MORNING_SPEED)
        await asyncio.sleep(NOTICED_S)
        await stage.admin.set_clock(to=midnight + MORNING_READS)
        await watch(stage, progress, task, opens, midnight + MORNING_READS + timedelta(minutes=3))
        await settle(stage, progress, task, opens, midnight + BEFORE_NEXT_DAY)


async def watch(stage: Stage, progress: Progress, task: Any, opens: datetime, until: datetime) -> None:
    """Show the clock, the candles and the requests until a virtual moment."""
    while (now := await stage.admin.now()) < until:
        await show(stage, progress, task, opens, now)


async def settle(stage: Stage, progress: Progress, task: Any, opens: datetime, before: datetime) -> None:
    """Wait until nothing is under way; on a slow machine the next day would begin meanwhile or afterwards."""
    while not await stage.is_idle() and (now := await stage.admin.now()) < before:
        await show(stage, progress, task, opens, now)
    await stage.admin.set_clock(speed=1.0)
    while not await stage.is_idle():
        await show(stage, progress, task, opens, await stage.admin.now())


async def show(stage: Stage, progress: Progress, task: Any, opens: datetime, now: datetime) -> None:
    """Show the clock, the candles and the requests of this moment."""
    rows, stats = await stage.rows_about(), await stage.admin.stats()
    seen = f"{sum(rows.values()):>9,} candles {stats['requests']:>6,} requests"
    note = f"{now.astimezone(KST):%H:%M} KST {seen}"
    progress.update(task, completed=int((now - opens).total_seconds()) // 60, note=note)
    await asyncio.sleep(0.2)


async def show_result(stage: Stage, figures: Figures, began_at: float) -> int:
    """Compare the store with the truth, print the table, return 1 if anything is not as it should be."""
    comparisons = await compare(stage)
    stats = await stage.admin.stats()
    gaps = await stage.database.fetchval(f"select count(*) {_GAPS}")
    seals = await stage.database.fetch("select state, count(*) from seals group by state order by state")
    quarantined = await stage.database.fetchval("select count(*) from quarantine")
    table = Table(title="What is in PostgreSQL, against the simulator's truth", title_style="bold")
    for name in ("timeframe", "candles", "final, compared", "differing"):
        table.add_column(name, justify="left" if name == "timeframe" else "right")
    rows = await stage.rows()
    for timeframe, found in comparisons.items():
        table.add_row(timeframe, f"{rows[timeframe]:,}", f"{found.compared:,}", f"{found.differences:,}")
    console.print(table)
    differing = sum(one.differences for one in comparisons.values())
    least = figures.least_history_requests
    used = ", ".join(f"{name} {share:.1%}" for name, share in figures.utilisation.items())
    facts = {
        "requests": f"{figures.history_requests:,} for the history, {least:,} if every page were full: "
        f"{figures.history_requests / least:.3f} x",
        "polls": f"{figures.polls:,} for {figures.closes:,} closes: at this speed one may read several",
        "gate utilisation": f"{used} of 5 a second, while the history was loaded",
        "history": f"{figures.history_rows:,} candles in {figures.history_s:.1f} s",
        "limit violations": f"{stats['violations']} seen by the simulator, {stats['refusals']} refusals",
        "rows differing": str(differing),
        "gaps": str(gaps),
        "seals": ", ".join(f"{count:,} {state}" for state, count in seals),
        "quarantined": str(quarantined),
        "time": f"{time.monotonic() - began_at:.0f} s",
    }
    for name, text in facts.items():
        console.print(f"[bold]{name:>17}[/]  {text}")
    for one in comparisons.values():
        for example in one.examples:
            console.print(f"[red]{example}[/]", soft_wrap=True)
    return int(bool(differing or gaps or stats["violations"] or quarantined))


async def compare(stage: Stage) -> Mapping[str, Comparison]:
    """Compare every series from the oldest stored candle to now."""
    found = {timeframe.value: Comparison() for timeframe in Timeframe}
    end_at = int((await stage.admin.now()).timestamp())
    for symbol in stage.play.symbols:
        for timeframe, comparison in found.items():
            stored = await stage.database.fetch(
                "select extract(epoch from ts)::bigint, open, high, low, close, volume, value, final"
                " from candles where symbol = $1 and timeframe = $2 order by ts",
                symbol,
                timeframe,
            )
            start = stored[0][0] if stored else 0
            truth = await stage.admin.truth(symbol, timeframe, start, end_at)
            comparison.add(f"{symbol}/{timeframe}", truth, [tuple(row) for row in stored])
    return found


def embedded_url() -> str:
    """Return where the daemon's embedded database is."""
    runtime = json.loads((STATE / SCHEMA / "daemon.json").read_text(encoding="utf-8"))
    return str(runtime["database"])


async def keep(stack: AsyncExitStack, stage: Stage, pids: dict[str, int]) -> None:
    """Leave everything running and say how to get in."""
    KEPT.write_text(json.dumps(pids), encoding="utf-8")
    await stage.database.close()
    stack.pop_all()
    console.print("\nStill running, the clock at its natural pace. To look at it:")
    print_ways_in(console, SOCKET, stage.play.symbols[0], has_own_server=not stage.play.dsn)
    console.print(f"[bold]{'log':>10}[/]  tail -f '{STATE / 'daemon.log'}'", soft_wrap=True, highlight=False)
    console.print("The page's address works once, within 60 s. The next script/demo ends everything, or:")
    console.print(f"[bold]{'end':>10}[/]  kill {pids['daemon']} {pids['simulator']}", highlight=False)


def stop_kept() -> None:
    """End what an earlier --keep left running."""
    if not KEPT.exists():
        return
    for pid in json.loads(KEPT.read_text(encoding="utf-8")).values():
        if b"chartinsightd" in command_line(pid):
            os.kill(pid, signal.SIGTERM)
            while command_line(pid):
                time.sleep(0.1)


def command_line(pid: int) -> bytes:
    """Return how a process was called; empty once it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


async def end(process: subprocess.Popen[Any]) -> None:
    """Stop a process in order, with force when it does not; one that was promised to stay is left alone."""
    if KEPT.exists():
        return
    process.terminate()
    try:
        await asyncio.to_thread(process.wait, 15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def parsed_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="script/demo", description=__doc__)
    parser.add_argument(
        "--data", type=lambda text: Path(text).resolve(), help="play real days from a folder of candles (CSV)"
    )
    parser.add_argument(
        "--dsn",
        default="",
        metavar="URL",
        help="play into an empty database of yours instead of the embedded one:"
        " postgresql://user@host:5432/database",
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="leave daemon, simulator, database and page running at the end, and print how to look at them",
    )
    parser.add_argument(
        "--no-dashboard",
        action="store_true",
        help="on a terminal too, end without the dashboard, as in a script",
    )
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main(parsed_arguments())))
    except KeyboardInterrupt:
        sys.exit(130)
    except asyncio.CancelledError:
        sys.exit(143)
