"""Whose job is claimed next, of all that wait."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple, cast
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, Table, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from synthgen_ray.domain.lifecycle import JobStatus, JobType
from synthgen_ray.store.reaper import LONGEST_REST
from synthgen_ray.store.tables import JobRow, TurnRow
from synthgen_ray.store.upserts import insert_into

_TURNS = cast(Table, TurnRow.__table__)
_waiting, _running = aliased(JobRow), aliased(JobRow)


class Turn(NamedTuple):
    """A project, and a type of its jobs that are due."""

    project_id: UUID
    job_type: JobType


async def find_turns(session: AsyncSession, job_types: Collection[JobType], now: datetime) -> list[Turn]:
    """Those with a due job of these types. Whose project has the fewest of them running comes first, then whose was
    given one of its type longest ago, or never, then who waits longest. A turn to come was taken by a wrong clock.

    Looks through all that wait in one index, and into indexes once a turn: ten thousand take some milliseconds.
    """
    turn = (_waiting.project_id, _waiting.job_type)
    at_work = and_(_running.status == JobStatus.RUNNING, _running.job_type.in_(job_types))
    running = select(func.count()).where(at_work, _running.project_id == _waiting.project_id).scalar_subquery()
    its = and_(TurnRow.project_id == _waiting.project_id, TurnRow.job_type == _waiting.job_type)
    last = select(TurnRow.at).where(its, TurnRow.at <= now).scalar_subquery()
    turns = select(*turn).where(_is_due(now), _waiting.job_type.in_(job_types)).group_by(*turn)
    turns = turns.order_by(running, last.nulls_first(), func.min(_waiting.created_at), *turn)
    return [Turn(*found) for found in await session.execute(turns)]


async def take(session: AsyncSession, turn: Turn, now: datetime) -> None:
    """It was given now."""
    given = insert_into(session, _TURNS).values(**turn._asdict(), at=now)
    await session.execute(given.on_conflict_do_update(index_elements=Turn._fields, set_={"at": now}))


def first_of(turn: Turn, now: datetime) -> ScalarSelect[UUID]:
    """Who waits longest, without those that others are claiming."""
    its = and_(_waiting.project_id == turn.project_id, _waiting.job_type == turn.job_type)
    first = select(_waiting.id).where(_is_due(now), its).order_by(_waiting.created_at, _waiting.id).limit(1)
    return first.with_for_update(of=_waiting, skip_locked=True).scalar_subquery()


def _is_due(now: datetime) -> ColumnElement[bool]:
    # A rest longer than any that is given was given before the clock was set back.
    rested = or_(_waiting.not_before <= now, _waiting.not_before > now + LONGEST_REST)
    return and_(_waiting.status == JobStatus.PENDING, rested)
