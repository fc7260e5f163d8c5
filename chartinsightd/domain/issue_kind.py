"""What a listed issue is."""

from enum import StrEnum


class IssueKind(StrEnum):
    """What a listed issue is, by the `marketCode` of its row (kiwoom.md#stock-list)."""

    SHARE = "share"
    ETF = "etf"
    ETN = "etn"
    REIT = "reit"
    FUND = "fund"
    OTHER = "other"
