"""An app that changes the daemon only after a person said yes, and tells what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import on
from textual.app import App

from chartinsight_tui.context import Context
from chartinsight_tui.messages import Confirm, OpenBackfill
from chartinsight_tui.screens.view import View, Wanted
from chartinsight_tui.store import Failure, Part
from chartinsight_tui.told import told
from chartinsightd.domain.foreign_text import printable_lines

if TYPE_CHECKING:
    from chartinsight_tui.connection import Connection
    from chartinsightd.control.protocol.jobs import Outcome


class AskingApp(App[None]):
    """Asks before it pauses, reads the stock list or begins a backfill."""

    context: Context

    @property
    def view(self) -> View:
        """The screen that is shown."""
        raise NotImplementedError

    @on(OpenBackfill)
    def action_backfill(self, event: OpenBackfill | None = None) -> None:
        """Open the form for a backfill of what is under the cursor, or of a stock that was named."""
        from chartinsight_tui.screens.backfill import BackfillDialog

        if self.context.connection is None or not self.check_action("backfill", ()):
            return
        self.context.connection.need(Part.STOCKS)
        self.push_screen(
            BackfillDialog(self.context, self.context.connection, self._backfill_of(event)), self._tell
        )

    def _backfill_of(self, event: OpenBackfill | None) -> Wanted:
        if event is None or not event.symbol:
            return self.view.wanted()
        return Wanted(symbols=(event.symbol,), timeframes=(event.timeframe,) if event.timeframe else ())

    def action_pause_for(self, seconds: int) -> None:
        """Pause the daemon for a time; a pause that lasts is given another end."""
        if self.check_action("pause", ()):
            question = self.context.words.put("ask.pause_for", length=self.context.words.duration(seconds))
            self._ask(Confirm(question, lambda connection: connection.set_paused(True, for_s=seconds)))

    def action_pause(self) -> None:
        """Pause the daemon, or start it again."""
        status = self.context.store.status
        if status is None:
            return
        paused = status.daemon.state != "paused"
        question = self.context.words["ask.pause" if paused else "ask.resume"]
        self._ask(Confirm(question, lambda connection: connection.set_paused(paused)))

    def action_sync(self) -> None:
        """Read the stock list of both markets."""
        self._ask(Confirm(self.context.words["ask.sync"], lambda connection: connection.sync()))

    @on(Confirm)
    def _ask(self, event: Confirm) -> None:
        """Ask; do it when the answer is yes, and tell what came of it."""
        from chartinsight_tui.screens.dialogs import ConfirmDialog

        def answered(yes: bool | None) -> None:
            if yes and self.context.connection is not None:
                self.run_worker(self._do(event, self.context.connection))

        if not self.context.read_only:
            self.push_screen(ConfirmDialog(self.context.words, printable_lines(event.question)), answered)

    async def _do(self, event: Confirm, connection: Connection) -> None:
        self._tell(await event.order(connection))

    def _tell(self, outcome: Outcome | Failure | None) -> None:
        """Tell what came of a change."""
        if isinstance(outcome, Failure):
            said = printable_lines(told(str(outcome), self.context.words))
            self.notify(said, severity="error", timeout=8, markup=False)
        elif outcome is not None:
            job = (
                self.context.words.put("outcome.job", id=outcome.job_id) if outcome.job_id is not None else ""
            )
            text = f"{self.context.words[f'outcome.{outcome.state}']} {job} {outcome.detail}".strip()
            self.notify(
                printable_lines(text), severity="information" if outcome.changed else "warning", markup=False
            )
