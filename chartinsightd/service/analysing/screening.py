"""Screens over the universe at one session; nothing is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from chartinsightd.analysis.candles import Candles
from chartinsightd.analysis.identity import code_id
from chartinsightd.analysis.screens.evaluation import Screened, Stock
from chartinsightd.analysis.screens.expression import strategies_named
from chartinsightd.clock import Clock
from chartinsightd.domain.data_id import data_id_of_many
from chartinsightd.domain.errors import ChartInsightError, InvalidCandle
from chartinsightd.domain.kst import day_of, midnight
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.archive import KnownStock
from chartinsightd.ports.candles import CandleReader, CandleSpan
from chartinsightd.service.analysing.evaluators import Evaluators
from chartinsightd.service.analysing.series_turn import columns_of
from chartinsightd.service.analysing.universe_stocks import UniverseStocks
from chartinsightd.service.state.current_rules import CurrentRules

_TIMEFRAME = Timeframe.D1


class NoSession(ChartInsightError):
    """The day that was asked for is no trading day, or its candles are not final yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenAnswer:
    """What a screen found, and what the answer rests on."""

    session: date
    data_id: str
    """The candles of all stocks of the universe."""
    code_id: str
    """The strategies and the expression."""
    screened: Screened
    names: Mapping[str, str]
    """Of the universe, by symbol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """The candles of one stock as they were read last."""

    version: int
    newest: int
    """How many were asked for."""
    candles: Candles


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What an answer would rest on now."""

    session: date
    data_id: str
    code_id: str


class Screener:
    """Evaluates expressions over strategies for every stock of the universe, at one session.

    Candles are kept between screens and read again only for series that changed.

    Args:
        stocks: who belonged to the universe on which day.
        evaluators: run the strategies that an expression names.
        rules: sources of the modules that every answer rests on, by name.
    """

    def __init__(
        self,
        *,
        reader: CandleReader,
        stocks: UniverseStocks,
        evaluators: Evaluators,
        rules: Mapping[str, str],
        clock: Clock,
        current_rules: CurrentRules,
    ) -> None:
        self._reader = reader
        self._stocks = stocks
        self._evaluators = evaluators
        self._rules = rules
        self._clock = clock
        self._current_rules = current_rules
        self._kept: dict[str, _Known] = {}
        self._screening = asyncio.Lock()

    async def screen(self, asked: object, session: date | None = None) -> ScreenAnswer:
        """Return the matches of an expression at a session.

        Args:
            asked: an expression in JSON's types; see `analysis.screens.expression`.
            session: a trading day whose daily candles are final; None: the last one.

        Raises:
            ScreenInvalid: the expression is none.
            NoSession: the day cannot be screened.
            StoreUnavailable: the store does not answer now.
        """
        evaluator = self._evaluators.of(asked)
        plan = await evaluator.plan(asked, _TIMEFRAME)
        day = self._session(session)
        async with self._screening:
            stocks = await self._stocks.on(day)
            universe, versions = await self._universe(stocks, plan.wanted + self._sessions_since(day))
            screened = await evaluator.screen(asked, _TIMEFRAME, universe, int(midnight(day).timestamp()))
        return ScreenAnswer(
            session=day,
            data_id=data_id_of_many(str(day), versions),
            code_id=self._code_id(asked),
            screened=screened,
            names={stock.symbol: stock.name for stock in stocks},
        )

    def strategy_names(self) -> Sequence[str]:
        """Return every strategy that an expression may name."""
        return self._evaluators.names()

    async def check(self, asked: object) -> None:
        """Read an expression.

        Raises:
            ScreenInvalid: it is none.
        """
        await self._evaluators.of(asked).plan(asked, _TIMEFRAME)

    async def basis(self, asked: object) -> Basis:
        """Return what an answer for the last session would rest on; no candle is read.

        Raises:
            ScreenInvalid: the expression names a strategy that may not be used.
            StoreUnavailable: the store does not answer now.
        """
        self._evaluators.of(asked)
        day = self._session(None)
        symbols = [stock.symbol for stock in await self._stocks.on(day)]
        versions = await self._reader.versions(symbols, _TIMEFRAME)
        return Basis(session=day, data_id=data_id_of_many(str(day), versions), code_id=self._code_id(asked))

    def _session(self, asked: date | None) -> date:
        """Return the day to screen: the one asked for, or the last whose candles are final."""
        calendar, now = self._current_rules.calendar, self._clock.now()
        last = calendar.session_on_or_before(day_of(now))
        while last.settled_at > now:
            last = calendar.session_on_or_before(date.fromordinal(last.day.toordinal() - 1))
        if asked is None:
            return last.day
        if asked > last.day:
            raise NoSession(
                f"The daily candles of {asked} are not final yet.",
                remedy=f"They are after the next morning's corrections; the last final day is {last.day}.",
            )
        if not calendar.is_trading_day(asked):
            before = calendar.session_on_or_before(asked).day
            raise NoSession(f"{asked} is no trading day.", remedy=f"The one before is {before}.")
        return asked

    def _sessions_since(self, day: date) -> int:
        """Return how many sessions lie between a day and today: their candles are read too, and cut off."""
        return len(self._current_rules.calendar.trading_days(day, day_of(self._clock.now())))

    async def _universe(
        self, stocks: Sequence[KnownStock], needed: int
    ) -> tuple[list[Stock], dict[str, int]]:
        symbols = [stock.symbol for stock in stocks]
        versions = await self._reader.versions(symbols, _TIMEFRAME)
        await self._refresh(
            [one for one in stocks if self._is_old(one.symbol, versions, needed)], versions, needed
        )
        return [self._stock(symbol) for symbol in symbols], versions

    def _is_old(self, symbol: str, versions: Mapping[str, int], needed: int) -> bool:
        known = self._kept.get(symbol)
        return known is None or known.version != versions[symbol] or known.newest < needed

    async def _refresh(self, stocks: Sequence[KnownStock], versions: Mapping[str, int], needed: int) -> None:
        """Read the candles of stocks whose kept ones are out of date."""
        if not stocks:
            return
        symbols = [stock.symbol for stock in stocks]
        found = await self._reader.read_many(symbols, _TIMEFRAME, CandleSpan(newest=needed))
        calendar = self._current_rules.calendar
        for stock in stocks:
            try:
                candles = columns_of(found[stock.symbol], calendar, stock.market)
            except InvalidCandle:
                self._kept.pop(stock.symbol, None)
                continue
            kept = _with_cap(candles, stock.market_cap)
            self._kept[stock.symbol] = _Known(version=versions[stock.symbol], newest=needed, candles=kept)
            await asyncio.sleep(0)  # a whole market takes a second: others run in between

    def _stock(self, symbol: str) -> Stock:
        known = self._kept.get(symbol)
        if known is None:
            return Stock(symbol=symbol, candles=None, fault="candles that cannot be read")
        return Stock(symbol=symbol, candles=known.candles)

    def _code_id(self, asked: object) -> str:
        sources = self._evaluators.sources(strategies_named(asked))
        return code_id({**self._rules, **sources}, {"expression": asked})


def _with_cap(candles: Candles, market_cap: int) -> Candles:
    """Return candles that know the market value of the newest day; that of earlier days is not kept."""
    caps = np.full(len(candles), np.nan)
    caps[-1:] = float(market_cap)
    columns = {name: getattr(candles, name) for name in _COLUMNS}
    return Candles(**columns, market_cap=caps)


_COLUMNS = (
    "symbol", "timeframe", "ts", "closes_at", "open", "high", "low", "close", "volume", "value", "traded",
    "factor", "market",
)  # fmt: skip
