"""Jobs: how they stand, and what they made."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING
from uuid import UUID

from synthgen_ray.domain.access import Principal
from synthgen_ray.domain.entities import Artifact, Job, Page
from synthgen_ray.domain.lifecycle import JobStatus
from synthgen_ray.domain.outputs import rows_of
from synthgen_ray.service.looks import Looks

if TYPE_CHECKING:
    from synthgen_ray.store.store import Store

# Between looks at a job that is watched. The end of a short one is seen at once, and a long one costs little.
SHORTEST_S, LONGEST_S, SHARE = 0.05, 1.0, 0.1  # of the time it was watched so far
NEAR = 0.5  # of the time until it is to end, or since then


class Jobs:
    _store: "Store"
    _looks: Looks
    _nudge: Callable[[], None]

    async def list_jobs(
        self,
        principal: Principal,
        project_id: UUID | None,
        model_id: UUID | None,
        status: JobStatus | None,
        limit: int,
        offset: int,
    ) -> Page[Job]:
        return await self._store.list_jobs(principal, project_id, model_id, status, limit, offset)

    async def get_job(self, principal: Principal, job_id: UUID) -> Job:
        return await self._looks.job(principal, job_id)

    async def cancel_job(self, principal: Principal, job_id: UUID) -> Job:
        job = await self._store.cancel(principal, job_id)
        self._nudge()
        return job

    async def watch_job(
        self, principal: Principal, job_id: UUID, is_admitted: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[Job]:
        """The job, each time that it has changed, until it has ended or the principal is no longer admitted.

        Raises: NotFound, also of one that is deleted meanwhile.
        """
        shown: Job | None = None
        since = changed_at = time.monotonic()
        while True:
            job = await self._looks.job(principal, job_id)
            now = time.monotonic()
            if job != shown:
                changed_at = now
                yield job
            if job.status.is_final:
                return
            shown = job
            left_s = None if job.seconds_left is None else job.seconds_left - (now - changed_at)
            await asyncio.sleep(pause_s(now - since, left_s))
            if not await is_admitted():
                return

    async def get_output(self, principal: Principal, job_id: UUID) -> tuple[Job, Artifact]:
        """The rows of a completed generation.

        Raises: NotFound; Conflict, for a job that has no rows yet or never will; Gone, for one whose time is over.
        """
        job = await self._store.get_job(principal, job_id)
        return job, rows_of(job)


def pause_s(watched_s: float, left_s: float | None) -> float:
    """Until the next look at a job that is to end in so many seconds, or was to end so long ago; of some none knows."""
    usual = SHARE * watched_s
    wanted = usual if left_s is None else min(usual, NEAR * abs(left_s))
    return min(max(wanted, SHORTEST_S), LONGEST_S)
