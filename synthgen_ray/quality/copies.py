"""Rows and values of the real table that the synthetic one repeats."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthgen_ray.quality.cells import Array, Cells

STEP = np.uint64(0x9E3779B97F4A7C15)
MIXERS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
LEAST_COLUMNS = 4  # of fewer, all but one say little of a row
MOST_LEFT_OUT = 50


def copied_rows(real: Cells, others: Cells) -> Array:
    """Which rows of `others` are rows of the real table in every column that is compared, (N,) of booleans."""
    return np.asarray(_times(_counted(fingerprints(real)), fingerprints(others)) > 0)


def repeated_rows(real: Cells) -> Array:
    """Which rows are there more than once, (N,): about what other real rows would have in common with these."""
    prints = fingerprints(real)
    return np.asarray(_times(_counted(prints), prints) > 1)


def rare_copies(real: Cells, others: Cells, k: int) -> tuple[Array, Array]:
    """Which rows of `others` the real table has too, though fewer than k times; and which real rows it has beside
    themselves. (N,) of booleans each.

    What k rows have in common tells of none of them.
    """
    ours = fingerprints(real)
    known = _counted(ours)
    return _are_rare(known, fingerprints(others), k), _are_rare(known, ours, k, among=True)


def near_copies(
    real: Cells, others: Cells, some_real: Cells, k: int, chance: np.random.Generator
) -> tuple[Array, Array]:
    """The same in all columns but one, whichever that is, of `others` and of some of the real rows; of wide tables it
    is one of some columns.

    None of fewer than `LEAST_COLUMNS` is.
    """
    found = np.zeros(others.num_rows, bool), np.zeros(some_real.num_rows, bool)
    names = real.names
    if len(names) < LEAST_COLUMNS:
        return found
    if len(names) > MOST_LEFT_OUT:
        names = tuple(chance.choice(names, MOST_LEFT_OUT, replace=False).tolist())
    ours, *prints = (fingerprints(cells) for cells in (real, others, some_real))
    for name in names:
        known = _counted(ours - _hashes(real, name))
        for cells, theirs, are_near, among in zip((others, some_real), prints, found, (False, True), strict=True):
            are_near |= _are_rare(known, theirs - _hashes(cells, name), k, among=among)
    return found


def copied_values(real: pa.ChunkedArray, others: pa.ChunkedArray) -> float | None:
    """The share of values that the real column has too; `None` of a column without values."""
    values = others.drop_null().cast(pa.string())
    if not len(values):
        return None
    return float(pc.mean(pc.is_in(values, real.drop_null().cast(pa.string()).unique())).as_py())


def repeated_share(real: pa.ChunkedArray) -> float | None:
    """The share of values that are there more than once; `None` of a column without values."""
    values = real.drop_null()
    if not len(values):
        return None
    counts = values.value_counts().field("counts").to_numpy()
    return float(counts[counts > 1].sum() / len(values))


def fingerprints(cells: Cells) -> Array:
    """64 bits a row, (N,), the same for the same cells: two of a million different rows hardly ever share theirs.

    The sum of its cells' hashes, so that one without a column is had by subtraction.
    """
    total = np.zeros(cells.num_rows, np.uint64)
    for name in cells.names:
        total += _hashes(cells, name)
    return total


def _hashes(cells: Cells, name: str) -> Array:
    """Of a column's cells, (N,), in another way than of the next column's.

    Source: Steele, Lea and Flood 2014, OOPSLA: the finaliser of SplitMix64, here twice, the first on the place.
    """
    column = cells.columns[name]
    if cells.is_number(name):
        column = np.where(np.isnan(column), np.nan, column + 0.0)  # one NaN, one zero
    bits = column.view(np.uint64) if cells.is_number(name) else column.astype(np.int64).view(np.uint64)
    place = _mixed(np.array([cells.names.index(name) + 1], np.uint64) * STEP)
    return _mixed(bits ^ place)


def _mixed(state: Array) -> Array:
    state = (state ^ (state >> np.uint64(30))) * MIXERS[0]
    state = (state ^ (state >> np.uint64(27))) * MIXERS[1]
    return np.asarray(state ^ (state >> np.uint64(31)))


def _counted(prints: Array) -> tuple[Array, Array]:
    """The different ones in order, and how many there are of each."""
    return np.unique(prints, return_counts=True)


def _are_rare(known: tuple[Array, Array], prints: Array, k: int, *, among: bool = False) -> Array:
    """Whether some, though fewer than k, are the same; who is `among` those that were counted is the same as itself."""
    times = _times(known, prints) - among
    return np.asarray((times > 0) & (times < k))


def _times(known: tuple[Array, Array], prints: Array) -> Array:
    """How many of those that were counted are the same as each."""
    different, counts = known
    places = np.minimum(np.searchsorted(different, prints), len(different) - 1)
    return np.where(different[places] == prints, counts[places], 0)
