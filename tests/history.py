"""What the store keeps and shows to no caller: the moves of jobs, the folders that are to be erased."""

from itertools import pairwise
from uuid import UUID

from sqlalchemy import select

from synthgen_ray.domain.lifecycle import JOB_MOVES, JobStatus
from synthgen_ray.store.store import Store
from synthgen_ray.store.tables import ErasureRow, JobEventRow


async def events_of(store: Store, job_id: UUID) -> list[JobEventRow]:
    async with store._sessions.reading() as session:
        events = select(JobEventRow).where(JobEventRow.job_id == job_id).order_by(JobEventRow.id)
        return list(await session.scalars(events))


async def all_events(store: Store) -> dict[UUID, list[JobEventRow]]:
    """Of each job, in order."""
    found: dict[UUID, list[JobEventRow]] = {}
    async with store._sessions.reading() as session:
        for event in await session.scalars(select(JobEventRow).order_by(JobEventRow.id)):
            found.setdefault(event.job_id, []).append(event)
    return found


async def moves_of(store: Store, job_id: UUID) -> list[JobStatus]:
    """The statuses that a job has had, in order."""
    return [event.to_status for event in await events_of(store, job_id)]


async def every_erasure(store: Store) -> tuple[str, ...]:
    """Also of folders whose time has not come."""
    async with store._sessions.reading() as session:
        return tuple(await session.scalars(select(ErasureRow.location)))


def check_history(events: list[JobEventRow], status: JobStatus) -> None:
    """Each move is a legal one, starts where the one before ended, and the last one made the status. Between its first
    move and the next some may be forgotten, of a job that rested often."""
    assert events[0].from_status is None
    assert events[0].to_status is JobStatus.PENDING
    for before, after in pairwise(events):
        assert after.from_status is before.to_status
        assert after.to_status in JOB_MOVES[before.to_status]
        claimed = after.to_status is JobStatus.RUNNING
        assert after.attempt == before.attempt + claimed or (before is events[0] and claimed)
    assert events[-1].to_status is status
