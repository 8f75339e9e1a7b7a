"""What an operator watches: how many jobs there are of each kind and status, and how long the oldest of them waits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, type_coerce

from synthgen_ray.domain.lifecycle import JobStatus, JobType
from synthgen_ray.store.sessions import Sessions
from synthgen_ray.store.tables import JobRow, UtcDateTime


@dataclass(frozen=True)
class QueueFigures:
    """Of each kind of job: how many are at each status, and how long the one that was asked for first waits."""

    jobs: Mapping[tuple[JobType, JobStatus], int]
    oldest_pending: Mapping[JobType, timedelta]


class Figures:
    _sessions: Sessions
    _clock: Callable[[], datetime]

    async def get_queue_figures(self) -> QueueFigures:
        """All kinds and statuses, zeros among them. One query, which an index answers alone."""
        earliest = type_coerce(func.min(JobRow.created_at), UtcDateTime)
        known = JobRow.job_type.in_(list(JobType))
        counted = select(JobRow.job_type, JobRow.status, func.count(), earliest).where(known)
        async with self._sessions.reading() as session:
            found = (await session.execute(counted.group_by(JobRow.status, JobRow.job_type))).all()
        jobs = {(job_type, status): 0 for job_type in JobType for status in JobStatus}
        oldest = dict.fromkeys(JobType, timedelta(0))
        for job_type, status, count, first in found:
            jobs[job_type, status] = count
            if status is JobStatus.PENDING:
                oldest[job_type] = max(timedelta(0), self._clock() - first)
        return QueueFigures(jobs, oldest)
