"""Prometheus text, from the status and from what else the daemon counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from chartinsightd.control.protocol.problems import Metric
from chartinsightd.control.protocol.status import GateLane, Status, VenueStatus
from chartinsightd.domain.verdict import VerdictState

CONTENT_TYPE = "text/plain; version=0.0.4"
_PREFIX = "chartinsight_"


def status_metrics(status: Status) -> Iterator[Metric]:
    """Yield what a status says in figures."""
    yield _gauge(
        "up", "1 while the daemon answers", 1, version=status.daemon.version, mode=status.daemon.mode
    )
    for state in VerdictState:
        name, words = "verdict", "1 for the state of the verdict in force"
        yield _gauge(name, words, status.verdict.state is state, state=state.value)
    yield _gauge("paused", "1 while the broker is not asked", status.daemon.state == "paused")
    yield _gauge("uptime_seconds", "Since the start, by the daemon's clock", status.daemon.uptime_s)
    yield _gauge("token_valid", "1 while the broker's token can be used", status.token.state == "valid")
    yield _gauge("database_reachable", "1 while PostgreSQL answers", status.database.reachable)
    yield _gauge("database_size_bytes", "Size of the database", status.database.size_bytes)
    yield _gauge("spool_pages", "Pages on disk that wait for the database", status.spool.pages)
    yield _gauge("spool_bytes", "Bytes on disk that wait for the database", status.spool.bytes)
    yield _gauge("tracked_symbols", "Symbols whose candles are collected", status.tracked)
    yield _gauge("gaps", "Ranges that should hold candles and are not covered", status.gaps)
    yield _gauge("jobs_running", "Jobs that run now", status.jobs_running)
    for kind, rows in status.rows_today.model_dump().items():
        yield _gauge("rows_today", "Rows since 00:00 KST by what became of them", rows, outcome=kind)
    for fresh in status.freshness:
        if fresh.worst_age_s is not None:
            name, words = "freshness_worst_seconds", "Trading time the oldest due candle is late"
            yield _gauge(name, words, fresh.worst_age_s, timeframe=fresh.timeframe)
        if fresh.target_s is not None:
            name, words = "freshness_target_seconds", "How late the oldest due candle may be, as configured"
            yield _gauge(name, words, fresh.target_s, timeframe=fresh.timeframe)
    for venue in status.venues:
        yield from _venue_metrics(venue)
    for lane in status.gate:
        yield from _lane_metrics(lane)


def _venue_metrics(status: VenueStatus) -> Iterator[Metric]:
    """Yield figures of a venue beside KRX, under names of their own: the other names go on meaning KRX."""
    venue = status.venue.value
    yield _gauge(
        "venue_symbols", "Symbols whose candles are collected at a venue", status.symbols, venue=venue
    )
    words = "Sessions of a venue, over all timeframes, that should be complete"
    yield _gauge("venue_sessions", words, status.expected, venue=venue)
    yield _gauge("venue_sessions_missing", "Of these, the ones that are not", status.missing, venue=venue)
    words = "Sessions of a venue that are stored and not proved complete"
    yield _gauge("venue_sessions_unsealed", words, status.unsealed, venue=venue)
    for fresh in status.freshness:
        labels = {"venue": venue, "timeframe": fresh.timeframe.value}
        yield _gauge("venue_late_symbols", "Symbols of a venue that miss a candle", fresh.late, **labels)
        if fresh.worst_age_s is not None:
            words = "Trading time the oldest due candle of a venue is late"
            yield _gauge("venue_freshness_worst_seconds", words, fresh.worst_age_s, **labels)


def _lane_metrics(lane: GateLane) -> Iterator[Metric]:
    api_id = lane.api_id
    yield _gauge("gate_limit", "Requests a second allowed now", lane.limit, api_id=api_id)
    yield _gauge(
        "gate_utilisation", "Share of the limit used in the last minute", lane.utilisation, api_id=api_id
    )
    yield _gauge("gate_in_flight", "Requests without an answer yet", lane.in_flight, api_id=api_id)
    yield Metric(
        name=f"{_PREFIX}gate_throttled_total",
        help="Requests the broker refused for the pace",
        kind="counter",
        value=lane.throttled,
        labels={"api_id": api_id},
    )
    for kind, seconds in (("smallest", lane.smallest_round_trip_s), ("mean", lane.mean_round_trip_s)):
        if seconds is not None:
            words = "How long the latest answers took, by the daemon's clock"
            yield _gauge("gate_round_trip_seconds", words, seconds, api_id=api_id, kind=kind)
    for priority, queued in lane.queued.items():
        labels = {"api_id": api_id, "priority": priority.value}
        yield _gauge("gate_queued", "Requests that wait at the gate", queued, **labels)


def _gauge(name: str, words: str, value: float, **labels: str) -> Metric:
    return Metric(name=_PREFIX + name, help=words, kind="gauge", value=float(value), labels=labels)


def prometheus_text(metrics: Iterable[Metric]) -> str:
    """Write metrics in Prometheus' text format, version 0.0.4; samples of one name stand together."""
    families: dict[str, list[Metric]] = {}
    for metric in metrics:
        families.setdefault(metric.name, []).append(metric)
    return "".join(_family(name, samples) for name, samples in families.items())


def _family(name: str, samples: Sequence[Metric]) -> str:
    words = samples[0].help.replace("\\", r"\\").replace("\n", r"\n")
    head = f"# HELP {name} {words}\n# TYPE {name} {samples[0].kind}\n"
    return head + "".join(f"{name}{_labels(sample.labels)} {sample.value:.17g}\n" for sample in samples)


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    pairs = (f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return "{" + ",".join(pairs) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
