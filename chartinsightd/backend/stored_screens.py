"""Queries and commands of stored screens, as messages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from chartinsightd.analysis.screens.expression import ScreenInvalid
from chartinsightd.backend.screens import exception_row, match_row, unknown_screen
from chartinsightd.control.handlers import Caller, Handlers
from chartinsightd.control.operations import REMOVE_SCREEN, SAVE_SCREEN, SCREEN_RUNS, SCREENS
from chartinsightd.control.protocol.screens import (
    ScreenCounts,
    ScreenRemoveRequest,
    ScreenResult,
    ScreenRunList,
    ScreenRunQuery,
    ScreenRunRow,
    ScreenSaved,
    ScreenSaveRequest,
    StoredScreenList,
    StoredScreenRow,
)
from chartinsightd.domain.errors import ConfigurationError
from chartinsightd.ports.screens import ScreenRun, StoredScreen
from chartinsightd.service.analysing.stored_screens import StoredScreens

Names = Callable[[], Awaitable[Mapping[str, str]]]
"""The name of every stock that is or was listed, by symbol."""


class StoredScreenBoard:
    """Answers what screens are stored and what their runs found, saves and removes them."""

    def __init__(self, screens: StoredScreens, names: Names) -> None:
        self._screens = screens
        self._names = names

    def register(self, handlers: Handlers) -> None:
        """Offer the operations of stored screens."""
        handlers.add(SCREENS, self.screens)
        handlers.add(SCREEN_RUNS, self.runs)
        handlers.add(SAVE_SCREEN, self.save)
        handlers.add(REMOVE_SCREEN, self.remove)

    async def screens(self) -> StoredScreenList:
        """Return the stored screens, each with its newest run."""
        rows = []
        for screen in await self._screens.screens():
            runs = await self._screens.runs(screen.name, 1)
            rows.append(_row(screen, runs[0] if runs else None, self._screens.faults.get(screen.name, "")))
        return StoredScreenList(items=tuple(rows))

    async def runs(self, query: ScreenRunQuery) -> ScreenRunList:
        """Return the newest runs of a screen.

        Raises:
            UnknownThing: there never was such a screen.
        """
        runs = await self._screens.runs(query.name, query.limit)
        if not runs and query.name not in {one.name for one in await self._screens.screens()}:
            raise unknown_screen(query.name)
        names = await self._names()
        return ScreenRunList(items=tuple(_run(run, names) for run in runs))

    async def save(self, request: ScreenSaveRequest, caller: Caller) -> ScreenSaved:
        """Store a screen, or its next version.

        Raises:
            ConfigurationError: the expression is no screen.
        """
        del caller
        try:
            version = await self._screens.save(request.name, dict(request.expression))
        except ScreenInvalid as error:
            raise ConfigurationError(error.message, remedy=error.remedy) from error
        return ScreenSaved(name=request.name, version=version)

    async def remove(self, request: ScreenRemoveRequest, caller: Caller) -> ScreenSaved:
        """Remove a stored screen by a new version.

        Raises:
            UnknownThing: there is no such screen.
        """
        del caller
        version = await self._screens.remove(request.name)
        if version is None:
            raise unknown_screen(request.name)
        return ScreenSaved(name=request.name, version=version, removed=True)


def _row(screen: StoredScreen, run: ScreenRun | None, fault: str) -> StoredScreenRow:
    row = StoredScreenRow(
        name=screen.name,
        version=screen.version,
        expression=screen.expression,
        created_at=screen.created_at,
        fault=fault,
    )
    if run is None:
        return row
    return row.model_copy(
        update={
            "session": run.session,
            "run_at": run.created_at,
            "counts": ScreenCounts(**run.counts),
            "matches": len(run.matches),
            "new": sum(one.is_new for one in run.matches),
        }
    )


def _run(run: ScreenRun, names: Mapping[str, str]) -> ScreenRunRow:
    result = ScreenResult(
        session=run.session,
        data_id=run.data_id,
        code_id=run.code_id,
        counts=ScreenCounts(**run.counts),
        matches=tuple(match_row(one, names) for one in run.matches),
        exceptions=tuple(exception_row(one, names) for one in run.exceptions),
    )
    return ScreenRunRow(name=run.name, version=run.version, run_at=run.created_at, result=result)
