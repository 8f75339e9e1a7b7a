"""What every codec is: a frozen record whose fields are its state in the model file."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator

from synthgen_ray.domain.columns import ColumnKind


class Stored(BaseModel):
    """A reader refuses what it does not know: other keys, other types, NaN."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


Value = bool | int | float | str  # a cell as JSON has it; moments are integers in the unit of their type
Kind = Annotated[ColumnKind, PlainValidator(ColumnKind), PlainSerializer(str)]
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
