"""What a new installation shall be, read from the texts that a person gives."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlsplit

from chartinsightd.domain.errors import ConfigurationError
from chartinsightd.domain.horizon import Horizon
from chartinsightd.domain.setting_values import http_address
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.facts.targets import TARGETS
from chartinsightd.settings.horizons import complete_horizons
from chartinsightd.settings.writing import Change

_Choice = TypeVar("_Choice", bound=StrEnum)
SIMULATOR = "http://127.0.0.1:8500"
"""Where `chartinsight-simulator` listens without options."""
_WEBSOCKET_PATH = "/api/dostk/websocket"
_SYMBOL = re.compile(r"[0-9A-Z]{6}")
_KEY = re.compile(r"[\w.~+/=-]{8,512}", re.ASCII)
"""What stands in a file of variables without quotes; Kiwoom's own keys have 43 letters and digits."""
_LARGE = 100_000_000_000
"""universe.min_market_cap as shipped."""


class Environment(StrEnum):
    """Whose servers are asked."""

    SIMULATION = "simulation"
    MOCK = "mock"
    """모의투자, `kiwoom.environment = "paper"`."""
    LIVE = "live"


class Universe(StrEnum):
    """What is collected in days and weeks beside the targets."""

    NONE = "none"
    LARGE = "large"
    ALL = "all"


class AnswerRefused(ConfigurationError):
    """A text is no answer to the question.

    Args:
        key: of the message among the words.
        values: for the places of the message.
    """

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.values = values


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Everything that was answered, keys aside."""

    environment: Environment
    simulator: str = SIMULATOR
    symbols: tuple[str, ...] = tuple(TARGETS)
    universe: Universe = Universe.LARGE
    horizon: Mapping[Timeframe, str]

    def changes(self) -> tuple[Change, ...]:
        """Return what the settings file has to say."""
        return (*self._of_broker(), *self._of_collection())

    def _of_broker(self) -> tuple[Change, ...]:
        is_simulated = self.environment is Environment.SIMULATION
        place = self.simulator.rstrip("/")
        stream = f"ws://{urlsplit(place).netloc}{_WEBSOCKET_PATH}"
        host = "paper" if self.environment is Environment.MOCK else "real"
        return (
            Change(keys=("mode",), value="simulation" if is_simulated else "live", default="live"),
            Change(keys=("kiwoom", "environment"), value=host, default="real"),
            Change(keys=("kiwoom", "base_url"), value=place if is_simulated else "", default=""),
            Change(keys=("kiwoom", "websocket_url"), value=stream if is_simulated else "", default=""),
            Change(keys=("clock", "follow"), value=is_simulated, default=False),
        )

    def _of_collection(self) -> tuple[Change, ...]:
        smallest = 0 if self.universe is Universe.ALL else _LARGE
        horizon = {timeframe.value: text for timeframe, text in self.horizon.items()}
        return (
            Change(keys=("collect", "symbols"), value=list(self.symbols), default=list(TARGETS)),
            Change(
                keys=("collect", "horizon"),
                value=horizon,
                default=dict.fromkeys(map(str, Timeframe), "max"),
                normal=complete_horizons,
            ),
            Change(keys=("universe", "enabled"), value=self.universe is not Universe.NONE, default=True),
            Change(keys=("universe", "min_market_cap"), value=smallest, default=_LARGE),
        )


_AS_IN_SETTINGS = {"paper": "mock", "real": "live"}
"""The words of `kiwoom.environment`, which a reader of the settings types."""


def parse_environment(text: str) -> Environment:
    """Read an environment.

    Raises:
        AnswerRefused: there is none of that name.
    """
    word = text.strip().lower()
    return _member(Environment, _AS_IN_SETTINGS.get(word, word), "refused.environment")


def parse_universe(text: str) -> Universe:
    """Read a universe.

    Raises:
        AnswerRefused: there is none of that name.
    """
    return _member(Universe, text, "refused.universe")


def _member(kind: type[_Choice], text: str, refusal: str) -> _Choice:
    try:
        return kind(text.strip().lower())
    except ValueError:
        raise AnswerRefused(refusal, given=text) from None


def parse_simulator(text: str) -> str:
    """Read the address of a simulator.

    Raises:
        AnswerRefused: it is none.
    """
    try:
        if text.strip():
            return http_address(text.strip())
    except ValueError:
        pass
    raise AnswerRefused("refused.simulator", given=text)


def parse_symbols(text: str) -> tuple[str, ...]:
    """Read stock codes, and names of target stocks, with commas between them; empty: the thirty targets.

    Raises:
        AnswerRefused: one is neither.
    """
    given = [part.strip() for part in text.split(",") if part.strip()]
    return tuple(dict.fromkeys(_symbol(part) for part in given)) or tuple(TARGETS)


def _symbol(text: str) -> str:
    code = text.upper()
    if _SYMBOL.fullmatch(code):
        return code
    codes = {name: symbol for symbol, name in TARGETS.items()}
    if text in codes:
        return codes[text]
    near = get_close_matches(text, [*codes, *TARGETS], n=1, cutoff=0.5)
    if not near:
        raise AnswerRefused("refused.symbol", given=text)
    raise AnswerRefused("refused.symbol_near", given=text, near=near[0])


def parse_horizon(text: str) -> dict[Timeframe, str]:
    """Read horizons: one for all timeframes such as `1y`, or `5m=6m, 1d=max`; the unnamed are `max`.

    Raises:
        AnswerRefused: it is none.
    """
    found = dict.fromkeys(Timeframe, "max")
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if len(parts) == 1 and "=" not in parts[0]:
        return dict.fromkeys(Timeframe, _horizon(parts[0]))
    for part in parts:
        name, equals, length = (piece.strip() for piece in part.partition("="))
        if not equals or name not in set(Timeframe):
            raise AnswerRefused("refused.horizon", given=part)
        found[Timeframe(name)] = _horizon(length)
    return found


def _horizon(text: str) -> str:
    try:
        Horizon.parse(text)
    except ConfigurationError:
        raise AnswerRefused("refused.horizon", given=text) from None
    return text


def parse_key(text: str) -> str:
    """Read a key as the portal gives it; the message never quotes it.

    Raises:
        AnswerRefused: it cannot be one.
    """
    key = text.strip()
    if not _KEY.fullmatch(key):
        raise AnswerRefused("refused.key", length=len(key))
    return key
