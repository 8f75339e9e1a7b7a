"""The values of a canonical column as another kind, if that is what they can be."""

import re
from collections.abc import Callable
from unicodedata import category

import pyarrow as pa
import pyarrow.compute as pc

from synthgen_ray.datasets.canonical import is_text
from synthgen_ray.datasets.date_formats import (
    any_zone,
    is_format,
    is_misreading,
    literal_zone,
    parts_of,
    pattern_of,
    zone_name,
)
from synthgen_ray.datasets.date_guessing import DATE
from synthgen_ray.datasets.number_text import NUMBER, NotNumbers, plain_numbers
from synthgen_ray.datasets.text_dates import NotDates, dates_of
from synthgen_ray.datasets.text_typing import MISSING, Typed, as_integers, check_finite
from synthgen_ray.datasets.writing import as_text
from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.domain.corrections import ColumnCorrection
from synthgen_ray.domain.errors import FieldError, InvalidTable

# Leading zeros are welcome where a number is declared.
INTEGER = r"[+-]?[0-9]+"
FLOAT = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
# What no reader of a CSV file should have to find within a word for true or false.
UNSPELLABLE = r"[\"\x00-\x1f\x7f-\x9f\u2028\u2029]"
TRUTHS = (("true", "false"), ("yes", "no"), ("y", "n"), ("t", "f"), ("1", "0"))


def retyped(values: pa.ChunkedArray, column: Column, wanted: ColumnCorrection) -> Typed:
    """The values with a type that the wanted kind can have, their format, and warnings.

    Raises: InvalidTable, for values that cannot be of the kind, and for a format it cannot have.
    """
    return _RETYPERS[wanted.kind](values, column, wanted.format)


def _integers(values: pa.ChunkedArray, column: Column, written: str | None) -> Typed:
    _refuse_format(column, written)
    if pa.types.is_integer(values.type):
        return Typed(values)
    if pa.types.is_floating(values.type):
        try:
            return Typed(pc.cast(values, pa.int64()))
        except pa.ArrowInvalid:
            raise _mismatch(column, "integers: some have decimals or do not fit into 64 bits") from None
    cells, warnings = _bare(values, column, INTEGER, "integers")
    return Typed(as_integers(column.name, _unsigned(cells)), warnings=warnings)


def _floats(values: pa.ChunkedArray, column: Column, written: str | None) -> Typed:
    if written not in (None, "0.0"):
        raise _bad_format(column, "is `0.0`, for whole numbers with a point, or absent")
    if pa.types.is_floating(values.type):
        return Typed(values, written or column.format)
    if pa.types.is_integer(values.type):
        try:
            return Typed(pc.cast(values, pa.float64()), written)
        except pa.ArrowInvalid:
            raise _mismatch(column, "floats: some integers are too long for one, and would change") from None
    cells, warnings = _bare(values, column, FLOAT, "numbers")
    floats = pc.cast(_unsigned(cells), pa.float64())
    check_finite(column.name, floats)
    return Typed(floats, written, warnings)


def _booleans(values: pa.ChunkedArray, column: Column, written: str | None) -> Typed:
    true, false = _spellings(column, written) if written else ("", "")
    if pa.types.is_boolean(values.type):
        return Typed(values, written or column.format)
    if not (is_text(values.type) or pa.types.is_integer(values.type)):
        raise _mismatch(column, "booleans")
    cells = _without_missing(_spelt(values, column), (true, false) if written else ())
    if not written:
        true, false = _truth(cells, column)
        cells = pc.utf8_lower(cells)
    known = pc.or_(pc.equal(cells, true), pc.equal(cells, false))
    if not pc.all(known, min_count=0).as_py():
        raise _mismatch(column, f"booleans: row {_first(known, False):,} is neither; give a format such as `Yes/No`")
    return Typed(pc.equal(cells, true), written or _style_of(values, column, true, false))


def _datetimes(values: pa.ChunkedArray, column: Column, written: str | None) -> Typed:
    if written and not is_format(written):
        raise _bad_format(
            column,
            "has a year and a month, then a day and a time, or is a time alone, as in `%d/%m/%Y %H:%M:%S`; it may hold"
            " %Y %y %m %b %B %d %H %I %p %M %S %f and a zone",
        )
    is_misread = written and column.format and is_misreading(written, column.format)
    if pa.types.is_temporal(values.type) and not is_misread:
        if written and not _suits(written, values.type, column):
            raise _bad_format(column, "has a time and a zone just where the values have one")
        return Typed(values, written or column.format)
    if written and (pa.types.is_integer(values.type) or pa.types.is_temporal(values.type)):
        values = _spelt(values, column)  # 20240131, or 03/04 that was the third of April
    cells = _parsable(values, column, DATE, "dates") if not written else _written_so(values, column, written)
    try:
        moments, found, mixed_zones = dates_of(cells, written)
    except NotDates as why:
        formats = f"; its format may be {' or '.join(f'`{way}`' for way in why.formats)}" if why.formats else ""
        raise _mismatch(column, f"datetimes: it {why.reason}{formats}", why.code or "kind_mismatch") from None
    warning = f"mixed_timezones: column '{column.name}' has several UTC offsets and was read as UTC."
    return Typed(moments, found, (warning,) if mixed_zones else ())


def _texts(values: pa.ChunkedArray, column: Column, written: str | None) -> Typed:
    _refuse_format(column, written)
    return Typed(_spelt(values, column))


def _categories(values: pa.ChunkedArray, column: Column, written: str | None) -> Typed:
    # A moment is only ever learnt as one; as text it can be a category.
    if pa.types.is_temporal(values.type):
        return _texts(values, column, written)
    _refuse_format(column, written)
    return Typed(values, column.format)


def _ids(values: pa.ChunkedArray, column: Column, written: str | None) -> Typed:
    _refuse_format(column, written)
    if not (is_text(values.type) or pa.types.is_integer(values.type)):
        raise _mismatch(column, "ids: these are integers or text")
    return Typed(values)


def _constants(values: pa.ChunkedArray, column: Column, written: str | None) -> Typed:
    _refuse_format(column, written)
    if column.cardinality > 1:
        raise _mismatch(column, f"a constant: there are {column.cardinality:,} different values")
    return Typed(values, column.format)


_RETYPERS: dict[ColumnKind, Callable[[pa.ChunkedArray, Column, str | None], Typed]] = {
    ColumnKind.INTEGER: _integers,
    ColumnKind.FLOAT: _floats,
    ColumnKind.BOOLEAN: _booleans,
    ColumnKind.DATETIME: _datetimes,
    ColumnKind.TEXT: _texts,
    ColumnKind.CATEGORICAL: _categories,
    ColumnKind.ID: _ids,
    ColumnKind.CONSTANT: _constants,
}


def _spelt(values: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
    """The values as they would be written."""
    if is_text(values.type):
        return values
    return pa.chunked_array([as_text(chunk, column) for chunk in values.chunks], pa.string())


def _parsable(values: pa.ChunkedArray, column: Column, pattern: str, what: str) -> pa.ChunkedArray:
    """Text that matches, trimmed, with null where it says that a value is missing."""
    cells = _text_cells(values, column, what)
    fits = pc.match_substring_regex(cells, f"^(?:{pattern})$")
    if not pc.all(fits, min_count=0).as_py():
        raise _mismatch(column, f"{what}: row {_first(fits, False):,} is none")
    return cells


def _bare(values: pa.ChunkedArray, column: Column, pattern: str, what: str) -> tuple[pa.ChunkedArray, tuple[str, ...]]:
    """Text that matches once all is off it that people write about numbers, and warnings."""
    cells = _text_cells(values, column, what)
    fits = pc.match_substring_regex(cells, f"^(?:{pattern})$")
    if pc.all(fits, min_count=0).as_py():
        return cells, _zeros_warning(cells, column)
    written = pc.match_substring_regex(cells, f"^(?:{NUMBER})$")
    if not pc.all(pc.or_(fits, written), min_count=0).as_py():
        row = _first(pc.or_(fits, written), False)
        raise _mismatch(column, f"{what}: row {row:,} {_trouble(cells[row - 1].as_py())}")
    try:
        numbers = plain_numbers(column.name, cells, declared=True)
    except NotNumbers as why:
        raise _mismatch(column, f"{what}: it {why.reason or 'holds numbers in several notations'}") from None
    fits = pc.match_substring_regex(numbers.texts, f"^(?:{pattern})$")
    if not pc.all(fits, min_count=0).as_py():
        raise _mismatch(column, f"{what}: row {_first(fits, False):,} has decimals")
    return numbers.texts, (numbers.warning, *_zeros_warning(numbers.texts, column))


def _trouble(cell: str) -> str:
    """What in a cell makes it no number, without repeating it."""
    if re.search(r"[^\W\d_]", cell):
        return "has letters"
    if any(category(character) == "Sc" for character in cell):
        return "has a sign of a currency where it has no place"
    return (
        "has a sign that no number has" if re.search(r"[^\d\s.,'%()+-]", cell) else "has signs in no order of a number"
    )


def _written_so(values: pa.ChunkedArray, column: Column, written: str) -> pa.ChunkedArray:
    """As `_parsable`, for dates in a format."""
    cells = _text_cells(values, column, "dates")
    fits = pc.match_substring_regex(cells, f"^{pattern_of(any_zone(written), named=False)}$")
    if not pc.all(fits, min_count=0).as_py():
        what = f"datetimes: row {_first(fits, False):,} is written in another format than the declared one"
        raise _mismatch(column, what, "format_mismatch")
    return cells


def _text_cells(values: pa.ChunkedArray, column: Column, what: str) -> pa.ChunkedArray:
    """Of a column of text, trimmed, with null where that says that a value is missing."""
    if not is_text(values.type):
        raise _mismatch(column, what)
    return _without_missing(values)


def _without_missing(texts: pa.ChunkedArray, words: tuple[str, ...] = ()) -> pa.ChunkedArray:
    """Trimmed, and null where that says that a value is missing, and is none of the words."""
    cells = pc.utf8_trim_whitespace(texts)
    is_missing = pc.match_substring_regex(cells, f"^{MISSING}?$")
    if words:
        is_missing = pc.and_not(is_missing, pc.is_in(cells, pa.array(words)))
    return pc.if_else(is_missing, None, cells)


def _unsigned(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.replace_substring_regex(cells, r"^\+", "")


def _zeros_warning(cells: pa.ChunkedArray, column: Column) -> tuple[str, ...]:
    if not pc.any(pc.match_substring_regex(cells, r"^[+-]?0[0-9]")).as_py():
        return ()
    return (f"leading_zeros: column '{column.name}' is written without its leading zeros as a number.",)


def _spellings(column: Column, written: str) -> tuple[str, str]:
    true, slash, false = written.partition("/")
    if not (true and slash and false) or "/" in false or true == false:
        raise _bad_format(column, "is the words for true and false with a slash between, as in `Yes/No`")
    if re.search(UNSPELLABLE, written):
        raise _bad_format(column, "has no quotes, line breaks or control characters")
    return true, false


def _truth(cells: pa.ChunkedArray, column: Column) -> tuple[str, str]:
    found = set(pc.utf8_lower(cells).unique().drop_null().slice(0, 3).to_pylist())
    for pair in TRUTHS:
        if found <= set(pair):
            return pair
    raise _mismatch(column, "booleans; give a format such as `Yes/No` if two words stand for true and false")


def _style_of(values: pa.ChunkedArray, column: Column, true: str, false: str) -> str:
    written = set(_without_missing(_spelt(values, column)).unique().drop_null().to_pylist())
    styles: tuple[Callable[[str], str], ...] = (str.title, str.upper)
    style = next((style for style in styles if written <= {style(true), style(false)}), str.lower)
    return f"{style(true)}/{style(false)}"


def _suits(written: str, kind: pa.DataType, column: Column) -> bool:
    """Whether the format tells a time only of what has one, and the zone in which the values are."""
    parts, day = parts_of(written), {"year", "month", "day"}
    if column.format and not day <= parts_of(column.format):  # months or times of day: all that there is
        return parts - {"half"} == parts_of(column.format) - {"half"}
    if not (day <= parts and "%z" not in written):
        return False
    if not pa.types.is_timestamp(kind):
        return "hour" not in parts
    zone = literal_zone(written)
    return "hour" in parts and (zone_name(zone) if zone else None) == kind.tz


def _first(matches: pa.ChunkedArray, value: bool) -> int:
    return int(pc.index(matches, value).as_py()) + 1


def _refuse_format(column: Column, written: str | None) -> None:
    if written is not None:
        raise _bad_format(column, "is for datetimes, booleans and floats alone")


def _bad_format(column: Column, what: str) -> InvalidTable:
    detail = f"The format of column '{column.name}' does not fit: it {what}."
    return InvalidTable(detail, "invalid_format", [FieldError(column.name, f"The format {what}.")])


def _mismatch(column: Column, what: str, code: str = "kind_mismatch") -> InvalidTable:
    detail = f"Column '{column.name}' cannot be read as {what}."
    return InvalidTable(detail, code, [FieldError(column.name, "The values are not of the declared kind.")])
