"""What a project uses, and its quotas."""

import math
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from sqlalchemy import ColumnElement, Table, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from synthgen_ray.domain.access import Principal
from synthgen_ray.domain.entities import Usage
from synthgen_ray.domain.errors import TooMany, Unavailable
from synthgen_ray.domain.lifecycle import UNFINISHED, JobStatus, JobType
from synthgen_ray.domain.quotas import Quotas
from synthgen_ray.store.projects import require_project
from synthgen_ray.store.sessions import Sessions
from synthgen_ray.store.tables import ArtifactRow, DatasetRow, DatasetVersionRow, JobRow, ModelRow, UsageRow
from synthgen_ray.store.upserts import insert_into

_USAGE = cast(Table, UsageRow.__table__)


class Usages:
    _sessions: Sessions
    _quotas: Quotas

    async def get_usage(self, principal: Principal, project_id: UUID) -> Usage:
        """Raises: NotFound."""
        async with self._sessions.reading() as session:
            await require_project(session, principal, project_id)
            used = await _used(session, project_id)
            return Usage(
                generated_rows=used.generated_rows,
                training_seconds=used.training_seconds,
                storage_bytes=await _storage_bytes(session, project_id),
                pending_jobs=await _pending_jobs(session, JobRow.project_id == project_id),
                quotas=self._quotas,
            )


@dataclass(frozen=True)
class Allowance:
    """How many rows a project may generate yet, and why no more."""

    rows: float
    refusal: TooMany

    def check(self, rows: int) -> None:
        """Raises: TooMany."""
        if rows > self.rows:
            raise self.refusal


async def check_storage(session: AsyncSession, project_id: UUID, quotas: Quotas, more: int) -> None:
    """Raises: TooMany."""
    if quotas.storage_bytes is not None:
        stored = await _storage_bytes(session, project_id)
        if stored + more > quotas.storage_bytes:
            raise _over(f"its {quotas.storage_bytes:,} bytes of storage: delete what is no longer needed")


async def check_queue(session: AsyncSession, project_id: UUID, quotas: Quotas) -> None:
    """Raises: TooMany, for the project; Unavailable, when the queue of all is full."""
    if await _pending_jobs(session) >= quotas.queue_length:
        raise Unavailable("The queue is full: try again later.", "queue_full")
    of_project = JobRow.project_id == project_id
    if quotas.pending_jobs is not None and await _pending_jobs(session, of_project) >= quotas.pending_jobs:
        detail = f"The project has {quotas.pending_jobs:,} jobs in the queue, as many as it may: try again later."
        raise TooMany(detail, "queue_full")


async def check_generation(session: AsyncSession, project_id: UUID, quotas: Quotas, rows: int) -> None:
    """Raises: TooMany."""
    (await find_allowance(session, project_id, quotas)).check(rows)


async def find_allowance(session: AsyncSession, project_id: UUID, quotas: Quotas) -> Allowance:
    """For all who ask at once: of a project that keeps fifty thousand outputs it takes a quarter of a second."""
    try:
        await check_storage(session, project_id, quotas, 0)
    except TooMany as too_much:
        return Allowance(0, too_much)
    refusal = _over(f"its {quotas.generated_rows or 0:,} generated rows")
    if quotas.generated_rows is None:
        return Allowance(math.inf, refusal)
    used = await _used(session, project_id)
    return Allowance(quotas.generated_rows - used.generated_rows - await _rows_to_come(session, project_id), refusal)


async def check_training(session: AsyncSession, project_id: UUID, quotas: Quotas) -> None:
    """Raises: TooMany; Unavailable."""
    await check_queue(session, project_id, quotas)
    await check_storage(session, project_id, quotas, 0)
    if quotas.training_seconds is not None:
        used = await _used(session, project_id)
        if used.training_seconds >= quotas.training_seconds:
            raise _over(f"its {quotas.training_seconds:,.0f} seconds of training")


async def add_usage(session: AsyncSession, project_id: UUID, *, rows: int = 0, seconds: float = 0.0) -> None:
    first = insert_into(session, _USAGE).values(project_id=project_id, generated_rows=rows, training_seconds=seconds)
    more = {name: _USAGE.c[name] + first.excluded[name] for name in ("generated_rows", "training_seconds")}
    await session.execute(first.on_conflict_do_update(index_elements=["project_id"], set_=more))


async def count_seconds(session: AsyncSession, *which: ColumnElement[bool]) -> None:
    """Of those jobs that are trainings, and end."""
    spent = select(JobRow.project_id, func.sum(JobRow.seconds)).group_by(JobRow.project_id)
    of_trainings = spent.where(JobRow.job_type == JobType.TRAIN, JobRow.seconds > 0, *which)
    for project_id, seconds in (await session.execute(of_trainings)).all():
        await add_usage(session, project_id, seconds=seconds)


def _over(what: str) -> TooMany:
    return TooMany(f"The project has used up {what}.", "quota_exceeded")


async def _used(session: AsyncSession, project_id: UUID) -> UsageRow:
    none = UsageRow(project_id=project_id, generated_rows=0, training_seconds=0.0)
    return await session.get(UsageRow, project_id) or none


async def _pending_jobs(session: AsyncSession, *which: ColumnElement[bool]) -> int:
    waiting = select(func.count()).select_from(JobRow).where(JobRow.status == JobStatus.PENDING, *which)
    return await session.scalar(waiting) or 0


async def _rows_to_come(session: AsyncSession, project_id: UUID) -> int:
    """That were asked for, and count when they are there."""
    asked = select(func.sum(JobRow.num_rows)).where(
        JobRow.project_id == project_id,
        JobRow.job_type.in_((JobType.GENERATE, JobType.BATCH)),
        JobRow.status.in_(UNFINISHED),
    )
    return int(await session.scalar(asked) or 0)


async def _storage_bytes(session: AsyncSession, project_id: UUID) -> int:
    """Of its tables, models and outputs."""
    tables = select(DatasetVersionRow.artifact_id).join(DatasetVersionRow.dataset)
    named = union_all(
        tables.where(DatasetRow.project_id == project_id),
        select(JobRow.artifact_id).where(JobRow.project_id == project_id, JobRow.artifact_id.is_not(None)),
        # That of a model is its training's too, but for one that was imported.
        select(ModelRow.artifact_id).where(ModelRow.project_id == project_id, ModelRow.dataset_version_id.is_(None)),
    ).subquery()
    size = select(func.sum(ArtifactRow.size_bytes)).where(ArtifactRow.id.in_(select(named.c.artifact_id)))
    return int(await session.scalar(size) or 0)
