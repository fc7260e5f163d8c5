"""Named events with fields, as JSON for machines or as lines for people. Secrets never get through."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from chartinsightd.clock import Clock
from chartinsightd.facts.krx import KST
from chartinsightd.process.log_stream import LogStream

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
HIDDEN = "***"
JOURNAL_ERROR = "<3>"
"""Put before a line on standard error, it makes journald take the line for an error."""


class Redactor:
    """Replaces known secrets in everything that is logged."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()

    def hide(self, secrets: Iterable[str]) -> None:
        """Never let these texts through again. Short ones are ignored: they would tear words apart."""
        self._secrets.update(secret for secret in secrets if len(secret) >= 8)

    def hide_one(self, secret: str) -> None:
        """Never let this text through again."""
        self.hide([secret])

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        """Work as a structlog processor."""
        del logger, method
        return {key: self._clean(value) for key, value in event.items()} if self._secrets else event

    def clean(self, text: str) -> str:
        """Return a text without the secrets."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return text

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.clean(value)
        if isinstance(value, dict):
            return {key: self._clean(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self._clean(inner) for inner in value]
        return value


REDACTOR = Redactor()
"""The redactor of this process; code that learns a secret adds it here."""


class Stamp:
    """Puts a clock's time on every event, as `timestamp`: KST, ISO 8601."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        """Work as a structlog processor."""
        del logger, method
        event["timestamp"] = self._clock.now().astimezone(KST).isoformat(timespec="milliseconds")
        return event


def times_in_kst(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Write each moment and day among an event's fields as text, in KST; a structlog processor."""
    del logger, method
    return {key: _time_as_text(value) for key, value in event.items()}


def _time_as_text(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(KST).isoformat(timespec="seconds")
    return value.isoformat() if isinstance(value, date) else value


def is_under_systemd() -> bool:
    """Whether standard error goes to the journal."""
    return "JOURNAL_STREAM" in os.environ


def configure_logs(format_: str, level: str, clock: Clock, *taps: Processor) -> None:
    """Set up the log of this process on standard error.

    Args:
        format_: `json`, `console`, or `auto` (JSON under systemd, console elsewhere).
        level: the least level shown: `debug`, `info`, `warning`, `error`.
        clock: its time is on every event.
        taps: see every event that is shown, secrets taken out.
    """
    as_json = format_ == "json" or (format_ == "auto" and is_under_systemd())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            times_in_kst,
            Stamp(clock),
            structlog.processors.format_exc_info,
            REDACTOR,
            *taps,
            *(_json_end() if as_json else _console_end()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=LogStream(sys.stderr),
        cache_logger_on_first_use=False,
    )


def _json_end() -> list[Processor]:
    render = structlog.processors.JSONRenderer(ensure_ascii=False, default=str)
    return [_Prioritised(render)] if is_under_systemd() else [render]


def _console_end() -> list[Processor]:
    colors = sys.stderr is not None and sys.stderr.isatty() and "NO_COLOR" not in os.environ
    return [structlog.dev.ConsoleRenderer(colors=colors)]


class _Prioritised:
    """Puts `<N>` before a line: journald takes it as the level."""

    def __init__(self, render: structlog.processors.JSONRenderer) -> None:
        self._render = render

    def __call__(self, logger: WrappedLogger, method: str, event: EventDict) -> str:
        priority = _PRIORITIES.get(str(event.get("level")), 6)
        return f"<{priority}>{self._render(logger, method, event)!s}"
