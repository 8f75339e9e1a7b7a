"""How the server is, and what it is at."""

from typing import Self
from uuid import UUID

from pydantic import ConfigDict, Field

from synthgen_ray.api import examples
from synthgen_ray.api.checks import Component, Health
from synthgen_ray.api.schemas.common import Answer, Mirror, Moment, fields_of
from synthgen_ray.api.schemas.jobs import JobErrorSchema
from synthgen_ray.artifacts.scratch import Room
from synthgen_ray.domain.entities import Job
from synthgen_ray.domain.lifecycle import JobStatus, JobType
from synthgen_ray.service.status import Activity
from synthgen_ray.store.figures import QueueFigures


class CheckSchema(Mirror):
    name: Component
    ok: bool
    code: str | None
    detail: str | None


class RoomSchema(Mirror):
    free_bytes: int
    total_bytes: int
    needed_bytes: int = Field(description="Uploads are refused while less is free.")


class QueueSchema(Answer):
    job_type: JobType
    pending: int
    running: int
    completed: int
    failed: int = Field(description="Cancelled ones are among them.")
    oldest_pending_seconds: float | None

    @classmethod
    def of(cls, figures: QueueFigures, job_type: JobType) -> Self:
        counts = {status: figures.jobs[job_type, status] for status in JobStatus}
        age = figures.oldest_pending[job_type].total_seconds()
        oldest = round(age, 1) if counts[JobStatus.PENDING] else None
        return cls(job_type=job_type, **counts, oldest_pending_seconds=oldest)


class StatusJob(Answer):
    """What is told of a job, whether it runs or has failed."""

    id: UUID
    job_type: JobType
    model_id: UUID
    model_name: str
    project_id: UUID
    project_name: str
    attempt: int


class RunningJob(StatusJob):
    progress: float
    message: str
    started_at: Moment | None
    eta_seconds: float | None

    @classmethod
    def of(cls, job: Job) -> Self:
        return cls(
            **fields_of(job, StatusJob),
            progress=job.progress.fraction,
            message=job.progress.message,
            started_at=job.started_at,
            eta_seconds=job.seconds_left,
        )


class FailedJob(StatusJob):
    finished_at: Moment | None
    error: JobErrorSchema | None

    @classmethod
    def of(cls, job: Job) -> Self:
        return cls(**fields_of(job, StatusJob), finished_at=job.finished_at, error=JobErrorSchema.find(job))


class Status(Answer):
    """`queue`, `running` and `failed` are null while the store cannot tell."""

    model_config = ConfigDict(json_schema_extra=examples.example(examples.STATUS))

    version: str
    checks: list[CheckSchema]
    disk: RoomSchema | None = Field(description="Of the machine that answered, where it keeps what it works on.")
    queue: list[QueueSchema] | None
    running: list[RunningJob] | None = Field(description="Newest first, 50 at most.")
    failed: list[FailedJob] | None = Field(description="The last 10, newest first, without cancelled ones.")

    @classmethod
    def of(cls, version: str, healths: list[Health], room: Room | None, activity: Activity | None) -> Self:
        return cls(
            version=version,
            checks=[CheckSchema.of(health) for health in healths],
            disk=RoomSchema.of(room) if room else None,
            queue=[QueueSchema.of(activity.queue, kind) for kind in JobType] if activity else None,
            running=[RunningJob.of(job) for job in activity.running] if activity else None,
            failed=[FailedJob.of(job) for job in activity.failed] if activity else None,
        )
