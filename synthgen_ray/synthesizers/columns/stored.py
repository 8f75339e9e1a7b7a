"""What every codec is: a frozen record whose fields are its state in the model file."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer

from synthgen_ray.domain.columns import ColumnKind
from synthgen_ray.synthesizers.columns import arrow


class Stored(BaseModel):
    """A reader refuses what it does not know: other keys, other types, NaN."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


LEAST_ROOM = 10_000  # texts that a chunk may have
Value = bool | int | float | str  # a cell as JSON has it; moments are integers in the unit of their type
Kind = Annotated[ColumnKind, Field(strict=False), PlainSerializer(str)]
Count = Annotated[int, Field(ge=1)]


def _known(name: str) -> str:
    arrow.type_of(name)
    return name


def _textual(name: str) -> str:
    type_ = arrow.type_of(name)
    if not arrow.is_text(type_) or arrow.with_room(type_, LEAST_ROOM) != type_:
        raise ValueError("not a type of text, or of little of it")
    return name


def _countable(name: str) -> str:
    values = arrow.value_type(arrow.type_of(name))
    if not (arrow.is_integral(values) or arrow.is_real(values)):
        raise ValueError("not a type of numbers")
    return name


TypeName = Annotated[str, Field(max_length=200), AfterValidator(_known)]
TextTypeName = Annotated[str, Field(max_length=200), AfterValidator(_textual)]
NumberTypeName = Annotated[str, Field(max_length=200), AfterValidator(_countable)]
Share = Annotated[float, Field(ge=0, le=1)]
