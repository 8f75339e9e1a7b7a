"""What the system keeps, as plain values that travel between processes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Self, TypeVar
from uuid import UUID

from synthgen_ray.domain.access import Principal
from synthgen_ray.domain.columns import Column, LearnedColumn
from synthgen_ray.domain.lifecycle import JobStatus, JobType, ModelStatus
from synthgen_ray.domain.params import Condition, ModelType, OutputFormat, SampleFormat, SampleParams
from synthgen_ray.domain.quotas import Quotas
from synthgen_ray.domain.reports import ReportScores

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """A slice of a list, newest first, and how many there are in all."""

    items: tuple[T, ...]
    total: int


@dataclass(frozen=True)
class Project:
    id: UUID
    name: str
    description: str
    created_at: datetime


@dataclass(frozen=True)
class Usage:
    """What a project has made so far, and what it holds now."""

    generated_rows: int
    training_seconds: float
    storage_bytes: int
    pending_jobs: int
    quotas: Quotas


@dataclass(frozen=True)
class DatasetVersion:
    """One immutable table of a dataset: a canonical Parquet file and what is known of its columns."""

    id: UUID
    dataset_id: UUID
    dataset_name: str
    project_id: UUID
    version: int  # 0 for a dataset's first
    artifact_id: UUID
    num_rows: int
    size_bytes: int
    columns: tuple[Column, ...]
    warnings: tuple[str, ...]
    created_at: datetime

    @property
    def num_columns(self) -> int:
        return len(self.columns)


@dataclass(frozen=True)
class VersionSummary:
    """A version without what is known of its columns, of which a list would hold hundreds of thousands."""

    id: UUID
    dataset_id: UUID
    version: int
    num_rows: int
    num_columns: int
    size_bytes: int
    created_at: datetime


@dataclass(frozen=True)
class Dataset:
    id: UUID
    project_id: UUID
    name: str
    description: str
    created_at: datetime
    latest: VersionSummary


@dataclass(frozen=True)
class Quality:
    """How like the table a model's rows are, as its training estimates in the end: each from 0 to 1, `None` where no
    column, or no pair, can be compared."""

    column_shapes: float | None
    pair_trends: float | None


@dataclass(frozen=True)
class Model:
    id: UUID
    project_id: UUID
    name: str
    model_type: ModelType
    status: ModelStatus
    config: dict[str, Any]
    resources: dict[str, Any]
    dataset_id: UUID | None  # as the three below, None of a model that was imported
    dataset_name: str | None
    dataset_version: int | None
    dataset_version_id: UUID | None
    artifact_id: UUID | None
    created_at: datetime
    quality: Quality | None = None  # None of one that was imported, or trained before there was an estimate


@dataclass(frozen=True)
class Part:
    """One piece of an output, written by one worker. Parts in order make the whole."""

    name: str
    num_rows: int
    size_bytes: int


@dataclass(frozen=True)
class Artifact:
    """A published file: `parts` in the folder `location`, in order. `sha256` is of all bytes."""

    id: UUID
    location: str
    parts: tuple[Part, ...]
    sha256: str

    @property
    def size_bytes(self) -> int:
        return sum(part.size_bytes for part in self.parts)

    @property
    def num_rows(self) -> int:
        return sum(part.num_rows for part in self.parts)


@dataclass(frozen=True)
class ArtifactSummary:
    """What is told of a published file to who does not read it."""

    id: UUID
    num_rows: int
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class JobFailure:
    """Why a job failed. `code` is stable; `message` is for people and holds no table value."""

    code: str
    message: str
    retryable: bool = False


# The losses of a training by name, at some of its epochs.
LossCurve = tuple[tuple[int, dict[str, float]], ...]
CANCELLED = JobFailure("cancelled", "The job was cancelled.")
BATCH_STOPPED = JobFailure("batch_stopped", "The batch stopped before its end: --resume goes on with it.", True)


@dataclass(frozen=True)
class Progress:
    """How far a job is, from 0 to 1, after so many seconds of its attempt; of a training its latest losses by name, its
    seconds in all its attempts, and how many of them went into work that it does not go on with."""

    fraction: float
    message: str = ""
    losses: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    epochs: int = 0  # of a training, that have ended since the last time
    seconds_lost: float = 0.0

    @classmethod
    def of_rows(cls, made: int, wanted: int, seconds: float = 0.0) -> Self:
        return cls(made / wanted, f"{made:,} of {wanted:,} rows", seconds=seconds)


@dataclass(frozen=True)
class Job:
    id: UUID
    background_id: UUID
    project_id: UUID
    project_name: str
    model_id: UUID
    model_name: str
    model_type: ModelType
    job_type: JobType
    status: JobStatus
    config: dict[str, Any]
    attempt: int  # fences: a write that names an older attempt changes nothing
    progress: Progress
    failure: JobFailure | None
    artifact: Artifact | ArtifactSummary | None  # a summary in lists and at a look
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    scores: ReportScores | None = None  # of a report that is completed

    @property
    def folder(self) -> str:
        """Where this attempt writes, under the root of the artifacts."""
        return attempt_folder(self.id, self.attempt)

    @property
    def parts_folder(self) -> str:
        """Where this attempt keeps what it knows of its parts until they are one file."""
        return parts_folder(self.id, self.attempt)

    @property
    def seconds_left(self) -> float | None:
        """At the pace of what is done; `None` before there is one, and once the job has ended."""
        done, seconds = self.progress.fraction, self.progress.seconds - self.progress.seconds_lost
        too_early = done < 0.05  # the start-up of the workers is all there is to go by
        if self.status is not JobStatus.RUNNING or too_early or not seconds:
            return None
        return round(seconds * (1 - done) / done, 1)

    @property
    def is_cancelled(self) -> bool:
        return self.failure is not None and self.failure.code == CANCELLED.code

    @property
    def output_format(self) -> OutputFormat:
        return OutputFormat(self.config["format"])

    @property
    def is_csv_safe(self) -> bool:
        return bool(self.config.get("csv_safe", False))

    @property
    def dataset_version_id(self) -> UUID | None:
        """Of the table whose gaps it fills; `None` of all but imputations."""
        given = self.config.get("dataset_version_id")
        return None if given is None else UUID(given)

    @property
    def seed(self) -> int:
        """The seed that the caller gave, else one that each attempt of this job agrees on."""
        given: int | None = self.config["seed"]
        return self.id.int % 2**32 if given is None else given


MODEL_FILE = "model.synthgen"  # in the folder of its artifact
# The folders under the root of the artifacts, and how many steps lead to one that a row names.
FOLDERS = {"datasets": 2, "models": 2, "jobs": 3}


def job_folder(job_id: UUID) -> str:
    """Where all attempts of a job write, under the root of the artifacts."""
    return f"jobs/{job_id}"


def checkpoints_folder(job_id: UUID) -> str:
    """Where the attempts of a training leave what the next one goes on from. Not in an attempt's own folder, which is
    erased while the next one may still wait for its turn."""
    return f"{job_folder(job_id)}/checkpoints"


def attempt_folder(job_id: UUID, attempt: int) -> str:
    """Where one attempt writes: an older one that is still alive spoils nothing."""
    return f"{job_folder(job_id)}/{attempt}"


def parts_folder(job_id: UUID, attempt: int) -> str:
    """Of what is not published, but joined; erased once the job is done."""
    return f"{attempt_folder(job_id, attempt)}/parts"


@dataclass(frozen=True)
class Output:
    """The rows that a generation made."""

    artifact: Artifact
    format: OutputFormat
    seed: int
    is_csv_safe: bool = False
    conditions: Mapping[str, Condition] = field(default_factory=dict)  # that its rows were made under


@dataclass(frozen=True)
class Assignment:
    """A claimed job, and the file it works on: a dataset's table to learn, or a model to sample, fill with or judge."""

    job: Job
    source: Artifact
    columns: tuple[Column, ...] = ()  # of the table
    resources: dict[str, Any] = field(default_factory=dict)
    chunk_rows: int = 0  # of the model
    table: Artifact | None = None  # to fill, or that the model of a report has learnt
    model: Model | None = None  # that a report is of
    losses: LossCurve = ()  # of its training
    output: Output | None = None  # to judge, where a report does not draw rows itself
    checkpoint: Artifact | None = None  # of an earlier attempt at this training


@dataclass(frozen=True)
class DrawRequest:
    """Rows that somebody asks for at once."""

    principal: Principal
    model_id: UUID
    params: SampleParams
    format: SampleFormat = SampleFormat.JSON


@dataclass(frozen=True)
class Draw:
    """Rows that are wanted at once, of one model."""

    model_id: UUID
    source: Artifact  # its file
    chunks: tuple[tuple[int, int], ...]  # (index of the chunk, its rows)
    seed: int
    params: SampleParams
    format: SampleFormat


@dataclass(frozen=True)
class TrainedModel:
    """What a training leaves behind: where its file is and what it can be asked for."""

    artifact: Artifact
    columns: tuple[LearnedColumn, ...]
    chunk_rows: int
    quality: Quality | None = None
    losses: LossCurve = ()
    seconds: float = 0.0  # of training, in all attempts


@dataclass(frozen=True)
class MadeReport:
    """What a report leaves behind: its files, and the few numbers that its row shows."""

    artifact: Artifact
    scores: ReportScores
