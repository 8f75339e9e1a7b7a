"""Rows and values of the real table that the synthetic one repeats."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthgen_ray.quality.cells import Array, Cells

SPREAD = np.uint64(0x9E3779B97F4A7C15)
MIXERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def copied_rows(real: Cells, others: Cells) -> Array:
    """Which rows of `others` are rows of the real table in every column that is compared, (N,) of booleans."""
    return np.isin(fingerprints(others), fingerprints(real))


def repeated_rows(real: Cells) -> Array:
    """Which rows are there more than once, (N,): about what other real rows would have in common with these."""
    _, places, counts = np.unique(fingerprints(real), return_inverse=True, return_counts=True)
    repeated: Array = counts[places] > 1
    return repeated


def copied_values(real: pa.ChunkedArray, others: pa.ChunkedArray) -> float | None:
    """The share of values that the real column has too; `None` of a column without values."""
    values = others.drop_null().cast(pa.string())
    if not len(values):
        return None
    return float(pc.mean(pc.is_in(values, real.drop_null().cast(pa.string()).unique())).as_py())


def fingerprints(cells: Cells) -> Array:
    """64 bits a row, (N,), the same for the same cells: two of a million different rows hardly ever share theirs.

    Each column's bits are added and then mixed by the finaliser of SplitMix64 (Steele, Lea and Flood 2014, OOPSLA).
    """
    state = np.zeros(cells.num_rows, np.uint64)
    for name in cells.names:
        column = cells.columns[name]
        if cells.is_number(name):
            column = np.where(np.isnan(column), np.nan, column + 0.0)  # one NaN, one zero
        bits = column.view(np.uint64) if cells.is_number(name) else column.astype(np.int64).view(np.uint64)
        state = (state ^ bits) + SPREAD
        state = (state ^ (state >> np.uint64(30))) * MIXERS[0]
        state = (state ^ (state >> np.uint64(27))) * MIXERS[1]
        state ^= state >> np.uint64(31)
    return state
