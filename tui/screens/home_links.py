"""How it stands with Kiwoom, the live stream, the database and the daemon."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from chartinsight_tui.context import Context
from chartinsight_tui.formatting import (
    clock_time,
    fit,
    number,
    size,
)
from chartinsight_tui.widgets.pane import Line, heading
from chartinsightd.domain.kst import day_of

if TYPE_CHECKING:
    from chartinsightd.control.protocol.status import Status


def link_lines(context: Context, status: Status, width: int) -> list[Line]:
    """Return a row a link; what is not known says since when."""
    token, database, daemon, words = status.token, status.database, status.daemon, context.words
    until = words.put("token.until", at=clock_time(token.expires_at)[:5]) if token.expires_at else ""
    rows = status.rows_today
    counted = words.put("home.rows_today", count=number(rows.inserted), since=_counted_since(context, status))
    up = words.put("home.up", version=daemon.version, time=words.duration(daemon.uptime_s))
    kind = f"PostgreSQL {database.version}"
    known = [kind, database.extension, size(database.size_bytes), database.place]
    postgres = " · ".join(filter(None, known))
    lines: list[tuple[str, bool, str]] = [
        (
            "kiwoom",
            token.state == "valid",
            token.note or f"{words[f'token.{token.state}']} {until}".strip(),
        ),
        *_stream(context, status),
        ("database", database.reachable, database.note or postgres),
        ("daemon", daemon.state == "running" and daemon.ready, f"{up} · {counted}"),
    ]
    return [heading(words["home.links"], width, context.palette), *(_link(context, *line) for line in lines)]


def _stream(context: Context, status: Status) -> Iterator[tuple[str, bool, str]]:
    """Yield the link of the live stream, where there is one."""
    if (live := status.live) is not None:
        words = context.words
        counted = words.put("home.trades", symbols=number(live.symbols), trades=number(live.trades))
        told = live.note or f"{words[f'live.{live.state}']} · {counted}"
        yield "live", live.state != "lost", told


def _link(context: Context, name: str, is_well: bool, text: str) -> Line:
    palette = context.palette
    if not context.store.is_online:
        at = context.store.status.clock.now if context.store.status else None
        mark, style, text = (
            "?",
            palette.dim,
            context.words.put("line.unknown_since", at=clock_time(at)),
        )
    else:
        mark, style = ("●", palette.good) if is_well else ("▲", palette.warn)
    return [
        (f" {mark} ", style),
        (fit(context.words[f"link.{name}"], 9), palette.dim),
        (text, palette.text if is_well else style),
    ]


def _counted_since(context: Context, status: Status) -> str:
    """Say since when rows are counted, where that is not midnight: the daemon counts its own."""
    started = status.daemon.started_at
    if day_of(started) < day_of(status.clock.now):
        return ""
    return context.words.put("home.since", at=clock_time(started)[:5])
