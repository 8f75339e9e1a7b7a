"""Queries on models."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from synthgen_ray.domain.columns import check_trainable
from synthgen_ray.domain.entities import Job, Model, Page, job_folder
from synthgen_ray.domain.errors import NotFound
from synthgen_ray.domain.lifecycle import LEASE, JobType
from synthgen_ray.domain.params import ModelType, Resources, TrainParams
from synthgen_ray.store.datasets import require_version
from synthgen_ray.store.entities import to_job, to_model
from synthgen_ray.store.erasures import erase_later
from synthgen_ray.store.jobs import FULL_JOB, load_job
from synthgen_ray.store.projects import require_project
from synthgen_ray.store.sessions import Sessions
from synthgen_ray.store.tables import ArtifactRow, DatasetVersionRow, JobRow, ModelRow

# All that a Model shows, in one query.
FULL_MODEL = (joinedload(ModelRow.dataset_version).joinedload(DatasetVersionRow.dataset),)


class Models:
    _sessions: Sessions

    async def create_model(
        self,
        project_id: UUID,
        dataset_version_id: UUID,
        name: str,
        model_type: ModelType,
        params: TrainParams,
        resources: Resources,
    ) -> Job:
        """Write a model and the job that trains it.

        Raises: NotFound, when the project or the dataset version in it does not exist; InvalidTable,
        when it has too few rows.
        """
        async with self._sessions.writing() as session:
            await require_project(session, project_id)
            version = await require_version(session, dataset_version_id, project_id)
            check_trainable(version.num_rows)
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
            job = JobRow(model_id=model.id, job_type=JobType.TRAIN, config=model.config)
            session.add(job)
            await session.flush()
            return to_job(await load_job(session, job.id))

    async def list_models(self, project_id: UUID | None, limit: int, offset: int) -> Page[Model]:
        wanted = ModelRow.project_id == project_id if project_id else true()
        newest = select(ModelRow).where(wanted).order_by(ModelRow.created_at.desc(), ModelRow.id)
        async with self._sessions.reading() as session:
            total = await session.scalar(select(func.count()).select_from(ModelRow).where(wanted))
            rows = await session.scalars(newest.limit(limit).offset(offset).options(*FULL_MODEL))
            return Page(tuple(map(to_model, rows)), total or 0)

    async def get_model(self, model_id: UUID) -> tuple[Model, tuple[Job, ...]]:
        """A model and its jobs, newest first.

        Raises: NotFound.
        """
        newest = select(JobRow).where(JobRow.model_id == model_id).order_by(JobRow.created_at.desc(), JobRow.id)
        async with self._sessions.reading() as session:
            row = await require_model(session, model_id)
            jobs = await session.scalars(newest.options(*FULL_JOB))
            return to_model(row), tuple(map(to_job, jobs))

    async def delete_model(self, model_id: UUID) -> None:
        """Delete a model with its jobs, for good. Their files are erased soon after.

        A job that runs finds its row gone at its next heartbeat and stops.
        Raises: NotFound.
        """
        async with self._sessions.writing() as session:
            row = await require_model(session, model_id)
            jobs = list(await session.scalars(select(JobRow).where(JobRow.model_id == model_id)))
            artifact_ids = [job.artifact_id for job in jobs if job.artifact_id]
            for job in jobs:
                # A worker may still write: its files are gone once its lease would be.
                await erase_later(session, job_folder(job.id), timedelta(0) if job.status.is_final else LEASE)
            await session.delete(row)
            await session.flush()
            await session.execute(delete(ArtifactRow).where(ArtifactRow.id.in_(artifact_ids)))


async def require_model(session: AsyncSession, model_id: UUID) -> ModelRow:
    row = await session.get(ModelRow, model_id, options=FULL_MODEL)
    if row is None:
        raise NotFound.of("model")
    return row
