"""Dates and times that came as text: their values, and the format in which to write them again."""

import re
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from synthgen_ray.datasets.datetime_text import FRACTION, unit_digits

_TIME = (
    r"(?:(?P<t>[T ])(?P<clock>[0-9]{2}:[0-9]{2})(?P<seconds>:[0-9]{2})?(?P<fraction>\.[0-9]{1,9})?"
    r"(?P<zone>Z| ?[+-][0-9]{2}:?[0-9]{2})?)?"
)
_YEAR_FIRST = r"(?P<year>[0-9]{4})(?P<sep>[-/.])(?P<second>[0-9]{1,2})(?P<sep2>[-/.])(?P<third>[0-9]{1,2})" + _TIME
_YEAR_LAST = r"(?P<first>[0-9]{1,2})(?P<sep>[-/.])(?P<second>[0-9]{1,2})(?P<sep2>[-/.])(?P<year>[0-9]{4})" + _TIME
# One pattern for all dates, without named groups: what a cell must look like to be tried.
DATE = "(?:" + "|".join(re.sub(r"\?P<\w+>", "?:", pattern) for pattern in (_YEAR_FIRST, _YEAR_LAST)) + ")"
_DATE_FORMATS = "|".join(f"%Y{s}%-?m{s}%-?d|%-?d{s}%-?m{s}%Y|%-?m{s}%-?d{s}%Y" for s in ("-", "/", r"\."))
_TIME_FORMAT = rf"(?:[T ]%H:%M(?::%S(?:{FRACTION.pattern})?)?(?:Z| ?[+-][0-9]{{2}}:?[0-9]{{2}})?)?"

Parsed = tuple[pa.ChunkedArray | None, str | None, tuple[str, ...]]


class NotDates(Exception):
    """Why a column that looks like dates stays text."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True)
class _Zone:
    name: str | None  # of the Arrow type
    literal: str  # as written at the end of every value
    mixed: bool = False


def parse_dates(name: str, cells: pa.ChunkedArray) -> Parsed:
    """The values, their format and warnings; no values where the column has to stay text."""
    try:
        values, written, mixed_zones = dates_of(cells)
    except NotDates as why:
        return None, None, (f"{why.code}: column '{name}' {why.reason}, and was read as text.",)
    warnings = (
        (f"mixed_timezones: column '{name}' has several UTC offsets and was read as UTC.",) if mixed_zones else ()
    )
    return values, written, warnings


def dates_of(cells: pa.ChunkedArray, declared: str | None = None) -> tuple[pa.ChunkedArray, str, bool]:
    """The moments that cells of the pattern `DATE` stand for, their format, and whether their zones differ.

    `declared` is the format that they must have, and tells days from months.

    Raises: NotDates.
    """
    encoded = cells.dictionary_encode().unify_dictionaries()
    distinct = encoded.chunk(0).dictionary if encoded.num_chunks else pa.array([], pa.string())
    if not len(distinct):
        raise NotDates("no_dates", "holds no date")
    values, written, mixed_zones = _parse(distinct, declared)
    if declared and written.replace("%-", "%") != declared.replace("%-", "%"):
        raise NotDates("format_mismatch", "holds dates in another format than the declared one")
    chunks = [values.take(chunk.indices) for chunk in encoded.chunks]
    return pa.chunked_array(chunks, type=values.type), written, mixed_zones


def is_format(text: str) -> bool:
    """Whether dates can be read and written in this format."""
    return re.fullmatch(f"(?:{_DATE_FORMATS}){_TIME_FORMAT}", text) is not None


def _parse(texts: pa.Array, declared: str | None) -> tuple[pa.Array, str, bool]:
    year_first = pc.all(pc.match_substring_regex(texts, r"^[0-9]{4}")).as_py()
    parts = pc.extract_regex(texts, f"^(?:{_YEAR_FIRST if year_first else _YEAR_LAST})$")
    if parts.null_count:
        raise NotDates("mixed_dates", "holds dates in several formats")
    fields = {field.name: parts.field(place) for place, field in enumerate(parts.type)}
    separators = set(fields["sep"].unique().to_pylist()) | set(fields["sep2"].unique().to_pylist())
    with_time = set(fields["t"].unique().to_pylist())
    if len(separators) > 1 or ("" in with_time and len(with_time) > 1):
        raise NotDates("mixed_dates", "holds dates in several formats")

    separator = separators.pop()
    order = ("%Y", "%m", "%d") if year_first else _order_of(fields, separator, declared)
    names = ("year", "second", "third") if year_first else ("first", "second", "year")
    day, month = (fields[names[order.index(part)]] for part in ("%d", "%m"))
    dates = pc.binary_join_element_wise(fields["year"], pc.utf8_lpad(month, 2, "0"), pc.utf8_lpad(day, 2, "0"), "-")
    unpadded = min(pc.min(pc.utf8_length(part)).as_py() for part in (day, month)) == 1
    written = separator.join(part.replace("%", "%-") if unpadded and part != "%Y" else part for part in order)
    try:
        if with_time == {""}:
            return pc.cast(dates, pa.date32()), written, False
        return _with_time(dates, fields, written)
    except pa.ArrowInvalid:  # its message repeats the value
        raise NotDates("invalid_date", "holds dates that do not exist") from None


def _order_of(fields: dict[str, pa.Array], separator: str, declared: str | None) -> tuple[str, str, str]:
    """Day or month first, as is declared or as the values tell: a number above 12 is a day."""
    if declared:
        return ("%m", "%d", "%Y") if declared.startswith(("%m", "%-m")) else ("%d", "%m", "%Y")
    first, second = (pc.max(pc.cast(fields[part], pa.int32())).as_py() for part in ("first", "second"))
    if separator == "." or (first > 12 >= second):
        return "%d", "%m", "%Y"
    if second > 12 >= first:
        return "%m", "%d", "%Y"
    if first > 12:
        raise NotDates("mixed_dates", "holds dates with the day first and with the month first")
    raise NotDates("ambiguous_dates", "may have the day or the month first; write dates as YYYY-MM-DD")


def _with_time(dates: pa.Array, fields: dict[str, pa.Array], date_format: str) -> tuple[pa.Array, str, bool]:
    zone = _zone_of(fields["zone"])
    marks = pc.min_max(pc.utf8_length(fields["fraction"])).as_py()
    digits = marks["max"] - 1
    unit = "ns" if digits > 6 else "us"
    offset = pc.replace_substring(fields["zone"], " ", "")
    iso = pc.binary_join_element_wise(
        dates, "T", fields["clock"], pc.if_else(pc.equal(fields["seconds"], ""), ":00", fields["seconds"]),
        fields["fraction"], offset, "",
    )  # fmt: skip
    values = pc.cast(iso, pa.timestamp(unit, "UTC" if zone.name else None))
    if zone.name:
        values = values.cast(pa.timestamp(unit, zone.name))
    separator = "T" if "T" in fields["t"].unique().to_pylist() else " "
    with_seconds = set(fields["seconds"].unique().to_pylist()) != {""}
    if marks["min"] != marks["max"]:
        digits = unit_digits(digits)
    fraction = "" if digits < 1 else ".%f" if digits == 6 else f".%{digits}f"
    clock = "%H:%M" + (":%S" if with_seconds else "") + fraction
    return values, date_format + separator + clock + zone.literal, zone.mixed


def _zone_of(zones: pa.Array) -> _Zone:
    written = set(zones.unique().to_pylist())
    if written == {""}:
        return _Zone(None, "")
    if "" in written:
        raise NotDates("mixed_timezones", "has times with and without a zone")
    if len(written) > 1:
        return _Zone("UTC", "Z", mixed=True)
    literal = written.pop()
    return _Zone(zone_name(literal), literal)


def zone_name(literal: str) -> str:
    """What Arrow calls the zone that is written so: `Z` is UTC, ` -0500` is -05:00."""
    sign_and_digits = re.sub(r"[ :]", "", literal)
    if sign_and_digits in ("Z", "+0000", "-0000"):
        return "UTC"
    return f"{sign_and_digits[:3]}:{sign_and_digits[3:]}"
