"""The one place where a job gets or changes its status, and where all that follows from it is written: its history,
the status of its model, what its project has used, the folder of an attempt that came to nothing."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, case, delete, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from synthgen_ray.domain.entities import JobFailure, attempt_folder, checkpoints_folder
from synthgen_ray.domain.lifecycle import JOB_MOVES, LEASE, MODEL_STATUS_OF, Attempt, JobStatus, JobType
from synthgen_ray.store.erasures import bounded, erase_later
from synthgen_ray.store.tables import JobEventRow, JobRow, ModelRow, UtcDateTime
from synthgen_ray.store.usage import count_seconds

TOLD_ATTEMPTS = 10  # of a job that rests again and again


async def enqueue(
    session: AsyncSession, model: ModelRow, job_type: JobType, config: dict[str, Any], now: datetime, deadline: datetime
) -> JobRow:
    """A new job that waits from now on."""
    job = JobRow(
        model_id=model.id,
        project_id=model.project_id,
        job_type=job_type,
        config=config,
        num_rows=config.get("num_rows"),
        created_at=now,
        not_before=now,
        deadline_at=deadline,
    )
    session.add(job)
    await session.flush()
    session.add(JobEventRow(job_id=job.id, at=now, attempt=0, to_status=JobStatus.PENDING))
    await session.flush()
    return job


async def move(
    session: AsyncSession,
    before: JobStatus,
    after: JobStatus,
    which: ColumnElement[bool],
    now: datetime,
    **values: Any,
) -> list[Attempt]:
    """Move those jobs that are at `before` and `which` fits. Answers the moved ones.

    A single conditional UPDATE: whatever became of a job in the meantime, it is never overwritten.
    """
    if after not in JOB_MOVES[before]:
        raise ValueError(f"a job never moves from {before} to {after}")
    change = (
        update(JobRow)
        .where(JobRow.status == before, which)
        .values({"status": after, **_implied(before, after, now), **values})
        .returning(JobRow.id, JobRow.attempt)
        .execution_options(synchronize_session=False)
    )
    moved = [(job_id, attempt) for job_id, attempt in await session.execute(change)]
    if moved:
        event = {"at": now, "from_status": before, "to_status": after, "error_code": values.get("error_code")}
        for some in bounded(moved):
            events = [{**event, "job_id": job_id, "attempt": attempt} for job_id, attempt in some]
            await session.execute(insert(JobEventRow), events)
            await _follow(session, after, some, now)
        if before is JobStatus.RUNNING and after is not JobStatus.COMPLETED:
            # Later, not now: the worker of a lost attempt may write for as long as its lease would last.
            await erase_later(session, [attempt_folder(*attempt) for attempt in moved], now, LEASE)
    return moved


async def forget_rests(session: AsyncSession, job_id: UUID, attempt: int) -> None:
    """Leave of a job's history how it began and its last attempts: a store may be away for days, and thousands of jobs
    ask for it every two minutes. How many there were the numbers of those that are left tell."""
    old = JobEventRow.attempt.between(1, attempt - TOLD_ATTEMPTS)
    await session.execute(delete(JobEventRow).where(JobEventRow.job_id == job_id, old))


def held(job_id: UUID, attempt: int) -> ColumnElement[bool]:
    """The fence: this job, still running, still this attempt."""
    return and_(JobRow.id == job_id, JobRow.status == JobStatus.RUNNING, JobRow.attempt == attempt)


def no_earlier_than(earliest: SQLColumnExpression[datetime], now: datetime) -> ColumnElement[Any]:
    """Now, or the earliest that it can have been: the clock may have been set back."""
    return case((earliest > now, earliest), else_=literal(now, UtcDateTime()))


def because(failure: JobFailure) -> dict[str, Any]:
    return {"error_code": failure.code, "error_message": failure.message, "error_retryable": failure.retryable}


def _implied(before: JobStatus, after: JobStatus, now: datetime) -> dict[str, Any]:
    """What the schema's checks ask of a status; and who waits says no longer how far he was."""
    implied: dict[str, Any] = {"message": ""} if after is JobStatus.PENDING else {}
    if before is JobStatus.RUNNING:
        implied |= {"lease_owner": None, "lease_expires_at": None}
    if after.is_final:
        implied["finished_at"] = no_earlier_than(func.coalesce(JobRow.started_at, JobRow.created_at), now)
    return implied


async def _follow(session: AsyncSession, status: JobStatus, moved: Sequence[Attempt], now: datetime) -> None:
    """A model's status follows its training job's; where that has ended, its seconds count and its checkpoints go."""
    is_training = and_(JobRow.id.in_([job_id for job_id, _ in moved]), JobRow.job_type == JobType.TRAIN)
    models = select(JobRow.model_id).where(is_training)
    follow = update(ModelRow).where(ModelRow.id.in_(models)).values(status=MODEL_STATUS_OF[status])
    await session.execute(follow.execution_options(synchronize_session=False))
    if status.is_final:
        await count_seconds(session, is_training)
        kept = is_training & JobRow.checkpoint.is_not(None)
        ended = await session.scalars(select(JobRow.id).where(kept))
        await erase_later(session, [checkpoints_folder(job_id) for job_id in ended], now, LEASE)
