"""Rows into entities, and values into JSON columns and back."""

from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import inspect

from synthgen_ray.domain.columns import Column, LearnedColumn
from synthgen_ray.domain.entities import (
    Artifact,
    ArtifactSummary,
    Dataset,
    DatasetVersion,
    Job,
    JobFailure,
    LossCurve,
    Model,
    Part,
    Progress,
    Project,
    Quality,
    VersionSummary,
)
from synthgen_ray.domain.reports import ReportScores
from synthgen_ray.store.tables import ArtifactRow, DatasetRow, DatasetVersionRow, JobRow, ModelRow, ProjectRow

COLUMNS = TypeAdapter(tuple[Column, ...])
LEARNED_COLUMNS = TypeAdapter(tuple[LearnedColumn, ...])
PARTS = TypeAdapter(tuple[Part, ...])
CHECKPOINT = TypeAdapter(Artifact)
QUALITY = TypeAdapter(Quality)
LOSSES = TypeAdapter(LossCurve)
SCORES = TypeAdapter(ReportScores)


def as_json(adapter: TypeAdapter[Any], value: Any) -> Any:
    return adapter.dump_python(value, mode="json")


def to_artifact_row(artifact: Artifact) -> ArtifactRow:
    return ArtifactRow(
        id=artifact.id,
        location=artifact.location,
        parts=as_json(PARTS, artifact.parts),
        sha256=artifact.sha256,
        num_rows=artifact.num_rows,
        size_bytes=artifact.size_bytes,
    )


def to_artifact(row: ArtifactRow) -> Artifact:
    """Needs `parts` loaded."""
    return Artifact(id=row.id, location=row.location, parts=PARTS.validate_python(row.parts), sha256=row.sha256)


def to_project(row: ProjectRow) -> Project:
    return Project(id=row.id, name=row.name, description=row.description, created_at=row.created_at)


def to_version(row: DatasetVersionRow) -> DatasetVersion:
    """Needs `dataset` and `artifact` loaded."""
    return DatasetVersion(
        id=row.id,
        dataset_id=row.dataset_id,
        dataset_name=row.dataset.name,
        project_id=row.dataset.project_id,
        version=row.version,
        artifact_id=row.artifact_id,
        num_rows=row.num_rows,
        size_bytes=row.artifact.size_bytes,
        columns=COLUMNS.validate_python(row.columns),
        warnings=tuple(row.warnings),
        created_at=row.created_at,
    )


def to_dataset(row: DatasetRow, latest: VersionSummary) -> Dataset:
    return Dataset(
        id=row.id,
        project_id=row.project_id,
        name=row.name,
        description=row.description,
        created_at=row.created_at,
        latest=latest,
    )


def to_model(row: ModelRow) -> Model:
    """Needs `dataset_version` and its `dataset` loaded."""
    version = row.dataset_version
    return Model(
        id=row.id,
        project_id=row.project_id,
        name=row.name,
        model_type=row.model_type,
        status=row.status,
        config=row.config,
        resources=row.resources,
        dataset_id=version.dataset_id if version else None,
        dataset_name=version.dataset.name if version else None,
        dataset_version=version.version if version else None,
        dataset_version_id=row.dataset_version_id,
        artifact_id=row.artifact_id,
        created_at=row.created_at,
        quality=QUALITY.validate_python(row.quality) if row.quality else None,
    )


def to_job(row: JobRow) -> Job:
    """Needs `artifact`, `model` and its `project` loaded; of its file and its config no more is told than was."""
    is_listed = "config" in inspect(row).unloaded
    return Job(
        id=row.id,
        background_id=row.background_id,
        project_id=row.project_id,
        project_name=row.model.project.name,
        model_id=row.model_id,
        model_name=row.model.name,
        model_type=row.model.model_type,
        job_type=row.job_type,
        status=row.status,
        config=(row.short_config or {}) if is_listed else row.config,
        attempt=row.attempt,
        progress=Progress(row.progress, row.message, row.losses, row.seconds, seconds_lost=row.seconds_lost),
        failure=_failure(row),
        artifact=_kept(row.artifact) if row.artifact else None,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        scores=SCORES.validate_python(row.scores) if row.scores else None,
    )


def _kept(row: ArtifactRow) -> Artifact | ArtifactSummary:
    if "parts" not in inspect(row).unloaded:
        return to_artifact(row)
    return ArtifactSummary(id=row.id, num_rows=row.num_rows, size_bytes=row.size_bytes, sha256=row.sha256)


def _failure(row: JobRow) -> JobFailure | None:
    if row.error_code is None:
        return None
    return JobFailure(row.error_code, row.error_message or "", bool(row.error_retryable))
