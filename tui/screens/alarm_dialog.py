"""Asks for an alarm in a person's words: `삼성전자 > 73000`, `카카오 거래량 3배`, `조건 52주 신고가`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from chartinsight_tui.alarm_words import wanted_alarm
from chartinsight_tui.screens.view import View
from chartinsight_tui.store import Failure, Store
from chartinsight_tui.text import Words
from chartinsight_tui.told import told
from chartinsightd.domain.alarm_text import NotAnAlarm

if TYPE_CHECKING:
    from chartinsightd.control.protocol.alarms import AlarmAddRequest

_LONGEST = 120


class AlarmDialog(ModalScreen["AlarmAddRequest | None"]):
    """A line to type an alarm into; what it means is the result, None where it was left.

    Args:
        words: texts.
        store: where the stocks are.
        begun: what stands in the line at first.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "key.close")]

    def __init__(self, words: Words, store: Store, begun: str) -> None:
        super().__init__()
        self._words = words
        self._store = store
        self._begun = begun
        self._said = Static(words["alarm.examples"], markup=False)

    def compose(self) -> ComposeResult:
        """Lay out the line, and how an alarm is written."""
        with Vertical(classes="box"):
            yield Static(self._words["alarm.title"], classes="title", markup=False)
            yield Input(self._begun, max_length=_LONGEST, select_on_focus=False)
            yield self._said

    @on(Input.Submitted)
    def _take(self, event: Input.Submitted) -> None:
        try:
            self.dismiss(wanted_alarm(event.value, self._store))
        except NotAnAlarm:
            self._said.update(f"▲ {self._words['alarm.not_understood']}\n{self._words['alarm.examples']}")


def ask_for_alarm(view: View, symbol: str = "") -> None:
    """Let a person type an alarm, on a stock where one is chosen, and set it."""

    def typed(request: AlarmAddRequest | None) -> None:
        if request is not None:
            view.run_worker(_set(view, request), group="alarm")

    begun = f"{view.store.name_of(symbol) or symbol} " if symbol else ""
    view.app.push_screen(AlarmDialog(view.words, view.store, begun), typed)


async def _set(view: View, request: AlarmAddRequest) -> None:
    if view.context.connection is None:
        return
    failure = await view.context.connection.add_alarm(request)
    if isinstance(failure, Failure):
        view.notify(told(str(failure), view.words), severity="error", markup=False)
    else:
        view.notify(view.words["alarm.set"], markup=False)
