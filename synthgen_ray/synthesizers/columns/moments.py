"""Dates and times between ISO 8601 and the integers that Arrow keeps."""

import math
import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pyarrow as pa
import pyarrow.compute as pc

from synthgen_ray.domain.conditions import moment_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MICROSECONDS = {"s": Fraction(1_000_000), "ms": Fraction(1000), "us": Fraction(1), "ns": Fraction(1, 1000)}
DAY = 86_400_000_000
HOURS = 24  # of a day
FINER = re.compile(r"[.,]\d{6}(\d+)")
DIRECTIVE = re.compile(r"%[-\d]*([A-Za-z])")
FINEST = (({*"fsxcXQ"}, 0), ({*"ST"}, 1_000_000), ({*"MR"}, 60_000_000), ({*"HI"}, 3_600_000_000))


def is_moment(type_: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(type_) or pa.types.is_date(type_))


def microseconds_per_step(type_: pa.DataType) -> Fraction:
    if pa.types.is_date32(type_):
        return Fraction(DAY)
    return MICROSECONDS["ms" if pa.types.is_date64(type_) else type_.unit]


def units_per_day(type_: pa.DataType) -> int:
    return int(DAY / microseconds_per_step(type_))


def steps_of(text: str, type_: pa.DataType) -> Fraction:
    """An ISO 8601 moment, or a time of day, in the unit of the type, from its epoch. Without a zone it is one of the
    type's clocks, where these show it twice the first, where they leave it out the moment after."""
    moment = moment_of(text)
    zone = type_.tz if pa.types.is_timestamp(type_) else None
    if moment.tzinfo is None and zone:
        shown = pa.scalar(moment, pa.timestamp("us"))
        in_zone = pc.assume_timezone(shown, zone, ambiguous="earliest", nonexistent="latest")
        microseconds = in_zone.cast(pa.int64()).as_py()  # it may be none of Python's moments
    else:
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        microseconds = (moment - EPOCH) // MICROSECOND
    finer = FINER.search(text)  # digits, which Python cuts off
    rest = Fraction(f"0.{finer[1]}") if finer else Fraction(0)
    return (Fraction(microseconds) + rest) / microseconds_per_step(type_)


def iso(steps: int, type_: pa.DataType, upwards: bool = False) -> str:
    """Of nanoseconds to the microsecond before, or after."""
    microseconds = steps * microseconds_per_step(type_)
    moment = EPOCH + (math.ceil(microseconds) if upwards else math.floor(microseconds)) * MICROSECOND
    if pa.types.is_date(type_):
        return moment.date().isoformat()
    return (moment if type_.tz else moment.replace(tzinfo=None)).isoformat()


def resolution(format_: str | None, type_: pa.DataType) -> int:
    """Units of the type in the finest part that a strftime format shows; 1 if that is not known."""
    if format_ is None or not is_moment(type_):
        return 1
    shown = set(DIRECTIVE.findall(format_))
    finest = next((microseconds for parts, microseconds in FINEST if shown & parts), DAY)
    return max(int(finest / microseconds_per_step(type_)), 1)
