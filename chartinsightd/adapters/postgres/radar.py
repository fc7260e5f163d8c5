"""What a chart's answer rests on: one row, read by keys."""

from __future__ import annotations

from datetime import datetime

from chartinsightd.adapters.postgres.connection import ReconnectingConnection
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe


class PostgresChartStates:
    """Implements `ports.radar.ChartStates`."""

    def __init__(self, connection: ReconnectingConnection) -> None:
        self._connection = connection

    async def chart_state(self, analyser: str, series: Series, as_of: datetime | None) -> str:
        """Return a text that changes with everything a chart shows of a series."""
        async with self._connection.use() as connection:
            row = await connection.fetchrow(_STATE, analyser, series.symbol, str(series.timeframe), as_of)
            revisions = await connection.fetchval(_REVISIONS, series.symbol, str(series.timeframe))
        return " ".join(map(str, (*row, revisions)))

    async def has_forming(self, series: Series) -> bool:
        """Whether the newest candle of a series still forms."""
        async with self._connection.use() as connection:
            return await connection.fetchval(_NEWEST[series.timeframe], series.symbol) is False


_STATE = """
select
    greatest(
        (select max(number) from candle_changes where symbol = $2 and timeframe = $3
            and ($4::timestamptz is null or at <= $4)),
        (select max(number) from candle_changes where symbol = $2 and timeframe is null
            and ($4::timestamptz is null or at <= $4)),
        (select max(number) from candle_changes where symbol is null and timeframe is null
            and ($4::timestamptz is null or at <= $4))) as change,
    (select row(data_id, state, reason, analysed_to, analysed_at)::text from analysis_state
        where analyser = $1 and symbol = $2 and timeframe = $3) as analysis,
    (select max(id) from labels where symbol = $2 and ($4::timestamptz is null or created_at <= $4)) as label,
    (select md5(string_agg(row(from_ts, to_ts, reason, since, evidence)::text, '' order by from_ts)) from gaps
        where symbol = $2 and timeframe = $3) as gaps,
    (select row(count(*), sum(hashtext(session::text || state)))::text from seals where symbol = $2) as seals,
    (select row(name, market, market_cap, last_price, state, order_warning, tracked, delisted_on)::text
        from stocks where symbol = $2) as stock
"""
_REVISIONS = "select count(*) from revisions where symbol = $1 and timeframe = $2"
"""Apart: it may be a distributed table, which a subquery beside tables of one node cannot name."""
_NEWEST = {
    timeframe: f"select final from candles_{timeframe} where symbol = $1 order by ts desc limit 1"
    for timeframe in Timeframe
}
