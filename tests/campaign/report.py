"""Adds up what became of many seeds, for a program (JSON) and for a person (a table)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tests.campaign.schedule import Kind

_DAEMON_KILLS = (Kind.DAEMON_KILLED, Kind.CHECKPOINT_DAMAGED, Kind.SPOOL_DAMAGED)
_KILLS = (*_DAEMON_KILLS, Kind.BROKER_KILLED, Kind.DATABASE_KILLED)
_STOPS = (Kind.DAEMON_STOPPED, Kind.BROKER_STOPPED, Kind.DATABASE_STOPPED)
_CLOCK = (Kind.CLOCK_FORWARD, Kind.CLOCK_BACK, Kind.CLOCK_WRONG)


def summed_up(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the totals of results (`seed.Result` as JSON)."""
    strikes, faults = _total(results, "strikes"), _total(results, "faults")
    slowest = max(results, key=lambda one: one["recovery_s"], default=None)
    return {
        "seeds": len(results),
        "passed": sum(not one["findings"] for one in results),
        "failed": sorted(one["seed"] for one in results if one["findings"]),
        "simulated_days": round(sum(one["simulated_days"] for one in results), 1),
        "hours_lived_through": round(sum(one["lived_s"] for one in results) / 3600, 1),
        "kills": _of(strikes, _KILLS),
        "stops": _of(strikes, _STOPS),
        "clock_steps": _of(strikes, _CLOCK),
        "strikes": strikes,
        "wrong_answers": faults,
        "restarts_by_status": _total(results, "restarts"),
        "skipped": _total(results, "skipped"),
        "refused_orders": sum(one["refused_orders"] for one in results),
        "requests": sum(one["requests"] for one in results),
        "rows_served": sum(one["rows_served"] for one in results),
        "seals": _total(results, "seals"),
        "corporate_actions_found": sum(one["actions"] for one in results),
        "rows_compared": sum(one["rows_compared"] for one in results),
        "violations": sum(one["violations"] for one in results),
        "slowest_recovery": slowest
        and {
            "seed": slowest["seed"],
            "real_s": slowest["recovery_s"],
            "virtual_s": slowest["recovery_virtual_s"],
        },
        "real_s_a_seed": round(sum(one["real_s"] for one in results) / max(1, len(results)), 1),
    }


def _total(results: Iterable[Mapping[str, Any]], name: str) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in results:
        total.update(one[name])
    return dict(sorted(total.items()))


def _of(strikes: Mapping[str, int], kinds: Iterable[Kind]) -> int:
    return sum(strikes.get(kind.value, 0) for kind in kinds)


def table(summary: Mapping[str, Any]) -> str:
    """Return a summary as a Markdown table."""
    rows = [(name.replace("_", " "), _cell(value)) for name, value in summary.items()]
    return "\n".join(
        ["| what | how much |", "| --- | --- |", *(f"| {name} | {cell} |" for name, cell in rows)]
    )


def _cell(value: Any) -> str:
    match value:
        case dict():
            return ", ".join(f"{name} {_cell(count)}" for name, count in value.items()) or "none"
        case list():
            return ", ".join(map(str, value)) or "none"
        case int() | float():
            return f"{value:,}"
    return str(value)
