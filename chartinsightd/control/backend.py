"""What the control server asks of the daemon."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from chartinsightd.control.protocol.coverage import (
    CoverageList,
    CoverageQuery,
    GapList,
    GapQuery,
    SealList,
    SealQuery,
    SessionCoverageList,
    SessionCoverageQuery,
)
from chartinsightd.control.protocol.jobs import (
    BackfillRequest,
    Job,
    JobList,
    JobQuery,
    Outcome,
    SymbolsRequest,
    VerifyRequest,
)
from chartinsightd.control.protocol.problems import Metric
from chartinsightd.control.protocol.rows import (
    AdjustmentList,
    AdjustmentQuery,
    CandleList,
    CandleQuery,
    QuarantineList,
    QuarantineQuery,
    RevisionList,
    RevisionQuery,
    StockList,
    StockQuery,
)
from chartinsightd.control.protocol.status import AlertList, AlertTrial, Health, Status
from chartinsightd.domain.errors import ChartInsightError


class UnknownThing(ChartInsightError):
    """What was asked for does not exist: a job of another id, a symbol that is not listed. HTTP 404."""


class NotNow(ChartInsightError):
    """It cannot be done in the daemon's present state, such as a backfill while it stops. HTTP 409."""


class NotPossible(ChartInsightError):
    """It is understood and can never be done as asked, such as days before the broker's first. HTTP 422."""


class ControlBackend(Protocol):
    """The daemon, as the control server sees it.

    Every method answers within a second or two, from what the daemon holds or one query of the database; work
    that takes longer becomes a job. `by` is the name of the user who asked, as the kernel gives it.

    Raises:
        UnknownThing, NotNow, NotPossible: see there; any method that names a symbol or a job.
        StoreUnavailable: the answer is in the database and that is away (HTTP 503). Never by `status`,
            `health`, `alerts`, `pause` and `resume`.
    """

    async def status(self) -> Status:
        """Return everything the overview shows."""

    async def health(self) -> Health:
        """Return whether data flows, or provably nothing was due."""

    async def metrics(self) -> Sequence[Metric]:
        """Return counters and gauges that the status does not hold; may be empty."""

    async def alerts(self) -> AlertList:
        """Return what lasts, what ended last, and how the channels do."""

    async def coverage(self, query: CoverageQuery) -> CoverageList:
        """Return how complete each series is within its horizon."""

    async def session_coverage(self, query: SessionCoverageQuery) -> SessionCoverageList:
        """Return which trading days of a timeframe are not complete."""

    async def gaps(self, query: GapQuery) -> GapList:
        """Return what is missing, and why."""

    async def seals(self, query: SealQuery) -> SealList:
        """Return what the mornings after proved."""

    async def jobs(self, query: JobQuery) -> JobList:
        """Return the run history, newest first; running jobs with their progress of this moment."""

    async def job(self, job_id: int) -> Job:
        """Return one job.

        Raises:
            UnknownThing: there is none of this id.
        """

    async def stocks(self, query: StockQuery) -> StockList:
        """Return the stock list."""

    async def candles(self, query: CandleQuery) -> CandleList:
        """Return candles of one series, the forming one included."""

    async def revisions(self, query: RevisionQuery) -> RevisionList:
        """Return changes of final candles."""

    async def adjustments(self, query: AdjustmentQuery) -> AdjustmentList:
        """Return the ledger of corporate actions."""

    async def quarantine(self, query: QuarantineQuery) -> QuarantineList:
        """Return rows that could not be candles."""

    async def backfill(self, request: BackfillRequest, by: str) -> Outcome:
        """Start a job that fetches what is missing: `started`, `already_running`, `already_complete`.

        A dry run starts nothing and fills `estimate`: `estimated`.

        Raises:
            UnknownThing: a symbol is in no stock list.
        """

    async def cancel(self, job_id: int, by: str) -> Outcome:
        """End a job after the page it is at: `cancelled`, `already_over`.

        Raises:
            UnknownThing: there is none of this id.
            NotNow: the daemon's own work (`poll`, `catch_up`) is paused, not cancelled.
        """

    async def pause(self, by: str) -> Outcome:
        """Ask nothing more of the broker: `paused`, `already_paused`. What is in flight is kept."""

    async def resume(self, by: str) -> Outcome:
        """Go on, and catch up: `resumed`, `already_resumed`."""

    async def track(self, request: SymbolsRequest, by: str) -> Outcome:
        """Collect symbols from now on, and load their horizon: `tracked`, `already_tracked`.

        `symbols` holds those that were not tracked before, `job_id` the initial load.

        Raises:
            UnknownThing: a symbol is in no stock list; none was added.
        """

    async def untrack(self, request: SymbolsRequest, by: str) -> Outcome:
        """Collect symbols no longer; their candles stay: `untracked`, `already_untracked`."""

    async def sync(self, by: str) -> Outcome:
        """Start a job that reads the stock list anew: `started`, `already_running`."""

    async def test_alerts(self, by: str) -> AlertTrial:
        """Send one message through each channel; return how it went, at most twenty seconds later."""

    async def reload(self, by: str) -> Outcome:
        """Read the configuration again and take over what can be: `reloaded`, `already_current`.

        `detail` names what needs a restart.

        Raises:
            ConfigurationError: the file is wrong; nothing was taken over (HTTP 422).
        """


@runtime_checkable
class Verifying(Protocol):
    """A daemon that can read series again and compare; where it cannot, the operation is not offered."""

    async def verify(self, request: VerifyRequest, by: str) -> Outcome:
        """Start a job that reads series again and compares: `started`, `already_running`."""
