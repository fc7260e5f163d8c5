"""One verdict on the daemon: its state, the first cause, and what happens next. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from chartinsightd.domain.timeframe import Timeframe


class VerdictState(StrEnum):
    """How things are; the order is from good to bad."""

    WELL = "well"
    """All that is due is fresh, no gap is unexplained, and the last session is sealed."""
    WORKING = "working"
    """As well, while a first load, a catch-up or a backfill is under way."""
    ATTENTION = "attention"
    """A person should look today; no candle is being lost."""
    TROUBLE = "trouble"
    """Candles are being missed or could be lost."""

    @property
    def rank(self) -> int:
        """0 for the best."""
        return _ORDER[self]


_ORDER = {state: rank for rank, state in enumerate(VerdictState)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bilingual:
    """The same sentence twice."""

    en: str
    ko: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Something that keeps the verdict from being better."""

    kind: str
    """A name for machines: an alert's name, `paused`, `gaps`, `seals`, `late`, `load`."""
    state: VerdictState
    since: datetime | None
    """Aware; None where it is not known."""
    words: Bilingual


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedSession:
    """The newest session that was judged."""

    day: date
    sealed: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Pages fetched of those that the work under way takes."""

    done: int
    expected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """Symbols that are collected in the same number of timeframes: the targets, the universe."""

    symbols: int
    timeframes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """What happens next without anyone's help."""

    at: datetime
    """Aware."""
    timeframe: Timeframe | None
    """The timeframe that is read then; None for another try at the broker, or the end of a pause."""
    is_resumption: bool = False
    """Whether a pause ends then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What a verdict is made from. Times are aware."""

    causes: Sequence[Cause]
    """All that is wrong, in any order."""
    tiers: Sequence[Tier]
    """What is collected, the most timeframes first."""
    late: int
    """Series whose newest due candle is not stored."""
    late_unknown: bool
    """Whether nothing was looked at yet."""
    gaps: int | None
    """Listed gaps; None while the database did not answer."""
    sealed: SealedSession | None
    progress: Progress | None
    """Of loads under way; None without any."""
    coming: Coming | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One state, in words that every surface shows as they are."""

    state: VerdictState
    causes: tuple[Cause, ...]
    """The first explains the state; worst first, and among equals the one that began first."""
    words: Bilingual
    coming: Coming | None
    coming_words: Bilingual
    """What happens next, without its time; empty where nothing is planned."""


def verdict_of(situation: Situation) -> Verdict:
    """Return the verdict: the worst cause decides.

    Something unknown is never well: a database that did not answer yet, and series that were not looked at,
    count as work under way.
    """
    causes = tuple(sorted(situation.causes, key=_rank))
    if causes:
        state = causes[0].state
        words = _of_causes(causes, situation)
    else:
        is_proved = not situation.late_unknown and situation.gaps is not None
        state = VerdictState.WELL if is_proved and situation.progress is None else VerdictState.WORKING
        words = _of_facts(situation)
    return Verdict(
        state=state,
        causes=causes,
        words=words,
        coming=situation.coming,
        coming_words=_coming(situation.coming),
    )


def _rank(cause: Cause) -> tuple[int, float, str]:
    began = float("inf") if cause.since is None else cause.since.timestamp()
    return -cause.state.rank, began, cause.kind


def _of_causes(causes: Sequence[Cause], situation: Situation) -> Bilingual:
    more = len(causes) - 1
    rest = Bilingual(en=f"{more} more", ko=f"그 밖에 {more}건") if more else None
    is_told = any(cause.kind == "late" for cause in causes[:1])
    return _joined(causes[0].words, None if is_told else _late(situation), rest)


def _of_facts(situation: Situation) -> Bilingual:
    return _joined(_progress(situation), _fresh(situation), _gaps(situation), _sealed(situation.sealed))


def _progress(situation: Situation) -> Bilingual | None:
    if situation.progress is None:
        return None
    done, expected = f"{situation.progress.done:,}", f"{situation.progress.expected:,}"
    if not situation.progress.expected:
        return Bilingual(en="catching up", ko="보충 수집")
    return Bilingual(en=f"catching up {done} of {expected} pages", ko=f"보충 수집 {done}/{expected}페이지")


def _fresh(situation: Situation) -> Bilingual:
    if not situation.tiers:
        return Bilingual(en="no stock is collected", ko="수집하는 종목이 없음")
    if situation.late_unknown:
        return Bilingual(en="freshness not known yet", ko="최신 상태 아직 모름")
    if situation.late:
        return _late(situation) or Bilingual(en="", ko="")
    en = " + ".join(f"{tier.symbols:,} × {tier.timeframes}" for tier in situation.tiers)
    ko = ", ".join(f"{tier.symbols:,}종목 × {tier.timeframes}주기" for tier in situation.tiers)
    return Bilingual(en=f"{en} fresh", ko=f"{ko} 모두 최신")


def _late(situation: Situation) -> Bilingual | None:
    if not situation.late:
        return None
    late, series = (
        f"{situation.late:,}",
        f"{sum(tier.symbols * tier.timeframes for tier in situation.tiers):,}",
    )
    return Bilingual(en=f"{late} of {series} series late", ko=f"시계열 {series}개 중 {late}개 지연")


def _gaps(situation: Situation) -> Bilingual:
    if situation.gaps is None:
        return Bilingual(en="gaps not known yet", ko="누락 아직 모름")
    return Bilingual(en=f"{situation.gaps:,} gaps", ko=f"누락 {situation.gaps:,}")


def _sealed(sealed: SealedSession | None) -> Bilingual | None:
    if sealed is None:
        return None
    share = f"{sealed.sealed}/{sealed.of}"
    day = f"{sealed.day:%m-%d}"
    return Bilingual(en=f"{day} sealed {share}", ko=f"{day} 일마감 {share}")


def _coming(coming: Coming | None) -> Bilingual:
    if coming is None:
        return Bilingual(en="", ko="")
    if coming.is_resumption:
        return Bilingual(en="resume", ko="수집 재개")
    if coming.timeframe is None:
        return Bilingual(en="another try", ko="재시도")
    return Bilingual(en=coming.timeframe.value, ko=_KOREAN_CANDLES[coming.timeframe])


_KOREAN_CANDLES = {
    Timeframe.M5: "5분봉",
    Timeframe.M30: "30분봉",
    Timeframe.H1: "1시간봉",
    Timeframe.D1: "일봉",
    Timeframe.W1: "주봉",
}


def _joined(*clauses: Bilingual | None) -> Bilingual:
    kept = [clause for clause in clauses if clause is not None]
    return Bilingual(en=" · ".join(clause.en for clause in kept), ko=" · ".join(clause.ko for clause in kept))


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldVerdict:
    """The verdict in force: worse at once, better only after a while, so that it does not flutter."""

    verdict: Verdict
    recent: tuple[tuple[float, Verdict], ...] = ()
    """What the last looks found, each with its time in the caller's seconds, oldest first."""

    def follow(self, found: Verdict, now_s: float, patience_s: float) -> HeldVerdict:
        """Return what holds after another look found `found` at `now_s`: the worst of the last seconds."""
        recent = (*(look for look in self.recent if now_s - look[0] < patience_s), (now_s, found))
        _, worst = max(reversed(recent), key=lambda look: look[1].state.rank)
        return HeldVerdict(verdict=worst, recent=recent)
