"""Arrow types by name, and cells as numpy sees them: no pickle, no IPC, only types that we know."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

ANY_INTEGER = pa.decimal128(19, 0)  # of 64 bits
MANY = 1 << 31  # values, of which 32 bits can tell so many apart
UNITS = ("s", "ms", "us", "ns")
INTEGERS = tuple(pa.type_for_alias(f"{sign}int{bits}") for sign in ("", "u") for bits in (8, 16, 32, 64))
FLOATS = (pa.float16(), pa.float32(), pa.float64())
TEXTS = (pa.string(), pa.large_string())
MOMENTS = (
    *(pa.timestamp(unit) for unit in UNITS),
    *(pa.duration(unit) for unit in UNITS),
    *(pa.time32(unit) for unit in UNITS[:2]),
    *(pa.time64(unit) for unit in UNITS[2:]),
    pa.date32(),
    pa.date64(),
)
PLAIN = {str(plain): plain for plain in (*INTEGERS, *FLOATS, *TEXTS, *MOMENTS, pa.bool_(), pa.null())}
ZONED = re.compile(r"timestamp\[(s|ms|us|ns), tz=([A-Za-z0-9_+\-/:]{1,64})\]")
DECIMAL = re.compile(r"decimal(32|64|128|256)\((\d{1,2}), (-?\d{1,2})\)")
DICTIONARY = re.compile(r"dictionary<values=([^<>]+), indices=(u?int(?:8|16|32|64)), ordered=([01])>")


def type_of(name: str) -> pa.DataType:
    """The type of that name. Raises: ValueError."""
    if name in PLAIN:
        return PLAIN[name]
    if zoned := ZONED.fullmatch(name):
        return pa.timestamp(*zoned.groups())
    if decimal := DECIMAL.fullmatch(name):
        bits, precision, scale = decimal.groups()
        return getattr(pa, f"decimal{bits}")(int(precision), int(scale))
    if dictionary := DICTIONARY.fullmatch(name):
        values, indices, ordered = dictionary.groups()
        return pa.dictionary(PLAIN[indices], type_of(values), ordered == "1")
    raise ValueError("unknown Arrow type")


def value_type(type_: pa.DataType) -> pa.DataType:
    """What a column's values are, dictionary or not."""
    return type_.value_type if pa.types.is_dictionary(type_) else type_


def is_text(type_: pa.DataType) -> bool:
    return value_type(type_) in TEXTS


def is_integral(type_: pa.DataType) -> bool:
    """Whether numpy sees exact integers: whole numbers, dates, times."""
    return bool(pa.types.is_integer(type_) or pa.types.is_temporal(type_))


def is_narrow_decimal(type_: pa.DataType) -> bool:
    """Few of Arrow's functions take them."""
    return bool(pa.types.is_decimal32(type_) or pa.types.is_decimal64(type_))


def can_be_categories(type_: pa.DataType) -> bool:
    """Whether Arrow can look its values up."""
    return not (is_narrow_decimal(type_) or pa.types.is_float16(type_))


def is_real(type_: pa.DataType) -> bool:
    return bool(pa.types.is_floating(type_) or pa.types.is_decimal(type_))


def plain(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """One contiguous array without dictionary, NaN turned into null."""
    if pa.types.is_dictionary(column.type):  # first: one index may not tell the values of all chunks apart
        column = column.cast(column.type.value_type)
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):
        array = pa.concat_arrays(array.chunks)
    if pa.types.is_floating(array.type):
        array = pc.if_else(pc.is_nan(array), pa.scalar(None, array.type), array)
    return array


def kept_nulls(array: pa.Array, k: int) -> int:
    """How many nulls there are; none if fewer than k, of which a model may know nothing."""
    return int(array.null_count) if array.null_count >= k else 0


def integers(array: pa.Array) -> np.ndarray:
    """The cells of an integral array as int64, or uint64 where the type says so; no nulls in it."""
    if array.type == pa.uint64():
        return np.asarray(array.to_numpy(zero_copy_only=False))
    if pa.types.is_temporal(array.type):
        array = array.view(pa.int32() if array.type.bit_width == 32 else pa.int64())
    return np.asarray(array.cast(pa.int64()).to_numpy(zero_copy_only=False))


def of_integers(values: np.ndarray, type_: pa.DataType, null_mask: np.ndarray | None = None) -> pa.Array:
    if not pa.types.is_temporal(type_):
        return pa.array(values, mask=null_mask).cast(type_)
    storage = np.int32 if type_.bit_width == 32 else np.int64
    return pa.array(values.astype(storage), mask=null_mask).view(type_)


def for_fresh(type_: pa.DataType) -> pa.DataType:
    """The same, but for a dictionary: with room for many values that the table lacks, which have no place in an order
    of its own."""
    if not pa.types.is_dictionary(type_):
        return type_
    return pa.dictionary(with_room(type_, MANY).index_type, type_.value_type)


def with_room(type_: pa.DataType, values: int) -> pa.DataType:
    """The same, but for a dictionary whose indices cannot tell so many values apart."""
    if not pa.types.is_dictionary(type_):
        return type_
    if values <= 1 << (type_.index_type.bit_width - pa.types.is_signed_integer(type_.index_type)):
        return type_
    return pa.dictionary(pa.int32(), type_.value_type, type_.ordered)


def without_views(table: pa.Table) -> pa.Table:
    """Text that is kept as views becomes plain text: few of Arrow's functions take views."""
    fields = [field.with_type(pa.string()) if field.type == pa.string_view() else field for field in table.schema]
    return table.cast(pa.schema(fields))


def values_of(array: pa.Array) -> list[Any]:
    """Cells as JSON can hold them; decimals that no float is equal to as text, a float32 as rows show it: 0.1, and not
    the 0.10000000149011612 that it is."""
    if is_integral(array.type):
        return list(integers(array).tolist())
    if pa.types.is_decimal(array.type):
        return [_of_decimal(value) for value in array.to_pylist()]
    if array.type == pa.float32():
        array = array.cast(pa.string()).cast(pa.float64())
    return list(array.cast(pa.float64() if array.type == pa.float16() else array.type).to_pylist())


def of_values(values: Sequence[Any], type_: pa.DataType) -> pa.Array:
    """The way back of `values_of`."""
    if pa.types.is_temporal(type_):
        return of_integers(np.array(values, dtype=np.int64), type_)
    if pa.types.is_decimal(type_):
        return pa.array([Decimal(str(value)) for value in values], type_)
    if type_ == pa.float16():
        return pa.array(values, pa.float64()).cast(type_)
    return pa.array(values, type_)


def dictionary_of(column: pa.ChunkedArray) -> pa.Array:
    """The values that a column of categories may have, in their order."""
    if any(chunk.dictionary.null_count for chunk in column.chunks):  # which Arrow does not unify
        return pa.chunked_array([chunk.dictionary for chunk in column.chunks]).unique().drop_null()
    return column.cast(with_room(column.type, MANY)).unify_dictionaries().combine_chunks().dictionary.drop_null()


def in_dictionary_of(column: pa.ChunkedArray, values: pa.ChunkedArray) -> pa.Array:
    """Other values in the type of a column of categories, and in its order; those that it lacks are behind them."""
    dictionary = pa.chunked_array([dictionary_of(column), *values.chunks]).unique().drop_null()
    codes = pc.index_in(values, value_set=dictionary).combine_chunks().cast(column.type.index_type)
    return pa.DictionaryArray.from_arrays(codes, dictionary, ordered=column.type.ordered)


def as_type(array: pa.Array, type_: pa.DataType) -> pa.Array:
    """The same values in that type, which may be a dictionary."""
    if pa.types.is_dictionary(type_):
        array = array.cast(type_.value_type).dictionary_encode()
    return array.cast(type_)


def _of_decimal(value: Decimal) -> float | str:
    return float(value) if Decimal(str(float(value))) == value else str(value)


def dictionary_array(codes: np.ndarray, dictionary: pa.Array, type_: pa.DataType, null_mask: np.ndarray) -> pa.Array:
    """The dictionary's values at `codes`, in the type asked for."""
    indices = pa.array(codes.astype(np.int32), mask=null_mask)
    if pa.types.is_dictionary(type_):
        return pa.DictionaryArray.from_arrays(indices.cast(type_.index_type), dictionary, ordered=type_.ordered)
    return dictionary.take(indices).cast(type_)
