"""The sectors ka10101 lists (kiwoom.md#stock-list): code and name by mrkt_tp; the first three are captured.

The other names are the exchange's sector names as commonly published; the real list has 31 and 34 rows.
"""

from __future__ import annotations

_KOSPI = (
    ("001", "종합(KOSPI)"), ("002", "대형주"), ("003", "중형주"), ("004", "소형주"), ("005", "음식료/담배"),
    ("006", "섬유/의류"), ("007", "종이/목재"), ("008", "화학"), ("009", "제약"), ("010", "비금속"),
    ("011", "금속"), ("012", "기계/장비"), ("013", "전기/전자"), ("014", "의료/정밀기기"),
    ("015", "운송장비/부품"), ("016", "유통"), ("017", "전기/가스"), ("018", "건설"), ("019", "운송/창고"),
    ("020", "통신"), ("021", "금융"), ("024", "증권"), ("025", "보험"), ("026", "일반서비스"),
    ("027", "제조"),
)  # fmt: skip
_KOSDAQ = (
    ("101", "종합(KOSDAQ)"), ("103", "기타서비스"), ("106", "일반서비스"), ("107", "제조"), ("108", "건설"),
    ("110", "유통"), ("111", "운송/창고"), ("115", "금융"), ("119", "음식료/담배"), ("120", "섬유/의류"),
    ("121", "종이/목재"), ("122", "출판/매체복제"), ("123", "화학"), ("124", "제약"), ("125", "비금속"),
    ("126", "금속"), ("127", "기계/장비"), ("128", "전기/전자"), ("129", "의료/정밀기기"),
    ("130", "운송장비/부품"), ("138", "KOSDAQ 100"),
)  # fmt: skip
_SECTORS = {
    "0": _KOSPI,
    "1": _KOSDAQ,
    "2": (("201", "KOSPI200"),),
    "4": (("401", "KOSPI100"),),
    "7": (("701", "KRX100"),),
}


def sector_rows(market_type: str) -> list[dict[str, str]]:
    """Return the rows of ka10101 for a mrkt_tp; none for an unknown one."""
    return [
        {"marketCode": market_type, "code": code, "name": name, "group": str(place)}
        for place, (code, name) in enumerate(_SECTORS.get(market_type, ()), start=1)
    ]
