"""Queries on jobs, as their owners see them. How they run is in `queue`."""

from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload, undefer

from synthgen_ray.domain.conditions import check_conditions
from synthgen_ray.domain.entities import Job, Page
from synthgen_ray.domain.errors import Conflict, NotFound
from synthgen_ray.domain.lifecycle import JobStatus, JobType, ModelStatus
from synthgen_ray.domain.params import GenerateParams
from synthgen_ray.store.entities import LEARNED_COLUMNS, to_job
from synthgen_ray.store.sessions import Sessions
from synthgen_ray.store.tables import JobRow, ModelRow

# All that a Job shows, in one query.
FULL_JOB = (joinedload(JobRow.artifact), joinedload(JobRow.model).joinedload(ModelRow.project))


class Jobs:
    _sessions: Sessions

    async def enqueue_generate(self, model_id: UUID, params: GenerateParams) -> Job:
        """Write a generation of a ready model that can obey the conditions.

        Raises: NotFound; Conflict, when the model is not ready; InvalidRequest, for the conditions.
        """
        async with self._sessions.writing() as session:
            model = await session.get(ModelRow, model_id, options=[undefer(ModelRow.learned_columns)])
            if model is None:
                raise NotFound.of("model")
            if model.status is not ModelStatus.READY:
                raise Conflict(_not_ready(model), "model_not_ready")
            learned = LEARNED_COLUMNS.validate_python(model.learned_columns)
            check_conditions(params.conditions, params.distribution, learned)
            job = JobRow(model_id=model_id, job_type=JobType.GENERATE, config=params.model_dump(mode="json"))
            session.add(job)
            await session.flush()
            return to_job(await load_job(session, job.id))

    async def get_job(self, job_id: UUID) -> Job:
        """A job, by its own id or by its background id.

        Raises: NotFound.
        """
        async with self._sessions.reading() as session:
            return to_job(await load_job(session, job_id))

    async def list_jobs(
        self,
        project_id: UUID | None,
        model_id: UUID | None,
        status: JobStatus | None,
        limit: int,
        offset: int,
    ) -> Page[Job]:
        wanted: ColumnElement[bool] = and_(
            true(),
            *([ModelRow.project_id == project_id] if project_id else []),
            *([JobRow.model_id == model_id] if model_id else []),
            *([JobRow.status == status] if status else []),
        )
        matching = select(JobRow).join(JobRow.model).where(wanted)
        newest = matching.order_by(JobRow.created_at.desc(), JobRow.id).limit(limit).offset(offset)
        async with self._sessions.reading() as session:
            total = await session.scalar(select(func.count()).select_from(matching.subquery()))
            rows = await session.scalars(newest.options(*FULL_JOB))
            return Page(tuple(map(to_job, rows)), total or 0)


async def load_job(session: AsyncSession, job_id: UUID) -> JobRow:
    by_either_id = or_(JobRow.id == job_id, JobRow.background_id == job_id)
    full = select(JobRow).where(by_either_id).options(*FULL_JOB).execution_options(populate_existing=True)
    row = await session.scalar(full)
    if row is None:
        raise NotFound.of("job")
    return row


def _not_ready(model: ModelRow) -> str:
    if model.status is ModelStatus.FAILED:
        return f"Model '{model.name}' failed to train: create it again, then generate."
    state = {ModelStatus.PENDING: "waits to be trained", ModelStatus.TRAINING: "is training"}[model.status]
    return f"Model '{model.name}' {state}: generate when its status is ready."
