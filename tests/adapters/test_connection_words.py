"""What happened to a connection is said in our words, to people who never heard of the HTTP library."""

from __future__ import annotations

import aiohttp
import pytest

from chartinsightd.adapters.connection_words import in_words


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (aiohttp.ServerDisconnectedError(), "the connection ended before the answer did"),
        (aiohttp.ClientPayloadError("Response payload is not completed"), "the connection ended before"),
        (aiohttp.ClientConnectionResetError("Cannot write to closing transport"), "the connection ended"),
        (aiohttp.ClientOSError(104, "Connection reset by peer"), "Connection reset by peer"),
        (aiohttp.ServerTimeoutError("Timeout on reading data from socket"), "no answer came in time"),
        (TimeoutError(), "no answer came in time"),
        (OSError(113, "No route to host"), "No route to host"),
    ],
)
def test_a_lost_connection_is_told_in_our_words(error: aiohttp.ClientError | OSError, words: str) -> None:
    """The library's own words, its classes and numbers of the system say nothing to a person."""
    said = in_words(error)
    assert words in said
    assert "Errno" not in said
