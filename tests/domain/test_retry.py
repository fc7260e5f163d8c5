"""Whether a failed request is tried again."""

from __future__ import annotations

import pytest

from chartinsightd.domain.errors import (
    AccessBlocked,
    MalformedAnswer,
    RateLimited,
    RequestRefused,
    SourceError,
    SourceUnavailable,
    TokenRejected,
)
from chartinsightd.domain.retry import wait_before_retry


@pytest.mark.parametrize(
    ("error", "waits"),
    [
        (SourceUnavailable("down"), [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]),
        (RateLimited("slow down"), [1.0, 2.0, 4.0]),
        (TokenRejected("8005"), [0.0, None, None]),
        (MalformedAnswer("cut"), [1.0, None, None]),
        (RequestRefused("1511"), [None]),
        (AccessBlocked("8050"), [None]),
        (SourceError("?"), [None]),
    ],
)
def test_waits_by_kind_of_failure(error: SourceError, waits: list[float | None]) -> None:
    """What passes is waited out, ever longer up to a minute; what does not is not repeated."""
    assert [wait_before_retry(error, attempt) for attempt in range(1, len(waits) + 1)] == waits


def test_a_year_of_failures_still_waits_a_minute() -> None:
    """The wait does not overflow."""
    assert wait_before_retry(SourceUnavailable("down"), 1_000_000) == 60.0
