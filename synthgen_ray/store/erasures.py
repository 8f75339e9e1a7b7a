"""Folders to erase: remembered in the transaction that orphans them, so that none is forgotten."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from synthgen_ray.domain.entities import job_folder
from synthgen_ray.domain.lifecycle import LEASE
from synthgen_ray.store.sessions import Sessions
from synthgen_ray.store.tables import ArtifactRow, ErasureRow, JobRow, utc_now


class Erasures:
    _sessions: Sessions

    async def list_erasures(self) -> tuple[str, ...]:
        due = select(ErasureRow.location).where(ErasureRow.not_before <= utc_now())
        async with self._sessions.reading() as session:
            return tuple(await session.scalars(due))

    async def erased(self, locations: tuple[str, ...]) -> None:
        async with self._sessions.writing() as session:
            await session.execute(delete(ErasureRow).where(ErasureRow.location.in_(locations)))


async def erase_later(session: AsyncSession, location: str, delay: timedelta = timedelta(0)) -> None:
    await session.merge(ErasureRow(location=location, not_before=utc_now() + delay))


async def erase_jobs(session: AsyncSession, jobs: Iterable[JobRow]) -> None:
    """The folders of jobs that are deleted. A worker may still write: its files are gone once its lease would be."""
    for job in jobs:
        await erase_later(session, job_folder(job.id), timedelta(0) if job.status.is_final else LEASE)


async def erase_artifacts(session: AsyncSession, artifact_ids: Iterable[UUID | None]) -> None:
    """Artifacts that no row names any more, and their folders."""
    wanted = ArtifactRow.id.in_([one for one in artifact_ids if one is not None])
    for location in await session.scalars(select(ArtifactRow.location).where(wanted)):
        await erase_later(session, location)
    await session.execute(delete(ArtifactRow).where(wanted))
