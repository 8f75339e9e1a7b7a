"""Canonical tables: what every part of SynthGen may be handed.

Their columns are integers of at most 64 signed bits, floats, booleans, dates, timestamps (unit and
zone kept) and strings; no dictionaries, no extension types, no metadata; NaN is null and infinities
do not exist. All names are usable and distinct.
"""

import re
from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pyarrow as pa
import pyarrow.compute as pc

from synthgen_ray.datasets.datetime_text import fit_python_dates
from synthgen_ray.datasets.decimals import as_numbers
from synthgen_ray.datasets.names import check_names
from synthgen_ray.datasets.text_typing import check_finite, integer_out_of_range
from synthgen_ray.domain.errors import FieldError, InvalidTable

_Test = Callable[[pa.DataType], bool]
_PLAIN: tuple[_Test, ...] = (pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating, pa.types.is_date)


def is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def check_schema(schema: pa.Schema) -> None:
    """Refuse unusable names and every type that cannot be made canonical, from the schema alone.

    To be called before any value is touched: converting a column of an extension type may run
    code that came with the file. Raises: InvalidTable.
    """
    check_names(schema.names)
    for field in schema:
        _check_type(field.name, field.type)


def _check_type(name: str, kind: pa.DataType) -> None:
    if _holds_extension(kind):
        raise unsupported_type(name, "an extension type")
    if pa.types.is_nested(kind):
        detail = f"Column '{name}' is a list, struct or map; give each part a column of its own."
        raise InvalidTable(detail, "nested_type", [FieldError(name, "The type is nested.")])
    if pa.types.is_dictionary(kind):
        _check_type(name, kind.value_type)
    elif pa.types.is_timestamp(kind):
        _check_zone(name, kind.tz)
    elif pa.types.is_decimal(kind):
        if not pa.types.is_decimal128(kind):
            raise unsupported_type(name, "a decimal that is not decimal128")
    elif not any(test(kind) for test in (*_PLAIN, is_text, pa.types.is_null)):
        raise unsupported_type(name, f"of type {kind}")


def _holds_extension(kind: pa.DataType) -> bool:
    if isinstance(kind, pa.BaseExtensionType):
        return True
    inner = [kind.value_type] if pa.types.is_dictionary(kind) else []
    inner += [kind.field(place).type for place in range(kind.num_fields)]
    return any(_holds_extension(part) for part in inner)


def _check_zone(name: str, zone: str | None) -> None:
    if zone is None or re.fullmatch(r"[+-]\d{2}:\d{2}", zone):
        return
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        detail = f"Column '{name}' is in a time zone that is not known; write it in UTC."
        raise InvalidTable(detail, "unknown_timezone", [FieldError(name, "Unknown time zone.")]) from None


def unsupported_type(name: str, what: str) -> InvalidTable:
    detail = f"Column '{name}' is {what}; use numbers, text, booleans, dates or timestamps."
    return InvalidTable(detail, "unsupported_type", [FieldError(name, "The type is not supported.")])


def canonical(table: pa.Table) -> tuple[pa.Table, tuple[str, ...]]:
    """The table with canonical types, and warnings about what changed.

    Raises: InvalidTable for a type or a value that has no canonical form.
    """
    check_schema(table.schema)
    columns, warnings = [], []
    for name, column in zip(table.column_names, table.columns, strict=True):
        columns.append(_canonical_column(name, column))
        if pa.types.is_decimal(column.type) and pa.types.is_floating(columns[-1].type):
            warnings.append(f"decimal_as_float: decimals of column '{name}' were read as 64-bit floats.")
    return pa.table(columns, names=table.column_names), tuple(warnings)


def _canonical_column(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _canonical_column(name, column.cast(kind.value_type))
    if pa.types.is_null(kind) or is_text(kind):
        return column.cast(pa.string())
    if pa.types.is_uint64(kind):
        if (pc.max(column).as_py() or 0) >= 2**63:
            raise integer_out_of_range(name)
        return column.cast(pa.int64())
    if pa.types.is_decimal(kind):
        return as_numbers(column)
    if pa.types.is_floating(kind):
        column = column.cast(pa.float32()) if pa.types.is_float16(kind) else column
        check_finite(name, column)
        return pc.if_else(pc.is_nan(column), None, column)
    if pa.types.is_date64(kind):
        column = column.cast(pa.date32(), safe=False)
    if pa.types.is_temporal(kind) and not fit_python_dates(column):
        detail = f"Column '{name}' has dates outside of the years 1 to 9999."
        raise InvalidTable(detail, "date_out_of_range", [FieldError(name, "A date is out of range.")])
    return column
