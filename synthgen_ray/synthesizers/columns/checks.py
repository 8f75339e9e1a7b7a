"""What cannot be learnt is refused before anything is made of it."""

from collections.abc import Collection
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa
import pyarrow.compute as pc

from synthgen_ray.datasets.datetime_text import MAX_DAY, MIN_DAY
from synthgen_ray.domain.errors import InvalidTable
from synthgen_ray.synthesizers.columns import arrow, moments

# Sums of squares of scaled numbers and sums over millions of rows stay finite between these.
LEAST_SIZE, MOST_SIZE = 1e-301, 1e301


def check_schema(schema: pa.Schema) -> None:
    """From the types alone. Raises: InvalidTable."""
    check_unique(schema.names)
    for field in schema:
        _check_type(field.name, field.type)


def check_unique(names: Collection[object]) -> None:
    """Raises: InvalidTable."""
    if len(set(names)) != len(names):
        raise InvalidTable("Two columns have the same name.", "duplicate_column")


def check_values(name: str, values: pa.ChunkedArray) -> None:
    """Numbers are finite and of a size that can be computed with, moments in the years 1 to 9999.

    Raises: InvalidTable.
    """
    type_ = arrow.value_type(values.type)
    if pa.types.is_floating(type_):
        _check_floats(name, arrow.plain(values).drop_null().cast(pa.float64()))
    elif moments.is_moment(type_):
        per_day = moments.DAY / moments.microseconds_per_step(type_)
        steps = arrow.integers(arrow.plain(values).drop_null())
        if len(steps) and not MIN_DAY * per_day <= int(steps.min()) <= int(steps.max()) < (MAX_DAY + 1) * per_day:
            raise InvalidTable(f"Column {name!r} has dates outside of the years 1 to 9999.", "date_out_of_range")


def _check_type(name: str, type_: pa.DataType) -> None:
    try:
        known = arrow.type_of(str(type_)) == type_
    except (KeyError, ValueError, pa.ArrowException):
        known = False
    inner = type_.value_type if pa.types.is_dictionary(type_) else pa.null()
    if not known or pa.types.is_temporal(inner) or not arrow.can_be_categories(inner):
        advice = "make it text, numbers or dates first, by astype(str) for example"
        raise InvalidTable(
            f"Column {name!r} has the type {type_}, which cannot be learnt; {advice}.", "unsupported_type"
        )
    if pa.types.is_timestamp(type_) and type_.tz is not None and not _is_zone(type_.tz):
        raise InvalidTable(f"Column {name!r} is in a time zone that is not known.", "unknown_timezone")


def _is_zone(zone: str) -> bool:
    try:
        if zone[0] in "+-":
            pc.local_timestamp(pa.scalar(0, pa.timestamp("s", zone)))
        else:
            ZoneInfo(zone)
    except (pa.ArrowException, ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _check_floats(name: str, floats: pa.Array) -> None:
    if not pc.all(pc.is_finite(floats), min_count=0).as_py():
        raise InvalidTable(f"Column {name!r} holds infinite values; put null in their place.", "non_finite")
    largest = pc.max(pc.abs(floats)).as_py() or 0.0
    if largest > MOST_SIZE or 0 < largest < LEAST_SIZE:
        detail = f"Column {name!r} holds numbers too large or too small to be computed with (1e-301 to 1e301)."
        raise InvalidTable(detail, "value_range")
