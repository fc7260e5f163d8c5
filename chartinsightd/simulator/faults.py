"""Faults: which request gets which, and what it does to a page. Decisions; `http_broker` applies them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import msgspec

from chartinsightd.simulator.pages import Page, endless_page


class Fault(StrEnum):
    """What can go wrong at the broker."""

    RATE_LIMIT = "http_429"
    """A 429 although the limit was kept; with a duration: a storm."""
    TOTAL_LIMIT = "total_1701"
    """Too many requests of all apis together."""
    GROUP_LIMIT = "group_1702"
    """Too many requests of a group of apis."""
    SERVER_ERROR = "http_500"
    HANG = "hang"
    """No answer for `seconds` real seconds, then the connection closes."""
    SLOW = "slow"
    """The right answer, after `seconds` real seconds."""
    RESET = "reset"
    """The connection is torn in the middle of the body."""
    TRUNCATED = "truncated_json"
    HTML_NOTICE = "html_notice"
    """A maintenance notice with status 200."""
    TOKEN_INVALID = "token_8005"
    OTHER_ADDRESS = "address_8010"
    """The token was issued to another address."""
    TOKEN_OF_OTHER_HOST = "token_8031"
    """The token is of the other environment."""
    TOKEN_OR_ADDRESS = "token_8103"
    NOT_ON_PAPER = "paper_8104"
    """The api is not offered on the paper host."""
    FIREWALL = "waf_block"
    TOKEN_ROTATION = "token_rotation"
    """au10001 gives a new token and kills the old one."""
    BLANK_PAGE = "blank_page"
    REPEATED_KEY = "repeated_key"
    """The next-key leads to this same page again."""
    ENDLESS_EMPTY = "endless_empty"
    """An empty page with cont-yn Y and a key ending in -1, which starts over."""
    DUPLICATE_ROWS = "duplicate_rows"
    """The next page begins with the last rows of this one."""
    OUT_OF_ORDER = "out_of_order"
    MISSING_FIELD = "missing_field"
    GARBAGE_FIELD = "garbage_field"
    DOUBLED_SIGN = "doubled_sign"
    """`--30433` in pred_pre, as seen (kiwoom.md#numbers); not an error to a careful reader."""
    LATE_CORRECTION = "late_correction"
    """A past candle of the requested code changes for good, just before the answer."""
    STALE_PAGE = "stale_page"
    """The page as it was some minutes before, as a cache gives it."""
    TENFOLD_PAGE = "tenfold_page"
    """Every price of the page is ten times too high."""
    LOST_HEADER = "lost_header"
    """A gateway drops cont-yn and next-key: nothing says whether more is there."""
    LIST_CUT_SHORT = "list_cut_short"
    """The stock list ends after a few rows; resp-cnt agrees."""
    WS_REFUSED = "ws_refused"
    """The handshake is answered with 503."""
    WS_LOGIN_REFUSED = "ws_login_refused"
    """LOGIN is answered with 805004, as for a dead token."""
    WS_REG_REFUSED = "ws_reg_refused"
    """REG is answered with 105111."""
    WS_DUPLICATE = "ws_duplicate"
    """A frame of trades comes twice."""
    WS_DROP = "ws_drop"
    """A frame of trades never comes."""
    WS_LATE = "ws_late"
    """A frame of trades comes after `seconds` real seconds, behind later ones."""
    WS_GARBLED = "ws_garbled"
    """Half of a frame comes."""
    WS_SILENT = "ws_silent"
    """The socket stays open, and nothing comes any more."""
    WS_RESET = "ws_reset"
    """The connection is torn."""
    WS_TAKEN_OVER = "ws_taken_over"
    """Another session of the key: R10001, and the end."""
    WS_UNHEARD = "ws_unheard"
    """R10002, and the end, although the client answered."""
    WS_NOT_LET_IN = "ws_not_let_in"
    """R10004, and the end, in the middle of a session."""
    WS_STRANGE_SYSTEM = "ws_strange_system"
    """A SYSTEM frame with an unlisted code; the session continues."""


HANDSHAKE, LOGIN, REGISTRATION, FRAMES = "websocket", "LOGIN", "REG", "0B"
"""What stands for an api-id where a fault of the WebSocket may strike; a frame of trades is `0B`."""
_OF_FRAMES = (
    Fault.WS_DUPLICATE,
    Fault.WS_DROP,
    Fault.WS_LATE,
    Fault.WS_GARBLED,
    Fault.WS_SILENT,
    Fault.WS_RESET,
    Fault.WS_TAKEN_OVER,
    Fault.WS_UNHEARD,
    Fault.WS_NOT_LET_IN,
    Fault.WS_STRANGE_SYSTEM,
)
_WEBSOCKET: Mapping[Fault, str] = {
    Fault.WS_REFUSED: HANDSHAKE,
    Fault.WS_LOGIN_REFUSED: LOGIN,
    Fault.WS_REG_REFUSED: REGISTRATION,
    **dict.fromkeys(_OF_FRAMES, FRAMES),
}
"""Where each of them strikes."""
_ON_THE_SOCKET = frozenset(_WEBSOCKET.values())
PAGE_FAULTS = frozenset(
    {
        Fault.BLANK_PAGE,
        Fault.REPEATED_KEY,
        Fault.ENDLESS_EMPTY,
        Fault.DUPLICATE_ROWS,
        Fault.OUT_OF_ORDER,
        Fault.MISSING_FIELD,
        Fault.GARBAGE_FIELD,
        Fault.DOUBLED_SIGN,
        Fault.LATE_CORRECTION,
        Fault.STALE_PAGE,
        Fault.TENFOLD_PAGE,
        Fault.LOST_HEADER,
    }
)
"""Faults of chart answers only."""
_OF_TOKENS = frozenset(
    {Fault.OTHER_ADDRESS, Fault.TOKEN_OF_OTHER_HOST, Fault.TOKEN_OR_ADDRESS, Fault.NOT_ON_PAPER}
)
"""Refusals of what comes with a token."""
NEVER_CAPTURED = _OF_TOKENS | {Fault.TOTAL_LIMIT, Fault.GROUP_LIMIT}
"""Refusals that no program captured (kiwoom.md#refusal-codes); each is played when it is named."""
_TOKEN_APIS = frozenset({"au10001", "au10002"})
_CHARTS = frozenset({"ka10079", "ka10080", "ka10081", "ka10082", "ka10083", "ka10094"})
_STOCK_LIST = "ka10099"
_OVERLAP_ROWS = 3
STALE_BY_MINUTES = (2, 30, 90)
"""How old a stale page may be."""
KEPT_OF_A_LIST = 0.15
"""The share of its rows that a list cut short still has."""
_PRICES = ("open_pric", "high_pric", "low_pric", "cur_prc")
_GARBAGE = ("N/A", "12a4", "-", "1e9x", "null")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One fault of a mix."""

    fault: Fault
    probability: float = 1.0
    api_ids: frozenset[str] = frozenset()
    """Empty: all that the fault fits."""
    times: int | None = None
    """How often at most; None is without end."""
    for_virtual_s: float | None = None
    """How long after it was switched on; None is without end."""
    seconds: float = 1.0
    """Real seconds of `hang`, `slow` and `ws_late`."""

    def fits(self, api_id: str) -> bool:
        """Return whether the fault can strike a request of an api-id."""
        if self.api_ids and api_id not in self.api_ids:
            return False
        if self.fault in _WEBSOCKET or api_id in _ON_THE_SOCKET:
            return _WEBSOCKET.get(self.fault) == api_id
        if self.fault is Fault.TOKEN_ROTATION:
            return api_id == "au10001"
        if self.fault in _OF_TOKENS and api_id in _TOKEN_APIS:
            return False
        if self.fault is Fault.LIST_CUT_SHORT:
            return api_id == _STOCK_LIST
        return api_id in _CHARTS if self.fault in PAGE_FAULTS else True


class InvalidRule(ValueError):
    """A rule that says nothing known."""


def rule(fields: Mapping[str, Any]) -> Rule:
    """Return a rule from JSON.

    Raises:
        InvalidRule: an unknown fault or field, or a value of the wrong kind.
    """
    try:
        return msgspec.convert(fields, _RuleText, strict=False).rule()
    except msgspec.ValidationError as error:
        raise InvalidRule(f"{error}; faults are {', '.join(Fault)}") from None


class _RuleText(msgspec.Struct, forbid_unknown_fields=True):
    fault: Fault
    probability: float = 1.0
    api_ids: frozenset[str] = frozenset()
    times: int | None = None
    for_virtual_s: float | None = None
    seconds: float = 1.0

    def rule(self) -> Rule:
        return Rule(**msgspec.structs.asdict(self))


@dataclass(slots=True, kw_only=True)
class Active:
    """A rule at work."""

    rule: Rule
    since: float
    """Virtual seconds of the limits' clock."""
    random: random.Random
    struck: int = 0

    def is_over(self, at: float) -> bool:
        """Return whether it will never strike again."""
        spent = self.rule.times is not None and self.struck >= self.rule.times
        late = self.rule.for_virtual_s is not None and at - self.since >= self.rule.for_virtual_s
        return spent or late


@dataclass(slots=True)
class Mix:
    """All faults that are switched on."""

    active: list[Active] = field(default_factory=list)

    def switch_on(self, rules: Sequence[Rule], seed: int, at: float) -> None:
        """Replace the mix. Equal seeds and equal requests give equal faults."""
        self.active = [
            Active(rule=rule, since=at, random=random.Random(f"{seed}/{place}"))
            for place, rule in enumerate(rules)
        ]

    def strike(self, api_id: str, at: float) -> Active | None:
        """Return the first rule that strikes a request, and count it."""
        for active in self.active:
            if active.is_over(at) or not active.rule.fits(api_id):
                continue
            if active.random.random() < active.rule.probability:
                active.struck += 1
                return active
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoiling:
    """What a page fault needs to know of the answer it spoils."""

    code: str
    blank_row: bytes
    key_of: Callable[[Mapping[str, str]], str]
    """The key that names a row; empty where a row has none."""
    random: random.Random


def spoiled(fault: Fault, page: Page, how: Spoiling) -> Page:
    """Return the page as the fault leaves it."""
    match fault:
        case Fault.BLANK_PAGE:
            return Page(rows=how.blank_row, count=1, next_key="")
        case Fault.ENDLESS_EMPTY:
            return endless_page(how.code)
        case Fault.REPEATED_KEY:
            return _leading_to(page, 0, how)
        case Fault.DUPLICATE_ROWS if page.next_key:
            return _leading_to(page, -min(_OVERLAP_ROWS, page.count), how)
        case Fault.TENFOLD_PAGE:
            return _with_rows(page, [_tenfold(row) for row in _rows(page)])
        case Fault.OUT_OF_ORDER | Fault.MISSING_FIELD | Fault.GARBAGE_FIELD | Fault.DOUBLED_SIGN:
            return _with_rows(page, _damaged(fault, _rows(page), how.random))
    return page


def _leading_to(page: Page, place: int, how: Spoiling) -> Page:
    rows = _rows(page)
    key = how.key_of(rows[place]) if rows else ""
    return replace(page, next_key=key or page.next_key)


def _rows(page: Page) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = msgspec.json.decode(b"[" + page.rows + b"]")
    return rows


def _with_rows(page: Page, rows: list[dict[str, str]]) -> Page:
    return replace(page, rows=msgspec.json.encode(rows)[1:-1], count=len(rows))


def _tenfold(row: dict[str, str]) -> dict[str, str]:
    return row | {name: row[name] + "0" for name in _PRICES if row.get(name)}


def _damaged(fault: Fault, rows: list[dict[str, str]], dice: random.Random) -> list[dict[str, str]]:
    if not rows:
        return rows
    place = dice.randrange(len(rows))
    row = dict(rows[place])
    match fault:
        case Fault.OUT_OF_ORDER:
            other = dice.randrange(len(rows))
            rows[place], rows[other] = rows[other], rows[place]
            return rows
        case Fault.MISSING_FIELD:
            del row[dice.choice(sorted(row))]
        case Fault.GARBAGE_FIELD:
            row[dice.choice(sorted(row))] = dice.choice(_GARBAGE)
        case Fault.DOUBLED_SIGN:
            row["pred_pre"] = "--" + row.get("pred_pre", "").lstrip("+-")
    rows[place] = row
    return rows
