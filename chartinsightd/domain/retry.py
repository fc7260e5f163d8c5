"""Whether and when a failed request is worth another try."""

from __future__ import annotations

from chartinsightd.domain.errors import (
    MalformedAnswer,
    RateLimited,
    SourceError,
    SourceUnavailable,
    TokenRejected,
)

_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 60.0


def wait_before_retry(error: SourceError, attempt: int) -> float | None:
    """Return how long to wait before the next try, in seconds, or None for never. Jitter is the caller's.

    Args:
        error: why the last try failed.
        attempt: how many tries have failed so far, this one included; 1 or more.
    """
    match error:
        case SourceUnavailable() | RateLimited():
            return min(_FIRST_WAIT_S * 2.0 ** min(attempt - 1, 16), _LONGEST_WAIT_S)
        case TokenRejected():
            return 0.0 if attempt == 1 else None
        case MalformedAnswer():
            return _FIRST_WAIT_S if attempt == 1 else None
        case _:
            return None
