"""What a table's owner says of its columns where inference is wrong."""

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from synthgen_ray.domain.columns import ColumnKind
from synthgen_ray.domain.params import Params

MAX_COLUMNS = 1000
MAX_FORMAT = 64  # characters: each cell has what is no directive among them

ColumnName = Annotated[str, StringConstraints(min_length=1, max_length=255)]
Format = Annotated[str, StringConstraints(min_length=1, max_length=MAX_FORMAT, pattern=r"^[^\x00-\x1f\x7f]*$")]


class ColumnCorrection(Params):
    kind: Annotated[ColumnKind, Field(strict=False, description="What the column is.")]
    format: Format | None = Field(
        None,
        description="How its values are written: for a datetime as in `%d/%m/%Y`, for a boolean as in `Yes/No`.",
    )


class SchemaCorrection(Params):
    """Columns that are not named stay as they were inferred."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"columns": {"zip": {"kind": "text"}}, "primary_key": "account"}]}
    )

    columns: Annotated[dict[ColumnName, ColumnCorrection], Field(max_length=MAX_COLUMNS)] = Field(
        {}, description="The kind, and where it has one the format, by column."
    )
    primary_key: ColumnName | None = Field(None, description="The column that tells rows apart; it becomes an id.")

    def names_of(self, *kinds: ColumnKind) -> frozenset[str]:
        """The columns that are declared to be of one of these kinds."""
        return frozenset(name for name, column in self.columns.items() if column.kind in kinds)
