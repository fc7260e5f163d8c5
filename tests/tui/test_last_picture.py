"""The first picture is that of last time, and nobody takes it for now."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chartinsight_tui.last_picture import LastPicture, picture_file, read_picture, write_picture
from tests.tui.dashboards import connected, dashboard, never, nowhere, offline, shown, until

PICTURE = LastPicture(at=datetime(2026, 10, 13, 11, 0, tzinfo=UTC), width=80, lines=("", " 5분 ■■■ 30종목"))


def test_a_picture_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    """It is read as it was written; another daemon's is another file."""
    path = picture_file({"XDG_CACHE_HOME": str(tmp_path)}, "/run/a.sock")
    write_picture(path, PICTURE)
    write_picture(path, PICTURE)
    assert read_picture(path) == PICTURE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    assert picture_file({"HOME": str(tmp_path)}, "/run/b.sock").name != path.name


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe not text",
        b"[1, 2]",
        b"[" * 5_000,
        b'{"version": 2, "at": "2026-10-13T11:00:00+00:00", "width": 80, "lines": []}',
        b'{"version": 1, "at": "2026-10-13T11:00:00", "width": 80, "lines": []}',
        b'{"version": 1, "at": "2026-10-13T11:00:00+00:00", "width": "x", "lines": []}',
        b'{"version": 1, "at": "2026-10-13T11:00:00+00:00", "width": 80, "lines": [3]}',
        b'{"version": 1, "at": "2026-10-13T11:00:00+00:00", "width": 8, "lines": ["'
        + b"x" * 300_000
        + b'"]}',
    ],
)
def test_what_is_no_picture_is_none(tmp_path: Path, content: bytes) -> None:
    """A damaged, foreign, newer or overlong file is as good as none."""
    path = tmp_path / "home.json"
    path.write_bytes(content)
    assert read_picture(path) is None
    assert read_picture(tmp_path) is None
    write_picture(tmp_path / "home.json" / "below a file.json", PICTURE)


async def test_the_last_picture_is_shown_before_the_daemon_is_heard() -> None:
    """In the first frame, with its age, under a state that is unknown."""
    app = dashboard(never, last_picture=PICTURE)
    async with app.run_test(size=(100, 24)) as pilot:
        await pilot.pause()
        text = shown(app)
        assert "5분 ■■■ 30종목" in text
        assert "? UNKNOWN  screen of 10-13 20:00:00, not of now · connecting" in text.splitlines()[1]


async def test_a_picture_that_does_not_fit_is_neither_shown_nor_told() -> None:
    """A line cut in its middle would say something else."""
    app = dashboard(never, last_picture=PICTURE)
    async with app.run_test(size=(70, 24)) as pilot:
        await pilot.pause()
        text = shown(app)
        assert "30종목" not in text
        assert "screen of" not in text


async def test_the_last_picture_stays_while_the_daemon_is_away_and_goes_when_it_answers() -> None:
    """Away, it says why as well; the first answer replaces it."""
    app = dashboard(nowhere, last_picture=PICTURE)
    async with app.run_test(size=(100, 24)) as pilot:
        await offline(pilot)
        assert "5분 ■■■ 30종목" in shown(app)
        assert "screen of 10-13 20:00:00, not of now · daemon not reached" in shown(app)
    seen: list[LastPicture] = []
    app = dashboard(last_picture=PICTURE, keep_picture=seen.append)
    async with app.run_test(size=(100, 24)) as pilot:
        await connected(pilot)
        await until(pilot, lambda: "5분 ■■■" not in shown(app) and "screen of" not in shown(app))
        await pilot.press("q")
    [kept] = seen
    assert kept.width == 100
    assert any("5m" in line for line in kept.lines)
