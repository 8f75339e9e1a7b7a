"""Pair trends: whether two columns go together in the synthetic table as they do in the real one.

Source: SDMetrics, CorrelationSimilarity and ContingencySimilarity, which it averages as "Column Pair Trends"; equal to
its numbers. That includes two of its habits: numbers beside categories are cut into ten even bins of each table's own
range, with null in the bin of the maximum; and pairs that hardly relate in the real table do not count in the mean.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from synthgen_ray.quality.cells import Array, Cells
from synthgen_ray.quality.contingency import cramers_v, joint_shares
from synthgen_ray.quality.groups import Group

LEAST_CORRELATION = 0.5
LEAST_ASSOCIATION = 0.3
LEAST_CHANCE = 1e-4
BINS = 10

Kind = Literal["correlation_similarity", "contingency_similarity"]


class Trend(NamedTuple):
    """`score` is from 0 to 1, NaN where it is not defined; only pairs that are `related` count in the mean.

    Those are `lost` whose synthetic score is not defined, since a column has one value or none, and not by chance.
    """

    columns: tuple[str, str]
    by: Kind
    score: float
    related: bool
    lost: bool = False


def pair_trends(real: Cells, others: Sequence[Cells], places: Iterable[Group]) -> list[list[Trend]]:
    """Of the pairs of columns at these places, for each of the other tables."""
    tables = [real, *others]
    codes = {name: [_codes(cells, name) for cells in tables] for name in real.names}
    found: list[list[Trend]] = [[] for _ in others]
    for a, b in ((real.names[place], real.names[other]) for place, other in places):
        trends = _of_numbers(tables, (a, b)) if real.is_number(a) and real.is_number(b) else _of_codes(codes, (a, b))
        for of_table, trend in zip(found, trends, strict=True):
            of_table.append(trend)
    return found


def counting_scores(trends: Sequence[Trend]) -> Array:
    """Those of the related pairs that are defined."""
    return np.array([trend.score for trend in trends if trend.related and not np.isnan(trend.score)])


def mean_trend(trends: Sequence[Trend]) -> float:
    """Over the related pairs; NaN if there are none."""
    scores = counting_scores(trends)
    return float(scores.mean()) if len(scores) else float("nan")


def correlation(a: Array, b: Array) -> float:
    """Pearson's, over the rows that have both; NaN where one of the two is constant there."""
    both = ~(np.isnan(a) | np.isnan(b))
    a, b = a[both], b[both]
    if len(a) < 2 or a.min() == a.max() or b.min() == b.max():
        return float("nan")
    a, b = (column - column.mean() for column in (_in_reach(a), _in_reach(b)))
    return float(np.clip(a @ b / np.sqrt((a @ a) * (b @ b)), -1, 1))


def _in_reach(values: Array) -> Array:
    """Up to 1 in size, by a power of two, which changes no digit: the squares of the largest floats are none."""
    _, exponent = np.frexp(np.abs(values).max())
    return np.asarray(np.ldexp(values, -exponent))


def _of_numbers(tables: Sequence[Cells], pair: tuple[str, str]) -> Iterator[Trend]:
    real, *others = tables
    ours, *all_theirs = (correlation(cells.columns[pair[0]], cells.columns[pair[1]]) for cells in tables)
    related = abs(ours) > LEAST_CORRELATION
    for other, theirs in zip(others, all_theirs, strict=True):
        lost = related and np.isnan(theirs) and _chance_of_loss(real, other, pair) < LEAST_CHANCE
        yield Trend(pair, "correlation_similarity", 1 - abs(ours - theirs) / 2, related, bool(lost))


def _of_codes(codes: Mapping[str, Sequence[Array]], pair: tuple[str, str]) -> Iterator[Trend]:
    joint = joint_shares(codes[pair[0]], codes[pair[1]])
    related = cramers_v(joint.first, joint.second, joint.shares[0]) > LEAST_ASSOCIATION
    for table in range(1, len(joint.shares)):
        yield Trend(pair, "contingency_similarity", joint.similarity(table), related)


def _chance_of_loss(real: Cells, synthetic: Cells, pair: tuple[str, str]) -> float:
    """How likely as many real rows as there are synthetic ones would have no correlation either."""
    ours, theirs = (~(cells.nulls(pair[0]) | cells.nulls(pair[1])) for cells in (real, synthetic))
    drawn, known, share = synthetic.num_rows, int(theirs.sum()), ours.mean()
    if known < 2:
        return float((1 - share) ** drawn + drawn * share * (1 - share) ** (drawn - 1))
    chances = [1.0]
    for name in pair:
        if np.ptp(synthetic.columns[name][theirs]) == 0:
            _, counts = np.unique(real.columns[name][ours], return_counts=True)
            chances.append((float(np.max(counts)) / int(counts.sum())) ** known)
    return min(chances)


def _codes(cells: Cells, name: str) -> Array:
    """(N,) from 0; of a category null is -1."""
    column = cells.columns[name]
    if not cells.is_number(name):
        return column
    known = column[~np.isnan(column)]
    low, high = (known.min(), known.max()) if len(known) else (0.0, 1.0)
    if low == high:
        low, high = low - 0.5, high + 0.5
    return np.asarray(np.digitize(column, np.linspace(low, high, BINS + 1)), np.int8)
