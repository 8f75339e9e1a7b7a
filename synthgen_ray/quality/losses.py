"""What the synthetic table lacks altogether, of which scores say nothing: a column without values has no shape."""

from collections.abc import Mapping, Sequence
from math import sqrt
from statistics import NormalDist

from synthgen_ray.quality.assessment import BinKind, ColumnResult, Measure, PairResult, Scope


def null_gaps(columns: Sequence[ColumnResult], scope: Scope) -> dict[str, float]:
    """By column, how far the shares of rows without a value are certainly apart; 0 or less where that may be chance.

    The low end of the interval of two rates' difference, as wide as the number of columns needs. Source: Fleiss, Levin
    and Paik 2003, Statistical Methods for Rates and Proportions, sec. 3.1 (pooled); Bonferroni's correction.
    """
    width = NormalDist().inv_cdf(1 - 0.025 / max(len(columns), 1))
    return {column.name: _certain_gap(column, scope, width) for column in columns}


def empty_columns(columns: Sequence[ColumnResult], gaps: Mapping[str, float]) -> list[str]:
    """Those without any value in the synthetic table, though the real one has more than chance would leave out: by
    their `null_gaps`."""
    return [column.name for column in columns if column.synthetic_nulls == 1 and gaps[column.name] > 0]


def with_lost_pairs(trends: Measure, pairs: Sequence[PairResult]) -> Measure:
    """The mean over the related pairs, of which those that are lost count as 0."""
    lost = sum(pair.lost for pair in pairs)
    if not lost:
        return trends
    share = 1 - lost / (lost + sum(pair.related and pair.trend.value is not None for pair in pairs))
    scores = {"value": (trends.value or 0.0) * share, "matched": trends.matched and trends.matched * share}
    return trends.model_copy(update=scores)


def _certain_gap(column: ColumnResult, scope: Scope, width: float) -> float:
    real, rows, drawn = column.real_nulls, scope.real_rows, scope.synthetic_rows
    if real is None:  # fewer than k rows have none, or have one
        if not any(part.kind in (BinKind.RANGE, BinKind.CATEGORY) for part in column.distribution):
            return 0.0
        real = min(scope.k - 1, column.synthetic_nulls * rows) / rows
    pooled = (real * rows + column.synthetic_nulls * drawn) / (rows + drawn)
    return abs(real - column.synthetic_nulls) - width * sqrt(pooled * (1 - pooled) * (1 / rows + 1 / drawn))
