"""Decimals as integers, or as the nearest floats. Arrow's own cast to floats is an ulp off now and then: of 0.35 it
makes 0.35000000000000003, which has other decimals than were written."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

ROWS = 2**16  # at a time, of which text is made where a float cannot count
EXACT = 2**53  # below which each integer is a float
EXACT_PLACES = 22  # up to which each power of ten is one


def as_numbers(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Integers where none has room for decimals and 64 bits hold them all, however wide they are declared: databases
    give integers 38 digits. Floats, else."""
    if values.type.scale == 0:
        try:
            return values.cast(pa.int64())
        except pa.ArrowInvalid:
            pass
    return as_floats(values)


def as_floats(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Decimals of any width as float64, each rounded once; nulls stay."""
    slices = (chunk.slice(start, ROWS) for chunk in values.chunks for start in range(0, len(chunk), ROWS))
    return pa.chunked_array([_floats(part) for part in slices], pa.float64())


def _floats(part: pa.Array) -> pa.Array:
    type_ = part.type
    if pa.types.is_decimal32(type_) or pa.types.is_decimal64(type_):
        return _floats(part.cast(pa.decimal128(type_.precision, type_.scale)))
    if not pa.types.is_decimal128(type_) or abs(type_.scale) > EXACT_PLACES:
        return _by_text(part)
    low, high = np.frombuffer(part.buffers()[1], "<i8").reshape(-1, 2)[part.offset :][: len(part)].T
    power = 10.0 ** abs(type_.scale)
    floats = pc.if_else(part.is_valid(), pa.array(low / power if type_.scale > 0 else low * power), None)
    is_exact = (high == low >> 63) & (low > -EXACT) & (low < EXACT)
    if (is_exact | np.asarray(part.is_null())).all():
        return floats
    return pc.if_else(pa.array(is_exact), floats, _by_text(part))


def _by_text(part: pa.Array) -> pa.Array:
    """Exact for all, and ten times as slow."""
    return part.cast(pa.string()).cast(pa.float64())
