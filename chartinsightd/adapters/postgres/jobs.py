"""The history of jobs in PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from chartinsightd.adapters.postgres.connection import ReconnectingConnection
from chartinsightd.ports.stores import KeptLog


class PostgresJobs:
    """Implements `ports.JobStore`."""

    def __init__(self, link: ReconnectingConnection) -> None:
        self._link = link

    async def add_job(self, kind: str, requested_by: str, params: Mapping[str, Any], at: datetime) -> int:
        """Write down a new job, running since `at`; return its id."""
        async with self._link.use() as connection:
            job_id = await connection.fetchval(
                "insert into jobs (kind, state, requested_by, params, created_at, started_at) "
                "values ($1, 'running', $2, $3, $4, $4) returning id",
                kind,
                requested_by,
                params,
                at,
            )
        return int(job_id)

    async def update_job(self, job_id: int, progress: Mapping[str, Any]) -> None:
        """Replace a job's progress."""
        async with self._link.use() as connection:
            await connection.execute("update jobs set progress = $2 where id = $1", job_id, progress)

    async def finish_job(
        self, job_id: int, state: str, progress: Mapping[str, Any], error: str | None, at: datetime
    ) -> None:
        """End a job: `done`, `failed` or `cancelled`."""
        async with self._link.use() as connection:
            await connection.execute(
                "update jobs set state = $2, progress = $3, error = $4, finished_at = $5 where id = $1",
                job_id,
                state,
                progress,
                error,
                at,
            )

    async def keep_log(self, job_id: int, log: KeptLog) -> None:
        """Replace what is kept of the log of a job."""
        async with self._link.use() as connection:
            await connection.execute(
                "update jobs set log = $2, log_left_out = $3 where id = $1",
                job_id,
                list(log.lines),
                log.left_out,
            )

    async def end_orphans(self, at: datetime, known: Collection[int] = ()) -> int:
        """Mark the unfinished jobs of an earlier daemon as `interrupted`; return how many."""
        async with self._link.use() as connection:
            rows = await connection.fetch(
                "update jobs set state = 'interrupted', finished_at = $1 "
                "where finished_at is null and id <> all($2) returning id",
                at,
                list(known),
            )
        return len(rows)
