"""What every codec is: a frozen record whose fields are its state in the model file."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer

from synthgen_ray.domain.columns import ColumnKind
from synthgen_ray.synthesizers.columns import arrow


class Stored(BaseModel):
    """A reader refuses what it does not know: other keys, other types, NaN."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


LEAST_ROOM = 10_000  # values that a chunk may have
Value = bool | int | float | str  # a cell as JSON has it; moments are integers in the unit of their type
Kind = Annotated[ColumnKind, Field(strict=False), PlainSerializer(str)]
MOST_ROWS = 2**53  # so that shares of them are numbers
Count = Annotated[int, Field(ge=1, le=MOST_ROWS)]


def _known(name: str) -> str:
    arrow.type_of(name)
    return name


def _roomy(name: str) -> str:
    type_ = arrow.type_of(name)
    if arrow.with_room(type_, LEAST_ROOM) != type_:
        raise ValueError("a type of few values")
    return name


def _textual(name: str) -> str:
    if not arrow.is_text(arrow.type_of(name)):
        raise ValueError("not a type of text")
    return name


def _countable(name: str) -> str:
    values = arrow.value_type(arrow.type_of(name))
    if not (arrow.is_integral(values) or arrow.is_real(values)):
        raise ValueError("not a type of numbers")
    return name


TypeName = Annotated[str, Field(max_length=200), AfterValidator(_known)]
RoomyTypeName = Annotated[TypeName, AfterValidator(_roomy)]
TextTypeName = Annotated[RoomyTypeName, AfterValidator(_textual)]
NumberTypeName = Annotated[RoomyTypeName, AfterValidator(_countable)]
Share = Annotated[float, Field(ge=0, le=1)]
