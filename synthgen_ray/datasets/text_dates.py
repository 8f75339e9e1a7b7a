"""Dates and times that came as text: their values, and the format in which to write them again."""

import shlex
from contextlib import suppress

import pyarrow as pa
import pyarrow.compute as pc

from synthgen_ray.datasets.date_formats import (
    MONTHS,
    any_zone,
    literal_zone,
    loosely,
    parts_of,
    pattern_of,
    tokens_of,
    zone_name,
)
from synthgen_ray.datasets.date_guessing import guessed, orders_of
from synthgen_ray.datasets.datetime_text import fit_python_dates, unit_digits

# Years of two digits are those of POSIX: 1969 to 2068.
FIRST_YEAR_OF_19 = "69"

Parsed = tuple[pa.ChunkedArray | None, str | None, tuple[str, ...]]
_Fields = dict[str, pa.Array]


class NotDates(Exception):
    """Why a column that looks like dates stays text, and the formats of which one is to be declared."""

    def __init__(self, code: str, reason: str, formats: tuple[str, ...] = ()) -> None:
        super().__init__(code, reason, formats)
        self.code = code
        self.reason = reason
        self.formats = formats


def parse_dates(name: str, cells: pa.ChunkedArray) -> Parsed:
    """The values, their format and warnings; no values where the column has to stay text."""
    try:
        values, written, mixed_zones = dates_of(cells)
    except NotDates as why:
        if not why.code:
            return None, None, ()
        how = f"; {declaration(name, why.formats)}" if why.formats else ""
        return None, None, (f"{why.code}: column '{name}' {why.reason}, and was read as text{how}.",)
    warnings: tuple[str, ...] = ()
    if mixed_zones:
        warnings = (f"mixed_timezones: column '{name}' has several UTC offsets and was read as UTC.",)
    if "year" not in parts_of(written):
        warnings = (f"times_of_day: column '{name}' holds times of day and was read as moments of 1970-01-01.",)
    return values, written, warnings


def declaration(name: str, formats: tuple[str, ...]) -> str:
    """How to say which of the formats a column has."""
    kind = shlex.quote(f"{name}=datetime")
    options = " or ".join(f"--kind {kind} --format {shlex.quote(f'{name}={written}')}" for written in formats)
    return (
        f"say what it is by {options}, or over HTTP by its kind `datetime` and the format"
        f" {' or '.join(f'`{written}`' for written in formats)} in the `schema`"
    )


def dates_of(cells: pa.ChunkedArray, declared: str | None = None) -> tuple[pa.ChunkedArray, str, bool]:
    """The moments that cells of the pattern `DATE` stand for, their format, and whether their zones differ.

    `declared` is the format that they must have, whatever its pattern; it tells days from months. Times without a date
    are of 1970-01-01, months are their first day.

    Raises: NotDates.
    """
    encoded = cells.dictionary_encode().unify_dictionaries()
    distinct = encoded.chunk(0).dictionary if encoded.num_chunks else pa.array([], pa.string())
    if not len(distinct):
        raise NotDates("no_dates", "holds no date")
    values, written, mixed_zones = _read(distinct, any_zone(declared)) if declared else _guess(distinct)
    if declared and loosely(written) != loosely(declared).replace("%z", literal_zone(written) or ""):
        raise NotDates("format_mismatch", "holds dates in another format than the declared one")
    chunks = [values.take(chunk.indices) for chunk in encoded.chunks]
    return pa.chunked_array(chunks, type=values.type), written, mixed_zones


def _guess(texts: pa.Array) -> tuple[pa.Array, str, bool]:
    found = guessed(texts[0].as_py())
    if not found:
        raise NotDates("mixed_dates", "holds dates in several formats")
    written, is_sure = found
    orders = orders_of(written)
    if is_sure and len(orders) == 1:
        values, written, mixed_zones = _read(texts, written)
        if parts_of(written) == {"hour", "minute"} and not _has_afternoons(values):
            raise NotDates("times_as_text", "may hold times of day, or minutes and seconds", (written,))
        return values, written, mixed_zones
    if is_sure:
        return _read(texts, _ordered(texts, written))
    readings = []
    for order in orders:
        with suppress(NotDates):
            readings.append(_read(texts, order)[1])
    if not readings:
        raise NotDates("", "holds something else")
    raise NotDates("dates_as_text", "may hold dates whose year or day is not written out", tuple(readings))


def _has_afternoons(times: pa.Array) -> bool:
    return bool(pc.greater_equal(pc.max(pc.hour(times)), 13).as_py())


def _ordered(texts: pa.Array, written: str) -> str:
    """Day or month first, as the values tell: a number above 12 is a day, and before points stands one."""
    fields = _fields(texts, written)
    first, second = (pc.max(pc.cast(fields[part], pa.int32())).as_py() for part in ("day", "month"))
    day_first, month_first = orders_of(written)
    if written.startswith("%d.") or (first > 12 >= second):
        return day_first
    if second > 12 >= first:
        return month_first
    if first > 12:
        raise NotDates("mixed_dates", "holds dates with the day first and with the month first")
    formats = tuple(_resolved(order, fields) for order in orders_of(written))
    raise NotDates("ambiguous_dates", "may have the day or the month first", formats)


def _read(texts: pa.Array, written: str) -> tuple[pa.Array, str, bool]:
    """The moments of distinct texts in a format, the format as the texts have it, and whether zones differ."""
    fields = _fields(texts, written)
    zones = set(fields["zone"].unique().to_pylist()) if "zone" in fields else {""}
    if "" in zones and len(zones) > 1:
        raise NotDates("mixed_timezones", "has times with and without a zone")
    found = _resolved(written, fields)
    literal = literal_zone(found)
    try:
        dates = _iso_dates(fields)
        if "hour" not in fields:
            values = pc.cast(dates, pa.date32())
        else:
            values = _moments(dates, fields, zone_name(literal) if literal else None)
    except pa.ArrowInvalid:  # its message repeats the value
        raise NotDates("invalid_date", "holds dates that do not exist") from None
    if not fit_python_dates(values):
        raise NotDates("date_out_of_range", "holds dates outside of the years 1 to 9999 in UTC")
    return values, found, len(zones) > 1


def _fields(texts: pa.Array, written: str) -> _Fields:
    parts = pc.extract_regex(texts, f"^(?:{pattern_of(written)})$")
    if parts.null_count:
        raise NotDates("mixed_dates", "holds dates in several formats")
    return {field.name: parts.field(place) for place, field in enumerate(parts.type)}


def _iso_dates(fields: _Fields) -> pa.Array | str:
    if "year" not in fields:
        return "1970-01-01"
    year, month = fields["year"], fields["month"]
    if pc.min(pc.utf8_length(year)).as_py() == 2:
        year = pc.binary_join_element_wise(pc.if_else(pc.less(year, FIRST_YEAR_OF_19), "20", "19"), year, "")
    if pc.min(pc.utf8_length(month)).as_py() > 2:
        names = pa.array([name[:3] for name in MONTHS])
        places = pc.index_in(pc.utf8_slice_codeunits(pc.utf8_lower(month), 0, 3), names)
        month = pc.cast(pc.add(places, 1), pa.string())
    day = pc.utf8_lpad(fields["day"], 2, "0") if "day" in fields else "01"
    return pc.binary_join_element_wise(year, pc.utf8_lpad(month, 2, "0"), day, "-")


def _moments(dates: pa.Array | str, fields: _Fields, zone: str | None) -> pa.Array:
    clock = pc.binary_join_element_wise(_hours(fields), fields.get("minute", "00"), _seconds(fields), ":")
    fraction = fields.get("fraction", "")
    unit = "ns" if _fraction_digits(fields)[1] > 6 else "us"
    iso = pc.binary_join_element_wise(dates, "T", clock, fraction, "")
    if not zone:
        return pc.cast(iso, pa.timestamp(unit))
    offset = pc.replace_substring_regex(pc.replace_substring(fields["zone"], " ", ""), "UTC|GMT", "Z")
    utc = pc.cast(pc.binary_join_element_wise(iso, offset, ""), pa.timestamp(unit, "UTC"))
    return utc.cast(pa.timestamp(unit, zone))


def _hours(fields: _Fields) -> pa.Array:
    hours = fields["hour"]
    if "half" in fields:
        numbers = pc.cast(hours, pa.int32())
        to_add = pc.if_else(pc.equal(pc.utf8_lower(fields["half"]), "pm"), 12, 0)
        hours = pc.cast(pc.add(pc.if_else(pc.equal(numbers, 12), 0, numbers), to_add), pa.string())
    return pc.utf8_lpad(hours, 2, "0")


def _seconds(fields: _Fields) -> pa.Array | str:
    if "second" not in fields:
        return "00"
    seconds = pc.replace_substring(fields["second"], ":", "")
    return pc.if_else(pc.equal(seconds, ""), "00", seconds)


def _fraction_digits(fields: _Fields) -> tuple[int, int]:
    """The fewest and the most; none is -1."""
    if "fraction" not in fields:
        return -1, -1
    lengths = pc.min_max(pc.utf8_length(fields["fraction"])).as_py()
    return lengths["min"] - 1, lengths["max"] - 1


def _resolved(written: str, fields: _Fields) -> str:
    """The format as these texts have it: whether numbers are padded, how months and halves are spelt, which zone."""
    is_numeric = "month" in fields and pc.max(pc.utf8_length(fields["month"])).as_py() <= 2
    dates = [part for part in ("day", "month") if part in fields and (part == "day" or is_numeric)]
    bare = {
        **dict.fromkeys("dm", bool(dates) and min(_shortest(fields[part]) for part in dates) == 1),
        **dict.fromkeys("HI", "hour" in fields and _shortest(fields["hour"]) == 1),
    }
    found = []
    for text, letter in tokens_of(written):
        if letter and letter in bare:
            found.append(f"%-{letter}" if bare[letter] else f"%{letter}")
        elif letter in ("b", "B"):
            found.append(_month_style(fields["month"]))
        elif letter in ("p", "P"):
            found.append("%P" if _all_equal(fields["half"], pc.utf8_lower(fields["half"])) else "%p")
        elif text == ":%S":
            found.append(text if pc.max(pc.utf8_length(fields["second"])).as_py() else "")
        elif letter == "f":
            found.append(_fraction_style(*_fraction_digits(fields)))
        elif letter == "z":
            zones = fields["zone"].unique().to_pylist()
            found.append(zones[0] if len(zones) == 1 else "Z")
        else:
            found.append(text)
    return "".join(found)


def _shortest(texts: pa.Array) -> int:
    return int(pc.min(pc.utf8_length(texts)).as_py())


def _all_equal(left: pa.Array, right: pa.Array) -> bool:
    return bool(pc.all(pc.equal(left, right)).as_py())


def _month_style(months: pa.Array) -> str:
    letter = "B" if pc.max(pc.utf8_length(months)).as_py() > 3 else "b"
    return f"%^{letter}" if _all_equal(months, pc.utf8_upper(months)) else f"%{letter}"


def _fraction_style(fewest: int, most: int) -> str:
    digits = most if fewest == most else unit_digits(most)
    return "" if digits < 1 else ".%f" if digits == 6 else f".%{digits}f"
