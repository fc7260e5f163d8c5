"""Carries out what a seed drew: a strike of the storm, or what happens around the daemon."""

from __future__ import annotations

from tests.campaign import faults, surroundings
from tests.campaign.cluster import Cluster
from tests.campaign.schedule import Strike

_BLOWS = {**faults.BLOWS, **surroundings.BLOWS}


async def strike(cluster: Cluster, blow: Strike) -> None:
    """Carry out a strike, and count it."""
    cluster.note(f"{blow.kind} {_words(blow)}")
    cluster.tally.strikes[blow.kind.value] += 1
    await _BLOWS[blow.kind](cluster, blow)


def _words(blow: Strike) -> str:
    told = {name: value for name, value in blow.detail.items() if name != "dice"}
    return f"for {blow.lasts_s} s {told or ''}".rstrip()
