"""Deadlines go by the time in which dispatchers live, not by a clock that somebody sets.

A deadline is a moment of the database's clock, and each heartbeat leaves there when it was (`ServerRow.beat_at`). Where
less than no time has gone since the last one of anybody, or more than since the asker's own, then the clock was set, or
nobody was there to work: deadlines move along, and may come late by that.

They come early where a jump ahead cannot be told from time that went by: by up to `SLACK` for each such jump, and by
one that is no longer than the asker was cut off, while another server's heartbeats went on.
"""

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from synthgen_ray.domain.lifecycle import LEASE, UNFINISHED
from synthgen_ray.store.erasures import bounded
from synthgen_ray.store.tables import JobRow, ServerRow

SLACK = LEASE  # a call may wait for its turn, and clocks are corrected
NOTED_EACH = LEASE / 2  # a server at rest does not write with each heartbeat


async def begin_deadlines(session: AsyncSession, now: datetime) -> None:
    """For a store that is new: its clock may be set before anybody's first heartbeat."""
    await session.execute(update(ServerRow).where(ServerRow.beat_at.is_(None)).values(beat_at=now))


async def keep_deadlines(session: AsyncSession, now: datetime, since: timedelta | None) -> None:
    """`since` the asker's last heartbeat, by a clock that only runs; `None` for its first, which can tell nothing."""
    beat_at = (await session.scalars(select(ServerRow.beat_at))).one()
    if beat_at is not None:
        gone = now - beat_at
        if since is None or timedelta(0) <= gone < NOTED_EACH:
            return
        if not -SLACK <= gone <= since + SLACK:
            await _move_deadlines(session, gone, now, since)
    await session.execute(update(ServerRow).values(beat_at=now))


async def _move_deadlines(session: AsyncSession, by: timedelta, now: datetime, since: timedelta) -> None:
    # Only of jobs that were asked for before, as far as their times can tell.
    asked_before = JobRow.created_at < now - since if by > timedelta(0) else JobRow.created_at > now
    asked = select(JobRow.id, JobRow.deadline_at).where(JobRow.status.in_(UNFINISHED), asked_before)
    moved = [{"id": job_id, "deadline_at": at + by} for job_id, at in await session.execute(asked) if at]
    for some in bounded(moved):
        await session.execute(update(JobRow), some)
