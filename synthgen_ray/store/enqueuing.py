"""Whoever queues a job."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from synthgen_ray.domain.access import Principal
from synthgen_ray.domain.audit import Action
from synthgen_ray.domain.entities import Job
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.domain.quotas import Quotas
from synthgen_ray.store.audit import record
from synthgen_ray.store.entities import to_job
from synthgen_ray.store.jobs import load_job
from synthgen_ray.store.moves import enqueue
from synthgen_ray.store.sessions import Sessions
from synthgen_ray.store.tables import ModelRow

_ACTIONS = {
    JobType.TRAIN: Action.MODEL_CREATE,
    JobType.GENERATE: Action.JOB_CREATE,
    JobType.BATCH: Action.JOB_CREATE,
    JobType.REPORT: Action.REPORT_CREATE,
}


class Enqueuing:
    _sessions: Sessions
    _quotas: Quotas
    _deadlines: Mapping[JobType, timedelta]
    _clock: Callable[[], datetime]

    async def _enqueue(
        self, session: AsyncSession, principal: Principal, model: ModelRow, job_type: JobType, config: dict[str, Any]
    ) -> Job:
        """A new job that waits from now on, and the event that tells of it: of a training, that its model was made."""
        now = self._clock()
        job = await enqueue(session, model, job_type, config, now, now + self._deadlines[job_type])
        made = model.id if job_type is JobType.TRAIN else job.id
        await record(session, principal, _ACTIONS[job_type], made, model.project_id)
        return to_job(await load_job(session, job.id))
