"""Queries on models."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload, undefer

from synthgen_ray.domain.access import Principal
from synthgen_ray.domain.audit import Action
from synthgen_ray.domain.columns import LearnedColumn, check_learnable, check_trainable
from synthgen_ray.domain.conditions import check_conditions
from synthgen_ray.domain.entities import Artifact, Job, Model, Page, TrainedModel
from synthgen_ray.domain.errors import Conflict, NotFound
from synthgen_ray.domain.lifecycle import UNFINISHED, JobType, ModelStatus
from synthgen_ray.domain.once import Made, Once
from synthgen_ray.domain.params import DrawParams, ModelType, Resources, TrainParams
from synthgen_ray.domain.widths import check_room
from synthgen_ray.store.audit import record
from synthgen_ray.store.datasets import require_version
from synthgen_ray.store.enqueuing import Enqueuing
from synthgen_ray.store.entities import (
    COLUMNS,
    LEARNED_COLUMNS,
    as_json,
    to_artifact,
    to_artifact_row,
    to_job,
    to_model,
)
from synthgen_ray.store.erasures import TO_ERASE, erase_artifacts, erase_jobs
from synthgen_ray.store.jobs import LISTED_JOB
from synthgen_ray.store.once import JOB, MODEL, once_only
from synthgen_ray.store.paging import page
from synthgen_ray.store.projects import require_project, sees
from synthgen_ray.store.tables import ArtifactRow, DatasetRow, DatasetVersionRow, JobRow, ModelRow
from synthgen_ray.store.usage import check_storage, check_training, count_seconds

# All that a Model shows, in one query, and no more: a version's columns may be a thousand.
FULL_MODEL = (
    joinedload(ModelRow.dataset_version)
    .load_only(DatasetVersionRow.dataset_id, DatasetVersionRow.version)
    .joinedload(DatasetVersionRow.dataset)
    .load_only(DatasetRow.name),
)
SHOWN_JOBS = 100  # of a model, with it


class Models(Enqueuing):
    async def create_model(
        self,
        principal: Principal,
        project_id: UUID,
        dataset_version_id: UUID,
        name: str,
        model_type: ModelType,
        params: TrainParams,
        resources: Resources,
        once: Once | None = None,
    ) -> Made[Job]:
        """Write a model and the job that trains it.

        Raises: NotFound, when the project or the dataset version in it does not exist; InvalidTable,
        when it has too few rows or nothing to learn; TooMany and Unavailable, over a quota.
        """

        async def make(session: AsyncSession) -> Job:
            await require_project(session, principal, project_id)
            version = await require_version(session, principal, dataset_version_id, project_id)
            check_trainable(version.num_rows, params.holdout_fraction)
            check_learnable(COLUMNS.validate_python(version.columns))
            await check_training(session, project_id, self._quotas)
            model = ModelRow(
                project_id=project_id,
                dataset_version_id=dataset_version_id,
                name=name,
                model_type=model_type,
                config=params.model_dump(mode="json"),
                resources=resources.model_dump(mode="json"),
            )
            session.add(model)
            await session.flush()
            return await self._enqueue(session, principal, model, JobType.TRAIN, model.config)

        async with self._sessions.writing() as session:
            return await once_only(session, principal, once, JOB, make)

    async def add_trained_model(
        self,
        principal: Principal,
        project_id: UUID,
        name: str,
        model_type: ModelType,
        config: dict[str, Any],
        trained: TrainedModel,
        once: Once | None = None,
    ) -> Made[Model]:
        """Register a model that was trained elsewhere: it is ready, and has no dataset.

        Raises: NotFound, for the project; TooMany, over a quota.
        """

        async def make(session: AsyncSession) -> Model:
            await require_project(session, principal, project_id)
            await check_storage(session, project_id, self._quotas, trained.artifact.size_bytes)
            row = to_artifact_row(trained.artifact)
            session.add(row)
            await session.flush()
            model = ModelRow(
                project_id=project_id,
                name=name,
                model_type=model_type,
                status=ModelStatus.READY,
                config=config,
                resources={},
                artifact_id=row.id,
                learned_columns=as_json(LEARNED_COLUMNS, trained.columns),
                chunk_rows=trained.chunk_rows,
                dataset_version=None,
            )
            session.add(model)
            await session.flush()
            await record(session, principal, Action.MODEL_IMPORT, model.id, project_id)
            return to_model(model)

        async with self._sessions.writing() as session:
            return await once_only(session, principal, once, MODEL, make)

    async def list_models(self, principal: Principal, project_id: UUID | None, limit: int, offset: int) -> Page[Model]:
        wanted = sees(principal, ModelRow.project_id)
        if project_id:
            wanted &= ModelRow.project_id == project_id
        newest = select(ModelRow).where(wanted).order_by(ModelRow.created_at.desc(), ModelRow.id)
        async with self._sessions.reading() as session:
            return await page(session, newest.options(*FULL_MODEL), limit, offset, to_model)

    async def get_model(self, principal: Principal, model_id: UUID) -> tuple[Model, tuple[Job, ...]]:
        """A model, and its newest generations and its training, newest first.

        Raises: NotFound.
        """
        of_model = select(JobRow).where(JobRow.model_id == model_id)
        generations = of_model.where(JobRow.job_type == JobType.GENERATE)
        newest = generations.order_by(JobRow.created_at.desc(), JobRow.id).limit(SHOWN_JOBS - 1)
        # A model's training is its first job, however many came after it.
        training = of_model.where(JobRow.job_type == JobType.TRAIN).order_by(JobRow.created_at).limit(1)
        async with self._sessions.reading() as session:
            row = await require_model(session, principal, model_id, *FULL_MODEL)
            asked = [one.options(*LISTED_JOB) for one in (newest, training)]
            jobs = [job for jobs in asked for job in await session.scalars(jobs)]
            return to_model(row), tuple(map(to_job, jobs))

    async def get_trained(self, principal: Principal, model_id: UUID) -> tuple[Model, Artifact]:
        """A ready model and its file. Raises: NotFound; Conflict, for one that is not ready."""
        async with self._sessions.reading() as session:
            its_file = joinedload(ModelRow.artifact).undefer(ArtifactRow.parts)
            row = await require_model(session, principal, model_id, *FULL_MODEL, its_file)
            if row.artifact is None:
                raise Conflict(_not_ready(row), "model_not_ready")
            return to_model(row), to_artifact(row.artifact)

    async def delete_model(self, principal: Principal, model_id: UUID) -> None:
        """Delete a model with its jobs, for good. Their files are erased soon after.

        A job that runs finds its row gone at its next heartbeat and stops.
        Raises: NotFound.
        """
        async with self._sessions.writing() as session:
            row = await require_model(session, principal, model_id)
            # Locked before the model, in a claim's order: neither waits for the other for ever.
            of_model = select(JobRow).where(JobRow.model_id == model_id).with_for_update().options(TO_ERASE)
            jobs = list(await session.scalars(of_model))
            artifact_ids = {row.artifact_id, *(job.artifact_id for job in jobs)}
            await erase_jobs(session, jobs, self._clock())
            await count_seconds(session, JobRow.model_id == model_id, JobRow.status.in_(UNFINISHED))
            await session.delete(row)
            await session.flush()
            await erase_artifacts(session, artifact_ids, self._clock())
            await record(session, principal, Action.MODEL_DELETE, model_id, row.project_id)


async def require_model(session: AsyncSession, principal: Principal, model_id: UUID, *more: Any) -> ModelRow:
    """`more` are options of what else to load. Raises: NotFound."""
    seen = select(ModelRow).where(ModelRow.id == model_id, sees(principal, ModelRow.project_id))
    row: ModelRow | None = await session.scalar(seen.options(*more))
    if row is None:
        raise NotFound.of("model")
    return row


async def require_ready(
    session: AsyncSession,
    principal: Principal,
    model_id: UUID,
    params: DrawParams,
    *more: Any,
    num_rows: int = 0,
    form: str = "",
) -> ModelRow:
    """A model from which so many such rows can be drawn, and written so; `more` are options of what else to load.

    Raises: NotFound; Conflict; InvalidRequest, for the conditions; TooLarge.
    """
    model = await require_model(session, principal, model_id, undefer(ModelRow.learned_columns), *more)
    check_asked(model, learned_by(model), params, num_rows, form)
    return model


def learned_by(model: ModelRow) -> tuple[LearnedColumn, ...]:
    """Raises: Conflict, if the model is not ready."""
    if model.status is not ModelStatus.READY:
        raise Conflict(_not_ready(model), "model_not_ready")
    return LEARNED_COLUMNS.validate_python(model.learned_columns)


def check_asked(
    model: ModelRow, columns: Sequence[LearnedColumn], params: DrawParams, num_rows: int, form: str
) -> None:
    """Raises: InvalidRequest, for the conditions; TooLarge."""
    check_conditions(params.conditions, params.distribution, columns)
    check_room(num_rows, model.chunk_rows or 1, columns, form)


def _not_ready(model: ModelRow) -> str:
    if model.status is ModelStatus.FAILED:
        return f"Model '{model.name}' failed to train: create it again."
    state = {ModelStatus.PENDING: "waits to be trained", ModelStatus.TRAINING: "is training"}[model.status]
    return f"Model '{model.name}' {state}: wait until its status is ready."
