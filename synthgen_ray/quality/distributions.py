"""A column's distribution in bins that may be shown: each holds k real rows or more, or none, and starts and ends at
values that k rows have, or at means of k."""

from datetime import UTC, datetime, timedelta

import numpy as np

from synthgen_ray.domain.columns import ColumnKind
from synthgen_ray.quality.assessment import Bin, BinKind, Edge
from synthgen_ray.quality.cells import NANOSECONDS_PER_DAY, NULL, Array, Cells
from synthgen_ray.quality.validity import extremes

MOST_CATEGORIES = 20
MOST_BINS = 20
TAIL = 0.01  # of the values lies beyond the even bins on each side
MOST_DECIMALS = 7
STEPS = tuple(NANOSECONDS_PER_DAY // parts for parts in (1, 24, 1_440, 86_400, 86_400_000, 86_400_000_000))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What may be written down: microseconds of the years 1 to 9999, and floats that are finite.
EARLIEST, LATEST = (
    (end.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1) for end in (datetime.min, datetime.max)
)
LARGEST = float(np.finfo(np.float64).max)


def distribution(
    real: Cells, synthetic: Cells, name: str, labels: list[str] | None, kind: ColumnKind, k: int
) -> tuple[Bin, ...]:
    """Ranges in order, or categories by frequency, then the rest, then null."""
    if labels is not None:
        return _categories(real.columns[name], synthetic.columns[name], labels, k)
    return _ranges(real.columns[name], synthetic.columns[name], kind, k)


def _categories(real: Array, synthetic: Array, labels: list[str], k: int) -> tuple[Bin, ...]:
    ours, theirs = (np.bincount(codes[codes != NULL], minlength=len(labels)) for codes in (real, synthetic))
    order = np.argsort(-ours, kind="stable")
    named = list(order[ours[order] >= k][:MOST_CATEGORIES])
    nulls = int(np.sum(real == NULL))
    hidden = 0 < nulls < k  # then null counts in the rest
    rest = len(real) - int(ours[named].sum()) - (0 if hidden else nulls)
    while 0 < rest < k and named:  # the rest of the shares would tell it
        rest += int(ours[named.pop()])
    if 0 < rest < k:
        return (_bin(BinKind.REST, 1.0, 1.0),)
    found = [
        _bin(BinKind.CATEGORY, ours[code] / len(real), theirs[code] / len(synthetic), labels[code]) for code in named
    ]
    their_nulls = float(np.mean(synthetic == NULL))
    their_rest = 1 - float(theirs[named].sum()) / len(synthetic) - (0 if hidden else their_nulls)
    return (
        *found,
        *_rest_and_null(rest / len(real), their_rest, 0 if hidden else nulls / len(real), 0 if hidden else their_nulls),
    )


def _ranges(real: Array, synthetic: Array, kind: ColumnKind, k: int) -> tuple[Bin, ...]:
    ours, theirs = (values[~np.isnan(values)] for values in (real, synthetic))
    edges = _edges(ours, kind, k)
    nulls = len(real) - len(ours)
    if edges is None:
        if 0 < nulls < k or 0 < len(ours) < k:
            return (_bin(BinKind.REST, 1.0, 1.0),)
        return _rest_and_null(
            len(ours) / len(real), len(theirs) / len(synthetic), nulls / len(real), 1 - len(theirs) / len(synthetic)
        )
    counts, their_counts = (_counts(values, edges) for values in (ours, theirs))
    their_nulls = len(synthetic) - len(theirs)
    if 0 < nulls < k:  # too few to be told of: they count in the fullest bin
        fullest = int(np.argmax(counts))
        counts[fullest] += nulls
        their_counts[fullest] += their_nulls
        nulls = their_nulls = 0
    found = [
        _bin(BinKind.RANGE, a / len(real), b / len(synthetic), low=_edge(low, kind), high=_edge(high, kind))
        for a, b, low, high in zip(counts, their_counts, edges[:-1], edges[1:], strict=True)
    ]
    return (*found, *_rest_and_null(0, 0, nulls / len(real), their_nulls / len(synthetic)))


def _edges(values: Array, kind: ColumnKind, k: int) -> Array | None:
    """Of bins that hold k values or more each, (B + 1,): a bin for each value if those are few, else even ones."""
    bounds = _bounds(values, k, kind, k)
    if bounds is None:
        return None
    low, high = bounds
    distinct, counts = np.unique(values, return_counts=True)
    common = distinct[counts >= k]
    if len(distinct) <= MOST_BINS and len(common) > 1:
        edges = _half_way(common)
    else:
        inner = _bounds(values, max(k, int(TAIL * len(values))), kind, k) or bounds
        even = 2 * np.linspace(inner[0] / 2, inner[1] / 2, MOST_BINS - 1)  # the width of huge ones would be infinite
        edges = np.unique(np.concatenate([[low], even, [high]]))
    if len(edges) < 2:
        return np.array([low, high])
    return _merged(edges, _counts(values, edges), k)


def _half_way(values: Array) -> Array:
    """(B + 1,): between two values each, and as far beyond the first and the last, though not beyond all floats."""
    halves = values / 2  # of which no sum is infinite
    steps = np.diff(halves) / 2
    edges = np.concatenate([[halves[0] - steps[0]], halves[:-1] + steps, [halves[-1] + steps[-1]]])
    return np.asarray(2 * np.clip(edges, -LARGEST / 2, LARGEST / 2))


def _bounds(values: Array, rank: int, kind: ColumnKind, k: int) -> tuple[float, float] | None:
    """The `extremes`, written as the values are; `None` where they cross."""
    ends = extremes(values, rank, k)
    if ends is None:
        return None
    low, high = (_on_grid(end, values, kind) for end in ends)
    return (low, high) if low <= high else None


def _on_grid(mean: float, values: Array, kind: ColumnKind) -> float:
    """With as many decimals as the values, or on a whole day, hour or so as they are."""
    if kind is ColumnKind.DATETIME:
        step = next((step for step in STEPS if not np.any(values % step)), STEPS[-1])
        return round(mean / step) * float(step)
    decimals = next((places for places in range(MOST_DECIMALS) if np.array_equal(values.round(places), values)), None)
    return mean if decimals is None else round(mean, decimals)


def _merged(edges: Array, counts: Array, k: int) -> Array:
    """The same without the edges between bins that are too small and their neighbours."""
    kept, held = [edges[0]], 0
    for count, high in zip(counts, edges[1:], strict=True):
        held += int(count)
        if held >= k:
            kept.append(high)
            held = 0
    kept[-1] = edges[-1]  # what is left over goes to the last one
    return np.array(kept)


def _counts(values: Array, edges: Array) -> Array:
    """How many values each bin holds; the outer ones with all that lies beyond."""
    places = np.searchsorted(edges[1:-1], values, side="right")
    return np.bincount(places, minlength=len(edges) - 1)


def _rest_and_null(rest: float, their_rest: float, nulls: float, their_nulls: float) -> tuple[Bin, ...]:
    found = []
    if rest > 0 or their_rest > 1e-12:
        found.append(_bin(BinKind.REST, rest, max(their_rest, 0.0)))
    if nulls or their_nulls:
        found.append(_bin(BinKind.NULL, nulls, their_nulls))
    return tuple(found)


def _bin(
    kind: BinKind,
    real: float,
    synthetic: float,
    label: str | None = None,
    low: Edge | None = None,
    high: Edge | None = None,
) -> Bin:
    return Bin(kind=kind, label=label, low=low, high=high, real=float(real), synthetic=float(synthetic))


def _edge(value: float, kind: ColumnKind) -> Edge:
    if kind is not ColumnKind.DATETIME:
        return float(value)
    microseconds = min(max(float(value) / 1000, EARLIEST), LATEST)  # a float of Python compares with them exactly
    return (EPOCH + timedelta(microseconds=microseconds)).isoformat().removesuffix("+00:00")
