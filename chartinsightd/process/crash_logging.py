"""What this process says without being asked: crashes, threads, libraries. As log events, without secrets."""

from __future__ import annotations

import logging
import sys
import threading
from types import TracebackType

import structlog

log = structlog.get_logger(__name__)


def install_crash_logging() -> None:
    """Log uncaught exceptions and the logs of libraries, instead of printing them.

    Python would print it as it is, and a message of an exception may hold a key or a token.
    """
    sys.excepthook = _crashed
    threading.excepthook = _thread_crashed
    sys.unraisablehook = _unraisable
    root = logging.getLogger()
    root.handlers = [_Bridge(logging.WARNING)]


def _crashed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if isinstance(error, KeyboardInterrupt):
        return
    log.critical("daemon.crashed", exc_info=(kind, error, trace))


def _thread_crashed(what: threading.ExceptHookArgs) -> None:
    name = what.thread.name if what.thread else ""
    value = what.exc_value or what.exc_type()
    log.error("thread.crashed", thread=name, exc_info=(what.exc_type, value, what.exc_traceback))


def _unraisable(what: sys.UnraisableHookArgs) -> None:
    value = what.exc_value or what.exc_type()
    log.error("cleanup.failed", where=what.err_msg or "", exc_info=(what.exc_type, value, what.exc_traceback))


class _Bridge(logging.Handler):
    """Hands what libraries log to our log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log it as ours; the words of a library are a field, not the name of an event."""
        level = "error" if record.levelno >= logging.ERROR else "warning"
        fields = {"library": record.name, "message": record.getMessage()}
        if record.exc_info and record.exc_info[1] is not None:
            fields["exc_info"] = record.exc_info  # type: ignore[assignment]
        getattr(log, level)("library.logged", **fields)
