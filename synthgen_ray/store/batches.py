"""Batches: generations that a process of somebody's own makes, where it says. Their rows show others how they stand.

They wait for nobody: who writes the row holds it from the first moment. Where that process ends without a word, no
dispatcher goes on with it, and the row says so a lease later.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from synthgen_ray.domain.access import Principal, Role
from synthgen_ray.domain.entities import Job, Progress
from synthgen_ray.domain.errors import Cancelled
from synthgen_ray.domain.lifecycle import LEASE, JobStatus, JobType
from synthgen_ray.domain.params import DrawParams
from synthgen_ray.store.attempts import Attempts
from synthgen_ray.store.enqueuing import Enqueuing
from synthgen_ray.store.entities import to_job
from synthgen_ray.store.jobs import load_job
from synthgen_ray.store.models import require_ready
from synthgen_ray.store.moves import held, move
from synthgen_ray.store.tables import JobRow
from synthgen_ray.store.usage import add_usage, check_generation

HOLDER = "batch"  # of the lease


class Batches(Enqueuing, Attempts):
    async def begin_batch(
        self, principal: Principal, model_id: UUID, params: DrawParams, config: dict[str, Any]
    ) -> Job:
        """Write a batch that runs from now on. `config` is what the row shows of it, its `num_rows` among that.

        Raises: Forbidden; NotFound; Conflict, when the model is not ready; InvalidRequest, for the conditions; TooMany.
        """
        principal.require(Role.EDITOR)
        async with self._sessions.writing() as session:
            model = await require_ready(session, principal, model_id, params)
            await check_generation(session, model.project_id, self._quotas, config["num_rows"])
            job = await self._enqueue(session, principal, model, JobType.BATCH, config)
            now = job.created_at
            taken = {"attempt": 1, "lease_owner": HOLDER, "lease_expires_at": now + LEASE, "started_at": now}
            await move(session, JobStatus.PENDING, JobStatus.RUNNING, JobRow.id == job.id, now, **taken)
            return to_job(await load_job(session, job.id))

    async def renew_batch(self, job_id: UUID, attempt: int, progress: Progress) -> bool:
        """A sign of life. False when it is cancelled or given up, and must stop."""
        shown = {"progress": progress.fraction, "message": progress.message, "seconds": progress.seconds}
        return await self._write_held(job_id, attempt, shown, lease=LEASE)

    async def complete_batch(self, job_id: UUID, attempt: int) -> None:
        """All of its rows are where they should be; a repeat changes nothing.

        Raises: Cancelled, when it was cancelled or given up.
        """
        async with self._sessions.writing() as session:
            row: JobRow | None = await session.scalar(select(JobRow).where(JobRow.id == job_id).with_for_update())
            if row is not None and row.status is JobStatus.COMPLETED:
                return
            mine, done = held(job_id, attempt), {"progress": 1.0, "message": ""}
            if row is None or not await move(
                session, JobStatus.RUNNING, JobStatus.COMPLETED, mine, self._clock(), **done
            ):
                self._observer.write_fenced()
                raise Cancelled
            await add_usage(session, row.project_id, rows=row.config["num_rows"])
