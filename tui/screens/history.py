"""Shows the history of a candle, or the tries of a series, over the screen where one asked for it."""

from __future__ import annotations

from datetime import datetime

from chartinsight_tui.screens.view import View
from chartinsight_tui.store import Failure


def show_history(view: View, symbol: str, timeframe: str, at: datetime) -> None:
    """Ask the daemon for all that is known of the candle that holds a moment, and show it."""
    view.run_worker(_show(view, symbol, timeframe, at), group="history", exclusive=True)


def show_tries(view: View, symbol: str, timeframe: str) -> None:
    """Ask the daemon what was tried of a series and failed, and show it."""
    view.run_worker(_show_tries(view, symbol, timeframe), group="history", exclusive=True)


async def _show_tries(view: View, symbol: str, timeframe: str) -> None:
    from chartinsight_tui.explanation import tried
    from chartinsight_tui.screens.dialogs import TextDialog

    if view.context.connection is None:
        return
    told = await view.context.connection.tries(symbol, timeframe)
    if isinstance(told, Failure):
        view.notify(str(told), severity="error", markup=False)
        return
    words = view.words
    name, frame = view.store.name_of(symbol), words[f"timeframe.{timeframe}"]
    title = words.put("tries.title", symbol=symbol, name=name, timeframe=frame)
    view.app.push_screen(TextDialog(title, tried(told, symbol, timeframe, words, view.palette)))


async def _show(view: View, symbol: str, timeframe: str, at: datetime) -> None:
    from chartinsight_tui.explanation import explained, title_of
    from chartinsight_tui.screens.dialogs import TextDialog

    if view.context.connection is None:
        return
    told = await view.context.connection.explain(symbol, timeframe, at)
    if isinstance(told, Failure):
        view.notify(str(told), severity="error", markup=False)
        return
    text = explained(told, view.words, view.palette)
    view.app.push_screen(TextDialog(title_of(told, view.words), text))
