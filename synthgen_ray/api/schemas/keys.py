"""API keys."""

from datetime import UTC, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from synthgen_ray.api import examples
from synthgen_ray.api.parameters import Id
from synthgen_ray.api.schemas.common import Answer, Moment, Name
from synthgen_ray.domain.access import ApiKey, Role
from synthgen_ray.domain.params import Params


class KeyCreate(Params):
    model_config = ConfigDict(json_schema_extra=examples.example(examples.KEY_CREATE))

    name: Name
    role: Annotated[Role, Field(strict=False)]
    project_ids: list[Id] | None = Field(
        None, min_length=1, max_length=1000, description="The projects that the key is bound to; null for all."
    )
    expires_at: AwareDatetime | None = Field(
        None, strict=False, description="When it stops working; null for never, or for when the key that makes it does."
    )

    @field_validator("expires_at")
    @classmethod
    def _lies_ahead(cls, moment: datetime | None) -> datetime | None:
        if moment is None:
            return None
        try:
            in_utc = moment.astimezone(UTC)
        except OverflowError:
            raise PydanticCustomError("out_of_range", "must lie in the years 1 to 9999 of UTC") from None
        if in_utc <= datetime.now(UTC):
            raise PydanticCustomError("out_of_range", "must lie in the future")
        return in_utc


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


def _key_fields(key: ApiKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "role": key.role,
        "project_ids": None if key.projects is None else sorted(key.projects),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
    }
