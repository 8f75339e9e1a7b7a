"""What is let go: outputs, and failed generations and reports, whose time is over, and files that no row names."""

from collections.abc import Callable, Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from synthgen_ray.domain.lifecycle import JobStatus, JobType
from synthgen_ray.store.erasures import TO_ERASE, erase_artifacts, erase_jobs, erase_later
from synthgen_ray.store.sessions import Sessions
from synthgen_ray.store.tables import ArtifactRow, AuditRow, ErasureRow, JobRow, ServerRow, utc_now

AT_ONCE = 500  # rows of one transaction: others write too
EVENTS_AT_ONCE = 10_000  # which are small, and may be millions in a day
_DELETED = (JobType.GENERATE, JobType.REPORT)


class Retentions:
    _sessions: Sessions
    _clock: Callable[[], datetime]

    async def expire_outputs(self, before: datetime, job_type: JobType = JobType.GENERATE) -> int:
        """Let go of what jobs of this type that ended before have made; answers of how many. The jobs stay."""
        old = _ended((job_type,), JobStatus.COMPLETED, before).where(JobRow.artifact_id.is_not(None))
        if not (found := await self._find(old)):
            return 0
        async with self._sessions.writing() as session:
            jobs = list(await session.scalars(_these(found).where(JobRow.artifact_id.is_not(None))))
            artifact_ids = [job.artifact_id for job in jobs]
            expire = update(JobRow).where(JobRow.id.in_([job.id for job in jobs])).values(artifact_id=None)
            await session.execute(expire)
            now = self._clock()
            await erase_jobs(session, jobs, now)  # all of it: a job stays for ever, and its empty folder would
            await erase_artifacts(session, artifact_ids, now)
            return len(jobs)

    async def delete_failed(self, before: datetime) -> int:
        """Delete generations and reports that failed before; answers how many.

        A failed training goes with its model, which it explains.
        """
        if not (found := await self._find(_ended(_DELETED, JobStatus.FAILED, before))):
            return 0
        async with self._sessions.writing() as session:
            jobs = list(await session.scalars(_these(found)))
            await erase_jobs(session, jobs, self._clock())
            await session.execute(delete(JobRow).where(JobRow.id.in_([job.id for job in jobs])))
            return len(jobs)

    async def _find(self, old: Select[UUID]) -> list[UUID]:
        """Looked for beside writers: it goes through all jobs of the status, which may be hundreds of thousands."""
        async with self._sessions.reading() as session:
            return list(await session.scalars(old))

    async def forget_audit(self, before: datetime) -> int:
        """Delete events that are older, as far as no younger one stands before them: what is left is one chain. Answers
        how many. The newest one stays, for the next one to follow.
        """
        first = select(AuditRow.number, AuditRow.at).order_by(AuditRow.number).limit(EVENTS_AT_ONCE).subquery().c
        last = select(func.max(AuditRow.number)).scalar_subquery()
        # One of a time to come was written while the clock was wrong: it goes with those around it.
        young = select(func.min(first.number)).where(first.at >= before, first.at <= utc_now()).scalar_subquery()
        is_old = (first.at < before) & (first.number < func.coalesce(young, last))
        old = AuditRow.number <= select(func.max(first.number)).where(is_old).scalar_subquery()
        async with self._sessions.writing() as session:
            gone = await session.scalars(delete(AuditRow).where(old).returning(AuditRow.number))
            return len(list(gone))

    async def get_server_id(self) -> UUID:
        """By which this metadata is told from any other."""
        async with self._sessions.reading() as session:
            return (await session.scalars(select(ServerRow.id))).one()

    async def erase_unnamed(self, locations: Collection[str]) -> int:
        """Have those of these folders erased that no row names and no attempt may write to; answers how many."""
        async with self._sessions.writing() as session:
            named = await _named(session, locations)
            unnamed = sorted({*locations} - named)
            await erase_later(session, unnamed, self._clock())
            return len(unnamed)


def _ended(job_types: Collection[JobType], status: JobStatus, before: datetime) -> Select[UUID]:
    # By the start too, which is indexed.
    old = (JobRow.created_at < before) & (JobRow.finished_at < before)
    of_types = select(JobRow.id).where(JobRow.status == status, JobRow.job_type.in_(job_types))
    return of_types.where(old).order_by(JobRow.created_at).limit(AT_ONCE)


def _these(job_ids: Collection[UUID]) -> Select[JobRow]:
    return select(JobRow).where(JobRow.id.in_(job_ids)).options(TO_ERASE)


async def _named(session: AsyncSession, locations: Collection[str]) -> set[str]:
    """Those that are to stay: a row has their name, or a job that is not over, or they are none of ours."""
    artifacts = select(ArtifactRow.location).where(ArtifactRow.location.in_(locations))
    erasures = select(ErasureRow.location).where(ErasureRow.location.in_(locations))
    named = {*await session.scalars(artifacts), *await session.scalars(erasures)}
    owners = {location: _owner(location) for location in locations}
    jobs = select(JobRow.id, JobRow.status).where(JobRow.id.in_([owner for owner in owners.values() if owner]))
    status_of = dict((await session.execute(jobs)).all())
    for location, owner in owners.items():
        is_attempt = location.count("/") == 2
        status = status_of.get(owner) if owner else None
        if owner is None or (status and not (is_attempt and status.is_final)):
            named.add(location)
    return named


def _owner(location: str) -> UUID | None:
    """The id in the name of a folder; `None` for one that we cannot have made."""
    try:
        return UUID(location.split("/")[1])
    except (ValueError, IndexError):
        return None
