"""Queries on jobs, as their owners see them. How they run is in `queue`."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Select, Text, case, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer, joinedload, with_expression

from synthgen_ray.domain.access import Principal
from synthgen_ray.domain.entities import CANCELLED, Job, Page
from synthgen_ray.domain.errors import NotFound
from synthgen_ray.domain.lifecycle import JobStatus
from synthgen_ray.store.entities import to_job
from synthgen_ray.store.paging import page
from synthgen_ray.store.projects import sees
from synthgen_ray.store.sessions import Sessions
from synthgen_ray.store.tables import ArtifactRow, JobRow, ModelRow

# All that a Job shows, in one query.
FULL_JOB = (joinedload(JobRow.artifact), joinedload(JobRow.model).joinedload(ModelRow.project))
# As lists show it. Its conditions may be a megabyte, and five hundred of these would stand in everybody's way.
LONGEST_LISTED = 2**14
_SHORT_CONFIG = case((func.length(cast(JobRow.config, Text)) <= LONGEST_LISTED, JobRow.config), else_=None)
LISTED_JOB = (*FULL_JOB, defer(JobRow.config), with_expression(JobRow.short_config, _SHORT_CONFIG))
# And what its file is read by.
JOB_WITH_PARTS = (*FULL_JOB, joinedload(JobRow.artifact).undefer(ArtifactRow.parts))


class Jobs:
    _sessions: Sessions

    async def get_job(self, principal: Principal, job_id: UUID) -> Job:
        """A job with the parts of its file, by its own id or by its background id.

        Raises: NotFound.
        """
        async with self._sessions.reading() as session:
            row = await session.scalar(visible_jobs(principal, (job_id,)))
            if row is None:
                raise NotFound.of("job")
            return to_job(row)

    async def find_jobs(self, principal: Principal, job_ids: Collection[UUID]) -> dict[UUID, Job]:
        """Those that are there, by the ids that were given, each its own or its background id."""
        async with self._sessions.reading() as session:
            found = _visible(principal, job_ids).options(*FULL_JOB)
            jobs = [to_job(row) for row in await session.scalars(found)]
        return {job_id: job for job in jobs for job_id in (job.id, job.background_id) if job_id in job_ids}

    async def list_jobs(
        self,
        principal: Principal,
        project_id: UUID | None,
        model_id: UUID | None,
        status: JobStatus | None,
        limit: int,
        offset: int,
    ) -> Page[Job]:
        matching = jobs_in(principal, project_id, model_id)
        if status:
            matching = matching.where(JobRow.status == status)
        async with self._sessions.reading() as session:
            return await page_of_jobs(session, matching, limit, offset)

    async def list_failures(self, principal: Principal, limit: int) -> tuple[Job, ...]:
        """The jobs that failed last, newest first, without those that were cancelled."""
        failed = (JobRow.status == JobStatus.FAILED) & (JobRow.error_code != CANCELLED.code)
        last = select(JobRow).where(failed, sees(principal, JobRow.project_id))
        last = last.order_by(JobRow.finished_at.desc(), JobRow.id).limit(limit).options(*LISTED_JOB)
        async with self._sessions.reading() as session:
            return tuple(map(to_job, await session.scalars(last)))


def jobs_in(principal: Principal, project_id: UUID | None, model_id: UUID | None) -> Select[JobRow]:
    """All that the principal sees, of one project and of one model if they are named."""
    seen = select(JobRow).where(sees(principal, JobRow.project_id))
    if project_id:
        seen = seen.where(JobRow.project_id == project_id)
    return seen.where(JobRow.model_id == model_id) if model_id else seen


async def page_of_jobs(session: AsyncSession, matching: Select[JobRow], limit: int, offset: int) -> Page[Job]:
    newest = matching.order_by(JobRow.created_at.desc(), JobRow.id)
    return await page(session, newest.options(*LISTED_JOB), limit, offset, to_job)


def visible_jobs(principal: Principal, job_ids: Collection[UUID]) -> Select[JobRow]:
    """With the parts of their files."""
    return _visible(principal, job_ids).options(*JOB_WITH_PARTS)


async def lock_job(session: AsyncSession, principal: Principal, job_id: UUID) -> JobRow:
    """It is claimed before or after, never meanwhile. Raises: NotFound."""
    locked = visible_jobs(principal, (job_id,)).with_for_update(of=JobRow).execution_options(populate_existing=True)
    row = await session.scalar(locked)
    if row is None:
        raise NotFound.of("job")
    return row


async def load_job(session: AsyncSession, job_id: UUID) -> JobRow:
    """One that was found or made in this transaction, with all that it shows."""
    full = select(JobRow).where(JobRow.id == job_id).options(*FULL_JOB).execution_options(populate_existing=True)
    return (await session.scalars(full)).one()


def _visible(principal: Principal, job_ids: Collection[UUID]) -> Select[JobRow]:
    by_either_id = or_(JobRow.id.in_(job_ids), JobRow.background_id.in_(job_ids))
    return select(JobRow).where(by_either_id, sees(principal, JobRow.project_id))
