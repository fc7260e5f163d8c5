"""The stocks that are collected when the user names no others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

TARGETS: dict[str, str] = {
    "005930": "삼성전자",
    "000660": "SK하이닉스",
    "373220": "LG에너지솔루션",
    "005380": "현대차",
    "000270": "기아",
    "035420": "NAVER",
    "035720": "카카오",
    "207940": "삼성바이오로직스",
    "068270": "셀트리온",
    "005490": "POSCO홀딩스",
    "051910": "LG화학",
    "105560": "KB금융",
    "055550": "신한지주",
    "006400": "삼성SDI",
    "012330": "현대모비스",
    "015760": "한국전력",
    "096770": "SK이노베이션",
    "323410": "카카오뱅크",
    "028260": "삼성물산",
    "033780": "KT&G",
    "247540": "에코프로비엠",
    "028300": "HLB",
    "091990": "셀트리온헬스케어",
    "263750": "펄어비스",
    "293490": "카카오게임즈",
    "058470": "리노공업",
    "041510": "에스엠",
    "035900": "JYP Ent.",
    "112040": "위메이드",
    "067630": "에이치엘비생명과학",
}
"""Symbol to Korean name: thirty stocks of both markets, KOSPI first. Names: KRX list of 2026-03-20."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delisting:
    """A target that is not listed any more."""

    day: date
    """The first Korean day without it."""
    successor: str
    """The symbol that its holders got."""
    source: str


DELISTED: Mapping[str, Delisting] = {
    "091990": Delisting(
        day=date(2024, 1, 12),
        successor="068270",
        source="merged into Celltrion on 2023-12-28; KRX listed the new shares of 068270 on 2024-01-12",
    ),
}
"""They are kept with what the broker still serves."""
