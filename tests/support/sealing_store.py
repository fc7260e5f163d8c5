"""A store in memory that keeps chains and seals too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from chartinsightd.domain.candle import Candles
from chartinsightd.domain.chain import Chain
from chartinsightd.domain.errors import StoreUnavailable
from chartinsightd.domain.series import Series
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Write, Written
from chartinsightd.ports.stores import Seal, Unsealed
from tests.support.fakes import FakeStore

_Key = tuple[str, date]
"""Symbol and day."""


def no_clock() -> datetime:
    """Stand in for a clock until there is one."""
    raise NotImplementedError


@dataclass
class SealingStore(FakeStore):
    """Keeps chains and seals too, by the rules of the real one; no final candle is revised here."""

    now: Callable[[], datetime] = no_clock
    noted: dict[_Key, tuple[Chain, datetime]] = field(default_factory=dict)
    """Each chain, and since when it says so."""
    seals: dict[_Key, tuple[Seal, datetime]] = field(default_factory=dict)
    """Each seal, and when it was looked at."""
    away: set[str] = field(default_factory=set)
    """Methods that raise StoreUnavailable now."""
    refused: Counter[str] = field(default_factory=Counter)
    """How often each did."""

    def _save(self, write: Write) -> Written:
        symbol = write.series.symbol
        news = [chain for chain in write.chains if self._chain((symbol, chain.day)) != chain]
        self.noted |= {(symbol, chain.day): (chain, self.now()) for chain in news}
        return replace(super()._save(write), chains=len(news))

    async def withdraw_finality(self, starts: Mapping[Timeframe, int], day: date) -> None:
        """Call candles final no longer, and forget seals of sessions that are not over."""
        await super().withdraw_finality(starts, day)
        self.seals = {key: seal for key, seal in self.seals.items() if key[1] < day}

    def _chain(self, key: _Key) -> Chain | None:
        return self.noted[key][0] if key in self.noted else None

    async def unsealed(
        self, symbols: Sequence[str], days: Sequence[date], sealed_days: Sequence[date] = ()
    ) -> list[Unsealed]:
        """Return what has no seal, or one that is older than its chain."""
        self._reach("unsealed")
        asked = [(symbol, day) for symbol in symbols for day in days]
        asked += [key for key in self.seals if key[0] in symbols and key[1] in sealed_days]
        return [self._unsealed(key) for key in asked if self._has_news(key)]

    def _has_news(self, key: _Key) -> bool:
        return key not in self.seals or (key in self.noted and self.seals[key][1] < self.noted[key][1])

    def _unsealed(self, key: _Key) -> Unsealed:
        return Unsealed(symbol=key[0], day=key[1], chain=self._chain(key))

    async def chains(self, sessions: Sequence[_Key]) -> list[Unsealed]:
        """Return what is known of these."""
        self._reach("chains")
        return [self._unsealed(key) for key in sessions]

    async def candles_of(self, timeframe: Timeframe, spans: Sequence[tuple[str, int, int]]) -> list[Candles]:
        """Return the candles of each span."""
        self._reach("candles_of")
        return [self._between(timeframe, *span) for span in spans]

    def _between(self, timeframe: Timeframe, symbol: str, first: int, last: int) -> Candles:
        wanted = Series(symbol=symbol, timeframe=timeframe)
        found = {ts: one for (series, ts), one in self.candles.items() if series == wanted}
        return Candles.of(symbol, timeframe, [found[ts] for ts in sorted(found) if first <= ts <= last])

    async def save_seals(self, seals: Sequence[Seal], at: datetime) -> None:
        """Insert or replace seals."""
        self._reach("save_seals")
        self.seals |= {(seal.symbol, seal.day): (seal, at) for seal in seals}

    async def open_seals(self) -> list[Seal]:
        """Return what is not sealed."""
        self._reach("open_seals")
        return [self.seals[key][0] for key in sorted(self.seals) if self.seals[key][0].state != "sealed"]

    def _reach(self, method: str) -> None:
        if method in self.away:
            self.refused[method] += 1
            raise StoreUnavailable("away")
