"""JSON in and out. Requests refuse what they do not know; answers have no defaults, so that a
client can rely on every field."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Self, TypeVar
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    Json,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
    field_validator,
)
from pydantic_core import PydanticCustomError

from synthgen_ray.api import examples
from synthgen_ray.api.parameters import Id
from synthgen_ray.api.rate_limits import RateLimits
from synthgen_ray.api.request_limits import RequestLimits
from synthgen_ray.datasets.limits import UploadLimits
from synthgen_ray.domain.access import ApiKey, Role
from synthgen_ray.domain.columns import ColumnKind
from synthgen_ray.domain.corrections import SchemaCorrection
from synthgen_ray.domain.entities import Dataset, DatasetVersion, Job, Model, Page
from synthgen_ray.domain.lifecycle import JobStatus, JobType, ModelStatus
from synthgen_ray.domain.params import MAX_CONDITIONS, MAX_ROWS, ModelType, Params, Resources

T = TypeVar("T")


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Moment = Annotated[datetime, PlainSerializer(_utc, return_type=str)]
# One line that shows something: no control characters, not only blanks.
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$"),
]
Description = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")]


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Mirror(Answer):
    """An answer whose fields are those of an entity, under the same names."""

    @classmethod
    def of(cls, entity: object) -> Self:
        return cls.model_validate(entity, from_attributes=True)


class Listed(Answer, Generic[T]):
    """A page of a list, newest first."""

    items: list[T]
    total: int
    limit: int
    offset: int


def listed(page: Page[Any], show: Callable[[Any], T], limit: int, offset: int) -> Listed[T]:
    return Listed(items=[show(item) for item in page.items], total=page.total, limit=limit, offset=offset)


class ProjectCreate(Params):
    model_config = ConfigDict(json_schema_extra=examples.example({"name": "Bank", "description": "Card payments"}))

    name: Name
    description: Description = ""


class ProjectSchema(Mirror):
    model_config = ConfigDict(json_schema_extra=examples.example(examples.PROJECT))

    id: UUID
    name: str
    description: str
    created_at: Moment


class ProjectChange(Params):
    model_config = ConfigDict(json_schema_extra=examples.example({"name": "Bank of Kiel"}))

    name: Name | None = None
    description: Description | None = None


class ProjectDeleted(Answer):
    model_config = ConfigDict(json_schema_extra=examples.example({"ok": True, "project_id": examples.PROJECT_ID}))

    ok: bool
    project_id: UUID


class QuotasSchema(Mirror):
    pending_jobs: int | None
    storage_bytes: int | None
    generated_rows: int | None
    training_seconds: float | None


class UsageSchema(Mirror):
    """What was made so far; storage and waiting jobs as they are now."""

    model_config = ConfigDict(json_schema_extra=examples.example(examples.USAGE))

    generated_rows: int
    training_seconds: float
    storage_bytes: int
    pending_jobs: int
    quotas: QuotasSchema


class KeyCreate(Params):
    model_config = ConfigDict(json_schema_extra=examples.example(examples.KEY_CREATE))

    name: Name
    role: Annotated[Role, Field(strict=False)]
    project_ids: list[Id] | None = Field(
        None, min_length=1, max_length=1000, description="The projects that the key is bound to; null for all."
    )
    expires_at: AwareDatetime | None = Field(None, strict=False, description="When it ends to work; null for never.")

    @field_validator("expires_at")
    @classmethod
    def _lies_ahead(cls, moment: datetime | None) -> datetime | None:
        if moment is not None and moment <= datetime.now(UTC):
            raise PydanticCustomError("out_of_range", "must lie in the future")
        return moment


class KeySchema(Answer):
    model_config = ConfigDict(json_schema_extra=examples.example(examples.KEY))

    id: UUID
    name: str
    role: Role
    project_ids: list[UUID] | None
    created_at: Moment
    expires_at: Moment | None

    @classmethod
    def of(cls, key: ApiKey) -> Self:
        return cls(**_key_fields(key))


class KeyCreated(KeySchema):
    """`key` is shown this once."""

    model_config = ConfigDict(json_schema_extra=examples.example(examples.KEY_CREATED))

    key: str

    @classmethod
    def of_new(cls, made: ApiKey, key: str) -> Self:
        return cls(**_key_fields(made), key=key)


class KeyDeleted(Answer):
    model_config = ConfigDict(json_schema_extra=examples.example({"ok": True, "key_id": examples.KEY_ID}))

    ok: bool
    key_id: UUID


class UploadLimitsSchema(Mirror):
    max_bytes: int
    max_decoded_bytes: int
    max_rows: int
    max_columns: int
    max_cell_bytes: int


class GenerateLimits(Answer):
    max_rows: int
    max_conditions: int


class RequestLimitsSchema(Mirror):
    url_bytes: int
    headers: int
    headers_bytes: int
    idempotency_key_chars: int
    json_bytes: int
    json_depth: int
    json_keys: int


class RateLimitsSchema(Mirror):
    """Of each ingress process; `null` is without end."""

    requests_per_second: float | None
    burst: int
    wrong_keys_per_minute: int | None


class Limits(Answer):
    model_config = ConfigDict(json_schema_extra=examples.example(examples.LIMITS))

    request: RequestLimitsSchema
    rate: RateLimitsSchema
    upload: UploadLimitsSchema
    generate: GenerateLimits

    @classmethod
    def of(cls, request: RequestLimits, rate: RateLimits, upload: UploadLimits) -> Self:
        return cls(
            request=RequestLimitsSchema.of(request),
            rate=RateLimitsSchema.of(rate),
            upload=UploadLimitsSchema.of(upload),
            generate=GenerateLimits(max_rows=MAX_ROWS, max_conditions=MAX_CONDITIONS),
        )


class ColumnSchema(Mirror):
    model_config = ConfigDict(json_schema_extra=examples.example(examples.COLUMN))

    name: str
    kind: ColumnKind
    nullable: bool
    unique: bool
    cardinality: int
    pii: str | None
    format: str | None


JSON_TEXT = WithJsonSchema({"type": "string", "contentMediaType": "application/json"})


class UploadForm(Params):
    """The texts beside an uploaded file."""

    project_id: Id = Field(description="The project it belongs to.", examples=[examples.PROJECT_ID])
    name: Name = Field(description="Name of the dataset.", examples=["payments"])
    description: Description = ""
    dataset_id: Id | None = Field(None, description="Add a version to this dataset.")
    correction: Annotated[Json[SchemaCorrection] | None, JSON_TEXT] = Field(
        None,
        alias="schema",
        description="As JSON, what the columns are where inference would guess otherwise.",
        examples=['{"columns": {"zip": {"kind": "text"}}, "primary_key": "account"}'],
    )


class VersionFetch(Params):
    model_config = ConfigDict(json_schema_extra=examples.example({"uri": "s3://tables/payments.parquet"}))

    uri: Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class ImportForm(Params):
    """The texts beside a model's file."""

    project_id: Id = Field(description="The project it is to belong to.", examples=[examples.PROJECT_ID])
    name: Name = Field(description="Name of the model.", examples=["Transactions"])


class UploadAccepted(Answer):
    """`id` is the dataset's, as is `dataset_id`; a model trains on `dataset_version_id`."""

    model_config = ConfigDict(json_schema_extra=examples.example(examples.UPLOAD))

    id: UUID
    dataset_id: UUID
    dataset_version_id: UUID
    version: int
    artifact_id: UUID
    num_rows: int
    num_columns: int
    columns: list[ColumnSchema]
    warnings: list[str]

    @classmethod
    def of(cls, version: DatasetVersion) -> Self:
        return cls(
            id=version.dataset_id,
            dataset_id=version.dataset_id,
            dataset_version_id=version.id,
            version=version.version,
            artifact_id=version.artifact_id,
            num_rows=version.num_rows,
            num_columns=len(version.columns),
            columns=[ColumnSchema.of(column) for column in version.columns],
            warnings=list(version.warnings),
        )


class DatasetSchema(Answer):
    """A dataset, with the ids and the size of its latest version."""

    model_config = ConfigDict(json_schema_extra=examples.example(examples.DATASET))

    id: UUID
    project_id: UUID
    name: str
    description: str
    dataset_version_id: UUID
    version: int
    num_rows: int
    num_columns: int
    size_bytes: int
    created_at: Moment

    @classmethod
    def of(cls, dataset: Dataset) -> Self:
        latest = dataset.latest
        return cls(
            id=dataset.id,
            project_id=dataset.project_id,
            name=dataset.name,
            description=dataset.description,
            dataset_version_id=latest.id,
            version=latest.version,
            num_rows=latest.num_rows,
            num_columns=len(latest.columns),
            size_bytes=latest.size_bytes,
            created_at=dataset.created_at,
        )


class VersionSchema(Answer):
    model_config = ConfigDict(json_schema_extra=examples.example(examples.VERSION))

    id: UUID
    dataset_id: UUID
    version: int
    num_rows: int
    num_columns: int
    size_bytes: int
    columns: list[ColumnSchema]
    warnings: list[str]
    created_at: Moment

    @classmethod
    def of(cls, version: DatasetVersion) -> Self:
        return cls(
            id=version.id,
            dataset_id=version.dataset_id,
            version=version.version,
            num_rows=version.num_rows,
            num_columns=len(version.columns),
            size_bytes=version.size_bytes,
            columns=[ColumnSchema.of(column) for column in version.columns],
            warnings=list(version.warnings),
            created_at=version.created_at,
        )


class Columns(Answer):
    model_config = ConfigDict(json_schema_extra=examples.example({"version": 0, "columns": [examples.COLUMN]}))

    version: int
    columns: list[ColumnSchema]

    @classmethod
    def of(cls, version: DatasetVersion) -> Self:
        return cls(version=version.version, columns=[ColumnSchema.of(column) for column in version.columns])


class DatasetDeleted(Answer):
    model_config = ConfigDict(json_schema_extra=examples.example({"ok": True, "dataset_id": examples.DATASET_ID}))

    ok: bool
    dataset_id: UUID


class ModelCreate(Params):
    model_config = ConfigDict(json_schema_extra=examples.example(examples.MODEL_CREATE))

    project_id: Id
    dataset_version_id: Id
    name: Name
    model_type: Annotated[ModelType, Field(strict=False)] = ModelType.CTGAN
    config: dict[str, Any] = Field({}, description="Hyperparameters of the model type; see `GET /model-types`.")
    resources: Resources | None = Field(None, description="How much of the cluster the training may use.")

    @field_validator("config", mode="before")
    @classmethod
    def _null_means_defaults(cls, config: Any) -> Any:
        return {} if config is None else config


class ModelAccepted(Answer):
    """`job_id` is the background job's id, `synthgen_job_id` the SynthGen job's; both find it."""

    model_config = ConfigDict(json_schema_extra=examples.example(examples.MODEL_ACCEPTED))

    id: UUID
    model_id: UUID
    job_id: UUID
    synthgen_job_id: UUID
    status: ModelStatus

    @classmethod
    def of(cls, job: Job) -> Self:
        return cls(
            id=job.model_id,
            model_id=job.model_id,
            job_id=job.background_id,
            synthgen_job_id=job.id,
            status=ModelStatus.PENDING,
        )


class ModelItem(Mirror):
    model_config = ConfigDict(json_schema_extra=examples.example(examples.MODEL_ITEM))

    id: UUID
    name: str
    model_type: ModelType
    status: ModelStatus
    dataset_name: str | None
    dataset_version: int | None
    created_at: Moment


class ModelSchema(ModelItem):
    model_config = ConfigDict(json_schema_extra=examples.example(examples.MODEL))

    config: dict[str, Any]
    dataset_id: UUID | None


class ModelJob(Mirror):
    model_config = ConfigDict(json_schema_extra=examples.example(examples.MODEL_JOB))

    id: UUID
    job_type: JobType
    status: JobStatus
    created_at: Moment


class ModelDetail(Answer):
    model_config = ConfigDict(json_schema_extra=examples.example(examples.MODEL_DETAIL))

    model: ModelSchema
    jobs: list[ModelJob]


class ModelImported(Answer):
    """It is ready at once."""

    model_config = ConfigDict(json_schema_extra=examples.example(examples.MODEL_IMPORTED))

    id: UUID
    model_id: UUID
    model_type: ModelType
    status: ModelStatus

    @classmethod
    def of(cls, model: Model) -> Self:
        return cls(id=model.id, model_id=model.id, model_type=model.model_type, status=model.status)


class ModelDeleted(Answer):
    model_config = ConfigDict(json_schema_extra=examples.example(examples.MODEL_DELETED))

    ok: bool
    model_id: UUID


class GenerateAccepted(Answer):
    """`job_id` is the background job's id, `synthgen_job_id` the SynthGen job's; both find it."""

    model_config = ConfigDict(json_schema_extra=examples.example(examples.GENERATE_ACCEPTED))

    job_id: UUID
    synthgen_job_id: UUID
    status: JobStatus

    @classmethod
    def of(cls, job: Job) -> Self:
        return cls(job_id=job.background_id, synthgen_job_id=job.id, status=job.status)


class JobItem(Answer):
    model_config = ConfigDict(json_schema_extra=examples.example(examples.JOB_ITEM))

    id: UUID
    model_id: UUID
    model_name: str
    model_type: ModelType
    job_type: JobType
    status: JobStatus
    config: dict[str, Any]
    created_at: Moment

    @classmethod
    def of(cls, job: Job) -> Self:
        return cls(**_job_fields(job))


class JobErrorSchema(Mirror):
    code: str
    message: str
    retryable: bool


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
    error: JobErrorSchema | None
    cancelled: bool
    result: JobResult | None
    started_at: Moment | None
    finished_at: Moment | None
    eta_seconds: float | None

    @classmethod
    def of(cls, job: Job) -> Self:
        return cls(
            **_job_fields(job),
            project_name=job.project_name,
            output_artifact_id=job.artifact.id if job.artifact and job.job_type is JobType.GENERATE else None,
            background_job_id=job.background_id,
            progress=job.progress.fraction,
            message=job.progress.message,
            losses=job.progress.losses,
            error=JobErrorSchema.of(job.failure) if job.failure else None,
            cancelled=job.is_cancelled,
            result=JobResult.find(job),
            started_at=job.started_at,
            finished_at=job.finished_at,
            eta_seconds=_eta_seconds(job),
        )


class ModelTypeSchema(Answer):
    id: ModelType
    name: str
    description: str
    config_schema: dict[str, Any]


class ModelTypes(Answer):
    model_config = ConfigDict(json_schema_extra=examples.example(examples.MODEL_TYPES))

    model_types: list[ModelTypeSchema]


class Alive(Answer):
    model_config = ConfigDict(json_schema_extra=examples.example({"status": "ready"}))

    status: str


def _key_fields(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "role": key.role,
        "project_ids": None if key.projects is None else sorted(key.projects),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
    }


def _job_fields(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "model_id": job.model_id,
        "model_name": job.model_name,
        "model_type": job.model_type,
        "job_type": job.job_type,
        "status": job.status,
        "config": job.config,
        "created_at": job.created_at,
    }


def _eta_seconds(job: Job) -> float | None:
    """At the pace so far; `None` before there is one, and once the job has ended."""
    too_early = job.progress.fraction < 0.05  # the start-up of the workers is all there is to go by
    if job.status is not JobStatus.RUNNING or job.started_at is None or too_early:
        return None
    elapsed = (datetime.now(UTC) - job.started_at).total_seconds()
    return round(elapsed * (1 - job.progress.fraction) / job.progress.fraction, 1)
