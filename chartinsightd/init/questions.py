"""Gets every answer: from an option, else from the person at the terminal, else the usual one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click

from chartinsightd.init.answers import (
    SIMULATOR,
    AnswerRefused,
    Answers,
    Environment,
    Universe,
    parse_environment,
    parse_horizon,
    parse_key,
    parse_simulator,
    parse_symbols,
    parse_universe,
)
from chartinsightd.init.keys import KeyStore
from chartinsightd.init.words import Words

_Answer = TypeVar("_Answer")
_SIMULATOR_KEYS = ("simulator-app-key", "simulator-secret-key")
"""Those that `chartinsight-simulator` knows without options."""
_VARIABLES = ("CHARTINSIGHT_KIWOOM__APP_KEY", "CHARTINSIGHT_KIWOOM__SECRET_KEY")


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The options of the command; None: not given."""

    environment: str | None
    simulator: str | None
    symbols: str | None
    universe: str | None
    horizon: str | None
    key_files: tuple[Path | None, Path | None]
    """Of app key and secret key."""


class Questioner:
    """Asks at the terminal until an answer is one; without a terminal nothing is asked.

    Args:
        words: in the person's language.
    """

    def __init__(self, words: Words) -> None:
        self._words = words
        self.is_asking = sys.stdin.isatty() and sys.stderr.isatty()

    def answers(self, given: Given) -> Answers:
        """Return everything but the keys.

        Raises:
            AnswerRefused: an option is wrong, or one that is needed is missing.
        """
        if given.environment is None and not self.is_asking:
            raise AnswerRefused("missing.environment")
        environment = self._answer("environment", given.environment, "live", parse_environment)
        simulator = SIMULATOR
        if environment is Environment.SIMULATION:
            simulator = self._answer("simulator", given.simulator, SIMULATOR, parse_simulator)
        return Answers(
            environment=environment,
            simulator=simulator,
            symbols=self._answer("symbols", given.symbols, "", parse_symbols),
            universe=self._answer("universe", given.universe, Universe.LARGE, parse_universe),
            horizon=self._answer("horizon", given.horizon, "max", parse_horizon),
        )

    def keys(self, given: Given, environment: Environment, store: KeyStore) -> tuple[str, str] | None:
        """Return app key and secret key; None: those that are stored stay.

        Raises:
            AnswerRefused: there are none, or what was given is no key.
            OSError: the stored ones cannot be looked at.
        """
        if all(given.key_files):
            return self._key_of_file(given.key_files[0]), self._key_of_file(given.key_files[1])
        if environment is Environment.SIMULATION:
            return _SIMULATOR_KEYS
        if (app_key := os.environ.get(_VARIABLES[0])) and (secret_key := os.environ.get(_VARIABLES[1])):
            return parse_key(app_key), parse_key(secret_key)
        if store.has_keys() and self._keeps_keys(store):
            return None
        if not self.is_asking:
            raise AnswerRefused("missing.keys")
        host = self._words.put(f"host.{environment}")
        return self._ask_key("app_key", host), self._ask_key("secret_key", host)

    def agrees(self, *, overwrites: bool) -> bool:
        """Ask whether to write; where something is replaced, silence means no."""
        question = self._words.put("ask.overwrite" if overwrites else "ask.write")
        return click.confirm(question, default=not overwrites, err=True)

    def _answer(self, name: str, given: str | None, usual: str, parse: Callable[[str], _Answer]) -> _Answer:
        if given is not None:
            return parse(given)
        if not self.is_asking:
            return parse(usual)
        return self._ask(self._words.put(f"ask.{name}"), usual, parse)

    def _ask_key(self, name: str, host: str) -> str:
        return self._ask(self._words.put(f"ask.{name}", host=host), None, parse_key)

    def _ask(self, question: str, usual: str | None, parse: Callable[[str], _Answer]) -> _Answer:
        while True:
            text = click.prompt(
                question, default=usual, show_default=bool(usual), hide_input=usual is None, err=True
            )
            try:
                return parse(text)
            except AnswerRefused as error:
                click.echo(self._words.put(error.key, **error.values), err=True)

    def _keeps_keys(self, store: KeyStore) -> bool:
        if not self.is_asking:
            return True
        return click.confirm(self._words.put("ask.keep_keys", place=store.path), default=True, err=True)

    def _key_of_file(self, path: Path | None) -> str:
        assert path is not None  # both were given
        try:
            return parse_key(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) else "not text"
            raise AnswerRefused("refused.key_file", path=path, why=why) from None
