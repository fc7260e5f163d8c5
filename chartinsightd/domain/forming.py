"""Candles that take shape: the trades of one symbol and session, in all timeframes.

They obey the grid and the hours of final candles. They are never final: what counts is read from the broker's
charts after the close.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from chartinsightd.domain.calendar import Calendar, Session
from chartinsightd.domain.candle import Candle
from chartinsightd.domain.grid import traded_minutes
from chartinsightd.domain.kst import day_of, midnight
from chartinsightd.domain.running_volume import RunningVolume
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.trade import Trade
from chartinsightd.facts import kiwoom

_MINUTE_S = 60
_SPAN_S = {timeframe: int(timeframe.span.total_seconds()) for timeframe in Timeframe if timeframe.is_intraday}
_PART_S = _SPAN_S[Timeframe.M5]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forming:
    """A candle as the trades so far make it."""

    candle: Candle
    """Never final."""
    unexplained_since: datetime | None
    """None: every share of it was seen. Else its volume does not add up from here on; aware, UTC."""


@dataclass(slots=True)
class _Part:
    """The trades of five minutes."""

    open: int
    high: int
    low: int
    close: int
    volume: int
    first: int
    """The day's volume at the trade that opens it; a late trade may be older."""
    last: int

    def take(self, trade: Trade) -> None:
        price, at = trade.price, trade.running_volume
        if price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price
        self.volume += trade.volume
        if at < self.first:
            self.open, self.first = price, at
        if at > self.last:
            self.close, self.last = price, at


class SessionFold:
    """Folds the trades of one symbol and session.

    Args:
        symbol: whose trades they are.
        session: whose trades count.
    """

    def __init__(self, symbol: str, session: Session) -> None:
        self.symbol = symbol
        self.session = session
        self._midnight = int(session.starts_at.timestamp())
        self._day_ends = int((session.close_at + kiwoom.CLOSING_PRINT).timestamp())
        self._minutes = traded_minutes(session)
        self._running = RunningVolume(self._midnight)
        self._parts: dict[int, _Part] = {}
        self._newest_part = 0
        self._newest: Trade | None = None
        self._regular: Trade | None = None
        """The newest trade up to the closing auction: later ones leave the day's prices alone."""

    def take(self, trade: Trade) -> bool:
        """Count a trade in; return False for one that was seen before."""
        if not self._running.takes(trade):
            return False
        is_newest = trade.running_volume == self._running.volume
        if is_newest:
            self._newest = trade
        if (trade.at - self._midnight) // _MINUTE_S in self._minutes:
            self._take_into_part(trade)
            if trade.at < self._day_ends and (is_newest or _is_newer(trade, self._regular)):
                self._regular = trade
        return True

    @property
    def newest_trade(self) -> Trade | None:
        """The trade with the largest running volume; None before the first."""
        return self._newest

    def newest(self, timeframe: Timeframe) -> Forming | None:
        """Return the candle that the newest trade belongs to; None while there is none.

        Raises:
            ValueError: the timeframe is weekly (see `forming_week`).
        """
        if timeframe is Timeframe.W1:
            raise ValueError("one session does not make a week")
        if timeframe is Timeframe.D1:
            return self._day()
        return self.candle(timeframe, self._newest_part // _SPAN_S[timeframe] * _SPAN_S[timeframe])

    def candle(self, timeframe: Timeframe, ts: int) -> Forming | None:
        """Return the candle of an intraday timeframe that starts at ts; None where no trade was seen."""
        span = _SPAN_S[timeframe]
        parts = [self._parts[start] for start in range(ts, ts + span, _PART_S) if start in self._parts]
        if not parts:
            return None
        candle = _folded(self.symbol, timeframe, ts, parts)
        return Forming(candle=candle, unexplained_since=self._since(ts, ts + span))

    def _take_into_part(self, trade: Trade) -> None:
        start = trade.at // _PART_S * _PART_S
        if (part := self._parts.get(start)) is not None:
            part.take(trade)
            return
        price, at = trade.price, trade.running_volume
        self._parts[start] = _Part(price, price, price, price, trade.volume, at, at)
        self._newest_part = max(self._newest_part, start)

    def _day(self) -> Forming | None:
        """Return today's day candle: by the prices that the broker says, where it says them."""
        regular, newest = self._regular, self._newest
        if regular is None or newest is None:
            return None
        if regular.day is None or not regular.day.hold(regular.price):
            candle, since = self._day_of_parts(), self._since(self._midnight, self._day_ends)
        else:
            told, since = regular.day, None
            candle = Candle(
                symbol=self.symbol,
                timeframe=Timeframe.D1,
                ts=self.session.starts_at,
                open=told.open,
                high=told.high,
                low=told.low,
                close=regular.price,
                volume=0,
            )
        whole = replace(candle, volume=newest.running_volume, value=newest.running_value)
        return Forming(candle=whole, unexplained_since=since)

    def _day_of_parts(self) -> Candle:
        parts = [self._parts[start] for start in sorted(self._parts) if start < self._day_ends]
        return _folded(self.symbol, Timeframe.D1, self._midnight, parts)

    def _since(self, start: int, end: int) -> datetime | None:
        since = self._running.unexplained_since(start, end)
        return None if since is None else datetime.fromtimestamp(since, UTC)


def _is_newer(trade: Trade, than: Trade | None) -> bool:
    return than is None or trade.running_volume >= than.running_volume


def _folded(symbol: str, timeframe: Timeframe, ts: int, parts: Sequence[_Part]) -> Candle:
    return Candle(
        symbol=symbol,
        timeframe=timeframe,
        ts=datetime.fromtimestamp(ts, UTC),
        open=parts[0].open,
        high=max(part.high for part in parts),
        low=min(part.low for part in parts),
        close=parts[-1].close,
        volume=sum(part.volume for part in parts),
    )


def forming_week(day: Forming, earlier: Sequence[Candle], calendar: Calendar) -> Forming | None:
    """Return the week that a forming day belongs to; None where the calendar knows no week of it.

    Args:
        day: of a session.
        earlier: the daily candles of the same week before it, oldest first. One that is missing makes the
            week unexplained from that day on.
        calendar: the sessions.
    """
    today = day.candle.ts
    days = _days_before(today, calendar)
    if days is None:
        return None
    missing = set(days) - {candle.ts for candle in earlier}
    candles = (*earlier, day.candle)
    week = replace(
        day.candle,
        timeframe=Timeframe.W1,
        ts=min(days, default=today),
        open=candles[0].open,
        high=max(candle.high for candle in candles),
        low=min(candle.low for candle in candles),
        volume=sum(candle.volume for candle in candles),
        value=sum(candle.value or 0 for candle in candles),
    )
    return Forming(candle=week, unexplained_since=min(missing, default=day.unexplained_since))


def _days_before(today: datetime, calendar: Calendar) -> list[datetime] | None:
    """Return the sessions of the week before a session, each as the `ts` of its daily candle."""
    day = day_of(today)
    week = calendar.week_of(day)
    if week is None:
        return None
    return [midnight(one) for one in calendar.trading_days(week[0], week[1]) if one < day]
