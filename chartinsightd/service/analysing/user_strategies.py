"""The user's strategies: read when their files change, proved apart from the event loop, known by state."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import structlog

from chartinsightd.analysis.host.refusal import StrategyRefused
from chartinsightd.clock import Clock
from chartinsightd.ports.strategies import (
    FolderFault,
    FolderLook,
    StrategyEnded,
    StrategyFacts,
    StrategyFolder,
    StrategySandbox,
    StrategySource,
)

log = structlog.get_logger(__name__)

_LOOK_EVERY_S = 10.0
_LEAST_REAL_S = 2.0


class StrategyState(StrEnum):
    """How a strategy of the user stands."""

    CHECKING = "checking"
    READY = "ready"
    REFUSED = "refused"
    """A check found something, or its file is not read."""
    ENDED = "ended"
    """It took too long or too much memory; it is used again when its file changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserStrategy:
    """One file of the folder."""

    name: str
    state: StrategyState
    reason: str = ""
    """Why it is not ready; empty when it is."""
    remedy: str = ""
    source: StrategySource | None = None
    """None where the file is not read."""
    facts: StrategyFacts | None = None
    """None before it was proved."""


class UserStrategies:
    """Which strategies of the user there are, and which of them may be used.

    Args:
        folder: where their files are.
        sandbox: proves them.
        clock: the daemon's.
    """

    def __init__(self, *, folder: StrategyFolder, sandbox: StrategySandbox, clock: Clock) -> None:
        self._folder = folder
        self._sandbox = sandbox
        self._clock = clock
        self._known: dict[str, UserStrategy] = {}
        self.fault: FolderFault | None = None
        """Why nothing in the folder is read."""

    @property
    def path(self) -> str:
        """The folder; empty where none is set."""
        return self._folder.path

    @property
    def known(self) -> Mapping[str, UserStrategy]:
        """Every file of the folder, by its name without the ending."""
        return self._known

    def sources(self, names: set[str]) -> Sequence[StrategySource]:
        """Return the sources of those that are ready, of some names; none for other names."""
        found = (self._known[name] for name in sorted(names & self._known.keys()))
        return [one.source for one in found if one.source is not None and one.state is StrategyState.READY]

    async def run(self) -> None:
        """Look at the folder now and then, until cancelled."""
        while self.path:
            await self.look()
            await self._clock.pace(every_s=_LOOK_EVERY_S, least_real_s=_LEAST_REAL_S)
        await asyncio.Event().wait()  # no folder is set: nothing to look at for as long as the daemon runs

    async def look(self) -> None:
        """Read the folder, and prove what is new or changed."""
        found = await asyncio.to_thread(self._folder.read)
        self._note_fault(found)
        refused = {name: _refused(name, fault.reason, fault.remedy) for name, fault in found.refused.items()}
        for one in refused.values():
            if self._known.get(one.name) != one:
                _log_refusal(one)
        kept = {source.name: self._unchanged(source) for source in found.sources}
        self._known = refused | {name: one for name, one in kept.items() if one is not None}
        new = [source for source in found.sources if kept[source.name] is None]
        for source in new:
            self._known[source.name] = UserStrategy(
                name=source.name, state=StrategyState.CHECKING, reason="It is being proved.", source=source
            )
        for source in new:
            self._known[source.name] = await self._proved(source)

    def end(self, error: StrategyEnded) -> None:
        """Use a strategy no longer that had to be ended, until its file changes."""
        if (known := self._known.get(error.strategy)) is not None:
            self._known[known.name] = replace(
                known, state=StrategyState.ENDED, reason=error.message, remedy=error.remedy
            )
            _log_refusal(self._known[known.name])

    def _note_fault(self, found: FolderLook) -> None:
        if found.fault is not None and found.fault != self.fault:
            log.warning("strategies.folder_refused", error=found.fault.reason, remedy=found.fault.remedy)
        self.fault = found.fault

    def _unchanged(self, source: StrategySource) -> UserStrategy | None:
        known = self._known.get(source.name)
        return known if known is not None and known.source == source else None

    async def _proved(self, source: StrategySource) -> UserStrategy:
        try:
            facts = await self._sandbox.prove(source)
        except (StrategyRefused, StrategyEnded) as error:
            state = StrategyState.ENDED if isinstance(error, StrategyEnded) else StrategyState.REFUSED
            refused = replace(_refused(source.name, error.message, error.remedy), state=state, source=source)
            _log_refusal(refused)
            return refused
        log.info("strategies.ready", strategy=source.name, version=facts.version)
        return UserStrategy(name=source.name, state=StrategyState.READY, source=source, facts=facts)


def _refused(name: str, reason: str, remedy: str) -> UserStrategy:
    return UserStrategy(name=name, state=StrategyState.REFUSED, reason=reason, remedy=remedy)


def _log_refusal(refused: UserStrategy) -> None:
    log.warning("strategies.refused", strategy=refused.name, state=str(refused.state), error=refused.reason)
