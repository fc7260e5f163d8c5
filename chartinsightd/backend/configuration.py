"""The settings of the running daemon, and reading them again."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Protocol

from chartinsightd.control.handlers import Caller, Handlers
from chartinsightd.control.operations import CONFIG, RELOAD
from chartinsightd.control.protocol.config import Setting, SettingList
from chartinsightd.control.protocol.jobs import Outcome, OutcomeState
from chartinsightd.effective_settings import EffectiveSetting


@dataclass(frozen=True, slots=True, kw_only=True)
class Reloaded:
    """What reading the configuration again brought."""

    changed: bool
    needs_restart: tuple[str, ...] = ()
    """Settings (`section.key`) that differ and hold from the next start on."""


class Configuration(Protocol):
    """The settings in force."""

    def effective(self) -> tuple[EffectiveSetting, ...]:
        """Return each setting as it is in force, in the order of the sections."""

    def reload(self) -> Reloaded:
        """Read the settings again and take over what can change while the daemon runs.

        Raises:
            ConfigurationError: they are wrong; nothing was taken over.
        """


class ConfigurationHandlers:
    """Answers the operations on settings."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration

    def register(self, handlers: Handlers) -> None:
        """Offer the operations on settings."""
        handlers.add(CONFIG, self.config)
        handlers.add(RELOAD, self.reload)

    async def config(self) -> SettingList:
        """Return each setting in force."""
        return SettingList(items=tuple(Setting(**asdict(one)) for one in self._configuration.effective()))

    async def reload(self, caller: Caller) -> Outcome:
        """Read the configuration again; `detail` names what needs a restart.

        Raises:
            ConfigurationError: it is wrong; nothing was taken over.
        """
        del caller  # the server logs who asked
        reloaded = self._configuration.reload()
        state = OutcomeState.RELOADED if reloaded.changed else OutcomeState.ALREADY_CURRENT
        later = ", ".join(reloaded.needs_restart)
        detail = f"Needs a restart: {later}." if later else ""
        return Outcome(changed=reloaded.changed, state=state, detail=detail)
