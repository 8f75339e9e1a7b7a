"""Queries on jobs, as their owners see them. How they run is in `queue`."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload, undefer

from synthgen_ray.domain.access import Principal
from synthgen_ray.domain.audit import Action
from synthgen_ray.domain.columns import check_same_columns
from synthgen_ray.domain.conditions import check_conditions
from synthgen_ray.domain.entities import CANCELLED, Artifact, Job, Page
from synthgen_ray.domain.errors import Conflict, NotFound
from synthgen_ray.domain.lifecycle import JobStatus, JobType, ModelStatus
from synthgen_ray.domain.once import Made, Once
from synthgen_ray.domain.params import DrawParams, GenerateParams, ImputeParams, SampleParams
from synthgen_ray.domain.quotas import Quotas
from synthgen_ray.domain.widths import check_room
from synthgen_ray.store.audit import record
from synthgen_ray.store.datasets import require_version
from synthgen_ray.store.entities import COLUMNS, LEARNED_COLUMNS, to_artifact, to_job
from synthgen_ray.store.moves import enqueue
from synthgen_ray.store.once import JOB, once_only
from synthgen_ray.store.projects import sees
from synthgen_ray.store.sessions import Sessions
from synthgen_ray.store.tables import JobRow, ModelRow
from synthgen_ray.store.usage import add_usage, check_generation, check_queue

# All that a Job shows, in one query.
FULL_JOB = (joinedload(JobRow.artifact), joinedload(JobRow.model).joinedload(ModelRow.project))


class Jobs:
    _sessions: Sessions
    _quotas: Quotas
    _deadlines: Mapping[JobType, timedelta]
    _clock: Callable[[], datetime]

    async def enqueue_generate(
        self,
        principal: Principal,
        model_id: UUID,
        params: GenerateParams,
        once: Once | None = None,
    ) -> Made[Job]:
        """Write a generation of a ready model that can obey the conditions.

        Raises: NotFound; Conflict, when the model is not ready; InvalidRequest, for the conditions; TooLarge;
        TooMany and Unavailable, over a quota.
        """

        async def make(session: AsyncSession) -> Job:
            model = await require_ready(session, principal, model_id, params, num_rows=params.num_rows)
            return await self._enqueue(session, principal, model, params.model_dump(mode="json"))

        async with self._sessions.writing() as session:
            return await once_only(session, principal, once, JOB, make)

    async def enqueue_impute(
        self, principal: Principal, model_id: UUID, params: ImputeParams, once: Once | None = None
    ) -> Made[Job]:
        """Write a generation whose rows are those of a table of the model's project, with its missing cells filled.

        Raises: NotFound, for the model or the table; Conflict, when the model is not ready; InvalidRequest, when the
        table is another project's or lacks a column; TooLarge; TooMany and Unavailable, over a quota.
        """

        async def make(session: AsyncSession) -> Job:
            model = await require_ready(session, principal, model_id, DrawParams())
            version = await require_version(session, principal, params.dataset_version_id, model.project_id)
            learned = LEARNED_COLUMNS.validate_python(model.learned_columns)
            check_room(version.num_rows, model.chunk_rows or 1, learned)
            names = [column.name for column in COLUMNS.validate_python(version.columns)]
            check_same_columns(names, learned)
            config = {**params.model_dump(mode="json"), "num_rows": version.num_rows}
            return await self._enqueue(session, principal, model, config)

        async with self._sessions.writing() as session:
            return await once_only(session, principal, once, JOB, make)

    async def _enqueue(
        self, session: AsyncSession, principal: Principal, model: ModelRow, config: dict[str, Any]
    ) -> Job:
        await check_queue(session, model.project_id, self._quotas)
        await check_generation(session, model.project_id, self._quotas, config["num_rows"])
        now = self._clock()
        deadline = now + self._deadlines[JobType.GENERATE]
        job = await enqueue(session, model, JobType.GENERATE, config, now, deadline)
        await record(session, principal, Action.JOB_CREATE, job.id, model.project_id)
        return to_job(await load_job(session, job.id))

    async def admit_draw(self, principal: Principal, model_id: UUID, params: SampleParams) -> tuple[Artifact, int]:
        """The file and the chunk rows of a ready model that can obey the conditions; the rows count from now.

        Raises: NotFound; Conflict, when the model is not ready; InvalidRequest, for the conditions; TooLarge;
        TooMany.
        """
        async with self._sessions.writing() as session:
            artifact = joinedload(ModelRow.artifact)
            model = await require_ready(session, principal, model_id, params, artifact, num_rows=params.num_rows)
            await check_generation(session, model.project_id, self._quotas, params.num_rows)
            await add_usage(session, model.project_id, rows=params.num_rows)
            await record(session, principal, Action.MODEL_SAMPLE, model.id, model.project_id)
            if model.artifact is None:
                raise LookupError(f"model {model.id} is ready and has no artifact")
            return to_artifact(model.artifact), model.chunk_rows or 0

    async def get_job(self, principal: Principal, job_id: UUID) -> Job:
        """A job, by its own id or by its background id.

        Raises: NotFound.
        """
        found = await self.find_jobs(principal, (job_id,))
        if job_id not in found:
            raise NotFound.of("job")
        return found[job_id]

    async def find_jobs(self, principal: Principal, job_ids: Collection[UUID]) -> dict[UUID, Job]:
        """Those that are there, by the ids that were given, each its own or its background id."""
        async with self._sessions.reading() as session:
            jobs = [to_job(row) for row in await session.scalars(visible_jobs(principal, job_ids))]
        return {job_id: job for job in jobs for job_id in (job.id, job.background_id) if job_id in job_ids}

    async def list_jobs(
        self,
        principal: Principal,
        project_id: UUID | None,
        model_id: UUID | None,
        status: JobStatus | None,
        limit: int,
        offset: int,
    ) -> Page[Job]:
        matching = jobs_in(principal, project_id)
        if model_id:
            matching = matching.where(JobRow.model_id == model_id)
        if status:
            matching = matching.where(JobRow.status == status)
        async with self._sessions.reading() as session:
            return await page_of_jobs(session, matching, limit, offset)

    async def list_failures(self, principal: Principal, limit: int) -> tuple[Job, ...]:
        """The jobs that failed last, newest first, without those that were cancelled."""
        failed = (JobRow.status == JobStatus.FAILED) & (JobRow.error_code != CANCELLED.code)
        last = select(JobRow).where(failed, sees(principal, JobRow.project_id))
        last = last.order_by(JobRow.finished_at.desc(), JobRow.id).limit(limit).options(*FULL_JOB)
        async with self._sessions.reading() as session:
            return tuple(map(to_job, await session.scalars(last)))


def jobs_in(principal: Principal, project_id: UUID | None) -> Select[JobRow]:
    """All that the principal sees, of one project if it is named. By their models, whose projects have an index."""
    seen = select(JobRow).join(JobRow.model).where(sees(principal, ModelRow.project_id))
    return seen.where(ModelRow.project_id == project_id) if project_id else seen


async def page_of_jobs(session: AsyncSession, matching: Select[JobRow], limit: int, offset: int) -> Page[Job]:
    newest = matching.order_by(JobRow.created_at.desc(), JobRow.id).limit(limit).offset(offset)
    total = await session.scalar(select(func.count()).select_from(matching.subquery()))
    rows = await session.scalars(newest.options(*FULL_JOB))
    return Page(tuple(map(to_job, rows)), total or 0)


def visible_jobs(principal: Principal, job_ids: Collection[UUID]) -> Select[JobRow]:
    by_either_id = or_(JobRow.id.in_(job_ids), JobRow.background_id.in_(job_ids))
    return select(JobRow).where(by_either_id, sees(principal, JobRow.project_id)).options(*FULL_JOB)


async def lock_job(session: AsyncSession, principal: Principal, job_id: UUID) -> JobRow:
    """It is claimed before or after, never meanwhile. Raises: NotFound."""
    locked = visible_jobs(principal, (job_id,)).with_for_update(of=JobRow).execution_options(populate_existing=True)
    row = await session.scalar(locked)
    if row is None:
        raise NotFound.of("job")
    return row


async def load_job(session: AsyncSession, job_id: UUID) -> JobRow:
    """One that was found or made in this transaction, with all that it shows."""
    full = select(JobRow).where(JobRow.id == job_id).options(*FULL_JOB).execution_options(populate_existing=True)
    return (await session.scalars(full)).one()


async def require_ready(
    session: AsyncSession, principal: Principal, model_id: UUID, params: DrawParams, *more: Any, num_rows: int = 0
) -> ModelRow:
    """A model from which so many such rows can be drawn; `more` are options of what else to load.

    Raises: NotFound; Conflict; InvalidRequest, for the conditions; TooLarge.
    """
    seen = select(ModelRow).where(ModelRow.id == model_id, sees(principal, ModelRow.project_id))
    model: ModelRow | None = await session.scalar(seen.options(undefer(ModelRow.learned_columns), *more))
    if model is None:
        raise NotFound.of("model")
    if model.status is not ModelStatus.READY:
        raise Conflict(not_ready(model), "model_not_ready")
    columns = LEARNED_COLUMNS.validate_python(model.learned_columns)
    check_conditions(params.conditions, params.distribution, columns)
    check_room(num_rows, model.chunk_rows or 1, columns)
    return model


def not_ready(model: ModelRow) -> str:
    if model.status is ModelStatus.FAILED:
        return f"Model '{model.name}' failed to train: create it again."
    state = {ModelStatus.PENDING: "waits to be trained", ModelStatus.TRAINING: "is training"}[model.status]
    return f"Model '{model.name}' {state}: wait until its status is ready."
