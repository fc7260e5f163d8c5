"""Orders of the control socket about the listener: addresses that let a browser in, and who is in."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from chartinsightd.control.handlers import Caller, Handlers, NotNow
from chartinsightd.control.protocol.jobs import Outcome, OutcomeState
from chartinsightd.control.protocol.web import Link, LinkRequest, RevokeRequest, WebSession, WebSessionList
from chartinsightd.control.radar_operations import LINK, REVOKE, WEB_SESSIONS
from chartinsightd.web.server import Listening
from chartinsightd.web.sessions import TOKEN_LIVES_S, Session, Sessions
from chartinsightd.web.static_files import PAGE


class Access:
    """Hands out addresses, lists sessions, ends them.

    `listening` is set once the listener is open, and stays None where it is off.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self.listening: Listening | None = None

    def register(self, handlers: Handlers) -> None:
        """Offer the orders."""
        handlers.add(LINK, self.link)
        handlers.add(WEB_SESSIONS, self.sessions)
        handlers.add(REVOKE, self.revoke)

    async def link(self, request: LinkRequest, caller: Caller) -> Link:
        """Return an address that begins one session.

        Raises:
            NotNow: the listener is off.
        """
        if self.listening is None:
            raise NotNow(
                "The page is off.",
                remedy='Set web.listen = "127.0.0.1:8600" in config.toml and restart the daemon.',
            )
        symbol = f"&symbol={quote(request.symbol)}" if request.symbol else ""
        token = self._sessions.issue(caller.name)
        return Link(url=f"{self.listening.origin}{PAGE}#token={token}{symbol}", expires_s=TOKEN_LIVES_S)

    async def sessions(self) -> WebSessionList:
        """Return the sessions that last."""
        return WebSessionList(items=tuple(map(_row, self._sessions.all())))

    async def revoke(self, request: RevokeRequest, caller: Caller) -> Outcome:
        """End sessions."""
        del caller  # the log has the name
        ended = self._sessions.end(request.ids or None)
        names = ", ".join(one.id for one in ended) or "none"
        state = OutcomeState.REVOKED if ended else OutcomeState.ALREADY_OVER
        return Outcome(changed=bool(ended), state=state, detail=f"Ended: {names}.")


def _row(session: Session) -> WebSession:
    found: dict[str, Any] = {name: getattr(session, name) for name in WebSession.model_fields}
    return WebSession(**found)
