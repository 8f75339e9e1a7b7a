"""Deadlines go by the time in which dispatchers live, not by a clock that somebody sets.

A deadline is a moment of the database's clock, and each heartbeat leaves there when it was (`ServerRow.beat_at`). Where
less than no time has gone since the last one of anybody, or more than since the asker's own, then the clock was set, or
nobody was there to work: deadlines move along, and may come late by that, but are no further off than they were given.

They come early where a jump ahead cannot be told from time that went by: by up to `SLACK` for each such jump, and by
one that is no longer than the asker was cut off, while another server's heartbeats went on.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from synthgen_ray.domain.lifecycle import LEASE, UNFINISHED, JobType
from synthgen_ray.store.erasures import bounded
from synthgen_ray.store.tables import JobRow, ServerRow

SLACK = LEASE  # a call may wait for its turn, and clocks are corrected
NOTED_EACH = LEASE / 2  # a server at rest does not write with each heartbeat


async def begin_deadlines(session: AsyncSession, now: datetime) -> None:
    """For a store that is new: its clock may be set before anybody's first heartbeat."""
    await session.execute(update(ServerRow).where(ServerRow.beat_at.is_(None)).values(beat_at=now))


async def keep_deadlines(
    session: AsyncSession, now: datetime, since: timedelta | None, given: Mapping[JobType, timedelta]
) -> None:
    """`since` the asker's last heartbeat, by a clock that only runs; `None` for its first, which can tell nothing.
    `given` is how far off a deadline is at first."""
    beat_at = (await session.scalars(select(ServerRow.beat_at))).one()
    if beat_at is not None:
        gone = now - beat_at
        if since is None or timedelta(0) <= gone < NOTED_EACH:
            return
        if not -SLACK <= gone <= since + SLACK:
            await _move_deadlines(session, gone, now, since, given)
    await session.execute(update(ServerRow).values(beat_at=now))


async def _move_deadlines(
    session: AsyncSession, by: timedelta, now: datetime, since: timedelta, given: Mapping[JobType, timedelta]
) -> None:
    for kind, far in given.items():
        # Only of jobs that were asked for before, as far as their times can tell. One that is further off than any that
        # is given had moved along with a clock that is set right now.
        asked_before = JobRow.created_at < now - since
        if by < timedelta(0):
            asked_before = or_(JobRow.created_at > now, JobRow.deadline_at > now + far)
        those = and_(JobRow.status.in_(UNFINISHED), JobRow.job_type == kind, asked_before)
        asked = await session.execute(select(JobRow.id, JobRow.created_at, JobRow.deadline_at).where(those))
        moved = [
            # Of the time that has gone some may have been before it was asked for.
            {"id": job_id, "deadline_at": min(at + by, now + max(far, at - asked_at))}
            for job_id, asked_at, at in asked
            if at
        ]
        for some in bounded(moved):
            await session.execute(update(JobRow), some)
