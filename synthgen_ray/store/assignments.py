"""What a claimed job works on."""

from dataclasses import replace
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload, undefer

from synthgen_ray.domain.columns import Column
from synthgen_ray.domain.entities import Artifact, Assignment, Job, Output
from synthgen_ray.domain.errors import Conflict, Gone, JobError
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.domain.outputs import rows_of
from synthgen_ray.domain.params import GenerateParams
from synthgen_ray.store.entities import CHECKPOINT, COLUMNS, LOSSES, to_artifact, to_job, to_model
from synthgen_ray.store.jobs import JOB_WITH_PARTS
from synthgen_ray.store.models import FULL_MODEL
from synthgen_ray.store.tables import ArtifactRow, DatasetVersionRow, JobRow, ModelRow


async def assignment_of(session: AsyncSession, row: JobRow) -> Assignment:
    """Raises: JobError, when what it needs is no longer there; ValueError, LookupError or TypeError, when its row
    cannot be read."""
    job = to_job(row)
    if job.job_type is JobType.TRAIN:
        return await _training(session, row, job)
    its = [joinedload(ModelRow.artifact).undefer(ArtifactRow.parts)]
    if job.job_type is JobType.REPORT:  # generations are claimed often, and do without
        its += [*FULL_MODEL, undefer(ModelRow.losses)]
    model = await session.get_one(ModelRow, job.model_id, options=its, populate_existing=True)
    if model.artifact is None:
        raise LookupError(f"model {model.id} is ready and has no artifact")
    assignment = Assignment(job, to_artifact(model.artifact), chunk_rows=model.chunk_rows or 0)
    if job.job_type is JobType.REPORT:
        return await _report(session, assignment, model)
    if job.dataset_version_id is None:
        return assignment
    table, columns = await _table(session, job.dataset_version_id)
    return replace(assignment, table=table, columns=columns)


async def _training(session: AsyncSession, row: JobRow, job: Job) -> Assignment:
    if row.model.dataset_version_id is None:
        raise LookupError(f"model {row.model.id} is in training and has no table")
    table, columns = await _table(session, row.model.dataset_version_id)
    checkpoint = CHECKPOINT.validate_python(row.checkpoint) if row.checkpoint else None
    return Assignment(job, table, columns=columns, resources=row.model.resources, checkpoint=checkpoint)


async def _report(session: AsyncSession, assignment: Assignment, model: ModelRow) -> Assignment:
    if model.dataset_version_id is None:
        raise LookupError(f"model {model.id} has a report and no table")
    table, columns = await _table(session, model.dataset_version_id)
    output = await _output(session, assignment.job)
    losses = LOSSES.validate_python(model.losses or ())
    return replace(assignment, table=table, columns=columns, model=to_model(model), output=output, losses=losses)


async def _output(session: AsyncSession, report: Job) -> Output | None:
    job_id = report.config["synthgen_job_id"]
    if job_id is None:
        return None
    row = await session.scalar(select(JobRow).where(JobRow.id == UUID(job_id)).options(*JOB_WITH_PARTS))
    if row is None:
        raise JobError("The generation was deleted before its turn came: generate again.", "generation_deleted")
    generation = to_job(row)
    try:
        rows = rows_of(generation)
    except (Conflict, Gone) as error:
        raise JobError(error.detail, error.code) from error
    asked = GenerateParams.model_validate(generation.config).conditions
    return Output(rows, generation.output_format, generation.seed, generation.is_csv_safe, asked)


async def _table(session: AsyncSession, version_id: UUID) -> tuple[Artifact, tuple[Column, ...]]:
    """Raises: JobError."""
    its = select(DatasetVersionRow).where(DatasetVersionRow.id == version_id)
    its_file = joinedload(DatasetVersionRow.artifact).undefer(ArtifactRow.parts)
    version: DatasetVersionRow | None = await session.scalar(its.options(its_file))
    if version is None:
        raise JobError("The dataset was deleted before its turn came: upload it again.", "dataset_deleted")
    return to_artifact(version.artifact), COLUMNS.validate_python(version.columns)
