"""A table's schema: the kinds of column, what is known of each, and how a kind is inferred."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from synthgen_ray.domain.column_names import names_a_measure, names_an_id, words_of
from synthgen_ray.domain.errors import InvalidTable

Scalar = bool | int | float | str


class ColumnKind(StrEnum):
    INTEGER = "integer"
    FLOAT = "float"
    CATEGORICAL = "categorical"  # text that repeats, or whatever the file or its owner calls a category
    BOOLEAN = "boolean"
    DATETIME = "datetime"  # dates too
    ID = "id"  # tells rows, or whom they are about, apart and says nothing else: regenerated, never learnt
    TEXT = "text"  # free text and personal data: replaced by fresh values of the same shape
    CONSTANT = "constant"  # one value, or none at all: remembered


FRESH = (ColumnKind.ID, ColumnKind.TEXT)  # what is made afresh, of which nothing is learnt


@dataclass(frozen=True)
class Column:
    """A column of a dataset version, as inferred or as corrected by its owner."""

    name: str
    kind: ColumnKind
    nullable: bool = False
    unique: bool = False
    cardinality: int = 0  # distinct values, nulls left out
    # How the values were written where they came as text, so that they go out as they came: for a
    # datetime a strftime format, as `datasets/date_formats.py` has it (`%3f` is three digits of a second, `%-d` an
    # unpadded day), for a boolean its two spellings, `True/False`, for a float `0.0` if whole numbers had a `.0`.
    format: str | None = None
    pii: str | None = None  # for text: "name", "email", "phone", "address", ...


CELL_BYTES = 24  # of a number or a moment, at most


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
    widest: int = CELL_BYTES  # bytes of a cell that is no category, at most
    unlisted: bool = False  # it has categories, too many to be kept here


@dataclass(frozen=True)
class ColumnStats:
    """What kind inference looks at. Counts leave nulls out unless they say otherwise."""

    name: str
    storage: str  # "integer", "float", "boolean", "datetime", "text" or "category" (declared by the file)
    num_rows: int  # nulls counted
    num_nulls: int
    cardinality: int
    sequential: bool = False  # integers that run up by steps, or fill their range
    whole: bool = False  # integers, or what a data frame makes of those called an id where some are missing
    code_shaped: bool = False  # text without blanks whose values share one pattern of letters and digits
    scattered: bool = False  # whole numbers or codes with gaps of all sizes between them, as no list of codes has
    pii: str | None = None

    @property
    def num_values(self) -> int:
        return self.num_rows - self.num_nulls

    @property
    def distinct_share(self) -> float:
        return self.cardinality / max(self.num_values, 1)


# Fewer values than these can be distinct by chance.
MIN_ID_VALUES = 50
NEARLY_UNIQUE = 0.95
# An id that its name gives away may repeat: the same animal measured in two seasons.
MIN_NAMED_ID_SHARE = 0.5
# Words that an id often carries, and a measurement too: they count only when the values are unique.
MAYBE_ID_WORDS = frozenset({"number", "no", "nr", "num", "code", "ref", "reference", "index", "serial", "phone"})

# Text repeats when half of its cells or fewer are distinct; a short list of values may repeat less.
MAX_CATEGORICAL_SHARE = 0.5
SHORT_LIST = 50
MAX_SHORT_LIST_SHARE = 0.8


def infer_kind(stats: ColumnStats) -> ColumnKind:
    """The kind that a data engineer would give to a column with these statistics."""
    if stats.cardinality <= 1:
        return ColumnKind.CONSTANT
    if stats.pii:
        return ColumnKind.TEXT
    if _is_id(stats):
        return ColumnKind.ID
    if stats.storage in ("float", "boolean", "datetime"):
        return ColumnKind(stats.storage)
    if stats.storage == "integer":
        return ColumnKind.INTEGER
    is_list = stats.storage == "category" or are_categories(stats.cardinality, stats.num_values)
    return ColumnKind.CATEGORICAL if is_list else ColumnKind.TEXT


def _is_id(stats: ColumnStats) -> bool:
    """Whether values tell rows apart, or those whom rows are about.

    Their name, or that they run up or share a shape, and that nearly all differ. Where the name gives an id away, half
    of them may repeat; all of them, in rows of one account, if they are many and scattered over a wide range. Such
    numbers hold nothing that could be learnt but whose they are, and values that k rows share would come out as they
    are. A list of codes, such as stores from 1 to 400, has no gaps or all of one size, and stays what it is. So do
    years, though they run up, and numbers of residents.
    """
    if stats.num_values <= MIN_ID_VALUES:
        return False
    named_id = names_an_id(stats.name)
    if named_id and stats.scattered and stats.cardinality > SHORT_LIST:
        return True
    looks_so = stats.code_shaped
    if stats.whole:
        may_be = stats.sequential or not MAYBE_ID_WORDS.isdisjoint(words_of(stats.name))
        looks_so = named_id or (may_be and not names_a_measure(stats.name))
    return looks_so and stats.distinct_share >= (MIN_NAMED_ID_SHARE if named_id else NEARLY_UNIQUE)


def are_categories(cardinality: int, num_values: int) -> bool:
    """Whether texts repeat so much that they are categories, unless somebody has declared them to be text."""
    share = cardinality / max(num_values, 1)
    return share <= MAX_CATEGORICAL_SHARE or (cardinality <= SHORT_LIST and share <= MAX_SHORT_LIST_SHARE)


MIN_TRAINING_ROWS = 20
MOST_NAMED = 5  # columns, in a sentence


def count_held_out(num_rows: int, holdout_fraction: float) -> int:
    return int(num_rows * holdout_fraction)


def check_trainable(num_rows: int, holdout_fraction: float | None = None) -> None:
    """Refuse a table that is too short to be learnt without being copied, without the rows that are held out if a share
    of them is asked for.

    Raises: InvalidTable.
    """
    learnt = num_rows - count_held_out(num_rows, holdout_fraction or 0.0)
    if learnt < MIN_TRAINING_ROWS:
        left = "" if learnt == num_rows else f", of which {learnt} are not held out"
        raise InvalidTable(
            f"The table has {num_rows} rows{left}; training needs at least {MIN_TRAINING_ROWS}.", "too_few_rows"
        )


def check_same_columns(names: Sequence[str], learned: Sequence[LearnedColumn]) -> None:
    """Refuse a table that has not each column once which a model learnt; it may have others.

    Raises: InvalidTable.
    """
    lacking = [column.name for column in learned if names.count(column.name) != 1]
    if lacking:
        detail = f"The table needs these columns of the model, each once: {', '.join(map(repr, lacking[:MOST_NAMED]))}."
        raise InvalidTable(detail, "column_mismatch")


def check_learnable(columns: Sequence[Column]) -> None:
    """Refuse a table of which every column is certain to be copied or made afresh, never learnt.

    Raises: InvalidTable.
    """
    if all(_says_nothing(column) for column in columns):
        detail = "The table has only ids, personal data and constants; training needs a column with something to learn."
        raise InvalidTable(detail, "no_usable_columns")


def _says_nothing(column: Column) -> bool:
    if column.kind is ColumnKind.CONSTANT:
        return not (column.nullable and column.cardinality)  # which cells are missing can be learnt
    # Other free text may turn out to be numbers as somebody writes them.
    return column.kind is ColumnKind.ID or (column.kind is ColumnKind.TEXT and column.pii is not None)


def repeats(columns: Sequence[Column], num_rows: int) -> tuple[str, ...]:
    """A warning for each id, and personal data, that several rows share: made afresh, it joins none of them."""
    told = []
    for column in columns:
        afresh = column.kind is ColumnKind.ID or column.pii
        if not afresh or column.unique or not 0 < column.cardinality <= NEARLY_UNIQUE * num_rows:
            continue
        what = f"personal data ({column.pii})" if column.pii else "an id"
        warning = (
            f"repeated_values: column '{column.name}' has {column.cardinality:,} different values in {num_rows:,} rows "
            f"and looks like {what}: it is made afresh for each row, so that rows which belong "
            "together cannot be joined by it in what is generated."
        )
        if not column.pii:
            warning += " If it tells of no person or account, declare it to be categorical to have it learnt."
        told.append(warning)
    return tuple(told)
