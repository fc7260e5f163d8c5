"""One verdict from all that is known."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.verdict import (
    Bilingual,
    Cause,
    Coming,
    HeldVerdict,
    Progress,
    SealedSession,
    Situation,
    Tier,
    Verdict,
    VerdictState,
    verdict_of,
)

NOW = datetime(2026, 11, 18, 1, 52, tzinfo=UTC)
causes = st.lists(
    st.builds(
        Cause,
        kind=st.sampled_from(["late", "gaps", "paused", "database.away"]),
        state=st.sampled_from([VerdictState.ATTENTION, VerdictState.TROUBLE]),
        since=st.none() | st.integers(0, 10_000).map(lambda s: NOW - timedelta(seconds=s)),
        words=st.just(Bilingual(en="something", ko="무엇")),
    ),
    max_size=6,
)


def situation(**changes: Any) -> Situation:
    """Return an ordinary morning, with changes."""
    quiet: dict[str, Any] = {
        "causes": (),
        "tiers": [Tier(symbols=30, timeframes=5)],
        "late": 0,
        "late_unknown": False,
        "gaps": 0,
        "sealed": SealedSession(day=date(2026, 11, 17), sealed=30, of=30),
        "progress": None,
        "coming": Coming(at=NOW + timedelta(seconds=180), timeframe=Timeframe.M5),
    }
    return Situation(**(quiet | changes))


def test_an_ordinary_morning_is_well() -> None:
    """The sentence names what is fresh, the gaps and the seals, in both languages."""
    verdict = verdict_of(situation())
    assert verdict.state is VerdictState.WELL
    assert verdict.words.en == "30 × 5 fresh · 0 gaps · 11-17 sealed 30/30"
    assert verdict.words.ko == "30종목 × 5주기 모두 최신 · 누락 0 · 11-17 일마감 30/30"
    assert verdict.coming_words == Bilingual(en="5m", ko="5분봉")


def test_tiers_are_counted_apart() -> None:
    """The universe is collected in fewer timeframes than the targets, and the sentence says so."""
    tiers = [Tier(symbols=30, timeframes=5), Tier(symbols=1_282, timeframes=2)]
    words = verdict_of(situation(tiers=tiers, late=3)).words
    assert words.en.startswith("3 of 2,714 series late")
    words = verdict_of(situation(tiers=tiers)).words
    assert words.en.startswith("30 × 5 + 1,282 × 2 fresh")
    assert words.ko.startswith("30종목 × 5주기, 1,282종목 × 2주기 모두 최신")


@pytest.mark.parametrize(
    "unknown", [{"gaps": None}, {"late_unknown": True}, {"progress": Progress(done=1, expected=9)}]
)
def test_what_is_not_proved_is_not_well(unknown: dict[str, Any]) -> None:
    """Gaps that were not counted, series that were not looked at and a load under way are work."""
    assert verdict_of(situation(**unknown)).state is VerdictState.WORKING


@given(causes)
def test_the_worst_and_oldest_cause_decides(found: list[Cause]) -> None:
    """The state is that of the worst cause; among equals the one that began first explains it."""
    verdict = verdict_of(situation(causes=found))
    if not found:
        assert verdict.state is VerdictState.WELL
        return
    worst = max(cause.state.rank for cause in found)
    first = verdict.causes[0]
    assert verdict.state is first.state
    assert first.state.rank == worst
    dated = [cause.since for cause in found if cause.state.rank == worst and cause.since is not None]
    assert first.since == min(dated, default=None)
    assert len(verdict.causes) == len(found)
    assert verdict.words.en.startswith(first.words.en)


@example(
    [
        (VerdictState.TROUBLE, 0.0),
        (VerdictState.WELL, 0.0),
        (VerdictState.WORKING, 1.0),
        (VerdictState.WELL, 4.0),
    ]
)
@given(st.lists(st.tuples(st.sampled_from(VerdictState), st.floats(0, 20)), min_size=1, max_size=20))
def test_worse_is_shown_at_once_and_better_after_a_while(looks: list[tuple[VerdictState, float]]) -> None:
    """What is shown is never better than what was found within the last seconds."""
    held, now_s, seen = HeldVerdict(verdict=in_state(VerdictState.WELL)), 0.0, [(0.0, VerdictState.WELL)]
    for state, passed_s in looks:
        now_s += passed_s
        held = held.follow(in_state(state), now_s, 5.0)
        assert held.verdict.state.rank >= state.rank
        seen.append((now_s, state))
        recent = [past.rank for at_s, past in seen if now_s - at_s < 5.0]
        assert held.verdict.state.rank >= max(recent)


def in_state(state: VerdictState) -> Verdict:
    """Return a verdict of a state."""
    words = Bilingual(en=state.value, ko=state.value)
    cause = Cause(kind="test", state=state, since=NOW, words=words)
    return verdict_of(situation(causes=[] if state is VerdictState.WELL else [cause]))
