"""The broker's token, as it is shown."""

from __future__ import annotations

from typing import Protocol

from chartinsightd.clock import Clock
from chartinsightd.control.protocol.status import TokenState, TokenStatus
from chartinsightd.ports.broker import TokenState as IssuedToken
from chartinsightd.service.collecting.retries import RetryTracker
from chartinsightd.service.monitoring.probes import TokenFailure


class IssuerView(Protocol):
    """The holder of the token, as it is shown."""

    def state(self) -> IssuedToken:
        """Return what may be shown."""

    def failure(self) -> TokenFailure | None:
        """Return why no token could be had; None while all is well."""


class TokenView:
    """Says how the token is, from its holder and from what the broker refuses."""

    def __init__(self, *, issuer: IssuerView, retries: RetryTracker, clock: Clock) -> None:
        self._issuer = issuer
        self._retries = retries
        self._clock = clock

    def status(self) -> TokenStatus:
        """Return how the token is."""
        block, token = self._retries.block, self._issuer.state()
        if block is not None:
            return TokenStatus(state=TokenState.REFUSED, note=str(block))
        if token.expires_at is None:
            return TokenStatus(state=TokenState.RENEWING if token.issued else TokenState.NONE)
        is_valid = token.expires_at > self._clock.now()
        state = TokenState.VALID if is_valid else TokenState.RENEWING
        return TokenStatus(state=state, expires_at=token.expires_at)
