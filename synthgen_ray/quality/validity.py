"""Whether synthetic values are such as the real table has, and whether they reach all of those."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthgen_ray.quality.cells import Array, Cells
from synthgen_ray.quality.telling import told

STEP = 0.001


def validity(real: Cells, synthetic: Cells, name: str, k: int) -> float:
    """The share of synthetic values within the real range, or among the real categories.

    The range is that between the `extremes`, the categories those of k rows or more. A null is valid where k real rows
    have one; it then counts in the share of categories and not in that of a range. NaN where no value is left.

    Source: SDMetrics, BoundaryAdherence and CategoryAdherence, which are this for k = 1.
    """
    ours, theirs, nulls = real.columns[name], synthetic.columns[name], synthetic.nulls(name)
    unknown = real.nulls(name)
    nullable = bool(unknown.sum() >= k)
    if not real.is_number(name):
        known = np.isin(theirs, np.flatnonzero(np.bincount(ours[~unknown]) >= k))
        return float((known | (nulls & nullable)).mean())
    if nullable:
        theirs = theirs[~nulls]
    if not len(theirs):
        return float("nan")
    if unknown.all():
        return 0.0
    bounds = extremes(ours[~unknown], k, k)
    return float("nan") if bounds is None else float(((theirs >= bounds[0]) & (theirs <= bounds[1])).mean())


def coverage(real: Cells, synthetic: Cells, name: str, k: int, *, other_is_real: bool = False) -> float:
    """The share of the real range, or of the real categories, that the synthetic table reaches.

    The range is that between the `extremes`, the categories those of k rows or more: what lies beyond is not to be
    reached. NaN where there is none. Of other real rows too, the ends are their `extremes`.

    Source: SDMetrics, RangeCoverage and CategoryCoverage, which are this for k = 1.
    """
    ours, theirs = (cells.columns[name][~cells.nulls(name)] for cells in (real, synthetic))
    if not real.is_number(name):
        common = np.flatnonzero(np.bincount(ours) >= k) if len(ours) else ours
        return float(np.isin(common, theirs).mean()) if len(common) else float("nan")
    bounds = extremes(ours, k, k)
    if bounds is None or bounds[0] == bounds[1]:
        return float("nan")
    rank = k if other_is_real else 1
    ends = extremes(theirs, rank, rank)
    if ends is None:
        return float("nan") if len(theirs) else 0.0
    missed = max(ends[0] - bounds[0], 0.0) + max(bounds[1] - ends[1], 0.0)
    return float(max(1 - missed / (bounds[1] - bounds[0]), 0.0))


def told_coverage(real: Cells, synthetic: Cells, name: str, k: int, *, other_is_real: bool = False) -> float:
    """The same as it may be told: who knows the synthetic ends finds the real ones by it, as far as it has digits."""
    return float(told(coverage(real, synthetic, name, k, other_is_real=other_is_real), STEP))


def extremes(values: Array, rank: int, k: int) -> tuple[float, float] | None:
    """Means of the k values from the `rank`-th lowest and highest on, inwards; `None` where they cross."""
    inside = slice(rank - 1, rank - 1 + k)
    if len(values) < inside.stop:
        return None
    ordered, count = np.sort(values), len(values)
    low, high = (_mean(ordered[part]) for part in (inside, slice(count - inside.stop, count - inside.start)))
    return (low, high) if low <= high else None


def _mean(values: Array) -> float:
    """The same as by numpy, and finite for floats whose sum is not; of equal values it is theirs to the last digit."""
    scale = 2.0 ** len(values).bit_length()  # a power of 2: no digit is lost
    return float(np.clip((values / scale).mean() * scale, values.min(), values.max()))


def key_uniqueness(keys: pa.ChunkedArray) -> float:
    """The share of rows whose key is there and was not in an earlier row. Source: SDMetrics, KeyUniqueness."""
    return float(pc.count_distinct(keys, mode="only_valid").as_py() / len(keys))
