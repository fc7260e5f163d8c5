"""Names and messages of others never command the terminal, whatever screen shows them."""

from __future__ import annotations

from unicodedata import category

import pytest

from chartinsight_tui.app import VIEWS
from chartinsightd.control.protocol.status import AlertList, Status, Words
from tests.support.fake_backend import FakeBackend
from tests.tui.dashboards import Daemon, connected, dashboard, settled, shown, until

EVIL = "\x1b]0;somebody\x07\x1b[41m\u202e\u009b[bold]삼성"


class EvilBackend(FakeBackend):
    """A daemon whose names, messages, reasons and log lines hold escape sequences."""

    def __init__(self) -> None:
        super().__init__()
        self._names |= dict.fromkeys(list(self._names)[:12], EVIL)
        for number, job in self._jobs.items():
            self._jobs[number] = job.model_copy(update={"error": EVIL, "requested_by": EVIL})
        self.log("error", EVIL, told=EVIL, symbol="005930")

    async def status(self) -> Status:
        """Return a status in which everything foreign is evil."""
        known = await super().status()
        database = known.database.model_copy(update={"note": EVIL, "version": EVIL})
        verdict = known.verdict.model_copy(update={"words": Words(en=EVIL, ko=EVIL)})
        alerts = (await self.alerts()).items
        return known.model_copy(update={"verdict": verdict, "alerts": alerts, "database": database})

    async def alerts(self) -> AlertList:
        """Return evil alerts."""
        known = await super().alerts()
        evil = {"message": EVIL, "remedy": EVIL, "event": EVIL, "ended_at": None}
        return known.model_copy(update={"items": tuple(one.model_copy(update=evil) for one in known.items)})


def evil_daemon() -> Daemon:
    """Return that daemon, on a socket."""
    daemon = Daemon()
    daemon.backend = EvilBackend()
    return daemon


def commands(text: str) -> set[str]:
    """Return the signs of a text that a terminal would obey, line ends aside."""
    return {sign for sign in text if category(sign) in {"Cc", "Cf", "Zl", "Zp"} and sign != "\n"}


@pytest.mark.parametrize("name", VIEWS)
async def test_no_screen_sends_control_sequences(name: str) -> None:
    """What a terminal would obey is written out in rows, details and headings."""
    app = dashboard(evil_daemon().open)
    async with app.run_test(size=(120, 40)) as pilot:
        await connected(pilot)
        await app.action_show(name)
        await connected(pilot)
        await settled(pilot)
        text = shown(app)
        assert commands(text) == set()
        if name in {"symbols", "coverage", "jobs", "log", "chart"}:
            assert "\\x1b]0;somebody" in text
        app.action_copy()
        assert commands(app.clipboard) == set()


@pytest.mark.parametrize("keys", [("w",), ("b",), ("colon", *"삼성")], ids=["question", "form", "palette"])
async def test_no_dialog_sends_control_sequences(keys: tuple[str, ...]) -> None:
    """Questions, forms and the palette name stocks too; nothing in a name is markup."""
    app = dashboard(evil_daemon().open)
    async with app.run_test(size=(120, 40)) as pilot:
        await connected(pilot)
        await app.action_show("symbols")
        await connected(pilot)
        await pilot.press("s", *keys)
        await until(pilot, lambda: "somebody" in shown(app))
        await pilot.pause()
        assert commands(shown(app)) == set()
