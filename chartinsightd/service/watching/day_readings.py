"""What is known of a stock's session now, for alarms: its quote, else the final candles of the day."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from chartinsightd.clock import Clock
from chartinsightd.domain.adjustment import CorporateAction
from chartinsightd.domain.alarm import DayReading, usual_of
from chartinsightd.domain.candle import Candles
from chartinsightd.domain.grid import candle_end
from chartinsightd.domain.kst import day_of, midnight
from chartinsightd.domain.quote import Quote, QuoteSource
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.ports.live import DayCandles
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.watching.latest import LatestPrices

_DAYS_BACK = timedelta(days=60)
"""Twenty sessions lie within it, the longest holidays included."""
_FRESH_S = 600.0
_CANDLES_EVERY_S = 60.0
"""Where no quote of today is there, the candles of today are looked at so often."""
_DAY_S = 86_400


class KnownActions(Protocol):
    """Who knows the corporate actions."""

    async def actions(self, symbol: str) -> list[CorporateAction]:
        """Return a symbol's actions, oldest first; raises StoreUnavailable."""


@dataclass(frozen=True, slots=True)
class _Past:
    """The sessions of the last weeks of a stock, oldest first, and its corporate actions."""

    days: tuple[date, ...] = ()
    closes: tuple[int, ...] = ()
    volumes: tuple[int, ...] = ()
    values: tuple[int, ...] | None = None
    actions: tuple[CorporateAction, ...] = ()


@dataclass(slots=True)
class _Cache:
    """What was read of the store, and when, in seconds of the daemon's clock."""

    past: dict[str, _Past] = field(default_factory=dict)
    today: dict[str, Quote] = field(default_factory=dict)
    day: date | None = None
    past_read_s: float = float("-inf")
    today_read_s: float = float("-inf")


class DayReadings:
    """Puts quotes and stored candles together. Nothing of it is stored, and nothing is asked of the broker.

    Args:
        live: stocks of which every trade comes, so that their price is that of the present.
        latest: quotes, and stored days where there is none.
        store: daily candles, and those of five minutes.
        actions: the ledger of corporate actions.
        current_rules: the calendar in force.
        clock: what time it is.
    """

    def __init__(
        self,
        *,
        live: Callable[[], frozenset[str]],
        latest: LatestPrices,
        store: DayCandles,
        actions: KnownActions,
        current_rules: CurrentRules,
        clock: Clock,
    ) -> None:
        self._live = live
        self._latest = latest
        self._store = store
        self._actions = actions
        self._current_rules = current_rules
        self._clock = clock
        self._cache = _Cache()

    async def of(self, symbols: Sequence[str]) -> Mapping[str, DayReading]:
        """Return what is known of each; a stock without a quote and a candle is left out.

        Raises:
            StoreUnavailable: candles are needed, and the database is away.
        """
        quotes = dict(await self._latest.of(symbols))
        today = day_of(self._clock.now())
        old = [one for one in symbols if one not in quotes or _day(quotes[one]) != today]
        await self._read(symbols, old, today)
        quotes |= {one: self._cache.today[one] for one in old if one in self._cache.today}
        return {symbol: self._reading(quote) for symbol, quote in quotes.items()}

    def actions(self, symbol: str) -> Sequence[CorporateAction]:
        """Return the corporate actions that the last readings of a stock rest on."""
        return self._cache.past.get(symbol, _Past()).actions

    async def _read(self, symbols: Sequence[str], old: Sequence[str], today: date) -> None:
        cache, now_s = self._cache, self._clock.monotonic()
        if cache.day != today:
            self._cache = cache = _Cache(day=today)
        if now_s - cache.past_read_s > _FRESH_S:
            cache.past, cache.past_read_s = {}, now_s
        new = [symbol for symbol in symbols if symbol not in cache.past]
        cache.past |= await self._read_past(new, today)
        if old and now_s - cache.today_read_s > _CANDLES_EVERY_S:
            cache.today, cache.today_read_s = await self._read_today(old, today), now_s

    async def _read_past(self, symbols: Sequence[str], today: date) -> dict[str, _Past]:
        first, last = int(midnight(today - _DAYS_BACK).timestamp()), int(midnight(today).timestamp())
        found = await self._store.candles_of(Timeframe.D1, [(one, first, last) for one in symbols])
        return {one.symbol: _past(one, await self._actions.actions(one.symbol)) for one in found}

    async def _read_today(self, symbols: Sequence[str], today: date) -> dict[str, Quote]:
        start = int(midnight(today).timestamp())
        spans = [(symbol, start, start + _DAY_S - 1) for symbol in symbols]
        found = [one.where(one.final) for one in await self._store.candles_of(Timeframe.M5, spans)]
        return {one.symbol: self._folded(one) for one in found if len(one)}

    def _folded(self, candles: Candles) -> Quote:
        end = candle_end(self._current_rules.calendar, Timeframe.M5, int(candles.ts[-1]))
        return Quote(
            symbol=candles.symbol,
            price=int(candles.close[-1]),
            base=None,
            open=int(candles.open[0]),
            high=int(candles.high.max()),
            low=int(candles.low.min()),
            volume=int(candles.volume.sum()),
            read_at=datetime.fromtimestamp(end, UTC),
            source=QuoteSource.CANDLES,
        )

    def _reading(self, quote: Quote) -> DayReading:
        day, past = _day(quote), self._cache.past.get(quote.symbol, _Past())
        count = sum(one < day for one in past.days)
        days = past.days[:count]
        values = past.values if past.values is None else past.values[:count]
        is_live = quote.source is not QuoteSource.CANDLES and quote.symbol in self._live()
        return DayReading(
            day=day,
            at=self._clock.now() if is_live else quote.read_at,
            price=quote.price,
            base=None if quote.source is QuoteSource.CANDLES else quote.base,
            high=quote.high,
            low=quote.low,
            volume=quote.volume,
            value=quote.value,
            last_day=days[-1] if days else None,
            last_close=past.closes[count - 1] if days else None,
            usual_volume=usual_of([*zip(days, past.volumes, strict=False)], day, past.actions),
            usual_value=None if values is None else usual_of([*zip(days, values, strict=True)], day, ()),
        )


def _day(quote: Quote) -> date:
    return day_of(quote.traded_at or quote.read_at)


def _past(candles: Candles, actions: Sequence[CorporateAction]) -> _Past:
    final = candles.where(candles.final)
    days = tuple(day_of(datetime.fromtimestamp(ts, UTC)) for ts in final.ts.tolist())
    values = None if final.value is None else tuple(final.value.tolist())
    return _Past(days, tuple(final.close.tolist()), tuple(final.volume.tolist()), values, tuple(actions))
