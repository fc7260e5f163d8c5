"""Requests with a token: what charts and lists are built on."""

from __future__ import annotations

from collections.abc import Mapping

from chartinsightd.adapters.kiwoom.token import Token, TokenIssuer
from chartinsightd.adapters.kiwoom.transport import Answer, Transport
from chartinsightd.domain.errors import TokenRejected
from chartinsightd.ports.broker import Priority


class KiwoomClient:
    """Makes requests of market data (kiwoom.md#requests).

    Args:
        transport: entered already.
        issuer: whose token the requests carry.
    """

    def __init__(self, transport: Transport, issuer: TokenIssuer) -> None:
        self._transport = transport
        self._issuer = issuer

    async def post(
        self,
        api_id: str,
        path: str,
        body: Mapping[str, str],
        *,
        priority: Priority,
        cont_key: str | None = None,
    ) -> Answer:
        """Make one request; a rejected token is replaced once, and the request repeated once.

        Args:
            api_id: which request, such as `ka10081`.
            path: of the URL, such as `/api/dostk/chart`.
            body: its fields; the broker wants texts, also for numbers.
            priority: at the gate.
            cont_key: of the page wanted, from the answer before it; None for the first.

        Raises:
            RateLimited: the broker went on refusing although the gate slowed down.
            TokenRejected: also the new token was rejected.
            SourceError: the other classes of `domain.errors`.
        """
        token = await self._issuer.token()
        try:
            return await self._post(token, api_id, path, body, priority, cont_key)
        except TokenRejected:
            token = await self._issuer.renew(token)
            return await self._post(token, api_id, path, body, priority, cont_key)

    async def _post(
        self,
        token: Token,
        api_id: str,
        path: str,
        body: Mapping[str, str],
        priority: Priority,
        cont_key: str | None,
    ) -> Answer:
        headers = {"api-id": api_id, "authorization": f"Bearer {token.text}"}
        if cont_key is not None:
            headers |= {"cont-yn": "Y", "next-key": cont_key}
        return await self._transport.exchange(
            api_id, path, body, priority=priority, headers=headers, secrets=[token.text]
        )
