"""What the columns, pairs and triples of a table get, each beside what the hold-out gets in its place."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from synthgen_ray.domain.columns import Column
from synthgen_ray.quality.accuracy import accuracies, associations, binned
from synthgen_ray.quality.assessment import Associations, ColumnResult, PairResult
from synthgen_ray.quality.cells import Array, Cells
from synthgen_ray.quality.distributions import distribution
from synthgen_ray.quality.groups import column_groups
from synthgen_ray.quality.missing import null_share, safe_null_share
from synthgen_ray.quality.numbers import mean, measure
from synthgen_ray.quality.shapes import column_shapes
from synthgen_ray.quality.trends import Trend, pair_trends
from synthgen_ray.quality.validity import told_coverage, validity

BATCHES = 10
LEAST_ROWS = 20  # of a batch
MOST_ASSOCIATED = 100
MOST_PARTS = 5

ByColumn = dict[str, float]


class Tables(NamedTuple):
    """The three tables' cells; `holdout` is `None` where there is none."""

    real: Cells
    synthetic: Cells
    holdout: Cells | None

    def sample(self, most: int, chance: np.random.Generator) -> "Tables":
        real, synthetic = (cells.sample(most, chance) for cells in (self.real, self.synthetic))
        return Tables(real, synthetic, None if self.holdout is None else self.holdout.sample(most, chance))


class Scores(NamedTuple):
    """Of all pairs and of some triples of columns. Shapes of arrays: (P,), (T,)."""

    trends: list[Trend]
    accuracy_2way: Array
    accuracy_3way: Array

    @property
    def trend_scores(self) -> Array:
        return np.array([trend.score for trend in self.trends])


def matched(tables: Tables, of: Callable[[Cells, Cells], float | None], seed: int) -> float | None:
    """What the synthetic table gets by `of(real, rows)` when it is as short as the hold-out: the mean of some parts.

    A shorter table scores lower by chance alone, so the whole is not beside its ceiling. `None` where there is none to
    be beside, or it is the longer one.
    """
    real, synthetic, holdout = tables
    if holdout is None or not 0 < holdout.num_rows <= synthetic.num_rows:
        return None
    order, size = np.random.default_rng(seed).permutation(synthetic.num_rows), holdout.num_rows
    starts = range(0, min(len(order) // size, MOST_PARTS) * size, size)
    return mean(of(real, synthetic.rows(order[start : start + size])) for start in starts)


def column_results(
    tables: Tables, columns: Sequence[Column], labels: dict[str, list[str]], k: int
) -> tuple[ColumnResult, ...]:
    """Those that are least alike first."""
    real, synthetic, holdout = tables
    shapes, best_shapes = column_shapes(real, synthetic), _if(holdout, lambda cells: column_shapes(real, cells))
    accuracy, best_accuracy = _accuracy_1way(real, synthetic), _if(holdout, lambda cells: _accuracy_1way(real, cells))
    valid, best_valid = _validity(real, synthetic), _if(holdout, lambda cells: _validity(real, cells))
    covered, best_covered = _coverage(real, synthetic, k), _if(holdout, lambda cells: _coverage(real, cells, k))
    results = [
        ColumnResult(
            name=name,
            kind=column.kind,
            shape=measure(shapes[name], best_shapes.get(name)),
            shape_by="ks_complement" if real.is_number(name) else "tv_complement",
            accuracy=measure(accuracy[name], best_accuracy.get(name)),
            validity=measure(valid[name], best_valid.get(name)),
            coverage=measure(covered[name], best_covered.get(name)),
            real_nulls=safe_null_share(real, name, k),
            synthetic_nulls=null_share(synthetic, name),
            distribution=distribution(real, synthetic, name, labels.get(name), column.kind, k),
        )
        for column in columns
        if (name := column.name) in real.columns
    ]
    return tuple(sorted(results, key=lambda result: 2.0 if result.shape.value is None else result.shape.value))


def scores(real: Cells, other: Cells, seed: int) -> Scores:
    """Of all pairs and triples, or of those that the seed draws of a wide table."""
    ours, theirs = binned(real, real), binned(real, other)
    pairs, triples = (column_groups(len(real.names), size, seed) for size in (2, 3))
    accuracy = (np.array(accuracies(ours, theirs, groups)) for groups in (pairs, triples))
    return Scores(pair_trends(real, other, pairs), *accuracy)


def batch_scores(real: Cells, other: Cells, seed: int) -> list[Scores]:
    """Those of ten parts of the rows, of which the error of the whole follows; none of tables that are too short."""
    if min(real.num_rows, other.num_rows) < BATCHES * LEAST_ROWS:
        return []
    parts = [slice(start, None, BATCHES) for start in range(BATCHES)]
    return [scores(real.rows(part), other.rows(part), seed) for part in parts]


def errors(batches: Sequence[Array]) -> Array:
    """Standard errors of the whole, of the shape of a batch: the deviation between the batches, over √10."""
    return np.asarray(np.std(batches, axis=0, ddof=1) / np.sqrt(len(batches)))


def error(batches: Sequence[float | None]) -> float:
    """The same of single numbers; NaN where one is not defined."""
    return float(errors([np.array(np.nan if value is None else value) for value in batches]))


def pair_results(found: Scores, best: Scores | None, batches: Sequence[Scores]) -> tuple[PairResult, ...]:
    """Those that are least alike first, of pairs that are related before the others. No batches, no intervals."""
    unknown = np.full(len(found.trends), np.nan)
    trends = (
        found.trend_scores,
        unknown if best is None else best.trend_scores,
        errors([batch.trend_scores for batch in batches]) if batches else unknown,
    )
    accuracy = (
        found.accuracy_2way,
        unknown if best is None else best.accuracy_2way,
        errors([batch.accuracy_2way for batch in batches]) if batches else unknown,
    )
    results = [
        PairResult(
            columns=trend.columns,
            related=trend.related,
            lost=trend.lost,
            trend=measure(*(values[place] for values in trends)),
            trend_by=trend.by,
            accuracy=measure(*(values[place] for values in accuracy)),
        )
        for place, trend in enumerate(found.trends)
    ]
    worst = sorted(results, key=_trend_or_last)
    return tuple(sorted(worst, key=lambda result: not result.related))


def _trend_or_last(result: PairResult) -> float:
    return -1.0 if result.lost else 2.0 if result.trend.value is None else result.trend.value


def association_matrices(real: Cells, synthetic: Cells) -> Associations:
    """Of the first hundred columns."""
    names = real.names[:MOST_ASSOCIATED]
    ours, theirs = (associations(binned(real, cells)[: len(names)]) for cells in (real, synthetic))
    return Associations(columns=names, real=_matrix(ours), synthetic=_matrix(theirs), difference=_matrix(theirs - ours))


def _accuracy_1way(real: Cells, other: Cells) -> ByColumn:
    places = [(place,) for place in range(len(real.names))]
    return dict(zip(real.names, accuracies(binned(real, real), binned(real, other), places), strict=True))


def _validity(real: Cells, other: Cells) -> ByColumn:
    return {name: validity(real, other, name) for name in real.names}


def _coverage(real: Cells, other: Cells, k: int) -> ByColumn:
    return {name: told_coverage(real, other, name, k) for name in real.names}


def _if(holdout: Cells | None, of: Callable[[Cells], ByColumn]) -> ByColumn:
    return {} if holdout is None else of(holdout)


def _matrix(values: Array) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in values.round(6).tolist())
