"""Jobs: how they stand, and what they made."""

from typing import Any, Self
from uuid import UUID

from pydantic import ConfigDict

from synthgen_ray.api import examples
from synthgen_ray.api.schemas.common import Answer, Mirror, Moment, fields_of
from synthgen_ray.domain.entities import Job
from synthgen_ray.domain.lifecycle import JobStatus, JobType
from synthgen_ray.domain.params import ModelType


class JobErrorSchema(Mirror):
    code: str
    message: str
    retryable: bool

    @classmethod
    def find(cls, job: Job) -> Self | None:
        return cls.of(job.failure) if job.failure else None


class JobFacts(Answer):
    id: UUID
    model_id: UUID
    model_name: str
    model_type: ModelType
    job_type: JobType
    status: JobStatus
    config: dict[str, Any]
    created_at: Moment


class JobItem(JobFacts):
    model_config = ConfigDict(json_schema_extra=examples.example(examples.JOB_ITEM))

    error: JobErrorSchema | None

    @classmethod
    def of(cls, job: Job) -> Self:
        return cls(**fields_of(job, JobFacts), error=JobErrorSchema.find(job))


class JobResult(Answer):
    num_rows: int
    format: str
    size_bytes: int
    sha256: str

    @classmethod
    def find(cls, job: Job) -> Self | None:
        if job.artifact is None or job.job_type is not JobType.GENERATE:
            return None
        made = job.artifact
        return cls(num_rows=made.num_rows, format=job.output_format, size_bytes=made.size_bytes, sha256=made.sha256)


class JobDetail(JobItem):
    model_config = ConfigDict(json_schema_extra=examples.example(examples.JOB_DETAIL))

    project_name: str
    output_artifact_id: UUID | None
    background_job_id: UUID
    progress: float
    message: str
    losses: dict[str, float]
    cancelled: bool
    result: JobResult | None
    started_at: Moment | None
    finished_at: Moment | None
    eta_seconds: float | None

    @classmethod
    def of(cls, job: Job) -> Self:
        return cls(
            **fields_of(job, JobFacts),
            project_name=job.project_name,
            output_artifact_id=job.artifact.id if job.artifact and job.job_type is JobType.GENERATE else None,
            background_job_id=job.background_id,
            progress=job.progress.fraction,
            message=job.progress.message,
            losses=job.progress.losses,
            error=JobErrorSchema.find(job),
            cancelled=job.is_cancelled,
            result=JobResult.find(job),
            started_at=job.started_at,
            finished_at=job.finished_at,
            eta_seconds=job.seconds_left,
        )
