"""Every way a request can go wrong, as a problem with a remedy (RFC 9457)."""

from __future__ import annotations

from pydantic import ValidationError

from chartinsightd.control.handlers import NotNow, UnknownThing
from chartinsightd.control.protocol.problems import Problem
from chartinsightd.domain.errors import ChartInsightError, ConfigurationError, StoreUnavailable

_MOST_ERRORS = 20
_KINDS: dict[int, tuple[str, str]] = {
    400: ("bad-request", "The request cannot be read"),
    401: ("no-session", "This needs a session"),
    403: ("not-allowed", "That is not allowed here"),
    404: ("not-found", "There is no such thing"),
    405: ("method-not-allowed", "That cannot be done here"),
    406: ("not-acceptable", "It cannot be had in that form"),
    409: ("not-now", "Not now"),
    413: ("too-large", "The request is too large"),
    415: ("not-json", "The request is not JSON"),
    417: ("not-expected", "That cannot be expected here"),
    421: ("wrong-host", "This is not the address that is served here"),
    422: ("not-as-described", "The request is not as described"),
    429: ("too-many", "Too much at once"),
    500: ("mistake", "The daemon made a mistake"),
    503: ("unavailable", "The daemon cannot answer now"),
}
_STATUS_OF: tuple[tuple[type[ChartInsightError], int], ...] = (
    (UnknownThing, 404),
    (NotNow, 409),
    (ConfigurationError, 422),
    (ChartInsightError, 503),
)
"""The first class that fits counts; what is left is a database or a broker that is away."""
_DATABASE = {"type": "urn:chartinsight:database-away"}
"""Told apart from a daemon that is too busy: the page has other words for it."""


class Refused(Exception):
    """Carries a problem from where it is found to where it is answered."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.title)
        self.problem = problem


def problem(status: int, detail: str = "", remedy: str = "", errors: tuple[str, ...] = ()) -> Problem:
    """Return a problem of the kind that goes with an HTTP status."""
    slug, title = _KINDS.get(status, ("failed", "The request failed"))
    kind = f"urn:chartinsight:{slug}"
    return Problem(type=kind, title=title, status=status, detail=detail, remedy=remedy, errors=errors)


def problem_of(error: ChartInsightError) -> Problem:
    """Return the problem that a failure we expect is for who asked."""
    status = next(status for kind, status in _STATUS_OF if isinstance(error, kind))
    found = problem(status, error.message, error.remedy)
    return found.model_copy(update=_DATABASE) if isinstance(error, StoreUnavailable) else found


def wrong_fields(error: ValidationError) -> Problem:
    """Return the problem of a request that its model refuses: one line for each mistake."""
    mistakes = error.errors(include_url=False, include_context=False, include_input=False)
    if any(mistake["type"] == "json_invalid" for mistake in mistakes):
        return problem(400, mistakes[0]["msg"], "See /v1/openapi.json for what can be asked.")
    lines = tuple(_line(mistake["loc"], mistake["msg"]) for mistake in mistakes[:_MOST_ERRORS])
    return problem(422, "; ".join(lines[:3]), "See /v1/openapi.json for what can be asked.", lines)


def _line(place: tuple[int | str, ...], words: str) -> str:
    name = ".".join(str(part) for part in place)
    words = words.removeprefix("Value error, ")
    return f"{name}: {words}" if name else words
