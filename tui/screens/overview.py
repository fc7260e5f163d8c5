"""Screen 1: whether all is well, at one look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget

from chartinsight_tui.context import Context
from chartinsight_tui.formatting import (
    clock_time,
)
from chartinsight_tui.last_picture import LastPicture
from chartinsight_tui.messages import ShowMoment, ShowScreen, StepBack
from chartinsight_tui.screens.home_alerts import alert_lines
from chartinsight_tui.screens.home_coming import coming_lines
from chartinsight_tui.screens.home_day import DayTracks
from chartinsight_tui.screens.home_freshness import freshness_lines, small_freshness_lines
from chartinsight_tui.screens.home_gate import gate_lines
from chartinsight_tui.screens.home_jobs import running_lines
from chartinsight_tui.screens.home_layout import Block, column
from chartinsight_tui.screens.home_links import link_lines
from chartinsight_tui.screens.home_prices import price_lines, watched
from chartinsight_tui.screens.home_record import record_lines
from chartinsight_tui.screens.view import View
from chartinsight_tui.state_line import state_line
from chartinsight_tui.store import Part
from chartinsight_tui.widgets.pane import Line, Pane, beside, wrapped

if TYPE_CHECKING:
    from chartinsightd.control.protocol.status import Status

_TWO_COLUMNS = 76
"""From this width on there are two columns."""
_WIDE = 110
_SMALL = (60, 16)
"""Below this width or height only the verdict, the alerts and what is late have room."""
_MOST_LEFT = 70
"""Cells of the left column; what is more goes to prices and alerts."""
_LEAST_LEFT, _LEAST_RIGHT = 51, 26
"""Cells in which the freshness map shows thirty stocks, and a price stands behind a short name."""
_TALL = 32
"""Above this height an empty line stands below the verdict."""
_RECORD_FROM = 100
"""Width from which alerts have room in the right column, and the record of the day below both."""
_LEAST_RECORD = 3
_MOST_ALERTS = 12
_MOST_JOBS = 8
_DAY_LINES = 4
"""Lines of the day below its heading."""
_LEAST_PRICES = 5


class OverviewView(View, can_focus=True):
    """Session, freshness, request limits, jobs, links, alerts and what happened today, without boxes."""

    PARTS: ClassVar[frozenset[Part]] = frozenset(
        {Part.STATUS, Part.LINK, Part.JOBS, Part.COVERAGE, Part.WATCH, Part.QUOTES}
    )
    QUOTES_EVERY_S: ClassVar[float] = 2.0
    """As often as the status: at rest the home screen may cost no more than before it had prices."""
    FILTERS: ClassVar[bool] = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "key.open_alerts"),
        Binding("left", "move(-1)", "key.day_left", show=False),
        Binding("right", "move(1)", "key.day_right", show=False),
        Binding("P", "app.pause", "key.pause"),
    ]

    def __init__(self, name: str, context: Context) -> None:
        super().__init__(name, context)
        self._pane = Pane(self._draw, lambda: self.palette, id="home")
        self._day = DayTracks(context)
        self._told: tuple[str, ...] = ()
        """What the countdowns said last."""

    def compose(self) -> ComposeResult:
        """Lay out the one pane; its columns depend on the terminal's size."""
        yield self._pane

    def main_widget(self) -> Widget:
        """Return the view itself."""
        return self

    def refresh_data(self, changed: frozenset[Part]) -> None:
        """Draw what changed; the way of the price is asked for of the stocks that have room."""
        del changed
        self.store.trend_of = tuple(watched(self.store)[: self.size.height])
        self._pane.update()

    def tick(self) -> None:
        """Draw the countdowns, when one of them says something else than before."""
        status, now = self.store.status, self.context.now()
        if status is None or now is None:
            return
        session, coming = status.session, status.verdict.next_at
        ends = (coming, session.opens_at, session.closes_at, session.ends_at)
        left = [self.words.duration((at - now).total_seconds()) for at in ends if at is not None]
        shown = (clock_time(now)[:5], *left)
        if shown != self._told:
            self._told = shown
            self._pane.update()

    def copy_text(self) -> str:
        """Return the screen as text."""
        return self._pane.plain()

    def picture(self) -> LastPicture | None:
        """Return what is seen, for the next start; None while it is not known to be true."""
        status, width = self.store.status, self._pane.size.width
        if status is None or not self.store.is_online or not width:
            return None
        return LastPicture(at=status.clock.now, width=width, lines=tuple(self._pane.rows()))

    def action_open(self) -> None:
        """Replay the moment under the cursor of the day; without one go to the alerts."""
        moment = self._day.moment
        self.post_message(ShowScreen("alerts") if moment is None else ShowMoment(moment))

    def action_move(self, cells: int) -> None:
        """Move the cursor of the day."""
        self._day.move(cells)
        self._pane.update()

    def action_leave_filter(self) -> None:
        """Take the cursor of the day away; without one, go back to where one came from."""
        if self._day.moment is None:
            self.post_message(StepBack())
        self._day.leave()
        self._pane.update()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer the cursor of the day only on the present: elsewhere these keys lead through time."""
        if action == "move":
            return not self.context.is_past
        return super().check_action(action, parameters)

    def on_click(self, event: events.Click) -> None:
        """Choose the moment of the day that was clicked; a second click replays it."""
        if event.y > _DAY_LINES or self.context.is_past:
            return
        before = self._day.moment
        self._day.put(event.x)
        if before is not None and before == self._day.moment:
            self.action_open()
        self._pane.update()

    # layout

    def _draw(self, width: int, height: int) -> Sequence[Line]:
        status = self.store.status
        if status is None and (picture := self._last_picture(width)):
            return picture
        if status is None:
            said = wrapped(self.what_is_missing(Part.STATUS), width - 2, self.palette.dim)
            return [[], *([(" ", self.palette.dim), *line] for line in said)]
        if width < _SMALL[0] or height < _SMALL[1]:
            return self._small(status, width, height)
        day = [*[[]] * (height > _TALL), *self._day.lines(status, width), []]
        if width < _TWO_COLUMNS:
            return [*day, *column(self._one_column(status, width), height - len(day))]
        return [*day, *self._columns(status, width, height - len(day))]

    def _last_picture(self, width: int) -> Sequence[Line]:
        """Return what was seen last time, all of it dim; nothing where it is wider than the terminal."""
        picture = self.context.last_picture
        if picture is None or picture.width > width:
            return []
        return [[(line, self.palette.dim)] for line in picture.lines]

    def _small(self, status: Status, width: int, height: int) -> Sequence[Line]:
        """Return what wants a person, what comes next, and what is late."""
        fresh = list(small_freshness_lines(self.context, status, width))
        room = height - len(fresh)
        said = [*alert_lines(self.context, status, width, max(1, room - 1))[1:], *self._small_next()]
        blank: list[Line] = [[]]
        return [*blank * (room - len(said) > 1), *said, *blank * (room > len(said)), *fresh]

    def _small_next(self) -> Iterator[Line]:
        """Yield what happens next, without the key that helps."""
        coming, _, _ = state_line(self.store, self.words, self.context.now()).coming.partition(" · ")
        if coming:
            yield [(f"   {coming}", self.palette.dim)]

    def _one_column(self, status: Status, width: int) -> list[Block]:
        fresh = freshness_lines(self.context, status, width)
        return [
            Block(draw=lambda most: fresh[:most], least=len(fresh), most=len(fresh)),
            self._alert_block(status, width),
            self._price_block(width),
            Block(draw=lambda most: coming_lines(self.context, status, width)[:most], least=2, most=4),
        ]

    def _columns(self, status: Status, width: int, height: int) -> Sequence[Line]:
        """Return two columns above what has the whole width: the record of the day, or the alerts."""
        gap = 4 if width >= _WIDE else 3
        left = min(_MOST_LEFT, (width - gap) * (55 if width >= _WIDE else 59) // 100)
        left = max(left, min(_LEAST_LEFT, width - gap - _LEAST_RIGHT))
        right = width - left - gap
        is_wide = width >= _RECORD_FROM
        below = self._record_block(status, width) if is_wide else self._alert_block(status, width)
        room = height - below.least - 1
        sides = beside(
            column(self._left_column(status, left), room),
            column(self._right_column(status, right, has_alerts=is_wide), room),
            left,
            gap,
        )
        return [*sides, [], *below.draw(height - len(sides) - 1)]

    def _left_column(self, status: Status, width: int) -> list[Block]:
        missing = self.what_is_missing(Part.JOBS)
        fresh, links = freshness_lines(self.context, status, width), link_lines(self.context, status, width)
        return [
            Block(draw=lambda most: fresh[:most], least=len(status.freshness) + 1, most=len(fresh)),
            Block(
                draw=lambda most: gate_lines(self.context, status, width, most),
                least=3,
                most=len(status.gate) + 2,
            ),
            Block(
                draw=lambda most: running_lines(self.context, width, most - 1, missing),
                least=2,
                most=_MOST_JOBS + 1,
            ),
            Block(draw=lambda _: links, least=len(links), most=len(links)),
        ]

    def _right_column(self, status: Status, width: int, *, has_alerts: bool) -> list[Block]:
        coming = Block(draw=lambda most: coming_lines(self.context, status, width)[:most], least=3, most=5)
        alerts = [self._alert_block(status, width)] if has_alerts else []
        return [self._price_block(width), *alerts, coming]

    def _price_block(self, width: int) -> Block:
        most = max(_LEAST_PRICES, len(watched(self.store)))
        return Block(
            draw=lambda lines: price_lines(self.context, width, lines),
            least=_LEAST_PRICES + 1,
            most=most + 1,
        )

    def _alert_block(self, status: Status, width: int) -> Block:
        return Block(
            draw=lambda most: alert_lines(self.context, status, width, most - 1),
            least=3,
            most=min(_MOST_ALERTS, len(status.alerts) + 1) + 1,
        )

    def _record_block(self, status: Status, width: int) -> Block:
        return Block(
            draw=lambda most: record_lines(self.context, status, width, most - 1),
            least=_LEAST_RECORD,
            most=999,
        )
