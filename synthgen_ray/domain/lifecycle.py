"""The statuses of models and jobs, and the only moves between them."""

from datetime import timedelta
from enum import StrEnum
from uuid import UUID

# How long a running job is its worker's without a sign of life.
LEASE = timedelta(seconds=60)
# How long work that found a store away rests, by how often it did, which counts for nothing: an outage of a moment is
# not to end hours of it.
AWAY_RESTS = (timedelta(seconds=5), timedelta(seconds=30), timedelta(seconds=120))
REPORT_EVERY_S = 0.5  # its progress, at most
# A job, and which of its attempts: the fencing token of all that is written after a claim.
Attempt = tuple[UUID, int]
# Who holds leases where a data directory, and so its database, has one server.
LOCAL = "local"


class ModelStatus(StrEnum):
    PENDING = "pending"  # its training job waits for a free slot
    TRAINING = "training"  # its training job runs
    READY = "ready"  # its file is on disk and can be sampled; final
    FAILED = "failed"  # its training failed or was cancelled; final


class JobType(StrEnum):
    TRAIN = "train"
    GENERATE = "generate"
    REPORT = "report"  # how good and how private a model's rows are
    BATCH = "batch"  # a `synthgen_ray.batch`, which runs by itself and is only shown here


# What waits for a dispatcher.
QUEUED = (JobType.TRAIN, JobType.GENERATE, JobType.REPORT)
# How long after it was asked for a job must have ended.
DEADLINES: dict[JobType, timedelta] = {**dict.fromkeys(QUEUED, timedelta(hours=6)), JobType.BATCH: timedelta(days=90)}


class JobStatus(StrEnum):
    PENDING = "pending"  # written by the API, waits for a free slot
    RUNNING = "running"  # claimed by a dispatcher that renews its lease
    COMPLETED = "completed"  # its artifact is published; final
    FAILED = "failed"  # `error` says why; final

    @property
    def is_final(self) -> bool:
        return not JOB_MOVES[self]


JOB_MOVES: dict[JobStatus, frozenset[JobStatus]] = {
    JobStatus.PENDING: frozenset({JobStatus.RUNNING, JobStatus.FAILED}),
    # Back to pending when the worker behind a job is lost and it has attempts left.
    JobStatus.RUNNING: frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.PENDING}),
    JobStatus.COMPLETED: frozenset(),
    JobStatus.FAILED: frozenset(),
}
UNFINISHED = tuple(status for status in JobStatus if not status.is_final)

# What the status of a training job says about the model it trains.
MODEL_STATUS_OF: dict[JobStatus, ModelStatus] = {
    JobStatus.PENDING: ModelStatus.PENDING,
    JobStatus.RUNNING: ModelStatus.TRAINING,
    JobStatus.COMPLETED: ModelStatus.READY,
    JobStatus.FAILED: ModelStatus.FAILED,
}
