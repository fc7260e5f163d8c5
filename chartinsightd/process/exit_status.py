"""How the commands end."""

from __future__ import annotations

from enum import IntEnum

from chartinsightd.domain.errors import (
    AccessBlocked,
    ChartInsightError,
    ConfigurationError,
    SourceError,
    StoreRefused,
    StoreUnavailable,
)


class ExitStatus(IntEnum):
    """Exit statuses of `chartinsightd`; see docs/operating.md."""

    OK = 0
    FAILED = 1
    CONFIGURATION = 2
    BROKER_UNREACHABLE = 68
    DATABASE_UNREACHABLE = 69
    DATABASE_REFUSED = 70
    CLIENT_REFUSED = 75
    """Kiwoom's firewall refuses the User-Agent."""
    ADDRESS_REFUSED = 76
    """Kiwoom does not know this machine's address (8050, 8010, 8040)."""
    KEY_REFUSED = 77
    """Kiwoom refuses the key or the secret."""


_BLOCKS = dict.fromkeys(("8010", "8040", "8050"), ExitStatus.ADDRESS_REFUSED) | {
    "firewall": ExitStatus.CLIENT_REFUSED
}
"""Refusals that are not the key's, by the broker's code."""


def status_of(error: ChartInsightError) -> ExitStatus:
    """Return the exit status for a failure."""
    match error:
        case ConfigurationError():
            return ExitStatus.CONFIGURATION
        case AccessBlocked(code=code):
            return _BLOCKS.get(code, ExitStatus.KEY_REFUSED)
        case SourceError():
            return ExitStatus.BROKER_UNREACHABLE
        case StoreRefused():
            return ExitStatus.DATABASE_REFUSED
        case StoreUnavailable():
            return ExitStatus.DATABASE_UNREACHABLE
        case _:
            return ExitStatus.FAILED
