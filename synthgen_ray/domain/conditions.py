"""Whether a trained model can obey the conditions that a caller asks for."""

import re
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from synthgen_ray.domain.columns import FRESH, ColumnKind, LearnedColumn, Scalar
from synthgen_ray.domain.errors import FieldError, InvalidRequest
from synthgen_ray.domain.params import Condition, Range, StrictScalar

RANGED = frozenset({ColumnKind.INTEGER, ColumnKind.FLOAT, ColumnKind.DATETIME})
WANTED = {
    ColumnKind.INTEGER: "an integer",
    ColumnKind.FLOAT: "a number",
    ColumnKind.BOOLEAN: "true or false",
    ColumnKind.DATETIME: "a date such as 2024-01-31 or 2024-01-31T14:15:51, or a time of day such as 14:15",
}
WANTED_CATEGORIES = {str: "text", bool: "true or false", int: "a number", float: "a number"}
UNKNOWN_COLUMN = ("unknown_column", "The model has no such column.")
UNKNOWN_VALUE = ("unknown_value", "The model knows no such value.")
TIME_OF_DAY = re.compile(r"(\d{1,2}):(\d{2}(?::\d{2}(?:\.\d+)?)?)")
Key = tuple[bool, Hashable]  # whether it is a boolean, and the value


def check_conditions(
    conditions: Mapping[str, Condition],
    distribution: Mapping[str, Mapping[str, float]],
    columns: Sequence[LearnedColumn],
) -> None:
    """Refuse what the model cannot obey, before a job is made of it.

    A category that is absent and one that was too rare to be learnt are answered alike, and no
    value is listed: the answer must not tell who was in the table.

    Raises: InvalidRequest, with one entry for each column at fault.
    """
    known = {column.name: column for column in columns}
    faults: list[tuple[str, FieldError]] = []
    for name, condition in conditions.items():
        column = known.get(name)
        code, message = _fault(condition, column) if column else UNKNOWN_COLUMN
        if code:
            faults.append((code, FieldError.at(("conditions", name), message)))
    for name, shares in distribution.items():
        column = known.get(name)
        code, message = _distribution_fault(shares, column) if column else UNKNOWN_COLUMN
        if code:
            faults.append((code, FieldError.at(("distribution", name), message)))
    if faults:
        code, first = faults[0]
        raise InvalidRequest(str(first), code, [error for _, error in faults])


def by_text(categories: Collection[Scalar]) -> dict[str, Scalar]:
    """Categories by how they are written where JSON allows text only, such as the keys of a distribution."""
    return {str(value).lower() if isinstance(value, bool) else str(value): value for value in categories}


def category_named(key: str, categories: Mapping[str, Scalar]) -> Scalar | None:
    """The category that is written so, of some by text. A number with a point may be written in any way: to JavaScript
    1.0 is 1, and 1e-05 is 0.00001."""
    if key in categories:
        return categories[key]
    if isinstance(categories.get(key.lower()), bool):  # as Python writes it
        return categories[key.lower()]
    try:
        found = categories.get(str(float(key)))
    except ValueError:
        return None
    return found if isinstance(found, float) else None


def _distribution_fault(shares: Mapping[str, float], column: LearnedColumn) -> tuple[str, str]:
    if column.unlisted:
        return "", ""  # found when it is drawn
    if column.categories is None:
        return "invalid_type", "Only a column of categories can have one."
    known = by_text(column.categories)
    return UNKNOWN_VALUE if any(category_named(key, known) is None for key in shares) else ("", "")


def _fault(condition: Condition, column: LearnedColumn) -> tuple[str, str]:
    """The code and the message of what is wrong with a condition; two empty strings if nothing."""
    if column.kind in FRESH:
        return "unconditional_column", f"A column of kind {column.kind} is made afresh and takes no condition."
    if column.kind is ColumnKind.CONSTANT:
        column = _of_its_value(column)
    if isinstance(condition, Range):
        if column.kind not in RANGED:
            return "invalid_type", "A range needs a column of numbers or dates."
        bounds = [bound for bound in (condition.min, condition.max) if bound is not None]
        if not all(_fits(bound, column) for bound in bounds):
            return "invalid_type", f"Each bound must be {_wanted(column)}."
        if len(bounds) == 2 and _are_reversed(*bounds):
            return "out_of_range", "min must not be above max."
        return ("", "") if _may_lie_in(condition, column) else UNKNOWN_VALUE
    # A value that is asked for many times is looked at once.
    values = {key_of(value): value for value in (condition if isinstance(condition, list) else [condition])}
    known = _known(values, column)
    for key, value in values.items():
        if value is None:
            if not column.nullable:
                return "not_nullable", "The column has no missing values, or too few rows have them to be learnt."
        elif not _fits(value, column):
            return "invalid_type", f"The value must be {_wanted(column)}."
        elif known is not None and key not in known and not _is_its_moment(value, column):
            return UNKNOWN_VALUE
    return "", ""


def _are_reversed(low: object, high: object) -> bool:
    """As far as is known here: a bound without a zone is of the column's."""
    zoned = [isinstance(bound, str) and moment_of(bound).tzinfo is not None for bound in (low, high)]
    return zoned[0] == zoned[1] and _orderable(low) > _orderable(high)  # type: ignore[operator]


def _of_its_value(column: LearnedColumn) -> LearnedColumn:
    """A constant number or date as the column of numbers or dates that it is, of one value."""
    value = next(iter(column.categories or ()), None)
    if isinstance(value, str) and _parsed(value):
        return replace(column, kind=ColumnKind.DATETIME)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return replace(column, kind=ColumnKind.FLOAT) if is_number else column


def _is_its_moment(value: StrictScalar, column: LearnedColumn) -> bool:
    """Whether a date means a constant one, however it is written."""
    return column.kind is ColumnKind.DATETIME and _may_lie_in(Range(min=value, max=value), column)


def _may_lie_in(asked: Range, column: LearnedColumn) -> bool:
    """Of a constant, whether it does; of numbers and dates that differ this is found when they are drawn."""
    if column.categories is None:
        return True
    (value,) = map(_orderable, column.categories)
    is_below = asked.min is not None and value < _orderable(asked.min)  # type: ignore[operator]
    is_above = asked.max is not None and value > _orderable(asked.max)  # type: ignore[operator]
    return not (is_below or is_above)


def _known(asked: Collection[Key], column: LearnedColumn) -> set[Key] | None:
    """Those of the keys that the column's categories have, by one look at each; `None` for a column without any.

    The smaller side is hashed: an imported model may have hundreds of thousands of categories.
    """
    if column.categories is None:
        return None
    values = {value for _, value in asked}
    return {key_of(category) for category in column.categories if category in values}


def key_of(value: Hashable) -> Key:
    """Python takes True for 1; a caller does not. To JSON 1 and 1.0 are one number."""
    return isinstance(value, bool), value


def _is_alike(value: object, category: object) -> bool:
    if isinstance(value, bool) or isinstance(category, bool):
        return isinstance(value, bool) and isinstance(category, bool)
    return isinstance(value, int | float if isinstance(category, int | float) else type(category))


def _fits(value: object, column: LearnedColumn) -> bool:
    if column.kind is ColumnKind.BOOLEAN:
        return isinstance(value, bool)
    if column.kind is ColumnKind.DATETIME:
        return isinstance(value, str) and _parsed(value) is not None
    if column.kind in (ColumnKind.INTEGER, ColumnKind.FLOAT):
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        return column.kind is ColumnKind.FLOAT or value == int(value)
    return column.unlisted or any(_is_alike(value, category) for category in column.categories or ())


def _wanted(column: LearnedColumn) -> str:
    """What fits, in the words of a caller, who sees numbers, text and dates in rows, and no kinds."""
    if column.kind in WANTED:
        return WANTED[column.kind]
    kinds = {type(category) for category in column.categories or ()}
    return " or ".join(words for kind, words in WANTED_CATEGORIES.items() if kind in kinds) or "null"


def moment_of(text: str) -> datetime:
    """An ISO 8601 moment, or a time of day as one of 1970-01-01, on which such columns are. Raises: ValueError."""
    if clock := TIME_OF_DAY.fullmatch(text):
        text = f"1970-01-01T{clock[1]:0>2}:{clock[2]}"
    return datetime.fromisoformat(text)


def _parsed(text: str) -> datetime | None:
    try:
        moment = moment_of(text)
    except ValueError:
        return None
    # Compared only with each other: a missing zone is read as UTC.
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _orderable(bound: object) -> object:
    return _parsed(bound) if isinstance(bound, str) else bound
