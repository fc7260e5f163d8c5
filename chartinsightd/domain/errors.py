"""Failures we expect, named by what the caller does next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chartinsightd.domain.foreign_text import shortened

_LONGEST_BROKER_MESSAGE = 600
"""Characters; it stands in logs, gaps, alerts and the database, each time it is raised."""


class ChartInsightError(Exception):
    """A failure we expect. Anything else that is raised is a bug, and costs its unit of work.

    Args:
        message: what happened, for a person.
        remedy: what the person should do next; empty where waiting is enough.
    """

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".rstrip()


class ConfigurationError(ChartInsightError):
    """A setting is wrong; only the user can correct it."""


class InvalidCandle(ChartInsightError):
    """Values that cannot be a candle."""


class SourceError(ChartInsightError):
    """The broker did not give what was asked for. The message may quote the broker, so it is cut."""

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(shortened(message, _LONGEST_BROKER_MESSAGE), remedy=remedy)
        self.http_status: int | None = None
        """Of the answer that refused; None where there was none."""


class SourceUnavailable(SourceError):
    """Try again later: a timeout, a dropped connection, a 5xx, an HTML notice."""


class RateLimited(SourceError):
    """The broker refused a request for its pace (kiwoom.md#flow-refusal); wait, then send it again."""

    def __init__(self, message: str, *, limit: int | None = None) -> None:
        super().__init__(message)
        self.limit = limit
        """The pace the broker named, in requests a second, where it named one."""


class TokenRejected(SourceError):
    """The token is not valid any more (kiwoom.md#rejected-token): issue a new one once, retry once."""


class MalformedAnswer(SourceError):
    """The answer is not what the contract says (truncated, a field missing); worth one more try."""


class RequestRefused(SourceError):
    """The request itself is wrong; sending it again will not help."""


class AccessBlocked(SourceError):
    """The broker refuses this key or address. Only the user can fix it; blind retries may prolong a block."""

    def __init__(self, message: str, *, remedy: str = "", code: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.code = code
        """The broker's bracket code, such as `8050` (kiwoom.md#inner-codes), or `firewall`."""


class StillBlocked(AccessBlocked):
    """Nothing was asked: an earlier refusal of the key or the address still holds."""


class StoreError(ChartInsightError):
    """The database did not do what was asked."""


class StoreUnavailable(StoreError):
    """The database did not do it now, as far as anybody can tell; the same call may be repeated."""


class StoreRefused(StoreUnavailable):
    """The database answers and refuses (no right, a trigger, another schema): a person has to do something.

    It is a kind of being unavailable, because a daemon that runs does the same: pages wait on disk and are
    tried again, since rights come back and triggers are dropped.
    """


class RowsRefused(StoreRefused):
    """The database refuses single rows and takes the others: without them the same call succeeds."""

    def __init__(self, message: str, *, remedy: str = "", rows: Mapping[int, Sequence[int]]) -> None:
        super().__init__(message, remedy=remedy)
        self.rows = rows
        """When the refused candles open, in seconds since the epoch, by the number of the write."""


class StoreOwned(StoreRefused):
    """Another daemon writes the store, and is proved alive."""


class AlertUndelivered(ChartInsightError):
    """A channel did not take a message; the same one may be tried again later."""
