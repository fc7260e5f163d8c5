"""The forming candles of all symbols that the stream gives trades of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime

from chartinsightd.domain.calendar import Session
from chartinsightd.domain.candle import Candle
from chartinsightd.domain.forming import Forming, SessionFold, forming_week
from chartinsightd.domain.grid import DAY_S
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.trade import Trade
from chartinsightd.service.state.current_rules import CurrentRules

_ALL = frozenset(Timeframe)


class FormingCandles:
    """Folds trades, a session at a time.

    Args:
        current_rules: the calendar in force.
        timeframes: those that are kept.
    """

    def __init__(self, current_rules: CurrentRules, timeframes: Sequence[Timeframe]) -> None:
        self._current_rules = current_rules
        self._timeframes = tuple(timeframes)
        self._session: Session | None = None
        self._begins = self._ends = 0
        """The day of the session, in seconds since the epoch."""
        self._folds: dict[str, SessionFold] = {}
        self._weeks: Mapping[str, Sequence[Candle]] = {}
        self._weeks_day: date | None = None

    @property
    def session(self) -> Session | None:
        """The session whose trades are held; None before the first trade."""
        return self._session

    @property
    def symbols(self) -> Sequence[str]:
        """Symbols that traded in the session."""
        return tuple(self._folds)

    def take(self, trade: Trade) -> bool:
        """Count a trade in; return False for one that was seen before, or belongs to no session."""
        if not self._begins <= trade.at < self._ends and not self._begin(trade):
            return False
        fold = self._folds.get(trade.symbol)
        if fold is None:
            assert self._session is not None  # the trade lies in it
            fold = self._folds[trade.symbol] = SessionFold(trade.symbol, self._session)
        return fold.take(trade)

    def know_week(self, day: date, earlier: Mapping[str, Sequence[Candle]]) -> None:
        """Take the final days of this week before a session, by symbol, oldest first."""
        self._weeks_day, self._weeks = day, earlier

    def newest(self, symbol: str, timeframes: AbstractSet[Timeframe] = _ALL) -> list[Forming]:
        """Return the candles of some timeframes, of those that are kept, that the newest trades belong to."""
        fold = self._folds.get(symbol)
        if fold is None:
            return []
        wanted = [timeframe for timeframe in self._timeframes if timeframe in timeframes]
        found = (self._newest(fold, timeframe) for timeframe in wanted)
        return [one for one in found if one is not None]

    def newest_trade(self, symbol: str) -> Trade | None:
        """Return the newest trade of a symbol in the session; None before the first."""
        fold = self._folds.get(symbol)
        return fold.newest_trade if fold is not None else None

    def recent(self, symbol: str) -> list[Forming]:
        """Return the same, and before each intraday candle the one that closed."""
        newest = self.newest(symbol)
        closed = (
            self.candle(symbol, tf, int((one.candle.ts - tf.span).timestamp()))
            for one in newest
            if (tf := one.candle.timeframe).is_intraday
        )
        return [*(one for one in closed if one is not None), *newest]

    def candle(self, symbol: str, timeframe: Timeframe, ts: int) -> Forming | None:
        """Return an intraday candle of the session by its start; None where no trade of it was seen."""
        fold = self._folds.get(symbol)
        return fold.candle(timeframe, ts) if fold is not None else None

    def _begin(self, trade: Trade) -> bool:
        """Begin the session of a trade; return False for a day without one, or one that is over."""
        session = self._current_rules.calendar.session(day_of(datetime.fromtimestamp(trade.at, UTC)))
        if session is None or trade.at < self._begins:
            return False
        self._session, self._folds = session, {}
        self._begins = int(session.starts_at.timestamp())
        self._ends = self._begins + DAY_S
        return True

    def _newest(self, fold: SessionFold, timeframe: Timeframe) -> Forming | None:
        if timeframe is not Timeframe.W1:
            return fold.newest(timeframe)
        day = fold.newest(Timeframe.D1)
        if day is None or self._weeks_day != fold.session.day:
            return None  # the days before are not known yet
        return forming_week(day, self._weeks.get(fold.symbol, ()), self._current_rules.calendar)
