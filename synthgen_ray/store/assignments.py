"""What a claimed job works on."""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from pydantic import Field, TypeAdapter
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload, undefer

from synthgen_ray.domain.columns import Column
from synthgen_ray.domain.entities import Artifact, Assignment, Job, Output
from synthgen_ray.domain.errors import Conflict, Gone, JobError
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.domain.outputs import rows_of
from synthgen_ray.domain.params import TRAIN_PARAMS, GenerateParams, ImputeParams, Resources
from synthgen_ray.domain.reports import ReportParams
from synthgen_ray.store.entities import CHECKPOINT, COLUMNS, LOSSES, to_artifact, to_job, to_model
from synthgen_ray.store.jobs import JOB_WITH_PARTS
from synthgen_ray.store.models import FULL_MODEL
from synthgen_ray.store.tables import ArtifactRow, DatasetVersionRow, JobRow, ModelRow

_NUM_ROWS = TypeAdapter(Annotated[int, Field(strict=True, ge=1)])
# What the config of a job always says, of whatever release it is.
_WRITTEN: dict[JobType, frozenset[str]] = {
    JobType.TRAIN: frozenset({"seed"}),
    JobType.GENERATE: frozenset({"num_rows", "format", "seed"}),
    JobType.REPORT: frozenset({"synthgen_job_id", "seed"}),
}


async def assignment_of(session: AsyncSession, row: JobRow) -> Assignment:
    """Raises: JobError, when what it needs is no longer there; ValueError, LookupError or TypeError, when its row
    cannot be read."""
    job = to_job(row)
    _check_config(job)
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


def _check_config(job: Job) -> None:
    """Whoever works with a claimed job relies on it.

    Raises: ValueError, LookupError or TypeError, for what no call has written there.
    """
    if not isinstance(job.config, dict):
        raise TypeError(f"the config of job {job.id} is no object")
    if missing := _WRITTEN[job.job_type] - job.config.keys():
        raise LookupError(f"the config of job {job.id} is without {sorted(missing)}")
    if job.job_type is JobType.TRAIN:
        TRAIN_PARAMS[job.model_type].model_validate(job.config)
    elif job.job_type is JobType.REPORT:
        ReportParams.model_validate(job.config, strict=False)
    elif job.config.get("dataset_version_id") is None:
        GenerateParams.model_validate(job.config)
    else:
        asked = {**job.config}
        _NUM_ROWS.validate_python(asked.pop("num_rows"))
        ImputeParams.model_validate(asked)


async def _training(session: AsyncSession, row: JobRow, job: Job) -> Assignment:
    if row.model.dataset_version_id is None:
        raise LookupError(f"model {row.model.id} is in training and has no table")
    table, columns = await _table(session, row.model.dataset_version_id)
    Resources.model_validate(row.model.resources)
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
