"""The issues a generated market lists, and what is going to happen to each of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from chartinsightd.facts.targets import DELISTED, TARGETS
from chartinsightd.simulator.market.days import FIRST_DAY, trading_days
from chartinsightd.simulator.market.draws import Floats, key_of, uniforms
from chartinsightd.simulator.market.rows import Action
from chartinsightd.simulator.model import Issue

_FIRST_NAMES = (
    "한빛", "대성", "동화", "태양", "신흥", "미래", "우진", "세종", "금강", "백두", "한라", "설악",
    "청솔", "푸른", "은하", "다온", "가람", "나래", "라온", "마루", "보람", "서광", "유성", "정우",
    "진양", "창해", "태광", "평화", "해성", "흥국", "고려", "남해", "동방", "삼정", "성진", "영풍",
    "원일", "인성", "제일", "천일", "코리아", "경인", "부광", "화인", "에스", "케이", "제이", "디앤",
)  # fmt: skip
_LAST_NAMES = (
    "전자", "화학", "바이오", "제약", "홀딩스", "건설", "금속", "제강",
    "시스템", "소프트", "반도체", "에너지", "식품", "물산", "산업", "상사",
    "해운", "항공", "기계", "테크", "머티리얼즈", "엔지니어링", "헬스케어", "로보틱스",
    "네트웍스", "디스플레이", "소재", "모빌리티", "엔터", "게임즈", "증권", "보험",
    "캐피탈", "리테일", "패션", "푸드", "케미칼", "이노베이션", "솔루션", "인터내셔널",
    "스튜디오", "파트너스", "글로벌", "사이언스", "메디칼", "정밀",
)  # fmt: skip
_INDUSTRIES = (
    "전기/전자",
    "화학",
    "제약",
    "금융",
    "건설",
    "기계/장비",
    "유통",
    "IT 서비스",
    "음식료/담배",
    "운송장비/부품",
)
_ETF_THEMES = (
    "반도체",
    "2차전지",
    "코스피200",
    "코스닥150",
    "미국채권",
    "배당성장",
    "은행",
    "바이오",
    "로봇",
    "방산",
)

_KOSDAQ_TARGETS = frozenset(
    {"247540", "028300", "091990", "263750", "293490", "058470", "041510", "035900", "112040", "067630"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """All that sets one generated issue apart."""

    issue: Issue
    key: int
    """Seed of everything about this issue."""
    centre: float
    """Won around which today's price moves."""
    sigma: float
    """Deviation of a day's return."""
    turnover: float
    """Won traded on an ordinary day."""
    idle: float
    """Chance that a minute has no trade."""
    halts: tuple[tuple[int, int], ...] = ()
    """First and last day (ordinals) without trading."""
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    """Something decreed for one of the targets."""

    halt: tuple[date, date] | None = None
    action: Action | None = None


def _split(ex_date: date, ratio: int, halt: tuple[date, date] | None = None) -> _Event:
    return _Event(
        halt=halt, action=Action(ex_date=ex_date, price_factor=1 / ratio, volume_factor=float(ratio))
    )


_EVENTS: dict[str, tuple[_Event, ...]] = {
    "005930": (_split(date(2018, 5, 4), 50, (date(2018, 4, 30), date(2018, 5, 3))),),
    "005380": (_split(date(2026, 4, 15), 5, (date(2026, 4, 10), date(2026, 4, 14))),),
    "055550": (_split(date(2025, 12, 10), 2),),
    "035720": (_split(date(2021, 4, 15), 5, (date(2021, 4, 12), date(2021, 4, 14))),),
    "033780": (_Event(halt=(date(2026, 10, 13), date(2026, 10, 15))),),
    "058470": (
        _split(date(2025, 4, 25), 5, (date(2025, 4, 10), date(2025, 4, 24))),
        _split(date(2026, 10, 21), 2, (date(2026, 10, 16), date(2026, 10, 20))),
    ),
}
"""Two splits are real dates; the others stand where a store that goes back a year meets them."""

_THIN_TARGETS = frozenset({"035900"})


def profiles(seed: int, count: int) -> dict[str, Profile]:
    """Return `count` issues: the targets first, then generated ones; a longer list begins the same."""
    found: dict[str, Profile] = {}
    for code, name in list(TARGETS.items())[:count]:
        found[code] = _target(seed, code, name)
    index = 0
    while len(found) < count:
        code = _code(seed, index)
        if code not in found:
            found[code] = _generated(seed, code, index)
        index += 1
    return found


def _code(seed: int, index: int) -> str:
    """Return a code that looks listed: six digits, in about 2 % of the cases with a letter."""
    kind, number = key_of(seed, "kind", index) % 100, key_of(seed, "code", index)
    if kind == 0:
        return f"{number % 1000:04d}{'ABCDGHJKLMNPRSTVWXYZ'[number // 1000 % 20]}0"
    if kind == 1:
        return f"{number % 50_000:05d}K"
    return f"{number % 48_000:05d}{5 if kind < 4 else 0}"


def _is_preferred(code: str) -> bool:
    return code.endswith(("5", "K"))


def _target(seed: int, code: str, name: str) -> Profile:
    key = key_of(seed, code)
    draw = uniforms(key, 8)
    events = _EVENTS.get(code, ())
    thin = code in _THIN_TARGETS
    listed_on = FIRST_DAY if code == "005930" else _trading_day(1985, 2020, draw[0])
    centre = 20_000.0 * 20 ** draw[1]
    issue = Issue(
        code=code,
        name=name,
        market_code="10" if code in _KOSDAQ_TARGETS else "0",
        listed_shares=int(5e12 * 30 ** draw[2] / centre),
        listed_on=listed_on,
        industry=_INDUSTRIES[key % len(_INDUSTRIES)],
        size_class="대형주",
        nxt_enabled=True,
        delisted_on=DELISTED[code].day if code in DELISTED else None,
    )
    return Profile(
        issue=issue,
        key=key,
        centre=centre,
        sigma=0.016 + 0.012 * draw[3],
        turnover=2e8 if thin else 5e10 * 10 ** draw[4],
        idle=0.75 if thin else 0.0,
        halts=tuple((e.halt[0].toordinal(), e.halt[1].toordinal()) for e in events if e.halt is not None),
        actions=tuple(e.action for e in events if e.action is not None),
    )


def _generated(seed: int, code: str, index: int) -> Profile:
    key = key_of(seed, code)
    draw = uniforms(key, 16)
    etf = draw[0] < 0.08 and not _is_preferred(code)
    listed_on = _trading_day(2025, 2028, draw[2]) if draw[1] < 0.04 else _trading_day(1985, 2025, draw[2])
    centre = 2_500.0 * 60 ** draw[3]
    market = "8" if etf else ("0" if draw[4] < 0.36 else "10")
    issue = Issue(
        code=code,
        name=_name(code, index, etf=etf),
        market_code=market,
        listed_shares=int(3e10 * 100 ** draw[5] / centre),
        listed_on=listed_on,
        delisted_on=_delisting(listed_on, draw[6:8]),
        industry="" if etf else _INDUSTRIES[key % len(_INDUSTRIES)],
        size_class="" if etf or _is_preferred(code) else ("중형주" if draw[5] > 0.6 else "소형주"),
        nxt_enabled=bool(draw[5] > 0.75) and not etf and not _is_preferred(code),
    )
    return Profile(
        issue=issue,
        key=key,
        centre=centre,
        sigma=0.01 if etf else 0.02 + 0.02 * draw[8],
        turnover=3e7 * 1_000 ** draw[9],
        idle=float(0.95 * (1 - draw[9]) ** 2),
        halts=_halts(listed_on, draw[10:13]),
        actions=_actions(listed_on, draw[13:16]),
    )


def _name(code: str, index: int, *, etf: bool) -> str:
    """Return a name no other index has."""
    if etf:
        return f"KODEX {_ETF_THEMES[index % len(_ETF_THEMES)]} {index}"
    pairs = len(_FIRST_NAMES) * len(_LAST_NAMES)
    # 1,021 is prime to the number of pairs, so the walk meets every pair before it repeats one.
    first, last = divmod(index * 1_021 % pairs, len(_LAST_NAMES))
    suffix = "" if index < pairs else str(index // pairs + 1)
    return f"{_FIRST_NAMES[first]}{_LAST_NAMES[last]}{suffix}{'우' if _is_preferred(code) else ''}"


def _trading_day(first_year: int, last_year: int, share: float) -> date:
    """Return a trading day between two years (the last one excluded)."""
    days = trading_days()
    low, high = (int(np.searchsorted(days, date(year, 1, 1).toordinal())) for year in (first_year, last_year))
    return date.fromordinal(int(days[low + int(share * (high - low))]))


def _delisting(listed_on: date, draw: Floats) -> date | None:
    """Return the first day an issue is not listed any more, for about 3 in 100."""
    gone = _trading_day(2024, 2029, draw[1])
    return gone if draw[0] < 0.03 and (gone - listed_on).days > 30 else None


def _halts(listed_on: date, draw: Floats) -> tuple[tuple[int, int], ...]:
    """Return one halt of 1 to 30 trading days within reach of a test, for about one in ten."""
    if draw[0] >= 0.1:
        return ()
    days = trading_days()
    first = int(np.searchsorted(days, _trading_day(2023, 2028, draw[1]).toordinal()))
    last = min(first + int(30 * draw[2] ** 2), len(days) - 1)
    return ((int(days[first]), int(days[last])),) if days[first] > listed_on.toordinal() else ()


def _actions(listed_on: date, draw: Floats) -> tuple[Action, ...]:
    """Return one split or bonus issue, for about one in ten."""
    ratio = (2, 5, 10)[int(3 * draw[2])]
    ex_date = _trading_day(2005, 2028, draw[1])
    if draw[0] >= 0.1 or ex_date <= listed_on:
        return ()
    return (Action(ex_date=ex_date, price_factor=1 / ratio, volume_factor=float(ratio)),)
