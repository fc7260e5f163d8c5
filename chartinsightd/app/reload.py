"""Reads the settings again while the daemon runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import structlog
from structlog.typing import Processor

from chartinsightd.backend.configuration import Reloaded
from chartinsightd.clock import Clock
from chartinsightd.domain.errors import ConfigurationError
from chartinsightd.domain.universe import Exclusion, UniverseRule
from chartinsightd.effective_settings import EffectiveSetting, effective_settings
from chartinsightd.process.logs import REDACTOR, configure_logs
from chartinsightd.service.stocks.choice import Choice
from chartinsightd.service.stocks.stock_list import StockList
from chartinsightd.settings.loading import load_settings
from chartinsightd.settings.model import Settings
from chartinsightd.settings.section import Section

log = structlog.get_logger(__name__)

_EXCLUDES = {
    "exclude_funds": Exclusion.FUND,
    "exclude_spacs": Exclusion.SPAC,
    "exclude_preferred": Exclusion.PREFERRED,
    "exclude_administrative": Exclusion.ADMINISTRATIVE,
    "exclude_halted": Exclusion.HALTED,
}
"""What each setting of the universe leaves out."""
_OF_THE_RULE = ("enabled", "min_market_cap", *_EXCLUDES)
_CHOOSING = {"collect.symbols", *(f"universe.{name}" for name in _OF_THE_RULE)}
_RELOADABLE = frozenset({"log.format", "log.level", *_CHOOSING})
"""Settings that can change while the daemon runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Logging:
    """What the log of this process needs beside the settings."""

    clock: Clock
    """Its time is on every event."""
    taps: tuple[Processor, ...] = ()
    """They see every event that is shown, secrets taken out."""

    def set_up(self, settings: Settings) -> None:
        """Log as the settings say, and keep their secrets out of it."""
        configure_logs(settings.log.format, settings.log.level, self.clock, *self.taps)
        REDACTOR.hide(settings.secrets())


class Reloader:
    """Implements `backend.Configuration`: reads the settings again, takes over what can change at runtime.

    Args:
        settings: in effect.
        config: the file they came from, None for the usual places.
        logging: set up again.
        stock_list: chooses its symbols again.
    """

    def __init__(
        self, *, settings: Settings, config: Path | None, logging: Logging, stock_list: StockList
    ) -> None:
        self._settings = settings
        self._effective = effective_settings(settings, config)
        self._config = config
        self._logging = logging
        self._stock_list = stock_list

    def effective(self) -> tuple[EffectiveSetting, ...]:
        """Return each setting in effect."""
        return tuple(self._effective.values())

    def reload(self) -> Reloaded:
        """Take over what can be.

        Raises:
            ConfigurationError: the settings are wrong; nothing was taken over.
        """
        fresh = load_settings(self._config)
        changed = _differences(self._settings, fresh)
        taken = changed & _RELOADABLE
        self._logging.set_up(fresh)
        if taken & _CHOOSING:
            self._stock_list.choose_by(choice(fresh))
        self._settings = _with_taken_over(self._settings, fresh)
        self._effective |= {
            name: one
            for name, one in effective_settings(fresh, self._config).items()
            if name not in changed - taken  # what needs a restart stays as it is in effect
        }
        later = tuple(sorted(changed - taken))
        log.info("settings.reloaded", changed=sorted(taken), needs_restart=later)
        return Reloaded(changed=bool(taken), needs_restart=later)

    def reload_on_signal(self) -> None:
        """Do the same for SIGHUP: no caller waits for an answer, so a mistake is logged."""
        try:
            self.reload()
        except ConfigurationError as error:
            log.error("settings.reload_failed", error=str(error))  # noqa: TRY400 - the message says it all


def choice(settings: Settings) -> Choice:
    """Return what is to be collected."""
    universe = settings.universe
    rule = UniverseRule(
        min_market_cap=universe.min_market_cap,
        leaves_out=frozenset(reason for name, reason in _EXCLUDES.items() if getattr(universe, name)),
    )
    return Choice(targets=settings.collect.symbols, universe=rule if universe.enabled else None)


def _differences(before: Section | Settings, after: Section | Settings, prefix: str = "") -> set[str]:
    """Return the settings that differ, as `section.key`."""
    found: set[str] = set()
    for name in type(before).model_fields:
        old, new = getattr(before, name), getattr(after, name)
        if isinstance(old, Section):
            found |= _differences(old, new, f"{name}.")
        elif old != new:
            found.add(prefix + name)
    return found


def _with_taken_over(before: Settings, fresh: Settings) -> Settings:
    """Return the settings in effect after a reload."""
    collect = before.collect.model_copy(update={"symbols": fresh.collect.symbols})
    rule = {name: getattr(fresh.universe, name) for name in _OF_THE_RULE}
    universe = before.universe.model_copy(update=rule)
    return before.model_copy(update={"log": fresh.log, "collect": collect, "universe": universe})
