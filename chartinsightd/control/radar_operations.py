"""Operations of the page /radar/ and the API for reading, and which others the listener for browsers offers.

They stand in the same kind of table as those of `control.operations`; the control socket offers them too.
What is not in `OFFERED` cannot be reached through the listener: it is handed the handlers of these alone.
"""

from __future__ import annotations

from typing import Any

from chartinsightd.control.alarm_operations import ALARMING
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
    STATISTICS,
    STOCKS,
    STRATEGIES,
    WRITE_NOTE,
    Command,
    Operation,
    Query,
)
from chartinsightd.control.protocol.jobs import Outcome
from chartinsightd.control.protocol.labels import LabelList, LabelQuery, LabelRequest, LabelRow
from chartinsightd.control.protocol.radar import (
    FoundStockList,
    Radar,
    RadarQuery,
    SeriesCandles,
    SeriesCandlesQuery,
    StockDetail,
    StockFindQuery,
    SymbolPath,
)
from chartinsightd.control.protocol.statistics import PatternStatistics, PatternStatisticsQuery
from chartinsightd.control.protocol.web import (
    DaemonFacts,
    Link,
    LinkRequest,
    ReadingAddress,
    RevokeRequest,
    SessionRequest,
    SessionState,
    WebSessionList,
)
from chartinsightd.control.protocol.words import Nothing
from chartinsightd.control.watch_operations import WATCHING

DAEMON_FACTS = Query(
    name="daemon_facts",
    path="/v1/web/facts",
    summary="What every session of the listener for browsers learns of the daemon",
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
READING_ADDRESS = Query(
    name="reading_address",
    path="/v1/database",
    summary="Where other programs read the database, with a role that can change nothing",
    request=Nothing,
    answer=ReadingAddress,
    statuses=(409,),
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
RADAR = Query(
    name="radar",
    path="/v1/radar/{symbol}",
    summary="A page of a chart with everything that belongs to it, in columns",
    request=RadarQuery,
    answer=Radar,
    statuses=(404,),
)
CANDLES_OF = Query(
    name="candles_of",
    path="/v1/candles/{symbol}",
    summary="Candles of one series in columns, the newest before a cursor",
    request=SeriesCandlesQuery,
    answer=SeriesCandles,
    rows="candles",
    statuses=(404,),
)
FIND_STOCKS = Query(
    name="find_stocks",
    path="/v1/stocks",
    summary="Stocks by code, name or first consonants; with their newest daily candles",
    request=StockFindQuery,
    answer=FoundStockList,
    rows="items",
)
STOCK = Query(
    name="stock",
    path="/v1/stocks/{symbol}",
    summary="One stock, and how each of its timeframes stands",
    request=SymbolPath,
    answer=StockDetail,
    statuses=(404,),
)
PATTERN_STATISTICS = Query(
    name="pattern_statistics",
    path="/v1/statistics/patterns",
    summary="What followed each kind of pattern that was completed",
    request=PatternStatisticsQuery,
    answer=PatternStatistics,
    rows="items",
)
LABELS = Query(
    name="labels",
    path="/v1/labels",
    summary="What people say of charts, the newest first, and how often they agree with what was found",
    request=LabelQuery,
    answer=LabelList,
    rows="items",
)
ADD_LABEL = Command(
    name="add_label",
    path="/v1/labels",
    summary="Say something of a stretch of a chart, or correct what was said; nothing is overwritten",
    request=LabelRequest,
    answer=LabelRow,
    statuses=(404, 409),
)

OFFERED: tuple[Operation[Any, Any], ...] = (
    RADAR,
    CANDLES_OF,
    FIND_STOCKS,
    STOCK,
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
    STATISTICS,
    PATTERN_STATISTICS,
    LABELS,
    ADD_LABEL,
    *WATCHING,
)
"""What the listener for browsers offers, beside sessions, events and its own description."""
ON_SOCKET_ALONE: tuple[Operation[Any, Any], ...] = (
    DAEMON_FACTS,
    LINK,
    WEB_SESSIONS,
    REVOKE,
    READING_ADDRESS,
    *ALARMING,
)
"""What the control socket has beside those of `control.operations` and the listener has not."""
