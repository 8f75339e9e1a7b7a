"""What the columns, pairs and triples of a table get, each beside what the hold-out gets in its place."""

from collections.abc import Callable, Sequence
from math import inf
from typing import NamedTuple

import numpy as np

from synthgen_ray.domain.columns import Column
from synthgen_ray.quality.accuracy import Associated, binned_tables
from synthgen_ray.quality.assessment import Associations, ColumnResult, Measure, PairResult
from synthgen_ray.quality.cells import Array, Cells
from synthgen_ray.quality.counting import Bins, Counted, drawn_ratio_error
from synthgen_ray.quality.distributions import distribution
from synthgen_ray.quality.groups import Group
from synthgen_ray.quality.missing import null_share, safe_null_share
from synthgen_ray.quality.numbers import defined, mean, measure
from synthgen_ray.quality.relations import Weak, kept_relations
from synthgen_ray.quality.shapes import column_shapes
from synthgen_ray.quality.telling import association_steps, matrix_steps, spread, step, told
from synthgen_ray.quality.trends import Trend, counting_scores, mean_trend, pair_trends
from synthgen_ray.quality.validity import told_coverage, validity

MOST_ASSOCIATED = 100
MOST_PARTS = 5
MOST_HALVINGS = 10
HALVED_ROWS = 10_000  # of all halvings together
MOST_CELLS = 120_000_000  # rows times pairs of which trends are told: a million rows of 15 columns

ByColumn = dict[str, float]
Compared = Callable[[Cells, Cells], float | None]  # what other rows get beside real ones


class Tables(NamedTuple):
    """The three tables' cells; `holdout` is `None` where there is none."""

    real: Cells
    synthetic: Cells
    holdout: Cells | None

    def sample(self, most: int, chance: np.random.Generator) -> "Tables":
        real, synthetic = (cells.sample(most, chance) for cells in (self.real, self.synthetic))
        return Tables(real, synthetic, None if self.holdout is None else self.holdout.sample(most, chance))

    def halved(self, chance: np.random.Generator) -> tuple[Cells, Cells, Cells]:
        """One half of the real rows, and what is set beside it: rows of the other half, and as many synthetic ones."""
        order, half = chance.permutation(self.real.num_rows), self.real.num_rows // 2
        as_many = min(half, self.synthetic.num_rows)
        others = self.real.rows(order[half : half + as_many])
        return self.real.rows(order[:half]), others, self.synthetic.sample(as_many, chance)


class Trends(NamedTuple):
    """Of the pairs, and the best that can be had: what the hold-out gets; `parts` are as many synthetic rows."""

    value: list[Trend]
    best: list[Trend] | None
    parts: list[list[Trend]]

    def total(self, all_pairs: int) -> Measure:
        """The mean over the related pairs; of pairs that were drawn from more with the interval that this leaves."""
        best = None if self.best is None else mean_trend(self.best)
        error = drawn_ratio_error(counting_scores(self.value), len(self.value), all_pairs)
        return measure(mean_trend(self.value), best, error, mean(map(mean_trend, self.parts)))

    def of_pair(self, place: int) -> Measure:
        best = None if self.best is None else self.best[place].score
        return measure(self.value[place].score, best, matched=mean(part[place].score for part in self.parts))


def matched_parts(tables: Tables, seed: int) -> list[Array]:
    """The places of synthetic rows, as many as the hold-out has in each part; none where there is none to be beside, or
    it is the longer one."""
    holdout, drawn = tables.holdout, tables.synthetic.num_rows
    if holdout is None or not 0 < holdout.num_rows <= drawn:
        return []
    order, size = np.random.default_rng(seed).permutation(drawn), holdout.num_rows
    starts = range(0, min(drawn // size, MOST_PARTS) * size, size)
    return [order[start : start + size] for start in starts]


def matched(tables: Tables, of: Compared, seed: int) -> float | None:
    """What the synthetic table gets by `of(real, rows)` when it is as short as the hold-out: the mean of some parts.

    A shorter table scores lower by chance alone, so the whole is not beside its ceiling. `None` without parts.
    """
    return mean(of(tables.real, tables.synthetic.rows(part)) for part in matched_parts(tables, seed))


def beside_halves(found: Measure, tables: Tables, of: Compared, seed: int) -> Measure:
    """With what a half of the real table gets beside the other by `of`, where no hold-out says what real rows get.

    The mean of several halvings: more of fewer rows, of which one is at the mercy of chance.
    """
    if found.value is None or found.ceiling is not None:
        return found
    chance, scores = np.random.default_rng(seed), []
    for _ in range(min(max(HALVED_ROWS // tables.real.num_rows, 1), MOST_HALVINGS)):
        half, *others = tables.halved(chance)
        scores.append([of(half, cells) for cells in others])
    other_half, as_many = (mean(column) for column in zip(*scores, strict=True))
    return found.model_copy(update={"halves": other_half, "matched": as_many})


def told_shapes(real: Cells, other: Cells, k: int, *, other_is_real: bool = False) -> ByColumn:
    """Column shapes as exactly as they may be told; `other_is_real` too where it stands beside a real table as long."""
    width = step(min(real.num_rows, other.num_rows) if other_is_real else real.num_rows, k)
    return {name: float(told(shape, width)) for name, shape in column_shapes(real, other).items()}


def bins_of(tables: Tables, k: int, parts: Sequence[Array] = ()) -> Bins:
    ours, theirs, *held_out = binned_tables(tables.real, [cells for cells in tables if cells is not None], k)
    return Bins(ours, theirs, held_out[0] if held_out else None, parts)


def column_results(
    tables: Tables, accuracies: Counted, columns: Sequence[Column], labels: dict[str, list[str]], k: int
) -> tuple[ColumnResult, ...]:
    """Those that are least alike first. The accuracies are those of `columns_alone`."""
    real, synthetic, holdout = tables
    shapes = told_shapes(real, synthetic, k)
    best_shapes = _if(holdout, lambda cells: told_shapes(real, cells, k, other_is_real=True))
    accuracy, best_accuracy = (dict(zip(real.names, scores, strict=True)) for scores in accuracies[:2])
    valid, covered = _validity(real, synthetic, k), _coverage(real, synthetic, k)
    best_valid = _if(holdout, lambda cells: _told_validity(real, cells, k))
    best_covered = _if(holdout, lambda cells: _coverage(real, cells, k, other_is_real=True))
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


def columns_alone(real: Cells) -> list[Group]:
    return [(place,) for place in range(len(real.names))]


def trend_steps(real: Cells, other: Cells | None, pairs: Sequence[Group], k: int) -> Array:
    """How exactly the trend of each pair may be told, (P,); `other` are real rows too, or `None`.

    Of numbers that is half of what it is of their correlation.
    """
    tables = [real] if other is None else [real, other]
    known = [{name: ~cells.nulls(name) for name in cells.names} for cells in tables]
    spreads = {
        name: spread(np.unique(real.columns[name][known[0][name]], return_counts=True)[1])
        for name in real.names
        if real.is_number(name)
    }
    steps = np.full(len(pairs), step(min(cells.num_rows for cells in tables), k, 2))
    for place, pair in enumerate(pairs):
        a, b = (real.names[column] for column in pair)
        if a in spreads and b in spreads:
            rows = min(int(np.sum(have[a] & have[b])) for have in known)
            steps[place] = max(steps[place], association_steps(spreads[a], spreads[b], rows, k) / 2)
    return steps


def rows_for_trends(tables: Tables, pairs: Sequence[Group], seed: int) -> Tables:
    """All rows, or some of wide tables, so that what is done with each pair takes no minutes."""
    return tables.sample(MOST_CELLS // max(len(pairs), 1), np.random.default_rng(seed))


def told_trends(tables: Tables, pairs: Sequence[Group], parts: Sequence[Array], k: int) -> Trends:
    """As exactly as they may be told; `parts` are the synthetic rows that are set beside the hold-out."""
    real, synthetic, holdout = tables
    held_out = [] if holdout is None else [holdout]
    found, *others = pair_trends(real, [synthetic, *held_out, *map(synthetic.rows, parts)], pairs)
    steps = trend_steps(real, None, pairs, k)
    if holdout is None:
        return Trends(_told(found, steps), None, [])
    wide = trend_steps(real, holdout, pairs, k)  # the parts are rounded as the ceiling is, or the two would differ
    best, *by_part = (_told(other, wide) for other in others)
    return Trends(_told(found, steps), best, by_part)


def told_trend(real: Cells, other: Cells, pairs: Sequence[Group], k: int) -> float | None:
    """The mean over the related pairs, as exactly as it may be told of two real tables."""
    (found,) = pair_trends(real, [other], pairs)
    return defined(mean_trend(_told(found, trend_steps(real, other, pairs, k))))


def _told(trends: Sequence[Trend], steps: Array) -> list[Trend]:
    scores = told(np.array([trend.score for trend in trends]), steps)
    return [trend._replace(score=float(score)) for trend, score in zip(trends, scores, strict=True)]


def pair_results(trends: Trends, accuracy: Counted) -> tuple[PairResult, ...]:
    """Those that lack most of their ceiling first, of pairs that are related before the others."""
    results = [
        PairResult(
            columns=trend.columns,
            related=trend.related,
            lost=trend.lost,
            trend=trends.of_pair(place),
            trend_by=trend.by,
            accuracy=measure(accuracy.value[place], accuracy.ceiling[place]),
        )
        for place, trend in enumerate(trends.value)
    ]
    worst = sorted(results, key=_beyond_ceiling)
    return tuple(sorted(worst, key=lambda result: not result.related))


def _beyond_ceiling(result: PairResult) -> float:
    """How far a pair is above its ceiling, in as few rows: one of many rare combinations has a low ceiling."""
    trend = result.trend
    if result.lost or trend.value is None:
        return -inf if result.lost else inf
    if trend.ceiling is None:
        return trend.value - 1
    return (trend.value if trend.matched is None else trend.matched) - trend.ceiling


def without_rare_bins(codes: Array, k: int) -> Array:
    """Bins of columns, (D, N), where the rows of those that hold fewer than k are in the fullest one instead."""
    merged = codes.copy()
    for column in merged:
        rows = np.bincount(column)
        column[rows[column] < k] = np.argmax(rows)
    return merged


def associated(tables: Tables, k: int) -> tuple[Associated, Associated]:
    """The real and the synthetic columns; of a wide table the first ones."""
    ours, theirs = binned_tables(tables.real, [tables.real, tables.synthetic], k)
    return Associated.of(without_rare_bins(ours[:MOST_ASSOCIATED], k)), Associated.of(theirs[:MOST_ASSOCIATED])


def weak_relations(
    trends: Trends, accuracies: Counted, pairs: Sequence[Group], real: Associated, synthetic: Associated, k: int
) -> Weak:
    """Of the pairs that hardly relate by their trends."""
    weak = [place for place, trend in enumerate(trends.value) if not trend.related]
    among = [pairs[place] for place in weak if max(pairs[place]) < len(real.codes)]
    return Weak(accuracies.some(weak).total(len(weak)), kept_relations(real, synthetic, among, k))


def association_matrices(names: Sequence[str], real: Associated, synthetic: Associated, k: int) -> Associations:
    """Of columns whose real bins are `without_rare_bins`, as exactly as may be told: bins were cut by real rows, so
    that those of the synthetic table have the same steps."""
    steps = matrix_steps(real.codes, k)
    ours, theirs = told(real.strength, steps), told(synthetic.strength, steps)
    matrices = {"real": ours, "synthetic": theirs, "difference": theirs - ours}
    return Associations(columns=tuple(names), **{name: _matrix(values) for name, values in matrices.items()})


def _validity(real: Cells, other: Cells, k: int) -> ByColumn:
    return {name: validity(real, other, name, k) for name in real.names}


def _told_validity(real: Cells, other_real: Cells, k: int) -> ByColumn:
    width = step(other_real.num_rows, k)
    return {name: float(told(score, width)) for name, score in _validity(real, other_real, k).items()}


def _coverage(real: Cells, other: Cells, k: int, *, other_is_real: bool = False) -> ByColumn:
    return {name: told_coverage(real, other, name, k, other_is_real=other_is_real) for name in real.names}


def _if(holdout: Cells | None, of: Callable[[Cells], ByColumn]) -> ByColumn:
    return {} if holdout is None else of(holdout)


def _matrix(values: Array) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in values.round(6).tolist())
