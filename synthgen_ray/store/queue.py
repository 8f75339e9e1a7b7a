"""The jobs table as a queue: claim, renew, finish. Every write after a claim names its attempt.

An attempt whose lease ran out may still be at work somewhere. It does no harm: its writes
find a newer attempt, or none, in the row, change nothing, and answer that it is superseded.
"""

from collections.abc import Collection, Mapping
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, false, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from synthgen_ray.domain.access import Principal
from synthgen_ray.domain.entities import (
    Artifact,
    Assignment,
    Job,
    JobFailure,
    Progress,
    TrainedModel,
    attempt_folder,
    checkpoints_folder,
)
from synthgen_ray.domain.errors import Cancelled, Conflict
from synthgen_ray.domain.lifecycle import LEASE, MODEL_STATUS_OF, JobStatus, JobType
from synthgen_ray.store.entities import (
    CHECKPOINT,
    COLUMNS,
    LEARNED_COLUMNS,
    as_json,
    to_artifact,
    to_artifact_row,
    to_job,
)
from synthgen_ray.store.erasures import erase_later
from synthgen_ray.store.jobs import load_job, require_job
from synthgen_ray.store.sessions import Sessions
from synthgen_ray.store.tables import DatasetVersionRow, JobRow, ModelRow, utc_now
from synthgen_ray.store.usage import add_usage

MAX_FAILURES = 3
# How long a lost job rests before its next attempt.
BACKOFF = (timedelta(seconds=0), timedelta(seconds=5), timedelta(seconds=30))
CANCELLED = JobFailure("cancelled", "The job was cancelled.")
LOST = JobFailure("worker_lost", f"The job lost its worker {MAX_FAILURES} times; try again later.", retryable=True)


class Queue:
    _sessions: Sessions

    async def claim_next(self, job_types: Collection[JobType]) -> Assignment | None:
        """Move the oldest due job of these types to running; `None` if there is none.

        A single UPDATE, so two dispatchers can never claim the same job.
        """
        now = utc_now()
        due = and_(JobRow.status == JobStatus.PENDING, JobRow.not_before <= now)
        oldest = select(JobRow.id).where(due, JobRow.job_type.in_(job_types)).order_by(JobRow.created_at).limit(1)
        claim = (
            update(JobRow)
            .where(JobRow.id == oldest.scalar_subquery(), due)
            .values(
                status=JobStatus.RUNNING,
                attempt=JobRow.attempt + 1,
                lease_expires_at=now + LEASE,
                started_at=case((JobRow.started_at.is_(None), now), else_=JobRow.started_at),
                # Where it goes on from, until its worker says more.
                progress=case((JobRow.checkpoint.is_(None), 0.0), else_=JobRow.progress),
                message="",
            )
            .returning(JobRow.id)
        )
        async with self._sessions.writing() as session:
            job_id = await session.scalar(claim)
            if job_id is None:
                return None
            row = await load_job(session, job_id)
            await _follow(session, row, JobStatus.RUNNING)
            return await _assignment(session, row)

    async def renew_leases(self, attempts: Mapping[UUID, int]) -> set[UUID]:
        """Keep these attempts alive; answers the jobs that are still theirs."""
        mine = or_(false(), *(_held(job_id, attempt) for job_id, attempt in attempts.items()))
        renew = update(JobRow).where(mine).values(lease_expires_at=utc_now() + LEASE).returning(JobRow.id)
        async with self._sessions.writing() as session:
            return set(await session.scalars(renew))

    async def report_progress(self, job_id: UUID, attempt: int, progress: Progress) -> bool:
        """Show how far an attempt is. False when it is superseded or cancelled, and must stop."""
        shown: dict[str, object] = {"progress": progress.fraction, "message": progress.message}
        if progress.losses:  # the latest stay when a later step has none
            shown["losses"] = progress.losses
        if progress.seconds:
            shown["seconds"] = progress.seconds
        report = update(JobRow).where(_held(job_id, attempt)).values(shown).returning(JobRow.id)
        async with self._sessions.writing() as session:
            return await session.scalar(report) is not None

    async def name_checkpoint(self, job_id: UUID, attempt: int, checkpoint: Artifact) -> bool:
        """From here the next attempt goes on. False when this one is superseded: then nothing is changed."""
        named = {"checkpoint": as_json(CHECKPOINT, checkpoint)}
        name = update(JobRow).where(_held(job_id, attempt)).values(named).returning(JobRow.id)
        async with self._sessions.writing() as session:
            return await session.scalar(name) is not None

    async def complete_training(self, job_id: UUID, attempt: int, trained: TrainedModel) -> None:
        """Publish a trained model and finish its job.

        Raises: Cancelled, when the attempt is superseded; nothing is written then.
        """
        async with self._sessions.writing() as session:
            row = await self._finish(session, job_id, attempt, trained.artifact)
            await add_usage(session, await _project_of(session, row), seconds=_seconds_of(row))
            learned = as_json(LEARNED_COLUMNS, trained.columns)
            publish = update(ModelRow).where(ModelRow.id == row.model_id)
            await session.execute(
                publish.values(artifact_id=trained.artifact.id, learned_columns=learned, chunk_rows=trained.chunk_rows)
            )
            await _follow(session, row, JobStatus.COMPLETED)

    async def complete_generation(self, job_id: UUID, attempt: int, artifact: Artifact) -> None:
        """Publish a generated table and finish its job.

        Raises: Cancelled, when the attempt is superseded; nothing is written then.
        """
        async with self._sessions.writing() as session:
            row = await self._finish(session, job_id, attempt, artifact)
            await add_usage(session, await _project_of(session, row), rows=artifact.num_rows)

    async def fail(self, job_id: UUID, attempt: int, failure: JobFailure) -> None:
        """Finish a job without an artifact; does nothing when the attempt is superseded."""
        async with self._sessions.writing() as session:
            failed = _failed(failure)
            row = await session.scalar(update(JobRow).where(_held(job_id, attempt)).values(failed).returning(JobRow))
            if row is not None:
                await _discard_attempt(session, row)
                await _follow(session, row, JobStatus.FAILED)

    async def cancel(self, principal: Principal, job_id: UUID) -> Job:
        """End a job that has not ended; the worker of one that runs stops at its next sign of life, and publishes
        nothing. Does nothing to one that was cancelled before.

        Raises: NotFound; Conflict, for a job that ended otherwise.
        """
        async with self._sessions.writing() as session:
            row = await require_job(session, principal, job_id)
            if row.status.is_final and row.error_code != CANCELLED.code:
                raise Conflict(f"The job is {row.status}: there is nothing left to cancel.", "already_finished")
            if not row.status.is_final:
                await session.execute(update(JobRow).where(JobRow.id == row.id).values(_failed(CANCELLED)))
                await _discard_attempt(session, row)
                await _follow(session, row, JobStatus.FAILED)
            return to_job(await load_job(session, row.id))

    async def requeue(self, job_id: UUID, attempt: int, *, lost: bool) -> None:
        """Give a job back. `lost` counts against its budget; a stop of the server does not."""
        async with self._sessions.writing() as session:
            row = await session.scalar(select(JobRow).where(_held(job_id, attempt)))
            if row is not None:
                await _give_back(session, row, lost=lost)

    async def requeue_expired(self) -> int:
        """Give back the jobs whose lease ran out; answers how many."""
        expired = and_(JobRow.status == JobStatus.RUNNING, JobRow.lease_expires_at < utc_now())
        return await self._requeue_all(expired, lost=True)

    async def requeue_running(self) -> int:
        """Give back all running jobs: what a new dispatcher does, which knows that none is its own."""
        return await self._requeue_all(JobRow.status == JobStatus.RUNNING, lost=True)

    async def _requeue_all(self, wanted: ColumnElement[bool], *, lost: bool) -> int:
        async with self._sessions.writing() as session:
            rows = list(await session.scalars(select(JobRow).where(wanted)))
            for row in rows:
                await _give_back(session, row, lost=lost)
            return len(rows)

    async def _finish(self, session: AsyncSession, job_id: UUID, attempt: int, artifact: Artifact) -> JobRow:
        row: JobRow | None = await session.scalar(select(JobRow).where(_held(job_id, attempt)).with_for_update())
        if row is None:
            raise Cancelled
        session.add(to_artifact_row(artifact))
        await session.flush()
        row.status = JobStatus.COMPLETED
        row.artifact_id = artifact.id
        row.progress = 1.0
        row.message = ""
        row.lease_expires_at = None
        row.finished_at = utc_now()
        return row


def _held(job_id: UUID, attempt: int) -> ColumnElement[bool]:
    """The fence: this job, still running, still this attempt."""
    return and_(JobRow.id == job_id, JobRow.status == JobStatus.RUNNING, JobRow.attempt == attempt)


def _failed(failure: JobFailure) -> dict[str, object]:
    return {
        "status": JobStatus.FAILED,
        "error_code": failure.code,
        "error_message": failure.message,
        "error_retryable": failure.retryable,
        "lease_expires_at": None,
        "finished_at": utc_now(),
    }


async def _give_back(session: AsyncSession, row: JobRow, *, lost: bool) -> None:
    failures = row.failures + lost
    if failures >= MAX_FAILURES:
        values = _failed(LOST)
    else:
        values = {"status": JobStatus.PENDING, "lease_expires_at": None, "not_before": utc_now() + BACKOFF[failures]}
    await session.execute(update(JobRow).where(_held(row.id, row.attempt)).values(failures=failures, **values))
    await _discard_attempt(session, row)
    await _follow(session, row, JobStatus.FAILED if failures >= MAX_FAILURES else JobStatus.PENDING)


async def _discard_attempt(session: AsyncSession, row: JobRow) -> None:
    # Later, not now: the worker of a lost attempt may write for as long as its lease would last.
    await erase_later(session, attempt_folder(row.id, row.attempt), LEASE)


async def _follow(session: AsyncSession, job: JobRow, status: JobStatus) -> None:
    """A model's status follows its training job's; where that has ended, its checkpoints go."""
    if job.job_type is JobType.TRAIN:
        follow = update(ModelRow).where(ModelRow.id == job.model_id)
        await session.execute(follow.values(status=MODEL_STATUS_OF[status]))
        if status.is_final:
            await erase_later(session, checkpoints_folder(job.id), LEASE)


async def _project_of(session: AsyncSession, job: JobRow) -> UUID:
    return (await session.scalars(select(ModelRow.project_id).where(ModelRow.id == job.model_id))).one()


def _seconds_of(job: JobRow) -> float:
    return (job.finished_at - job.started_at).total_seconds() if job.finished_at and job.started_at else 0.0


async def _assignment(session: AsyncSession, row: JobRow) -> Assignment:
    job: Job = to_job(row)
    if job.job_type is JobType.GENERATE:
        model = await session.get_one(
            ModelRow, job.model_id, options=[joinedload(ModelRow.artifact)], populate_existing=True
        )
        if model.artifact is None:
            raise LookupError(f"model {model.id} is ready and has no artifact")
        return Assignment(job, to_artifact(model.artifact), chunk_rows=model.chunk_rows or 0)
    table = (
        select(DatasetVersionRow)
        .where(DatasetVersionRow.id == row.model.dataset_version_id)
        .options(joinedload(DatasetVersionRow.artifact))
    )
    version = (await session.scalars(table)).one()
    columns = COLUMNS.validate_python(version.columns)
    checkpoint = CHECKPOINT.validate_python(row.checkpoint) if row.checkpoint else None
    return Assignment(
        job, to_artifact(version.artifact), columns=columns, resources=row.model.resources, checkpoint=checkpoint
    )
