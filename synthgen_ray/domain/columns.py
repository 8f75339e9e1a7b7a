"""A table's schema: the kinds of column, what is known of each, and how a kind is inferred."""

from dataclasses import dataclass
from enum import StrEnum

Scalar = bool | int | float | str


class ColumnKind(StrEnum):
    INTEGER = "integer"
    FLOAT = "float"
    CATEGORICAL = "categorical"  # text or small integers that repeat
    BOOLEAN = "boolean"
    DATETIME = "datetime"  # dates too
    ID = "id"  # tells rows apart and says nothing else: regenerated, never learnt
    TEXT = "text"  # free text and personal data: replaced by fresh values of the same shape
    CONSTANT = "constant"  # one value, or none at all: remembered


@dataclass(frozen=True)
class Column:
    """A column of a dataset version, as inferred or as corrected by its owner."""

    name: str
    kind: ColumnKind
    nullable: bool = False
    unique: bool = False
    cardinality: int = 0  # distinct values, nulls left out
    format: str | None = None  # strftime format of a datetime that came as text
    pii: str | None = None  # for text: "name", "email", "phone", "address", ...


@dataclass(frozen=True)
class LearnedColumn:
    """What a trained model can be asked for in a column."""

    name: str
    kind: ColumnKind
    nullable: bool
    categories: tuple[Scalar, ...] | None = None  # of a categorical, boolean or constant column
    # Of a number or a date (ISO 8601): the range that the model generates.
    minimum: int | float | str | None = None
    maximum: int | float | str | None = None


@dataclass(frozen=True)
class ColumnStats:
    """What kind inference looks at. Counts leave nulls out unless they say otherwise."""

    name: str
    storage: str  # "integer", "float", "boolean", "datetime" or "text"
    num_rows: int  # nulls counted
    num_nulls: int
    cardinality: int
    mean_length: float = 0.0  # characters, of text
    mean_words: float = 0.0  # words, of text
    sequential: bool = False  # integers that run up by a constant step
    uniform_shape: bool = False  # text whose values all share one pattern of letters and digits
    pii: str | None = None
    format: str | None = None
