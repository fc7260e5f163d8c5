"""What happened to a connection, in our words: those of the HTTP library mean nothing to a user."""

from __future__ import annotations

import aiohttp

_ENDED = "the connection ended before the answer did"


def in_words(error: aiohttp.ClientError | OSError) -> str:
    """Return why a request had no answer, as a clause; of the system's own errors the system's words."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return f"the certificate of {error.host} is not accepted ({error.certificate_error})"
        case aiohttp.ClientConnectorDNSError():
            return f"the name {error.host} is not found ({error.os_error.strerror or error.os_error})"
        case aiohttp.ClientConnectorError():
            return f"no connection to {error.host}:{error.port} ({error.os_error.strerror or error.os_error})"
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientPayloadError() | ConnectionResetError():
            return _ENDED
        case aiohttp.ClientResponseError():
            return "what answers is no HTTP"
        case TimeoutError():
            return "no answer came in time"
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error) or _ENDED
