"""The history of a candle in words: what is stored, what changed, and what proves it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.style import Style
from rich.text import Text

from chartinsight_tui.formatting import NOTHING, candle_start, fit, number, stamp
from chartinsight_tui.screens.data.gaps import evidence
from chartinsight_tui.screens.data.revisions import changed_words
from chartinsight_tui.text import Words
from chartinsight_tui.theme import Palette
from chartinsight_tui.told import told as told_of
from chartinsightd.domain.foreign_text import printable

if TYPE_CHECKING:
    from chartinsightd.control.protocol.history import Explanation
    from chartinsightd.control.protocol.jobs import TryList

_GOOD = {"final", "no_trade"}
_BAD = {"missing", "unconfirmed"}
_LABEL = 10


def explained(told: Explanation, words: Words, palette: Palette) -> Text:
    """Return a candle's history, a line for each thing that is known."""
    lines = [
        Text.assemble((f"{fit(label, _LABEL)} ", palette.dim), (printable(text), style))
        for label, text, style in _facts(told, words, palette)
    ]
    command = f"chartinsightctl explain {told.symbol} {told.timeframe} {told.at:%Y-%m-%dT%H:%MZ}"
    return Text("\n").join([*lines, Text(), Text(command, palette.dim)])


def tried(told: TryList, symbol: str, timeframe: str, words: Words, palette: Palette) -> Text:
    """Return the failed tries of a series, newest first: when, in which job, and what the broker answered."""
    lines = [
        Text.assemble(
            (f"{stamp(one.at)}  ", palette.dim),
            (f"#{one.job_id} {words.get(f'job.kind.{one.kind}', one.kind)}  ", palette.text),
            (f"{one.about}  ", palette.dim),
            (printable(told_of(one.reason, words)), palette.warn),
        )
        for one in told.items
    ]
    if told.total > len(told.items):
        lines.append(Text(words.put("tries.more", count=number(told.total - len(told.items))), palette.dim))
    command = f"chartinsightctl tries {symbol} -t {timeframe}"
    none = [Text(words["tries.none"], palette.text)]
    return Text("\n").join([*(lines or none), Text(), Text(command, palette.dim)])


def title_of(told: Explanation, words: Words) -> str:
    """Return which candle it is."""
    timeframe = told.timeframe.value
    return f"{told.symbol} {told.name} {words[f'timeframe.{timeframe}']} {candle_start(told.ts, timeframe)}"


def _facts(told: Explanation, words: Words, palette: Palette) -> Iterator[tuple[str, str, Style]]:
    """Yield label, text and colour of each fact; an empty label goes with the fact before."""
    standing = told.standing.value
    style = palette.good if standing in _GOOD else palette.warn if standing in _BAD else palette.text
    yield words["explain.stands"], words[f"standing.{standing}"], style
    if told.candle is not None:
        names = ("open", "high", "low", "close", "volume", "value")
        shown = [f"{words[f'value.{name}']} {number(getattr(told.candle, name))}" for name in names]
        yield words["explain.stored"], "  ".join(shown), palette.text
    if told.ts is not None:
        read = stamp(told.read_at) if told.read_at else NOTHING
        covered = words["explain.covered" if told.covered else "explain.not_covered"]
        yield words["explain.read"], f"{covered} · {read}", palette.text
    for one in told.revisions:
        change = f"{stamp(one.changed_at)} {changed_words(one.old, one.new, words)} ({one.cause})"
        yield words["explain.revised"], f"◆ {change}", palette.warn
    yield from _doubts(told, words, palette)
    for action in told.adjustments:
        yield words["explain.adjusted"], f"÷ {action.ex_date} × {action.price_factor:.6g}", palette.text


def _doubts(told: Explanation, words: Words, palette: Palette) -> Iterator[tuple[str, str, Style]]:
    if told.gap is not None:
        reason = words[f"reason.{told.gap.reason}"]
        yield words["explain.gap"], f"{reason} · {stamp(told.gap.since)}", palette.warn
        for name, value in evidence(told.gap.evidence).items():
            yield "", f"{words.get(f'evidence.{name}', name)} {value}", palette.text
    if told.seal is not None:
        is_sealed = told.seal.state == "sealed"
        state = f"{told.seal.day} {words[f'seal.{told.seal.state}']}"
        yield words["explain.seal"], state, palette.good if is_sealed else palette.warn
        for name, value in evidence(told.seal.evidence).items():
            yield "", f"{words.get(f'evidence.{name}', name)} {value}", palette.text
