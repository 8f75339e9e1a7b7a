"""What all have in common. Requests refuse what they do not know; answers have no defaults, so that a client can rely
on every field."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict, PlainSerializer, StringConstraints

from synthgen_ray.api import examples
from synthgen_ray.domain.entities import Page
from synthgen_ray.domain.shown_text import UNSEEN

T = TypeVar("T")


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


Moment = Annotated[datetime, PlainSerializer(_utc, return_type=str)]


# One line that shows something, as a column's: no control nor invisible characters, not only blanks.
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=255, pattern=rf"^[^{UNSEEN}]*[^{UNSEEN}\s][^{UNSEEN}]*$"),
]
Description = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")]


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Mirror(Answer):
    """An answer whose fields are those of an entity, under the same names."""

    @classmethod
    def of(cls, entity: object) -> Self:
        return cls.model_validate(entity, from_attributes=True)


def fields_of(entity: object, schema: type[Answer]) -> dict[str, Any]:
    """What an entity has under the names of these fields: the part of an answer that is a mirror."""
    return {name: getattr(entity, name) for name in schema.model_fields}


class Listed(Answer, Generic[T]):
    """A page of a list, newest first."""

    items: list[T]
    total: int
    limit: int
    offset: int


def listed(page: Page[Any], show: Callable[[Any], T], limit: int, offset: int) -> Listed[T]:
    return Listed(items=[show(item) for item in page.items], total=page.total, limit=limit, offset=offset)


class Alive(Answer):
    model_config = ConfigDict(json_schema_extra=examples.example({"status": "ready"}))

    status: str
