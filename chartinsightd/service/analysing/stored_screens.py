"""Stored screens: run for each session when its analysis is done, with what is new since the last one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

import structlog

from chartinsightd.analysis.screens.expression import ScreenInvalid
from chartinsightd.clock import Clock
from chartinsightd.domain.alert_policy import Condition
from chartinsightd.domain.errors import StoreError
from chartinsightd.ports.screens import RunMatch, ScreenRun, ScreenStore, StoredScreen
from chartinsightd.service.analysing.screening import Basis, NoSession, ScreenAnswer, Screener
from chartinsightd.service.state.alert_kinds import AlertKind

log = structlog.get_logger(__name__)

_LOOK_EVERY_S = 60.0
_LEAST_REAL_S = 1.0
_MOST_NAMED = 10
"""Stocks that one alert names; the others are counted."""

Announce = Callable[[AlertKind, Condition], None]
"""Tells people something that happened once."""


class StoredScreens:
    """Runs every stored screen for the newest session, and again when its candles or rules changed.

    Args:
        screener: evaluates them.
        store: keeps them and their runs.
        clock: the daemon's.
        is_analysed: whether the analysis has caught up with what is collected.
        announce: tells people of new matches.
    """

    def __init__(
        self,
        *,
        screener: Screener,
        store: ScreenStore,
        clock: Clock,
        is_analysed: Callable[[], bool],
        announce: Announce,
    ) -> None:
        self._screener = screener
        self._store = store
        self._clock = clock
        self._is_analysed = is_analysed
        self._announce = announce
        self.faults: dict[str, str] = {}
        """Why a screen could not be run last time, by name."""

    async def screens(self) -> list[StoredScreen]:
        """Return the newest version of each screen, by name."""
        return await self._store.screens()

    async def runs(self, name: str, limit: int) -> list[ScreenRun]:
        """Return the newest runs of a screen, one a session."""
        return await self._store.runs(name, limit=limit)

    async def save(self, name: str, expression: Mapping[str, Any]) -> int:
        """Save a screen under a name, as its next version; return the number.

        Raises:
            ScreenInvalid: the expression is none, or the name is that of a strategy.
        """
        if name in self._screener.strategy_names():
            raise ScreenInvalid(f"{name} is the name of a strategy.", remedy="Choose another name.")
        await self._screener.check(expression)
        return await self._store.save_screen(name, expression, self._clock.now())

    async def remove(self, name: str) -> int | None:
        """Remove a screen by a new version; its runs stay. None: there is no such screen."""
        if name not in {one.name for one in await self._store.screens()}:
            return None
        return await self._store.save_screen(name, None, self._clock.now())

    async def run(self) -> None:
        """Look for screens to run, until cancelled. A store that is away costs the look."""
        while True:
            try:
                if self._is_analysed():
                    await self.look()
            except StoreError as error:
                log.warning("screens.put_off", error=str(error))
            await self._clock.pace(every_s=_LOOK_EVERY_S, least_real_s=_LEAST_REAL_S)

    async def look(self) -> None:
        """Run every screen whose last run rests on other candles, other rules or another session."""
        screens = await self._store.screens()
        self.faults = {
            name: fault for name, fault in self.faults.items() if name in {one.name for one in screens}
        }
        for screen in screens:
            try:
                await self._run_if_due(screen)
            except (ScreenInvalid, NoSession) as error:
                if self.faults.get(screen.name) != error.message:
                    log.warning("screens.not_run", screen=screen.name, error=error.message)
                self.faults[screen.name] = error.message
            else:
                self.faults.pop(screen.name, None)

    async def _run_if_due(self, screen: StoredScreen) -> None:
        basis = await self._screener.basis(screen.expression)
        runs = await self._store.runs(screen.name)
        last = runs[0] if runs else None
        if last is not None and _rests_on(last) == (screen.version, basis):
            return
        answer = await self._screener.screen(screen.expression)
        before = await self._store.runs(screen.name, before=answer.session)
        run = self._run_of(screen, answer, before[0] if before else None)
        await self._store.add_run(run)
        log.info("screens.run", screen=screen.name, session=str(run.session), **run.counts)
        told = _new_of(last) if last is not None and last.session == run.session else set()
        self._tell(screen.name, run.session, [one for one in run.matches if one.is_new], told, answer.names)

    def _run_of(self, screen: StoredScreen, answer: ScreenAnswer, before: ScreenRun | None) -> ScreenRun:
        known = None if before is None else {one.symbol for one in before.matches}
        matches = [
            RunMatch(
                symbol=one.symbol,
                score=one.score,
                evidence=one.evidence,
                since=one.since,
                is_new=known is not None and one.symbol not in known,
            )
            for one in answer.screened.matches
        ]
        return ScreenRun(
            name=screen.name,
            version=screen.version,
            session=answer.session,
            data_id=answer.data_id,
            code_id=answer.code_id,
            counts=answer.screened.counts,
            created_at=self._clock.now(),
            matches=matches,
            exceptions=answer.screened.exceptions,
        )

    def _tell(
        self, name: str, session: date, new: Sequence[RunMatch], told: set[str], names: Mapping[str, str]
    ) -> None:
        """Tell people of new matches that an earlier run of the session did not have."""
        fresh = [names.get(one.symbol) or one.symbol for one in new if one.symbol not in told]
        if not fresh:
            return
        more = f" and {len(fresh) - _MOST_NAMED} more" if len(fresh) > _MOST_NAMED else ""
        message = f"{name} at {session}: {', '.join(fresh[:_MOST_NAMED])}{more}."
        remedy = f"`chartinsightctl screen {name!r}` shows the figures."
        self._announce(AlertKind.SCREEN_MATCH, Condition(level="warning", message=message, remedy=remedy))


def _rests_on(run: ScreenRun) -> tuple[int, Basis]:
    return run.version, Basis(session=run.session, data_id=run.data_id, code_id=run.code_id)


def _new_of(run: ScreenRun) -> set[str]:
    return {one.symbol for one in run.matches if one.is_new}
