"""Connections to the broker that are kept for the next request, as long as they stay quiet between."""

from __future__ import annotations

import aiohttp
from aiohttp.client_reqrep import ClientRequest
from aiohttp.connector import Connection
from aiohttp.tracing import Trace


class QuietConnector(aiohttp.TCPConnector):
    """Gives out no kept connection on which something arrived that was not asked for.

    The surplus of a server or of a proxy before it would be taken for the answer to the next request.
    """

    async def connect(
        self, req: ClientRequest, traces: list[Trace], timeout: aiohttp.ClientTimeout
    ) -> Connection:
        """Return a connection that is new, or was silent since its last answer."""
        while True:
            connection = await super().connect(req, traces, timeout)
            if connection.protocol is None or not connection.protocol.should_close:
                return connection
            connection.close()
