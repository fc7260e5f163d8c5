"""The running volume proves silence, and shows what is missing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from chartinsightd.domain.chain import Chain, ChainState, Counted, chains_of
from chartinsightd.facts.krx import KST

FIRST = datetime(2026, 11, 17, tzinfo=KST)
LONG_AFTER = datetime(2026, 11, 27, 7, 30, tzinfo=KST)


@st.composite
def sessions(draw: st.DrawFn, count: int = 3) -> Counted:
    """Days of 5m candles, each absent or traded, with the running volume that they have."""
    ts: list[int] = []
    volume: list[int] = []
    running: list[int] = []
    for day in range(count):
        spoken = draw(st.lists(st.integers(0, 76), min_size=2, unique=True))
        shares = draw(st.lists(st.integers(1, 10**9), min_size=len(spoken), max_size=len(spoken)))
        opens = FIRST + timedelta(days=day, hours=9)
        ts += [int(opens.timestamp()) + 300 * place for place in sorted(spoken)]
        volume += shares
        running += np.cumsum(shares).tolist()
    columns = [np.array(column, dtype=np.int64) for column in (ts, volume, running)]
    return Counted(*columns)


@given(sessions())
def test_an_absent_candle_that_did_not_trade_breaks_nothing(rows: Counted) -> None:
    """Whatever spans are silent, each session is proved, with its candles and its shares."""
    chains, cut = chains_of(rows, LONG_AFTER, is_last=False)

    assert cut is None
    assert {chain.state for chain in chains} == {ChainState.PROVED}
    assert sum(chain.rows for chain in chains) == len(rows.ts)
    assert sum(chain.volume for chain in chains) == int(rows.volume.sum())


@given(sessions(), st.data())
def test_any_candle_taken_away_breaks_its_session_and_no_other(rows: Counted, data: st.DataObject) -> None:
    """A candle that traded and is not there is noticed, where it was, with its shares: but the day's last.

    After the last one nothing tells that more was traded; the daily candle and the longer ones do.
    """
    days = (rows.ts + 9 * 3600) // 86_400
    inner = np.flatnonzero(np.append(days[1:] == days[:-1], False))
    gone = data.draw(st.sampled_from(inner.tolist()))
    keep = np.arange(len(rows.ts)) != gone
    assert rows.running is not None
    left = Counted(rows.ts[keep], rows.volume[keep], rows.running[keep])

    chains, _ = chains_of(left, LONG_AFTER, is_last=True)

    [broken] = [chain for chain in chains if chain.state is ChainState.BROKEN]
    assert broken.broken_at is not None
    assert int(broken.broken_at.timestamp()) == int(rows.ts[gone + 1])
    assert (broken.breaks, broken.missing_volume) == (1, int(rows.volume[gone]))


@given(sessions(), st.integers(1, 200))
def test_pages_cut_anywhere_prove_the_same(rows: Counted, size: int) -> None:
    """However a history is cut into pages, newest first, each session has one chain, the same one."""
    whole, _ = chains_of(rows, LONG_AFTER, is_last=True)
    found: list[Chain] = []
    cut: Counted | None = None
    for end in range(len(rows.ts), 0, -size):
        page = rows.part(max(0, end - size), end)
        chains, cut = chains_of(page if cut is None else page.before(cut), LONG_AFTER, is_last=end <= size)
        found = [*chains, *found]

    assert tuple(found) == whole


@given(sessions())
def test_without_running_volume_nothing_is_proved(rows: Counted) -> None:
    """Where the broker gives no running volume, a session is called unproved, not complete."""
    chains, _ = chains_of(Counted(rows.ts, rows.volume, None), LONG_AFTER, is_last=True)

    assert {chain.state for chain in chains} == {ChainState.UNPROVED}
    assert len(chains) == 3


@given(sessions())
def test_a_session_that_has_not_settled_is_left_out(rows: Counted) -> None:
    """The late print raises what follows it overnight: before that morning, a session says nothing."""
    evening = FIRST + timedelta(days=3, hours=7)

    chains, _ = chains_of(rows, evening, is_last=True)

    assert [chain.day for chain in chains] == [FIRST.date(), FIRST.date() + timedelta(days=1)]


def counted(day: datetime, volumes: list[int], running: list[int] | None) -> Counted:
    """Candles of a session from 9:00 on, with what was counted so far."""
    opens = int(day.timestamp()) + 9 * 3600
    ts = opens + 300 * np.arange(len(volumes))
    return Counted(ts, np.array(volumes), None if running is None else np.array(running))


def test_a_chain_says_what_was_counted_and_where_it_breaks() -> None:
    """At the first of several places, in UTC, with the shares that no candle has."""
    [chain], _ = chains_of(counted(FIRST, [10, 5, 7, 1], [10, 18, 25, 24]), LONG_AFTER, is_last=True)

    assert chain == Chain(
        day=date(2026, 11, 17),
        state=ChainState.BROKEN,
        rows=4,
        volume=23,
        breaks=2,
        broken_at=datetime(2026, 11, 17, 0, 5, tzinfo=UTC),
        missing_volume=3,
    )
    assert chain.broken_at is not None
    assert chain.broken_at.tzinfo is UTC


def test_more_shares_than_were_counted_break_it_too() -> None:
    """Then the number is negative: the candles hold too many."""
    [chain], _ = chains_of(counted(FIRST, [10, 9], [10, 15]), LONG_AFTER, is_last=True)

    assert (chain.state, chain.missing_volume) == (ChainState.BROKEN, -4)


def test_a_page_without_running_volume_leaves_its_session_unproved() -> None:
    """Where one page of a session has it and the other has none, what was traded between is not known."""
    older = counted(FIRST, [10, 5], None)
    newer = counted(FIRST + timedelta(minutes=10), [7], [22])

    unproved = Chain(day=date(2026, 11, 17), state=ChainState.UNPROVED, rows=3, volume=22)
    assert chains_of(older.before(newer), LONG_AFTER, is_last=True) == ((unproved,), None)


def test_a_session_speaks_from_half_past_seven_of_the_next_morning() -> None:
    """Then its corrections are in; a second before it says nothing."""
    settled = datetime(2026, 11, 18, 7, 30, tzinfo=KST)
    rows = counted(FIRST, [10, 5], [10, 15])

    assert chains_of(rows, settled - timedelta(seconds=1), is_last=True) == ((), None)
    assert len(chains_of(rows, settled, is_last=True)[0]) == 1


def test_a_session_is_a_korean_day() -> None:
    """From midnight to midnight in Korea, where 8:00 is still yesterday in UTC."""
    hours = [int((FIRST + timedelta(hours=hour)).timestamp()) for hour in (0, 8, 23, 24, 47)]
    rows = Counted(np.array(hours), np.ones(5, dtype=np.int64), np.array([1, 2, 3, 1, 2]))

    chains, _ = chains_of(rows, LONG_AFTER, is_last=True)

    assert [(chain.day.day, chain.rows, chain.state.value) for chain in chains] == [
        (17, 3, "proved"),
        (18, 2, "proved"),
    ]
