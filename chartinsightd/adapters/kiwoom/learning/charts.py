"""What charts of some stocks show."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import numpy as np

from chartinsightd.domain.calendar import Calendar, Session
from chartinsightd.domain.candle import Candles
from chartinsightd.domain.kst import day_of, midnight
from chartinsightd.domain.learned import Finding, Question
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts import krx
from chartinsightd.facts.kiwoom import LATE_PRINT_AFTER_CLOSE, SETTLED_NEXT_DAY
from chartinsightd.facts.krx import KST
from chartinsightd.ports.broker import ChartPage, ChartRequest, ChartSource, Priority

_MOST_STOCKS = 30
_HOUR_PAGES = 4
"""Of 1h candles a year back: what minutes are kept."""
_A_YEAR = timedelta(days=360)
_PRIORITY = Priority.VERIFICATION


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What was read of one stock: the newest page of each chart."""

    symbol: str
    minutes: ChartPage
    days: ChartPage
    adjusted_days: ChartPage


@dataclass(slots=True, kw_only=True)
class ChartQuestions:
    """Reads charts until they have answered, or the stocks are used up.

    Args:
        charts: the broker's.
        symbols: stocks that trade much, first the most.
        calendar: which days are sessions.
        now: aware.
    """

    charts: ChartSource
    symbols: Sequence[str]
    calendar: Calendar
    now: datetime
    _sights: list[Sight] = field(default_factory=list)

    async def findings(self) -> AsyncIterator[Finding]:
        """Yield the answers.

        Raises:
            SourceError: see `domain.errors`.
        """
        for symbol in self.symbols[:_MOST_STOCKS]:
            self._sights.append(await self._sight(symbol))
            if self._split() is not None and self._halted_day().answer is not None:
                break
        weeks = await self._page(self.symbols[0], Timeframe.W1)
        yield _page_size(Question.MINUTE_PAGE, [sight.minutes for sight in self._sights])
        yield _page_size(Question.DAY_PAGE, [sight.days for sight in self._sights])
        yield _page_size(Question.WEEK_PAGE, [weeks])
        yield self._after_market()
        yield self._late_print()
        yield self._halted_day()
        yield self._week_label(weeks)
        yield await self._adjusted_minutes()

    async def _sight(self, symbol: str) -> Sight:
        return Sight(
            symbol=symbol,
            minutes=await self._page(symbol, Timeframe.M5),
            days=await self._page(symbol, Timeframe.D1),
            adjusted_days=await self._page(symbol, Timeframe.D1, adjusted=True),
        )

    async def _page(self, symbol: str, timeframe: Timeframe, *, adjusted: bool = False) -> ChartPage:
        request = ChartRequest(symbol=symbol, timeframe=timeframe, until=self.now, adjusted=adjusted)
        async for page in self.charts.pages(request, _PRIORITY):
            return page
        raise AssertionError("a chart has a first page")

    def _after_market(self) -> Finding:
        """Compare a day's close with the auction's and with the evening's last price, where these differ."""
        for sight in self._sights:
            closes = _by_ts(sight.days.candles)
            for session in self._settled_sessions(sight.minutes.candles):
                day, auction, evening = _three_closes(session, closes, sight.minutes.candles)
                if day is not None and auction != evening and day in (auction, evening):
                    words = (
                        f"{sight.symbol} on {session.day}: day {day}, auction {auction}, evening {evening}"
                    )
                    return _finding(Question.AFTER_MARKET, day == evening, words)
        return _finding(Question.AFTER_MARKET, None, "no evening ended at another price than its auction")

    def _late_print(self) -> Finding:
        """Look for the row five minutes after the close, on days that have settled."""
        seen = sessions = 0
        for sight in self._sights:
            starts = set(sight.minutes.candles.ts.tolist())
            for session in self._settled_sessions(sight.minutes.candles):
                sessions += 1
                seen += int((session.close_at + LATE_PRINT_AFTER_CLOSE).timestamp()) in starts
        if not sessions:
            return _finding(Question.LATE_PRINT, None, "no session since the after-market has settled")
        return _finding(Question.LATE_PRINT, seen > 0, f"in {seen} of {sessions} sessions of the stocks read")

    def _settled_sessions(self, minutes: Candles) -> Iterator[Session]:
        """Yield the whole sessions with an after-market that a page holds."""
        if not len(minutes):
            return
        first = day_of(datetime.fromtimestamp(int(minutes.ts[0]), UTC)) + timedelta(days=1)
        settled = self.now - timedelta(hours=SETTLED_NEXT_DAY.hour, minutes=SETTLED_NEXT_DAY.minute + 1)
        last = settled.astimezone(KST).date() - timedelta(days=1)
        first = max(first, krx.AFTER_MARKET_HOURS[-1].first_day)
        if first <= last:
            yield from (one for one in self.calendar.sessions(first, last) if one.after_close_at is not None)

    def _halted_day(self) -> Finding:
        """Look for days without trades: rows without volume, or sessions without a row."""
        for sight in self._sights:
            days = sight.days.candles
            if flat := np.flatnonzero(days.volume == 0).tolist():
                words = f"{sight.symbol} has a row without volume on {_day(days, flat[-1])}"
                return _finding(Question.HALTED_DAY, True, words)
        for sight in self._sights:
            if missing := self._missing_day(sight.days.candles):
                return _finding(Question.HALTED_DAY, False, f"{sight.symbol} has no row on {missing}")
        return _finding(Question.HALTED_DAY, None, "every stock read traded on each session")

    def _missing_day(self, days: Candles) -> date | None:
        if len(days) < 2:
            return None
        there = {_day(days, place) for place in range(len(days))}
        sessions = self.calendar.sessions(min(there), max(there))
        return next((one.day for one in reversed(sessions) if one.day not in there), None)

    def _week_label(self, weeks: ChartPage) -> Finding:
        """Look at weeks whose Monday is no session."""
        for row in weeks.raw_rows:
            label = datetime.strptime(str(row["dt"]), "%Y%m%d").replace(tzinfo=KST).date()
            week = self.calendar.week_of(label)
            monday = label - timedelta(days=label.weekday())
            if week is not None and week[0] != monday and label in (monday, week[0]):
                words = f"the week of {monday} is labelled {label}, its first session is {week[0]}"
                return _finding(Question.WEEK_LABEL, label == monday, words)
        return _finding(Question.WEEK_LABEL, None, "no week began with a holiday")

    def _split(self) -> tuple[Sight, date] | None:
        """Return a stock whose adjusted days differ before a day of the last year, and that day."""
        for sight in self._sights:
            raw, adjusted = sight.days.candles, _by_ts(sight.adjusted_days.candles)
            differing = [
                place for place in range(len(raw))
                if (price := adjusted.get(int(raw.ts[place]))) and _differs(int(raw.close[place]), price)
            ]  # fmt: skip
            if differing and differing[-1] + 1 < len(raw):
                first_after = _day(raw, differing[-1] + 1)
                if midnight(first_after) > self.now - _A_YEAR + timedelta(days=30):
                    return sight, first_after
        return None

    async def _adjusted_minutes(self) -> Finding:
        """Compare 1h candles before a split, as traded and adjusted."""
        if (found := self._split()) is None:
            return _finding(Question.ADJUSTED_MINUTES, None, "no stock read was split within a year")
        sight, split_on = found
        raw = await self._hours(sight.symbol, split_on, adjusted=False)
        adjusted = await self._hours(sight.symbol, split_on, adjusted=True)
        both = sorted(raw.keys() & adjusted.keys())
        if not both:
            return _finding(
                Question.ADJUSTED_MINUTES, None, f"{sight.symbol} has no minutes before {split_on}"
            )
        ts = both[-1]
        words = f"{sight.symbol} before {split_on}: {raw[ts]} as traded, {adjusted[ts]} with upd_stkpc_tp 1"
        return _finding(Question.ADJUSTED_MINUTES, _differs(raw[ts], adjusted[ts]), words)

    async def _hours(self, symbol: str, before: date, *, adjusted: bool) -> dict[int, int]:
        """Return the closes of 1h candles before a day, by start, as far as a few pages go."""
        bound = midnight(before)
        request = ChartRequest(
            symbol=symbol, timeframe=Timeframe.H1, until=bound - timedelta(days=1), adjusted=adjusted
        )
        found: dict[int, int] = {}
        pages = 0
        async for page in self.charts.pages(request, _PRIORITY):
            found |= {ts: price for ts, price in _by_ts(page.candles).items() if ts < bound.timestamp()}
            pages += 1
            if pages == _HOUR_PAGES:
                break
        return found


def _three_closes(
    session: Session, closes: dict[int, int], minutes: Candles
) -> tuple[int | None, int | None, int | None]:
    """Return the close of the day, of the auction's row and of the evening's last row."""
    assert session.after_open_at is not None  # only such sessions are asked for
    assert session.after_close_at is not None
    starts = minutes.ts
    auction = _by_ts(minutes).get(int(session.close_at.timestamp()))
    evening = (starts >= session.after_open_at.timestamp()) & (starts < session.after_close_at.timestamp())
    last = np.flatnonzero(evening).tolist()
    day = closes.get(int(midnight(session.day).timestamp()))
    return day, auction, int(minutes.close[last[-1]]) if last else auction


def _page_size(question: Question, pages: Sequence[ChartPage]) -> Finding:
    """Return the rows of a page that another follows: the stock with the longest history shows it."""
    full = [page.rows for page in pages if not page.is_last]
    words = f"the first of several pages had {max(full)} rows" if full else "no chart had a second page"
    return _finding(question, max(full) if full else None, words)


def _differs(one: int, other: int) -> bool:
    """Whether two prices differ by more than rounding."""
    return abs(one - other) > 0.02 * one


def _by_ts(candles: Candles) -> dict[int, int]:
    return dict(zip(candles.ts.tolist(), candles.close.tolist(), strict=True))


def _day(candles: Candles, place: int) -> date:
    return day_of(datetime.fromtimestamp(int(candles.ts[place]), UTC))


def _finding(question: Question, answer: bool | int | None, words: str) -> Finding:
    return Finding(question=question, answer=answer, words=words)
