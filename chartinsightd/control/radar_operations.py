"""Operations of the page /radar/ and the API for reading, and which others the listener for browsers offers.

They stand in the same kind of table as those of `control.operations`; the control socket offers them too.
What is not in `OFFERED` cannot be reached through the listener: it is handed the handlers of these alone.
"""

from __future__ import annotations

from typing import Any

from chartinsightd.control.operations import (
    NOTE,
    NOTES,
    PATTERNS,
    POINTS,
    PROMPTS,
    REMOVE_SCREEN,
    SAVE_SCREEN,
    SCREEN,
    SCREEN_RUNS,
    SCREENER,
    SCREENS,
    STOCKS,
    STRATEGIES,
    WRITE_NOTE,
    Command,
    Operation,
    Query,
)
from chartinsightd.control.protocol.jobs import Outcome
from chartinsightd.control.protocol.web import (
    DaemonFacts,
    Link,
    LinkRequest,
    RevokeRequest,
    SessionRequest,
    SessionState,
    WebSessionList,
)
from chartinsightd.control.protocol.words import Nothing

DAEMON_FACTS = Query(
    name="daemon_facts",
    path="/v1/web/facts",
    summary="What every session of the listener for browsers is told of the daemon",
    request=Nothing,
    answer=DaemonFacts,
)
LINK = Command(
    name="link",
    path="/v1/web/link",
    summary="An address that begins one session of the listener for browsers",
    request=LinkRequest,
    answer=Link,
    statuses=(409,),
)
WEB_SESSIONS = Query(
    name="web_sessions",
    path="/v1/web/sessions",
    summary="The sessions of the listener for browsers",
    request=Nothing,
    answer=WebSessionList,
)
REVOKE = Command(
    name="revoke",
    path="/v1/web/revoke",
    summary="End sessions of the listener for browsers",
    request=RevokeRequest,
    answer=Outcome,
)
SESSION = Query(
    name="session",
    path="/v1/session",
    summary="This session, and how the daemon is",
    request=Nothing,
    answer=SessionState,
)
BEGIN_SESSION = Command(
    name="begin_session",
    path="/v1/session",
    summary="Begin a session with the token of an address that was printed",
    request=SessionRequest,
    answer=SessionState,
    statuses=(401,),
)

OFFERED: tuple[Operation[Any, Any], ...] = (
    STOCKS,
    POINTS,
    PATTERNS,
    STRATEGIES,
    SCREENER,
    SCREEN,
    SCREENS,
    SCREEN_RUNS,
    SAVE_SCREEN,
    REMOVE_SCREEN,
    NOTES,
    NOTE,
    PROMPTS,
    WRITE_NOTE,
)
"""What the listener for browsers offers, beside sessions, events and its own description."""
ON_SOCKET_ALONE: tuple[Operation[Any, Any], ...] = (DAEMON_FACTS, LINK, WEB_SESSIONS, REVOKE)
"""What the control socket has of this module and the listener has not."""
