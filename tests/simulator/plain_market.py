"""A tiny market for the server's tests: one trade a minute, plain arithmetic, the same every time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

import numpy as np

from chartinsightd.facts.krx import KST
from chartinsightd.simulator.model import Issue, MinuteRows, Period, PeriodRows, Snapshot, Trade

FIRST_DAY = date(2026, 1, 5)
RETENTION_DAYS = 40
LABELS = [*range(540, 920), 930]
CODES = {"005930": "삼성전자", "0126Z0": "삼성에피스홀딩스", "069500": "KODEX 200", "005930_NX": "삼성전자"}
MARKET_CODES = {"069500": "8", "0126Z0": "10"}
_BASE = 70_000
_TRADE_SECOND = 10


def trading_days(until: date) -> list[date]:
    """All weekdays, oldest first."""
    span = (until - FIRST_DAY).days + 1
    days = [FIRST_DAY + timedelta(days=i) for i in range(max(0, span))]
    return [day for day in days if day.weekday() < 5]


@dataclass
class PlainMarket:
    """A `Market`. A price depends on the day and the minute, a volume on the minute; nothing else does."""

    corrections: dict[tuple[str, date, int], float] = field(default_factory=dict)
    encodes: int = 0
    """How often minutes were asked for."""

    def issues(self, now: datetime) -> Sequence[Issue]:
        """See `Market`."""
        del now  # nothing is ever delisted here
        found = [self.issue(code) for code in sorted(CODES) if "_" not in code]
        return [issue for issue in found if issue is not None]

    def issue(self, code: str) -> Issue | None:
        """See `Market`."""
        if code not in CODES:
            return None
        return Issue(
            code=code,
            name=CODES[code],
            market_code=MARKET_CODES.get(code, "0"),
            listed_shares=5_000_000_000,
            listed_on=FIRST_DAY,
            nxt_enabled=code == "005930",
        )

    def actions(self, code: str) -> Sequence[tuple[date, float, float]]:
        """See `Market`."""
        del code  # nothing ever happens here
        return ()

    def minute_days(self, code: str, now: datetime) -> Sequence[date]:
        """See `Market`."""
        if code not in CODES:
            return []
        days = trading_days(now.date())[-RETENTION_DAYS:]
        return [day for day in reversed(days) if self._trades(code, day, now)]

    def minutes(
        self, code: str, day: date, scope: int, now: datetime, adjusted_to: date | None = None
    ) -> MinuteRows | None:
        """See `Market`."""
        del adjusted_to  # nothing ever happens here
        self.encodes += 1
        trades = self._trades(code, day, now)
        if not trades:
            return None
        rows: dict[int, list[tuple[int, int, int]]] = {}
        for label, price, volume in trades:
            rows.setdefault(540 + (label - 540) // scope * scope, []).append((label, price, volume))
        prices = [[price for _, price, _ in row] for row in rows.values()]
        volumes = np.array([sum(volume for _, _, volume in row) for row in rows.values()])
        settled = now.date() > day
        return MinuteRows(
            day=day,
            label=np.array(list(rows)),
            open=np.array([row[0] for row in prices]),
            high=np.array([max(row) for row in prices]),
            low=np.array([min(row) for row in prices]),
            close=np.array([row[-1] for row in prices]),
            volume=volumes,
            running=np.cumsum(volumes),
            final=np.full(len(rows), settled),
            previous_close=self._previous_close(day),
            settled=settled,
        )

    def periods(self, code: str, period: Period, now: datetime, adjusted_to: date | None) -> PeriodRows:
        """See `Market`: prices halve on adjustment, so that it shows."""
        days = [day for day in trading_days(now.date()) if code in CODES and self._trades(code, day, now)]
        groups: dict[object, list[date]] = {}
        for day in days:
            groups.setdefault(_period_of(day, period), []).append(day)
        columns = [self._period(code, group, now) for group in groups.values()]
        names = ("day", "open", "high", "low", "close", "volume", "value")
        table = {name: np.array([row[i] for row in columns], dtype=np.int64) for i, name in enumerate(names)}
        previous = np.concatenate([[0], table["close"][:-1]]).astype(np.int64)[: len(columns)]
        if adjusted_to is not None:
            table |= {name: table[name] // 2 for name in names[1:5]}
        final = np.array([group[-1] < now.date() for group in groups.values()], dtype=np.bool_)
        return PeriodRows(**table, previous_close=previous, final=final)

    def trades(self, code: str, after: datetime, until: datetime) -> Sequence[Trade]:
        """See `Market`."""
        found = []
        for day in trading_days(until.date()):
            running = value = 0
            for label, price, volume in self._trades(code, day, until) if day >= after.date() else []:
                running, value = running + volume, value + volume * price
                trade = Trade(
                    at=_at(day, label),
                    price=price,
                    volume=volume if label % 2 else -volume,
                    running_volume=running,
                    running_value=value,
                )
                found.append(trade)
        return [trade for trade in found if after < trade.at <= until]

    def snapshot(self, code: str, now: datetime) -> Snapshot | None:
        """See `Market`."""
        if code not in CODES:
            return None
        day = trading_days(now.date())[-1]
        trades, previous = self._trades(code, day, now), self._previous_close(day)
        prices = [price for _, price, _ in trades] or [0]
        return Snapshot(
            code=code,
            price=prices[-1] or previous,
            previous_close=previous,
            open=prices[0],
            high=max(prices),
            low=min(prices),
            volume=sum(volume for _, _, volume in trades),
            value=sum(volume * price for _, price, volume in trades),
            upper_limit=previous * 13 // 10,
            lower_limit=previous * 7 // 10,
            last_trade_at=_at(day, trades[-1][0]) if trades else None,
        )

    def correct(self, code: str, day: date, label: int | None, factor: float) -> bool:
        """See `Market`."""
        if code not in CODES or (label is not None and label not in LABELS):
            return False
        self.corrections[code, day, 930 if label is None else label] = factor
        return True

    def _trades(self, code: str, day: date, now: datetime) -> list[tuple[int, int, int]]:
        """(label, price, volume) of the day's trades so far."""
        if day.weekday() >= 5 or day < FIRST_DAY or day > now.date():
            return []
        passed_s = (now.hour * 60 + now.minute) * 60 + now.second if day == now.date() else 86_400
        return [
            (label, price_at(day, label), self._volume(code, day, label))
            for label in LABELS
            if label * 60 + _TRADE_SECOND <= passed_s
        ]

    def _volume(self, code: str, day: date, label: int) -> int:
        return int(label * self.corrections.get((code, day, label), 1))

    def _previous_close(self, day: date) -> int:
        before = trading_days(day - timedelta(days=1))
        return price_at(before[-1], 930) if before else 0

    def _period(self, code: str, days: list[date], now: datetime) -> tuple[int, ...]:
        trades = [trade for day in days for trade in self._trades(code, day, now)]
        prices = [price for _, price, _ in trades]
        volume = sum(volume for _, _, volume in trades)
        value = sum(price * volume for _, price, volume in trades)
        return int(f"{days[0]:%Y%m%d}"), prices[0], max(prices), min(prices), prices[-1], volume, value


def price_at(day: date, label: int) -> int:
    """The price of a minute's only trade, won."""
    return _BASE + day.toordinal() % 7 * 500 + label % 11 * 100


def _at(day: date, label: int) -> datetime:
    return datetime.combine(day, time(label // 60, label % 60, _TRADE_SECOND), KST)


def _period_of(day: date, period: Period) -> object:
    return {
        Period.DAY: day,
        Period.WEEK: day.isocalendar()[:2],
        Period.MONTH: (day.year, day.month),
        Period.YEAR: day.year,
    }[period]
