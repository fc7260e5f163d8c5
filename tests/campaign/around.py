"""What a seed means beyond its storm: administrators, providers, cleaners and caches around the daemon.

It is drawn from a random stream of its own, so that the storms of earlier reports stay what they were.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from chartinsightd.simulator.faults import Fault
from tests.campaign.schedule import AROUND, OF_PAGES, Draw, Kind, Strike, Window, draw

_OF_EXTERNAL_DATABASES = (Kind.DATABASE_SET_BACK, Kind.SESSION_LEFT)
_A_DAY_S = timedelta(days=1).total_seconds()
TABLES = ("candles_5m", "candles_30m", "candles_1h", "candles_1d", "candles_1w")
LOCKED = (*TABLES, "coverage", "coverage_sums", "gaps", "jobs", "seals", "stocks", "store")


def whole(seed: int, windows: int | None = None) -> Draw:
    """Return everything that a seed decides.

    Args:
        seed: any number.
        windows: how many windows there are; None draws one to three.
    """
    storm = draw(seed, windows)
    dice = random.Random(f"campaign/{seed}/around")
    piped = replace(
        storm, has_pooler=not storm.is_embedded and dice.random() < 0.35, pipes_log=dice.random() < 0.4
    )
    return surrounded(piped, dice, (1, 3))


def surrounded(drawn: Draw, dice: random.Random, strikes: tuple[int, int]) -> Draw:
    """Return a draw with so many more strikes a window, at least and at most."""
    kinds = sorted(kind for kind in AROUND if _fits(kind, drawn))
    windows = tuple(_window(dice, window, kinds, drawn, strikes) for window in drawn.windows)
    return replace(drawn, windows=windows)


def _fits(kind: Kind, drawn: Draw) -> bool:
    if kind in _OF_EXTERNAL_DATABASES:
        return not drawn.is_embedded
    if kind is Kind.CLOCK_DAYS_OFF:
        return not drawn.follows_clock
    return kind is not Kind.LOG_STALLED or drawn.pipes_log


def _window(
    dice: random.Random, window: Window, kinds: Sequence[Kind], drawn: Draw, strikes: tuple[int, int]
) -> Window:
    chosen = dice.choices(kinds, [AROUND[kind] for kind in kinds], k=dice.randint(*strikes))
    more = (_strike(dice, kind, corrects=drawn.corrects) for kind in chosen)
    return replace(window, strikes=tuple(sorted([*window.strikes, *more], key=lambda blow: blow.at)))


def _strike(dice: random.Random, kind: Kind, *, corrects: bool) -> Strike:
    at, lasts_s = round(dice.random(), 3), round(dice.uniform(0.2, 1.5), 2)
    detail: dict[str, Any] = {"dice": dice.randrange(2**32)}
    match kind:
        case Kind.PAGES_SPOILT:
            detail["mix"] = _mix(dice, corrects=corrects)
            at = round(at * 0.7, 3)
        case Kind.LIST_CUT_SHORT:
            detail["mix"] = [{"fault": Fault.LIST_CUT_SHORT.value, "probability": 1.0}]
        case Kind.CLOCK_DAYS_OFF:
            at = round(at * 0.5, 3)
            detail["ahead_s"] = dice.choice((-400, -5, -2, 2, 5, 400)) * _A_DAY_S
        case Kind.DATABASE_LOCKED:
            detail["table"], lasts_s = dice.choice(LOCKED), round(dice.uniform(0.5, 4.0), 2)
        case Kind.PARTITION_MADE:
            detail["table"] = dice.choice(TABLES)
        case Kind.ROWS_DELETED:
            # A row changed by hand and put right again is a revision, which other seeds have none of.
            detail["table"], detail["changes"] = dice.choice(TABLES), corrects and dice.random() < 0.3
    return Strike(kind=kind, at=at, lasts_s=lasts_s, detail=detail)


def _mix(dice: random.Random, *, corrects: bool) -> list[dict[str, Any]]:
    """Return wrong pages. A stale or tenfold one may change what is final: only where something else does."""
    faults = dice.sample(OF_PAGES, dice.randint(1, 3)) if corrects else [Fault.LOST_HEADER]
    return [{"fault": fault.value, "probability": round(dice.uniform(0.05, 0.4), 3)} for fault in faults]
