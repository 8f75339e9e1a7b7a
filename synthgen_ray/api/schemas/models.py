"""Models and their types."""

from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import ConfigDict, Field, RootModel, field_validator

from synthgen_ray.api import examples
from synthgen_ray.api.parameters import Id
from synthgen_ray.api.schemas.common import Answer, Mirror, Moment, Name
from synthgen_ray.domain.entities import Job, Model
from synthgen_ray.domain.lifecycle import JobStatus, JobType, ModelStatus
from synthgen_ray.domain.params import ModelType, Params, Resources


class ImportForm(Params):
    """The texts beside a model's file."""

    project_id: Id = Field(description="The project it is to belong to.", examples=[examples.PROJECT_ID])
    name: Name = Field(description="Name of the model.", examples=["Transactions"])


class ModelCreate(Params):
    model_config = ConfigDict(json_schema_extra=examples.example(examples.MODEL_CREATE))

    project_id: Id
    dataset_version_id: Id
    name: Name
    model_type: Annotated[ModelType, Field(strict=False)] = ModelType.CTGAN
    config: dict[str, Any] = Field(
        {}, description="Hyperparameters of the model type; see `GET /api/synthgen/model-types`."
    )
    resources: Resources | None = Field(None, description="How much of the cluster the training may use.")

    @field_validator("config", mode="before")
    @classmethod
    def _null_means_defaults(cls, config: Any) -> Any:
        return {} if config is None else config


class Rows(RootModel[list[dict[str, Any]]]):
    """Records: one object per row, with its columns in order."""

    model_config = ConfigDict(json_schema_extra=examples.example(examples.ROWS))


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


class QualitySchema(Mirror):
    """How like the table the model's rows are, as its training estimates in the end; a report says more."""

    column_shapes: float | None
    pair_trends: float | None


class ModelSchema(ModelItem):
    model_config = ConfigDict(json_schema_extra=examples.example(examples.MODEL))

    project_id: UUID
    config: dict[str, Any]
    dataset_id: UUID | None
    quality: QualitySchema | None


class ModelJob(Mirror):
    model_config = ConfigDict(json_schema_extra=examples.example(examples.MODEL_JOB))

    id: UUID
    job_type: JobType
    status: JobStatus
    created_at: Moment


class ModelDetail(Answer):
    """`jobs` are the newest hundred, its training always among them. All of them, and its reports and batches, are in
    `GET /api/synthgen/jobs?model_id=`."""

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


class ModelTypeSchema(Answer):
    id: ModelType
    name: str
    description: str
    config_schema: dict[str, Any]


class ModelTypes(Answer):
    model_config = ConfigDict(json_schema_extra=examples.example(examples.MODEL_TYPES))

    model_types: list[ModelTypeSchema]
