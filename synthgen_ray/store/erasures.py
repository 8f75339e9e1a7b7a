"""Folders to erase: remembered in the transaction that orphans them, so that none is forgotten."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import load_only

from synthgen_ray.domain.entities import attempt_folder, job_folder
from synthgen_ray.domain.lifecycle import LEASE, Attempt
from synthgen_ray.store.sessions import Sessions
from synthgen_ray.store.tables import ArtifactRow, ErasureRow, JobRow

T = TypeVar("T")
# Of a job that goes: no more of its row is read, so that one that cannot be decoded goes too.
TO_ERASE = load_only(JobRow.status, JobRow.artifact_id, raiseload=True)
CHUNK = 1000


class Erasures:
    _sessions: Sessions
    _clock: Callable[[], datetime]

    async def list_erasures(self) -> tuple[str, ...]:
        """The folders whose time has come."""
        async with self._sessions.reading() as session:
            return tuple(await session.scalars(select(ErasureRow.location).where(_is_due(self._clock()))))

    async def erased(self, locations: tuple[str, ...]) -> None:
        """One that was remembered anew since it was listed stays: somebody may have written there meanwhile."""
        async with self._sessions.writing() as session:
            due = _is_due(self._clock())
            for some in bounded(locations):
                await session.execute(delete(ErasureRow).where(ErasureRow.location.in_(some), due))


def _is_due(now: datetime) -> ColumnElement[bool]:
    # One further off than any that is given was given before the clock was set back.
    return or_(ErasureRow.not_before <= now, ErasureRow.not_before > now + LEASE)


async def erase_later(
    session: AsyncSession, locations: Sequence[str], now: datetime, delay: timedelta = timedelta(0)
) -> None:
    """`delay` is a lease at most."""
    for some in bounded(locations):
        await session.execute(delete(ErasureRow).where(ErasureRow.location.in_(some)))
        rows = [{"location": location, "not_before": now + delay} for location in some]
        await session.execute(insert(ErasureRow), rows)


async def erase_jobs(session: AsyncSession, jobs: Iterable[JobRow], now: datetime) -> None:
    """The folders of jobs that go, or whose output does. A worker may still write: its files are gone once its lease
    would be."""
    ended: list[str] = []
    others: list[str] = []
    for job in jobs:
        (ended if job.status.is_final else others).append(job_folder(job.id))
    await erase_later(session, ended, now)
    await erase_later(session, others, now, LEASE)


async def erase_attempts(session: AsyncSession, attempts: Iterable[Attempt], now: datetime) -> None:
    """What superseded ones wrote, some of it perhaps after the erasure that their end brought."""
    for attempt in attempts:
        folder = attempt_folder(*attempt)
        if not await session.scalar(select(exists().where(ArtifactRow.location == folder))):
            await erase_later(session, [folder], now, LEASE)


async def erase_artifacts(session: AsyncSession, artifact_ids: Iterable[UUID | None], now: datetime) -> None:
    """Artifacts that no row names any more, and their folders, as far as these are in none that goes anyway."""
    for some in bounded([one for one in artifact_ids if one is not None]):
        wanted = ArtifactRow.id.in_(some)
        found = await session.scalars(select(ArtifactRow.location).where(wanted))
        above = {location: location.rpartition("/")[0] for location in found}
        remembered = select(ErasureRow.location).where(ErasureRow.location.in_({*above.values()}))
        going = {*await session.scalars(remembered)}
        await erase_later(session, [location for location in above if above[location] not in going], now)
        await session.execute(delete(ArtifactRow).where(wanted))


def bounded(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Both databases bound the values of a statement to some 32,000, and a statement has ten seconds on PostgreSQL."""
    for start in range(0, len(items), CHUNK):
        yield items[start : start + CHUNK]
