"""Labels: what people say of charts, as messages, and among the candles of one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime

from chartinsightd.analysis.statistics import LEAST_EVENTS
from chartinsightd.backend.chart_columns import Chart
from chartinsightd.backend.scope import unlisted
from chartinsightd.control.events import EventHub
from chartinsightd.control.handlers import Caller, Handlers, NotNow
from chartinsightd.control.protocol.events import EventType, LabelChange
from chartinsightd.control.protocol.labels import (
    Agreement,
    LabelList,
    LabelPoint,
    LabelQuery,
    LabelRequest,
    LabelRow,
)
from chartinsightd.control.protocol.paging import cursor_after, place_of
from chartinsightd.control.protocol.radar import ChartLabel, ChartLabelPoint
from chartinsightd.control.radar_operations import ADD_LABEL, LABELS
from chartinsightd.domain.calendar import Calendar
from chartinsightd.domain.data_id import data_id
from chartinsightd.domain.foreign_text import cleaned
from chartinsightd.domain.grid import candle_end
from chartinsightd.domain.series import Series
from chartinsightd.ports.candles import CandleReader
from chartinsightd.ports.labels import KindAgreement, KnownLabel, Label, LabelFilter, LabelStore

Names = Callable[[], Awaitable[Mapping[str, str]]]
"""The name of every stock that is or was listed, by symbol."""


class LabelBoard:
    """Keeps labels and shows them.

    Args:
        store: where they are kept.
        reader: names the candles that a label was drawn on.
        names: of the stocks.
        hub: sends each new label to open charts.
        now: the daemon's time.
    """

    def __init__(
        self,
        *,
        store: LabelStore,
        reader: CandleReader,
        names: Names,
        hub: EventHub,
        now: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._reader = reader
        self._names = names
        self._hub = hub
        self._now = now

    def register(self, handlers: Handlers) -> None:
        """Offer the operations of labels."""
        handlers.add(LABELS, self.labels)
        handlers.add(ADD_LABEL, self.add)

    async def labels(self, query: LabelQuery) -> LabelList:
        """Return labels, the newest first, and how often people agreed.

        Raises:
            ConfigurationError: the cursor belongs to another question.
        """
        wanted = LabelFilter(
            symbols=query.symbol,
            timeframes=[str(one) for one in query.timeframe],
            kinds=query.kind,
            verdicts=query.verdict,
            words=query.q,
            with_history=query.history,
            as_of=query.as_of,
            before=place_of(query, query.cursor),
        )
        found = await self._store.find(wanted, query.limit + 1)
        rows, names = found.rows[: query.limit], await self._names()
        return LabelList(
            items=tuple(label_row(row, names) for row in rows),
            total=found.total,
            agreement=tuple(map(_agreement, await self._store.agreement())),
            cursor=cursor_after(query, rows[-1].id) if len(found.rows) > len(rows) else None,
        )

    async def add(self, request: LabelRequest, caller: Caller) -> LabelRow:
        """Keep a label.

        Raises:
            UnknownThing: the symbol is in no stock list.
            NotNow: the version it replaces has been replaced, or there is none.
        """
        names = await self._names()
        if request.symbol not in names:
            raise unlisted(request.symbol)
        series = Series(symbol=request.symbol, timeframe=request.timeframe)
        versions = await self._reader.versions([request.symbol], request.timeframe)
        label = Label(
            series=series,
            from_ts=request.from_ts,
            to_ts=request.to_ts,
            kind=cleaned(request.kind),
            points=tuple((int(point.ts.timestamp()), point.price) for point in request.points),
            verdict=request.verdict,
            pattern_id=request.pattern_id,
            note=request.note,
            author=caller.name,
            seen_until=request.seen_until,
            data_id=data_id(series, versions[request.symbol]),
            replaces=request.replaces,
        )
        known = await self._store.add(label, self._now())
        if known is None:
            raise NotNow(
                f"Label {request.replaces} is not the newest version of one of {request.symbol}.",
                remedy="Read the labels again and replace the newest version.",
            )
        change = LabelChange(
            id=known.id, symbol=request.symbol, timeframe=request.timeframe, replaces=request.replaces
        )
        self._hub.publish(EventType.LABEL, change)
        return label_row(known, names)


def label_row(known: KnownLabel, names: Mapping[str, str]) -> LabelRow:
    """Return a label as the page shows it."""
    points = tuple(LabelPoint(ts=_moment(ts), price=price) for ts, price in known.label.points)
    return LabelRow(points=points, **_fields(known, names))


def chart_labels(
    chart: Chart, known: Sequence[KnownLabel], calendar: Calendar, until: datetime | None
) -> tuple[tuple[ChartLabel, ...], int]:
    """Return the labels whose stretch holds one of the candles, and how many of these `until` hides.

    A label of another timeframe shows too. One that was drawn with candles in sight that close after `until`
    would tell of them.
    """
    if not len(chart):
        return (), 0
    first, end = int(chart.ts[0]), int(chart.closes_at[-1])
    among = [one for one in known if _from(one) < end and _end(one, calendar) > first]
    shown = [one for one in among if until is None or _seen_to(one, calendar) <= until.timestamp()]
    return tuple(_chart_label(chart, one) for one in shown), len(among) - len(shown)


def _from(known: KnownLabel) -> int:
    return int(known.label.from_ts.timestamp())


def _end(known: KnownLabel, calendar: Calendar) -> int:
    label = known.label
    return candle_end(calendar, label.series.timeframe, int(label.to_ts.timestamp()))


def _seen_to(known: KnownLabel, calendar: Calendar) -> int:
    label = known.label
    return candle_end(calendar, label.series.timeframe, int(label.seen_until.timestamp()))


def _chart_label(chart: Chart, known: KnownLabel) -> ChartLabel:
    points = tuple(
        ChartLabelPoint(ts=_moment(ts), price=price, y=chart.y(ts, price)) for ts, price in known.label.points
    )
    return ChartLabel(points=points, **_fields(known, {}))


def _fields(known: KnownLabel, names: Mapping[str, str]) -> dict[str, object]:
    label = known.label
    same = ("from_ts", "to_ts", "kind", "verdict", "pattern_id", "note", "author", "seen_until", "data_id")
    return {
        "id": known.id,
        "symbol": label.series.symbol,
        "name": names.get(label.series.symbol, ""),
        "timeframe": label.series.timeframe,
        **{name: getattr(label, name) for name in same},
        "created_at": known.created_at,
        "hindsight": label.seen_until > label.to_ts,
        "replaces": label.replaces,
        "replaced_by": known.replaced_by,
        "versions": known.version,
    }


def _agreement(counted: KindAgreement) -> Agreement:
    rate = counted.agreed / counted.n if counted.n >= LEAST_EVENTS else None
    return Agreement(kind=counted.kind, n=counted.n, agreed=counted.agreed, rate=rate)


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
