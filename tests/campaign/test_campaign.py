"""A dozen seeds of the campaign, in one life; the rest by `python -m tests.campaign`."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from pathlib import Path

from tests.campaign.around import whole
from tests.campaign.schedule import AROUND, Draw, Kind, chain, draw
from tests.campaign.seed import live
from tests.campaign.slopes import at_rest, slope
from tests.support.harness import folder, moment

__all__ = ["folder"]

SEEDS = range(1, 201)
FIRST_DAY = date(2026, 12, 28)
"""The year changes on the way: the last session of one year, the late opening of the next."""


@cache
def first(seed: int) -> Draw:
    """Return what a seed draws first; drawing takes 8 ms, and three rules look at two hundred."""
    return draw(seed)


@cache
def both(seed: int) -> Draw:
    """Return what a seed draws with its second stream."""
    return whole(seed)


async def test_a_dozen_storms(folder: Path) -> None:
    """After a storm a session for twelve sessions, the store equals the truth and nobody had to help."""
    result = await live(chain(range(1, 13), FIRST_DAY), folder)
    assert result.findings == [], (folder / "events.log").read_text(encoding="utf-8")
    assert sum(result.strikes.values()) >= 24
    assert result.rows_compared > 5000


def test_a_seed_replays() -> None:
    """A seed means the same storm each time, and another seed another one."""
    assert whole(7) == whole(7)
    assert whole(7) != whole(8)


def test_what_happens_around_leaves_the_storm_as_it_was() -> None:
    """The second random stream adds strikes and takes none away, so earlier reports can be replayed."""
    for seed in SEEDS:
        alone = [window.strikes for window in first(seed).windows]
        mixed = [window.strikes for window in both(seed).windows]
        assert [tuple(blow for blow in blows if blow.kind not in AROUND) for blows in mixed] == alone


def test_every_kind_of_strike_is_drawn() -> None:
    """Two hundred seeds leave no kind of strike out."""
    drawn = {strike.kind for seed in SEEDS for window in both(seed).windows for strike in window.strikes}
    assert drawn == set(Kind)


def test_some_storms_have_no_corrections() -> None:
    """There, a final candle that changes was called final too early; the others mix them with all else."""
    drawn = [first(seed) for seed in SEEDS]
    kinds = [{strike.kind for window in one.windows for strike in window.strikes} for one in drawn]
    assert 40 < sum(one.corrects for one in drawn) < 160
    assert any(one >= {Kind.CORRECTED, Kind.BROKER_KILLED} for one in kinds)
    assert not any(Kind.CORRECTED in one and not drawn[i].corrects for i, one in enumerate(kinds))


def test_a_leak_shows_through_what_comes_and_goes() -> None:
    """Twenty-five tasks of work under way are no growth; one more every thirty days is."""
    days = [2.0 * number for number in range(180)]
    busy = [28.0 + number * 7919 % 25 for number in range(180)]
    leaking = [value + day // 30 for day, value in zip(days, busy, strict=True)]
    assert slope("tasks", "", days, at_rest(busy), 0.02).holds
    assert not slope("tasks", "", days, at_rest(leaking), 0.02).holds


def test_windows_follow_each_other() -> None:
    """The clock only ever jumps forward from one window to the next; the year changes on the way."""
    windows = chain(range(1, 13), FIRST_DAY).windows
    begins: list[datetime] = [window.begins_at for window in windows]
    assert begins == sorted(begins)
    assert begins[0] < moment("2027-01-04", 10) < begins[-1]
