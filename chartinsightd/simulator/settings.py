"""The broker's profile: what it does, with a switch for what is unknown (kiwoom.md#unknown)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args, get_type_hints

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

DEFAULT_APP_KEY = "simulator-app-key"
DEFAULT_SECRET_KEY = "simulator-secret-key"
OTHER_ENVIRONMENT_APP_KEY = "simulator-other-environment-app-key"
"""A key of the other host: real on paper or paper on real; it is refused with 8030."""


class UnknownOption(ValueError):
    """A switch or a value of it that does not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How the broker behaves. Every field is an `--option name=value` of the command."""

    environment: Literal["real", "paper"] = "real"

    requests_per_second: int = 5
    """Limit of one api-id; the number the 429 names (kiwoom.md#rate-limit)."""
    flow_window: Literal["sliding", "fixed", "bucket"] = "sliding"
    """How the limit is enforced; unknown (kiwoom.md#flow-window).

    `bucket` refills evenly and holds `burst` at most.
    """
    burst: int = 5
    """What a full `bucket` holds."""
    token_period_s: float = 1.0
    """Virtual seconds in which one token may be issued (kiwoom.md#token-limit)."""
    rate_limit: bool = True
    """False: nothing is refused, violations are still counted."""

    firewall: bool = True
    """Refuse the default User-Agents of aiohttp and urllib (kiwoom.md#firewall)."""
    token_policy: Literal["same", "rotate"] = "same"
    """A second issue gives the living token again, or a new one that kills it (kiwoom.md#second-token)."""
    token_type: Literal["bearer", "Bearer"] = "bearer"
    token_valid_h: float = 24.0

    minute_page: int = 900
    tick_page: int = 900
    day_page: int = 600
    week_page: int = 300
    month_page: int = 240
    year_page: int = 30
    tick_days: int = 20
    """Trading days of ticks that are served (kiwoom.md#minute-retention, reported)."""
    row_tail: Literal["new", "old"] = "new"
    """Which fields end a chart row: since 2025-10, or before (kiwoom.md#chart-rows)."""
    empty_page_loop: bool = False
    """Past the last row: an empty page whose key starts over (kiwoom.md#endless-pages)."""
    bad_key: Literal["first_page", "blank"] = "first_page"
    """What a damaged or foreign next-key gives; unknown (kiwoom.md#continuation)."""
    nxt: Literal["served", "blank"] = "served"
    """`_NX` codes (kiwoom.md#paper-host)."""
    unified: Literal["served", "plain"] = "served"
    """`_AL` codes: where the market knows them, or always as the plain code (kiwoom.md#paper-host)."""
    codes_per_batch: int = 100
    """ka10095; more are refused with 1634."""
    batch_status: int = 200
    """HTTP status of that refusal (kiwoom.md#batch-too-big)."""
    unknown_stock: Literal["blank", "1902"] = "blank"
    """Answer of ka10001 and ka10100 for an unknown code."""

    date: Literal["now", "absent", "epoch"] = "now"
    """The header `Date` of an answer, in virtual time; unknown (kiwoom.md#response-headers)."""
    chunked: bool = True
    gzip: bool = False
    """Compress for clients that accept it; on loopback it only costs."""

    ws_second_login: Literal["close_first", "allow"] = "close_first"
    """A second session of one key (kiwoom.md#websocket-session)."""
    ws_ping_period_s: float = 60.0
    """Real seconds between PING frames; unknown (kiwoom.md#websocket-session)."""
    ws_missed_pings: int = 5
    """Unanswered PINGs after which the session is closed with R10002."""
    ws_login_timeout_s: float = 30.0
    """Real seconds to LOGIN before R10004."""
    ws_codes_per_group: int = 100
    ws_codes_per_connection: int = 0
    """0: no bound. Beyond either bound REG answers 105111; the real code is unknown."""
    ws_trade_period_s: float = 0.05
    """Real seconds between looks at the market for new trades."""
    ws_entries_per_frame: int = 20
    ws_catch_up_s: float = 3600.0
    """Trades are streamed over a jump of the clock up to this many virtual seconds, and lost beyond."""


def profile(environment: str) -> Profile:
    """Return the profile of a host: `real` or `paper` (kiwoom.md#simulator-defaults)."""
    if environment == "real":
        return Profile()
    return Profile(
        environment="paper",
        requests_per_second=1,
        flow_window="bucket",
        burst=2,
        token_period_s=1.5,
        nxt="blank",
        unified="plain",
    )


_Options = TypeVar("_Options", bound="DataclassInstance")


def with_options(base: _Options, options: Mapping[str, str]) -> _Options:
    """Return a dataclass of switches with some of them set from text.

    Raises:
        UnknownOption: no such switch, or a value it does not take.
    """
    kinds = get_type_hints(type(base))
    changes = {}
    for name, text in options.items():
        if name not in kinds:
            raise UnknownOption(f"no option {name!r}; there are {', '.join(sorted(kinds))}")
        changes[name] = _parsed(name, text, kinds[name])
    return dataclasses.replace(base, **changes)


_TRUTHS = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}


def _parsed(name: str, text: str, kind: Any) -> Any:
    choices = get_args(kind)
    try:
        if choices:
            return choices[choices.index(text)]
        return _TRUTHS[text.lower()] if kind is bool else kind(text)
    except (ValueError, KeyError):
        wanted = " or ".join(choices) if choices else kind.__name__
        raise UnknownOption(f"option {name} takes {wanted}, not {text!r}") from None
