"""Seals sessions the morning after: each is proved complete, read again, or stays open with evidence."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import structlog

from chartinsightd.clock import Clock, wait_until
from chartinsightd.domain.calendar import Session
from chartinsightd.domain.errors import StoreError
from chartinsightd.domain.horizon import Horizon, Unit, horizon_start
from chartinsightd.domain.kst import day_of
from chartinsightd.domain.seal import SealState, Verdict, verify_session
from chartinsightd.domain.timeframe import Timeframe
from chartinsightd.domain.write import Write, Written
from chartinsightd.ports.stores import Seal, SealStore, Unsealed
from chartinsightd.service.collecting.coverage_ledger import CoverageLedger
from chartinsightd.service.sealing.rereading import Rereading, suspects_of
from chartinsightd.service.sealing.session_loader import Parts, SessionLoader
from chartinsightd.service.state.collected_stocks import CollectedStocks
from chartinsightd.service.state.current_rules import CurrentRules
from chartinsightd.service.state.feed import CommitFeed
from chartinsightd.service.state.set_aside import SetAside

log = structlog.get_logger(__name__)

_EVERYTHING = Horizon(unit=Unit.EVERYTHING)
_Key = tuple[str, date]
_Case = tuple[Unsealed, Session]

_REREAD_AFTER = (timedelta(minutes=1), timedelta(minutes=30), timedelta(hours=4))
"""How long after a proof failed its session is read again, each time; after the last it stays open."""
_MAX_SYMBOLS = 50
"""Symbols of one SQL statement."""
_MAX_SESSIONS = 250
"""Sessions loaded at once: some megabytes of candles."""
_SLICE = 25
"""Sessions verified before other tasks run: a few milliseconds."""
_DEBOUNCE = timedelta(seconds=30)
"""Changes within this time are verified together."""
_LEAST_REAL_S = 0.5
"""Real seconds between two looks, at least: a fast clock must not make the loop spin."""
_RETRY = timedelta(minutes=5)
_AFTER_SETTLING = timedelta(minutes=30)
"""After Kiwoom's corrections are in, until every session is looked at, also an unchanged one."""
_COMMIT_LAG = timedelta(minutes=1)
"""A look may have missed a commit that was this recent; such sessions are looked at once more."""


@dataclass(slots=True)
class _Round:
    """What one look found."""

    states: Counter[str] = field(default_factory=Counter)
    waiting: set[str] = field(default_factory=set)
    """Symbols with a session that is not complete yet."""


class Sealer:
    """Verifies each session once it is complete, and again when any of its candles was read again.

    Args:
        store: candles, chains and seals.
        ledger: the coverage.
        rereading: fetches broken sessions again.
        clock: the daemon's.
        current_rules: the calendar and the horizons.
        timeframes: the collected ones; without 5m nothing can be proved, and nothing is sealed.
        collected: the symbols whose sessions are sealed.
        commits: a commit that changes a session makes it due.
        set_aside: a session whose proof raises an error costs itself alone.
        parts: what KRX and NXT show, for sessions of both together.
    """

    def __init__(
        self,
        *,
        store: SealStore,
        ledger: CoverageLedger,
        rereading: Rereading,
        clock: Clock,
        current_rules: CurrentRules,
        timeframes: Sequence[Timeframe],
        collected: CollectedStocks,
        commits: CommitFeed,
        set_aside: SetAside,
        parts: Parts | None = None,
    ) -> None:
        self._set_aside = set_aside
        self._parts = parts
        self._store = store
        self._ledger = ledger
        self._rereading = rereading
        self._clock = clock
        self._current_rules = current_rules
        self._timeframes = tuple(timeframes)
        self._collected = collected
        self._open: dict[_Key, Seal] = {}
        """Every seal that is not sealed."""
        self._reread_at: dict[_Key, datetime] = {}
        self._unverified: set[_Key] = set()
        """Sessions read again and not verified since: the store may fail between the two."""
        self._changed: set[str] = set()
        self._wake = asyncio.Event()
        self._all_at: datetime | None = None
        """When every symbol is to be looked at; None for now."""
        self._again_at: datetime | None = None
        """When sessions that were not complete are looked at again."""
        commits.subscribe(self._on_commit)

    def _on_commit(self, writes: Sequence[Write], written: Sequence[Written]) -> None:
        """Look soon at the symbols whose proofs rest on something that a commit changed."""
        changed = {
            write.series.symbol
            for write, done in zip(writes, written, strict=True)
            if done.chains or (done.changed and not write.series.timeframe.is_intraday)
        }
        if changed:
            self._changed |= changed
            self._wake.set()

    def open_seals(self) -> list[Seal]:
        """Return what is not sealed of what is followed and whose minutes are kept, by symbol and day."""
        if not self._open:
            return []
        kept_from, followed = self._kept_from(self._clock.now()), frozenset(self._collected.listed)
        return [
            self._open[symbol, day]
            for symbol, day in sorted(self._open)
            if day >= kept_from and symbol in followed
        ]

    def has_given_up(self, seal: Seal) -> bool:
        """Whether a broken session was read again as often as allowed, without success."""
        return seal.state == SealState.BROKEN and int(seal.evidence.get("rereads", 0)) >= len(_REREAD_AFTER)

    async def run(self) -> None:
        """Verify changed sessions as they come, and every session each morning; until cancelled."""
        if Timeframe.M5 not in self._timeframes:
            log.warning("seal.not_possible", reason="5m candles are not collected")
            await asyncio.Event().wait()
        while True:
            await self._rest()
            try:
                await self._load()
                await self._look()
                await self._read_again()
            except StoreError as error:
                log.warning("seal.postponed", error=str(error))
                self._again_at = self._clock.now() + _RETRY

    async def _rest(self) -> None:
        """Wait until a commit changes something, then for more changes; or until something is due."""
        due = [self._all_at or self._clock.now() + _DEBOUNCE, *self._reread_at.values()]
        due += [self._again_at] if self._again_at is not None else []
        is_changed = await wait_until(self._clock, min(due), self._wake)
        debounce_s = _DEBOUNCE.total_seconds() if is_changed else 0.0
        await self._clock.pace(every_s=debounce_s, least_real_s=_LEAST_REAL_S)
        self._wake.clear()

    async def _load(self) -> None:
        """Take up what an earlier run left open and, each morning, what somebody opened in the database."""
        if self._all_at is None or self._clock.now() >= self._all_at:
            for seal in await self._store.open_seals():
                if (seal.symbol, seal.day) not in self._open:
                    self._remember(seal)

    async def _look(self) -> None:
        """Verify every changed session that is complete."""
        now = self._clock.now()
        wanted, self._changed = self._changed | self._all_due(now), set()
        found = _Round()
        try:
            await self._verify_new(sorted(wanted), now, found)
        except StoreError:
            self._changed |= wanted
            raise
        self._changed |= found.waiting
        self._again_at = now + _RETRY if found.waiting else None
        if found.states:
            log.info("seal.sessions_judged", symbols=len(wanted), **found.states)

    def _all_due(self, now: datetime) -> set[str]:
        """Return every tracked symbol, once a morning and after the start."""
        if self._all_at is not None and now < self._all_at:
            return set()
        symbols = set(self._collected.listed)
        if symbols:
            calendar = self._current_rules.calendar
            session = calendar.session_on_or_before(day_of(now) - timedelta(days=1))
            while session.settled_at + _AFTER_SETTLING <= now:
                session = calendar.next_session(session.day)
            self._all_at = session.settled_at + _AFTER_SETTLING
        return symbols

    async def _verify_new(self, symbols: Sequence[str], now: datetime, found: _Round) -> None:
        """Verify the sessions of these symbols that have no seal, or changed since."""
        sessions, left = self._settled(now), self._left(now)
        loader = self._loader(now)
        for start in range(0, len(symbols), _MAX_SYMBOLS):
            part = symbols[start : start + _MAX_SYMBOLS]
            found_news = await self._store.unsealed(part, list(sessions), list(left)) if sessions else []
            unsealed = [case for case in found_news if self._may_prove(case)]
            cases = [(case, sessions[case.day]) for case in unsealed if case.day in sessions]
            ready = [case for case in cases if loader.is_complete(case[0].symbol, case[1])]
            done = {(case.symbol, case.day) for case, _ in ready}
            found.waiting |= {case.symbol for case, _ in cases if (case.symbol, case.day) not in done}
            await self._verify(ready, now, loader, found)
            changed = [(case, left[case.day]) for case in unsealed if case.day in left]
            await self._verify_left(changed, now, found)

    async def _verify_left(self, cases: Sequence[_Case], now: datetime, found: _Round) -> None:
        """Judge sessions again that changed after they had left the horizon, by what was kept of them then.

        A correction that came while the daemon was away is read late.
        """
        if not cases:
            return
        loader = self._loader(min(session.settled_at for _, session in cases))
        whole = [case for case in cases if loader.is_complete(case[0].symbol, case[1])]
        await self._verify(whole, now, loader, found)

    async def _verify(
        self, cases: Sequence[_Case], now: datetime, loader: SessionLoader, found: _Round
    ) -> None:
        for start in range(0, len(cases), _MAX_SESSIONS):
            part = cases[start : start + _MAX_SESSIONS]
            seals = []
            for place, (case, data) in enumerate(zip(part, await loader.load(part), strict=True)):
                with self._set_aside.unit("proof", f"{case[0].symbol} {case[0].day}"):
                    seals.append(self._seal(case[0], verify_session(data)))
                if place % _SLICE == 0:
                    await asyncio.sleep(0)
            lag = max(_COMMIT_LAG, timedelta(seconds=self._clock.real(_LEAST_REAL_S)))
            await self._store.save_seals(seals, now - lag)
            found.states.update(seal.state for seal in seals)
            for seal in seals:
                self._remember(seal)

    def _may_prove(self, case: Unsealed) -> bool:
        return self._set_aside.may_try("proof", f"{case.symbol} {case.day}")

    def _seal(self, case: Unsealed, verdict: Verdict) -> Seal:
        before = self._open.get((case.symbol, case.day))
        rereads = 0 if before is None else int(before.evidence.get("rereads", 0))
        evidence: dict[str, Any] = dict(verdict.evidence)
        if rereads:
            evidence["rereads"] = rereads
        return Seal(symbol=case.symbol, day=case.day, state=verdict.state, evidence=evidence)

    def _remember(self, seal: Seal) -> None:
        """Keep what is open in mind, and when it is to be read again."""
        key = seal.symbol, seal.day
        if seal.state == SealState.SEALED:
            self._open.pop(key, None)
            self._reread_at.pop(key, None)
            return
        self._open[key] = seal
        rereads = int(seal.evidence.get("rereads", 0))
        if suspects_of(seal) and rereads < len(_REREAD_AFTER):
            self._reread_at[key] = self._clock.now() + _REREAD_AFTER[rereads]
        else:
            self._reread_at.pop(key, None)

    async def _read_again(self) -> None:
        """Read broken sessions again whose wait is over, and verify them once more."""
        now = self._clock.now()
        kept = self._settled(now)
        for key in [key for key in self._reread_at if key[1] not in kept]:
            del self._reread_at[key]  # the horizon moved on while it waited: nothing is kept of it
        due = [self._open[key] for key, at in self._reread_at.items() if at <= now]
        if due:
            await self._read(due, now)
        if self._unverified:
            await self._verify_reread()

    async def _read(self, due: Sequence[Seal], now: datetime) -> None:
        """Read sessions again; what the broker does not give counts for nothing and is tried again."""
        for seal in due:
            self._reread_at[seal.symbol, seal.day] = now + _RETRY
        for seal in await self._rereading.read(due):
            key = seal.symbol, seal.day
            self._open[key] = _counted(seal)
            self._unverified.add(key)
            del self._reread_at[key]

    async def _verify_reread(self) -> None:
        """Judge what was read again."""
        known = await self._store.chains(sorted(self._unverified))
        found, now = _Round(), self._clock.now()
        kept = self._settled(now)
        cases = [(case, kept[case.day]) for case in known if case.day in kept]
        await self._verify(cases, now, self._loader(now), found)
        log.info("seal.sessions_read_again", sessions=len(known), **found.states)
        self._unverified.clear()

    def _loader(self, now: datetime) -> SessionLoader:
        return SessionLoader(
            store=self._store,
            ledger=self._ledger,
            rules=self._current_rules.rules,
            timeframes=self._timeframes,
            now=now,
            parts=self._parts,
        )

    def _settled(self, now: datetime) -> Mapping[date, Session]:
        """Return the sessions whose 5m candles are kept and can be judged by now."""
        sessions = self._current_rules.calendar.sessions(self._kept_from(now), day_of(now))
        return {session.day: session for session in sessions if session.settled_at <= now}

    def _left(self, now: datetime) -> Mapping[date, Session]:
        """Return the sessions that have left the horizon and that Kiwoom still serves."""
        calendar = self._current_rules.calendar
        served_from = day_of(horizon_start(_EVERYTHING, Timeframe.M5, now, calendar))
        sessions = calendar.sessions(served_from, self._kept_from(now) - timedelta(days=1))
        return {session.day: session for session in sessions}

    def _kept_from(self, now: datetime) -> date:
        """Return the first Korean day whose 5m candles are kept."""
        rules = self._current_rules.rules
        return day_of(horizon_start(rules.horizons[Timeframe.M5], Timeframe.M5, now, rules.calendar))


def _counted(seal: Seal) -> Seal:
    """Return a seal with one more reading counted."""
    rereads = int(seal.evidence.get("rereads", 0)) + 1
    return Seal(
        symbol=seal.symbol, day=seal.day, state=seal.state, evidence={**seal.evidence, "rereads": rereads}
    )
