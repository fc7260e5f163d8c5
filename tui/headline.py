"""What stands above every screen: the tabs, the state of the daemon in words, the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from chartinsight_tui.context import Context
from chartinsight_tui.formatting import NOTHING, clock_time, countdown, number
from chartinsight_tui.moment import Moment
from chartinsight_tui.state_line import StateLine, state_line
from chartinsight_tui.widgets.bars import Tab
from chartinsight_tui.widgets.pane import Piece

_BADGES = {
    "well": ("●", "good", ""),
    "working": ("▶", "accent", ""),
    "attention": ("▲", "warn", ""),
    "trouble": ("✕", "ground", "bad"),
    "unknown": ("?", "dim", ""),
}
"""Mark, colour of the badge and of its ground."""


class Headline:
    """Words for the first two rows of the terminal, and for its title.

    Args:
        context: what all screens share.
        moment: which time is shown.
        keys: the screens in their order, each with its digit.
        pictured_at: returns the time of the earlier picture that is seen, if one is.
        show_title: called with the title of the terminal at each drawing.
    """

    def __init__(
        self,
        context: Context,
        moment: Moment,
        *,
        keys: Mapping[str, str],
        pictured_at: Callable[[], datetime | None],
        show_title: Callable[[str], None],
    ) -> None:
        self._context = context
        self._moment = moment
        self._keys = keys
        self._is_read_only = context.read_only
        self._pictured_at = pictured_at
        self._show_title = show_title

    def tabs(self) -> Sequence[Tab]:
        """Return the screens; the alerts with the number of those that nobody has acknowledged."""
        status = self._moment.live.status
        open_ = () if status is None else [one for one in status.alerts if one.ended_at is None]
        unknown = sum(alert.acknowledged_at is None for alert in open_)
        return [
            Tab(
                name=name,
                key=key,
                title=self._context.words[f"tab.{name}"],
                short=self._context.words.get(f"tab.{name}.short", ""),
                count=unknown if name == "alerts" and self._moment.live.is_online else 0,
            )
            for name, key in self._keys.items()
        ]

    def state(self) -> tuple[Piece, Piece, Piece]:
        """Return badge, facts and what comes next; the title of the terminal says the same."""
        line = self._line()
        palette = self._context.colours
        badge = self._badge(line)
        self._show_title(f"{_BADGES[line.kind][0]} {line.facts} – ChartInsight")
        if self._moment.frozen_at is not None:
            return self._frozen(badge, self._moment.frozen_at)
        facts = palette.warn if line.kind == "attention" else palette.text
        shown = (line.facts, palette.dim if line.kind == "unknown" else facts)
        return badge, shown, (line.coming, palette.dim)

    def present(self) -> Piece:
        """Return the state of now in a word, for screens that show another time."""
        return self._badge(self._line())

    def news(self) -> Iterator[Piece]:
        """Yield what the first row says on the right, the least important first."""
        context = self._context
        status, palette = context.store.status, context.palette
        if status is not None:
            yield context.words[f"mode.{status.daemon.mode}.{status.daemon.environment}"], palette.faint
            yield self._left(), palette.dim
        if self._is_read_only:
            yield context.words["top.read_only"], context.colours.warn
        time = clock_time(self._moment.daemon_time())
        yield time, palette.strong if context.store.is_online else palette.faint

    def _line(self) -> StateLine:
        moment = self._moment
        return state_line(moment.live, self._context.words, moment.live_now(), self._pictured_at())

    def _badge(self, line: StateLine) -> Piece:
        mark, colour, ground = _BADGES[line.kind]
        text = f"{mark} {self._context.words[f'line.kind.{line.kind}']}".strip()
        return text, self._context.colours.of(colour, ground, bold=True)

    def _frozen(self, present: Piece, at: datetime) -> tuple[Piece, Piece, Piece]:
        """Say since when nothing on the screen has moved, and how things are meanwhile."""
        words, palette, moment = self._context.words, self._context.colours, self._moment
        passed = words.duration((moment.daemon_time() - at).total_seconds())
        facts = words.put("frozen.facts", at=clock_time(at), time=passed, count=number(moment.missed))
        badge = f"‖ {words['frozen.badge']}", palette.of("ground", "past", bold=True)
        state, style = present
        return badge, (facts, palette.of("past")), (words.put("frozen.now", state=state), style)

    def _left(self) -> str:
        """Return the phase of the day and how long it lasts yet."""
        status, now = self._context.store.status, self._context.now()
        if status is None or status.session.next_change_at is None:
            return ""
        phase = self._context.words[f"phase.{status.session.phase}"]
        if now is None:
            return f"{phase} {NOTHING}"
        return f"{phase} {countdown((status.session.next_change_at - now).total_seconds())}"
