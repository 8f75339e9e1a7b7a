"""Datasets, their versions and columns."""

from dataclasses import replace
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BeforeValidator, ConfigDict, Field, Json, StringConstraints, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from synthgen_ray.api import examples
from synthgen_ray.api.multipart import MAX_TEXT_BYTES
from synthgen_ray.api.parameters import Id
from synthgen_ray.api.request_limits import LIMITS
from synthgen_ray.api.schemas.common import Answer, Description, Mirror, Moment, Name
from synthgen_ray.api.strict_json import check_json
from synthgen_ray.domain.columns import ColumnKind
from synthgen_ray.domain.corrections import SchemaCorrection
from synthgen_ray.domain.entities import Dataset, DatasetVersion
from synthgen_ray.domain.errors import Unreadable
from synthgen_ray.domain.params import Params


class ColumnSchema(Mirror):
    model_config = ConfigDict(json_schema_extra=examples.example(examples.COLUMN))

    name: str
    kind: ColumnKind
    nullable: bool
    unique: bool
    cardinality: int
    pii: str | None
    format: str | None


class WarningSchema(Answer):
    """What was noticed about a table, and left as it is."""

    model_config = ConfigDict(json_schema_extra=examples.example(examples.WARNING))

    code: str
    message: str

    @model_validator(mode="before")
    @classmethod
    def _of_its_line(cls, given: object) -> object:
        """`code: what was noticed`, as a version has it."""
        if not isinstance(given, str):
            return given
        code, _, message = given.partition(": ")
        return {"code": code, "message": message[:1].upper() + message[1:]}


# A text of the form is short; what it holds may name each of a thousand columns.
JSON_LIMITS = replace(LIMITS, json_keys=MAX_TEXT_BYTES)


def _strict(text: Any) -> Any:
    """As of a body: a key that stands twice would be read by its last."""
    try:
        check_json(str(text).encode(), JSON_LIMITS)
    except Unreadable as error:
        raise PydanticCustomError(error.code, error.detail) from None
    return text


JSON_TEXT = WithJsonSchema({"type": "string", "contentMediaType": "application/json"})


class UploadForm(Params):
    """The texts beside an uploaded file."""

    project_id: Id = Field(description="The project it belongs to.", examples=[examples.PROJECT_ID])
    name: Name = Field(description="Name of the dataset.", examples=["payments"])
    description: Description = ""
    dataset_id: Id | None = Field(None, description="Add a version to this dataset.")
    correction: Annotated[Json[SchemaCorrection] | None, BeforeValidator(_strict), JSON_TEXT] = Field(
        None,
        alias="schema",
        description="As JSON, what the columns are where inference would guess otherwise.",
        examples=['{"columns": {"zip": {"kind": "text"}}, "primary_key": "account"}'],
    )


class VersionFetch(Params):
    model_config = ConfigDict(json_schema_extra=examples.example({"uri": "s3://tables/payments.parquet"}))

    uri: Annotated[str, StringConstraints(min_length=1, max_length=2000)]


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
    warnings: list[WarningSchema]

    @classmethod
    def of(cls, version: DatasetVersion) -> Self:
        return cls(
            id=version.dataset_id,
            dataset_id=version.dataset_id,
            dataset_version_id=version.id,
            version=version.version,
            artifact_id=version.artifact_id,
            num_rows=version.num_rows,
            num_columns=version.num_columns,
            columns=[ColumnSchema.of(column) for column in version.columns],
            warnings=[WarningSchema.model_validate(warning) for warning in version.warnings],
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
            num_columns=latest.num_columns,
            size_bytes=latest.size_bytes,
            created_at=dataset.created_at,
        )


class VersionItem(Mirror):
    """A version in a list; it alone has its columns."""

    model_config = ConfigDict(json_schema_extra=examples.example(examples.VERSION_ITEM))

    id: UUID
    dataset_id: UUID
    version: int
    num_rows: int
    num_columns: int
    size_bytes: int
    created_at: Moment


class VersionSchema(VersionItem):
    """A version with its columns, and what was noticed about its table."""

    model_config = ConfigDict(json_schema_extra=examples.example(examples.VERSION))

    columns: list[ColumnSchema]
    warnings: list[WarningSchema]


class Columns(Mirror):
    model_config = ConfigDict(json_schema_extra=examples.example({"version": 0, "columns": [examples.COLUMN]}))

    version: int
    columns: list[ColumnSchema]


class DatasetDeleted(Answer):
    model_config = ConfigDict(json_schema_extra=examples.example({"ok": True, "dataset_id": examples.DATASET_ID}))

    ok: bool
    dataset_id: UUID
