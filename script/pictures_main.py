"""Make the README's pictures: the dashboard's own screens, of a daemon that collects a live simulated day."""

from __future__ import annotations

import argparse
import asyncio
import html
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.cells import cell_len
from textual.pilot import Pilot

from chartinsight_tui.app import Dashboard
from chartinsight_tui.clock import SystemClock
from chartinsightd.control.client import ControlClient
from chartinsightd.simulator.admin_client import AdminClient

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
KST = ZoneInfo("Asia/Seoul")
EVENING = datetime(2026, 11, 17, 21, tzinfo=KST)
MORNING = datetime(2026, 11, 18, 8, 58, tzinfo=KST)
SHOWN = datetime(2026, 11, 18, 10, 47, tzinfo=KST)
SIZE = (120, 40)
LOADING, FAST = 60.0, 120.0
COLOURS = "32"
"""So few are enough for text, and keep a picture below 150 KB."""
SCREENS: Mapping[str, Sequence[str]] = {
    "overview": ("1",),
    "coverage": ("5",),
    "jobs": ("6",),
    "chart": ("3",),
    "symbols": ("2",),
    "alerts": ("7",),
    "log": ("8",),
}
"""The keys that lead to each screen."""
FONTS = "Hangul, 'DejaVu Sans Mono', monospace"
STYLE = """
@font-face {
    font-family: Hangul;
    src: local("Noto Sans Mono CJK KR"), local("Noto Sans Mono CJK KR Regular");
    size-adjust: 120.4%;
    unicode-range: U+1100-11FF, U+3130-318F, U+4E00-9FFF, U+AC00-D7A3;
}
body { margin: 0 }
svg { display: block }
"""
"""Hangul exactly twice as wide as the Latin letters of the other font."""


def main() -> int:
    """Make the pictures; return the exit status."""
    parser = argparse.ArgumentParser(prog="script/pictures", description=__doc__)
    parser.add_argument("--chromium", default="chromium", help="the browser that draws them")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chartinsight-pictures-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # run by root, the database has an account of its own
        for screen, svg in asyncio.run(take_pictures(folder)).items():
            draw(arguments.chromium, svg, folder / f"{screen}.html", IMAGES / f"tui-{screen}.png")
    return 0


async def take_pictures(folder: Path) -> dict[str, str]:
    """Return every screen as SVG, in the middle of a morning."""
    with simulator(folder) as url, daemon(folder, url) as socket:
        async with AdminClient(url) as admin, dashboard(socket) as pilot:
            await live_through_the_morning(admin, pilot)
            return {screen: await picture(pilot, keys) for screen, keys in SCREENS.items()}


@contextmanager
def simulator(folder: Path) -> Iterator[str]:
    """Start a simulator; yield its URL."""
    command = [sys.executable, "-m", "chartinsightd.simulator", "--port", "0", "--start", EVENING.isoformat()]
    command += ["--speed", str(LOADING), "--symbols", "120"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.terminate()


@contextmanager
def daemon(folder: Path, url: str) -> Iterator[Path]:
    """Start a daemon with a database of its own; yield its control socket."""
    socket, config = folder / "control.sock", folder / "config.toml"
    config.write_text("", encoding="utf-8")
    settings = {
        "MODE": "simulation",
        "STATE_DIR": str(folder),
        "CONTROL__SOCKET": str(socket),
        "KIWOOM__BASE_URL": url,
        "KIWOOM__APP_KEY": "simulator-app-key",
        "KIWOOM__SECRET_KEY": "simulator-secret-key",
        "CLOCK__FOLLOW": "true",
        "COLLECT__HORIZON": '{"5m": "2m", "30m": "3m", "1h": "6m", "1d": "2y", "1w": "5y"}',
    }
    environment = os.environ | {f"CHARTINSIGHT_{name}": value for name, value in settings.items()}
    command = [sys.executable, "-m", "chartinsightd", "--config", str(config)]
    with (
        (folder / "daemon.log").open("w") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder) as process,
    ):
        try:
            yield socket
        finally:
            process.terminate()


@asynccontextmanager
async def dashboard(socket: Path) -> AsyncIterator[Pilot[None]]:
    """Open the dashboard on a terminal of memory."""
    app = Dashboard(lambda: ControlClient(socket), SystemClock())
    async with app.run_test(size=SIZE) as pilot:
        yield pilot


async def live_through_the_morning(admin: AdminClient, pilot: Pilot[None]) -> None:
    """Load the history in the evening, let the next morning pass, and go on at the natural pace."""
    app = pilot.app
    assert isinstance(app, Dashboard)
    async with asyncio.timeout(600):
        await until(lambda: is_calm(app, least_rows=100_000))
        await admin.set_clock(to=MORNING, speed=FAST)
        await until(lambda: (app.context.now() or MORNING) >= SHOWN)
        await admin.set_clock(speed=1.0)
        await until(lambda: is_calm(app, least_rows=1))


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    while not is_so():  # noqa: ASYNC110 - what is waited for has no event of its own
        await asyncio.sleep(0.5)


def is_calm(app: Dashboard, least_rows: int) -> bool:
    """Whether all is fetched and nothing is wrong."""
    status = app.store.status
    if status is None or status.jobs_running or any(alert.ended_at is None for alert in status.alerts):
        return False
    return status.rows_today.inserted >= least_rows


async def picture(pilot: Pilot[None], keys: Sequence[str]) -> str:
    """Return a screen as SVG, once it shows what it has."""
    await pilot.press(*keys)
    await asyncio.sleep(3)
    await pilot.pause()
    return pilot.app.export_screenshot(title="chartinsight-tui")


_LENGTH = re.compile(r'textLength="([\d.]+)"([^>]*)>([^<]*)<')


def _measured(found: re.Match[str]) -> str:
    """Give a text the length of its cells: the export counts characters, and Hangul has two cells each."""
    text = html.unescape(found[3])
    length = float(found[1]) / max(len(text), 1) * cell_len(text)
    return f'textLength="{length:.1f}"{found[2]}>{found[3]}<'


def draw(chromium: str, svg: str, page: Path, png: Path) -> None:
    """Let the browser draw a picture in its own size, and make the file small."""
    text = _LENGTH.sub(_measured, svg.replace("Fira Code, monospace", FONTS))
    width, height = (float(part) for part in text.split('viewBox="0 0 ', 1)[1].split('"', 1)[0].split())
    page.write_text(f"<style>{STYLE}</style>{text}", encoding="utf-8")
    browse = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
    browse += [f"--window-size={round(width)},{round(height)}", f"--screenshot={png}", page.as_uri()]
    subprocess.run(browse, check=True, capture_output=True, timeout=120)
    subprocess.run(["pngquant", "--force", "--ext", ".png", "--strip", COLOURS, png], check=True, timeout=60)


if __name__ == "__main__":
    sys.exit(main())
