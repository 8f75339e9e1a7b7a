"""What the text of a column means: booleans, integers, floats, dates, or text after all.

A column has a type when all its cells have it, apart from missing ones. Leading zeros make text,
so that zip codes and account numbers keep them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from synthgen_ray.datasets.date_guessing import DATE, DAY
from synthgen_ray.datasets.number_text import NUMBER, NotNumbers, plain_numbers
from synthgen_ray.datasets.text_dates import NotDates, dates_of, declaration, parse_dates
from synthgen_ray.domain.column_names import words_of
from synthgen_ray.domain.errors import FieldError, InvalidTable

BOOLEAN = r"(?i:true|false)"
INTEGER = r"-?(?:0|[1-9][0-9]*)"
FLOAT = r"-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|(?i:[+-]?inf(?:inity)?)"
# What databases, spreadsheets and data frames write for it, in columns of a type only: in text, NA may be Namibia.
MISSING = r"(?:(?i:na|n/a|nan|nat|null|none|<na>|\\n|#n/a|#(?:div/0|value|ref|num|null)!|#name\?)|\?|--?|\.)"
EMPTY = "a cell without a value is best left empty"
MOST_MARKERS = 5  # that a warning names
SAMPLE = 1000
# Integers that are days, and names of columns that say so.
YEAR_MONTH_DAY, FIRST_DAY, LAST_DAY = "%Y%m%d", 1900_01_01, 2100_12_31
DATE_WORDS = frozenset({"date", "dates", "day", "dt", "datum", "fecha", "jour", "ymd", "yyyymmdd"})
# A date with something that no format knows: a weekday, a zone that is spelt.
NEARLY_DATE = rf"^(?i:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? )?{DAY}(?:[T ,:].{{0,25}})?$"


@dataclass(frozen=True)
class Typed:
    values: pa.ChunkedArray
    format: str | None = None
    warnings: tuple[str, ...] = ()


_Parser = tuple[str, Callable[[str, pa.ChunkedArray], Typed]]


def type_cells(name: str, cells: pa.ChunkedArray, *, bare: bool = False, decimal_comma: bool = False) -> Typed:
    """The cells with the type that all of them have; as they are when there is none.

    Numbers have to be `bare`, or may have currencies and the like about them, commas between thousands too unless the
    file may have a `decimal_comma`.

    Raises: InvalidTable for numbers that do not fit into 64 bits.
    """
    sample = cells.drop_null().slice(0, SAMPLE)
    about_numbers: _Parser = (NUMBER, partial(_written_numbers, decimal_comma))
    for pattern, parse in _PARSERS if bare else (*_PARSERS, about_numbers):
        if _all_match(sample, pattern) and _all_match(cells, pattern):
            present = pc.match_substring_regex(cells, rf"^\s*(?:{pattern})\s*$")
            if not pc.any(present).as_py():
                break  # nothing but words for missing: they are all there is to keep
            typed = parse(name, pc.if_else(present, pc.utf8_trim_whitespace(cells), None))
            if typed.values is None:
                return Typed(cells, warnings=typed.warnings)
            return Typed(typed.values, typed.format, typed.warnings + _missing_warning(name, cells, present))
    return Typed(cells, warnings=_mixed_warning(name, sample))


def _all_match(cells: pa.ChunkedArray, pattern: str) -> bool:
    fits = pc.match_substring_regex(cells, rf"^\s*(?:{pattern}|{MISSING})?\s*$")
    return bool(pc.all(fits, min_count=0).as_py())


def _booleans(_: str, cells: pa.ChunkedArray) -> Typed:
    spellings = {spelling.lower(): spelling for spelling in cells.unique().drop_null().to_pylist()}
    values = pc.equal(pc.utf8_lower(cells), "true")
    style: Callable[[str], str] = next(
        (s for s in (str.title, str.upper) if all(s(low) == as_is for low, as_is in spellings.items())), str.lower
    )
    return Typed(values, f"{style('true')}/{style('false')}")


def _integers(name: str, cells: pa.ChunkedArray) -> Typed:
    values = as_integers(name, cells)
    bounds = pc.min_max(values).as_py()
    if FIRST_DAY <= bounds["min"] <= bounds["max"] <= LAST_DAY:
        return _days(name, cells, values)
    return Typed(values)


def _written_numbers(decimal_comma: bool, name: str, cells: pa.ChunkedArray) -> Typed:
    try:
        numbers = plain_numbers(name, cells, decimal_comma=decimal_comma)
    except NotNumbers as why:
        warning = f"number_format: column '{name}' {why.reason}, and was read as text."
        return Typed(None, warnings=(warning,) if why.reason else ())
    if numbers.are_whole:
        return Typed(as_integers(name, numbers.texts), warnings=(numbers.warning,))
    floats = pc.cast(numbers.texts, pa.float64())
    check_finite(name, floats)
    return Typed(floats, warnings=(numbers.warning,))


def _days(name: str, cells: pa.ChunkedArray, integers: pa.ChunkedArray) -> Typed:
    """Integers that may all be days, as 20240131 is one: as such in a column that is called so."""
    try:
        values, written, _ = dates_of(cells, YEAR_MONTH_DAY)
    except NotDates:  # a month of 13
        return Typed(integers)
    if DATE_WORDS & set(words_of(name)):
        warning = f"dates_as_integers: the integers of column '{name}' are days, and were read as dates."
        return Typed(values, written, (warning,))
    how = declaration(name, (YEAR_MONTH_DAY,))
    warning = f"dates_as_integers: column '{name}' may hold days, and was read as integers; if so, {how}."
    return Typed(integers, warnings=(warning,))


def _floats(name: str, cells: pa.ChunkedArray) -> Typed:
    values = pc.cast(pc.replace_substring_regex(cells, r"^\+", ""), pa.float64())
    check_finite(name, values)
    whole = pc.any(pc.match_substring_regex(cells, r"^-?[0-9]+$"), min_count=0).as_py()
    pointed = pc.any(pc.match_substring_regex(cells, r"^-?[0-9]+\.0$"), min_count=0).as_py()
    return Typed(values, "0.0" if pointed and not whole else None)


_PARSERS: tuple[_Parser, ...] = (
    (BOOLEAN, _booleans),
    (INTEGER, _integers),
    (FLOAT, _floats),
    (DATE, lambda name, cells: Typed(*parse_dates(name, cells))),
)


def as_integers(name: str, cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Raises: InvalidTable, for one beyond 64 bits."""
    try:
        return pc.cast(cells, pa.int64())
    except pa.ArrowInvalid:
        raise integer_out_of_range(name) from None


def check_finite(name: str, values: pa.ChunkedArray) -> None:
    """Refuse infinities: no model can learn them. Raises: InvalidTable."""
    count = pc.sum(pc.is_inf(values)).as_py() or 0
    if count:
        detail = f"Column '{name}' has {count:,} values that are infinite or too large for a 64-bit float."
        raise InvalidTable(detail, "non_finite", [FieldError(name, f"{count:,} values are not finite.")])


def integer_out_of_range(name: str) -> InvalidTable:
    detail = f"Column '{name}' holds integers outside of 64 bits; drop it, or give them a prefix that makes them text."
    return InvalidTable(detail, "integer_out_of_range", [FieldError(name, "An integer does not fit into 64 bits.")])


def _missing_warning(name: str, cells: pa.ChunkedArray, present: pa.ChunkedArray) -> tuple[str, ...]:
    missing = pc.utf8_trim_whitespace(cells.filter(pc.invert(present)))
    if not len(missing):
        return ()
    markers = missing.unique().to_pylist()
    named = [f"`{marker}`" for marker in markers if marker][:MOST_MARKERS] + ["blank"] * ("" in markers)
    return (
        f"missing_values: {len(missing):,} cells of column '{name}' are {' or '.join(named)} and were read as missing.",
    )


def _mixed_warning(name: str, sample: pa.ChunkedArray) -> tuple[str, ...]:
    """A warning when half of a column's cells or more are numbers or dates and the rest is not."""
    if _most_match(sample, f"^{DATE}$"):
        return (f"mixed_types: column '{name}' holds dates and text, and was read as text; {EMPTY}.",)
    if _most_match(sample, NEARLY_DATE):
        return (
            f"dates_as_text: column '{name}' holds dates with something that no format has, and was read as text;"
            " write them as YYYY-MM-DD HH:MM:SS.",
        )
    if pc.any(pc.match_substring_regex(sample, r"^-?0[0-9]")).as_py():
        return ()  # leading zeros: codes
    if _most_match(sample, rf"^(?:{BOOLEAN}|{FLOAT})$"):
        return (f"mixed_types: column '{name}' holds numbers and text, and was read as text; {EMPTY}.",)
    return ()


def _most_match(sample: pa.ChunkedArray, pattern: str) -> bool:
    """Whether half of the cells do, or more."""
    matches = pc.sum(pc.match_substring_regex(sample, pattern)).as_py() or 0
    return 0 < len(sample) <= 2 * int(matches)
