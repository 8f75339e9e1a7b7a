"""Reports: what is asked for, and how they stand."""

from enum import StrEnum
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import ConfigDict, Field

from synthgen_ray.api import examples
from synthgen_ray.api.parameters import Id
from synthgen_ray.api.schemas.common import Answer, Mirror, Moment
from synthgen_ray.api.schemas.jobs import JobErrorSchema
from synthgen_ray.domain.entities import Job
from synthgen_ray.domain.lifecycle import JobStatus
from synthgen_ray.domain.params import Params
from synthgen_ray.domain.reports import ReportKind, ReportParams


class ReportStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


STATUS_OF = {
    JobStatus.PENDING: ReportStatus.QUEUED,
    JobStatus.RUNNING: ReportStatus.RUNNING,
    JobStatus.COMPLETED: ReportStatus.SUCCEEDED,
    JobStatus.FAILED: ReportStatus.FAILED,
}


class ReportCreate(Params):
    model_config = ConfigDict(json_schema_extra=examples.example(examples.REPORT_CREATE))

    project_id: Id
    kind: Annotated[ReportKind, Field(strict=False)] = Field(description="What is judged: the rows of a model.")
    entity_id: Id = Field(description="The model.")
    options: ReportParams | None = Field(
        None, description="Which of its rows are judged, and what they are to be used for."
    )


class ReportScoresSchema(Mirror):
    """A score that these tables do not have is null. The JSON of the report says what each is, and how sure."""

    verdict: str
    column_shapes: float | None
    pair_trends: float | None
    detection_auc: float | None
    utility: float | None
    utility_real: float | None
    copies: float | None
    distance_share: float | None


class ReportSchema(Answer):
    """`id` is that of its job, by which it is cancelled."""

    model_config = ConfigDict(json_schema_extra=examples.example(examples.REPORT))

    id: UUID
    project_id: UUID
    kind: ReportKind
    entity_id: UUID
    status: ReportStatus
    options: dict[str, Any]
    progress: float
    message: str
    eta_seconds: float | None
    error: JobErrorSchema | None
    scores: ReportScoresSchema | None
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None

    @classmethod
    def of(cls, job: Job) -> Self:
        return cls(
            id=job.id,
            project_id=job.project_id,
            kind=ReportKind.SYNTHGEN,
            entity_id=job.model_id,
            status=STATUS_OF[job.status],
            options=job.config,
            progress=job.progress.fraction,
            message=job.progress.message,
            eta_seconds=job.seconds_left,
            error=JobErrorSchema.find(job),
            scores=ReportScoresSchema.of(job.scores) if job.scores else None,
            created_at=job.created_at,
            started_at=job.started_at,
            finished_at=job.finished_at,
        )
