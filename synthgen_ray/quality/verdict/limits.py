"""From where on a number is good or bad, and what of it chance explains."""

from math import hypot, sqrt
from typing import NamedTuple

from synthgen_ray.quality.assessment import Level, Measure, Scope

Limits = tuple[float, float]

# Good from the first number on, bad below the second.
BESIDE = (0.95, 0.87)  # shares of what the hold-out gets, where there is one


class Noise(NamedTuple):
    """What is added to a score since chance, or the steps in which it is told, may have taken it.

    The largest gap between two samples of n rows each is about 1 / √n, n those of the shorter of the two tables. A mean
    over columns or pairs is less at the mercy of chance: over hold-outs of n rows it deviates by some 1 / (3 √n), of
    which 1.6 are exceeded by one in twenty. Half a step of telling each of two scores comes on top, as errors of their
    own. The mean of several halvings has 0.4 as much of all.
    """

    tables: float
    holdout: float
    halves: float  # beside each other, of the real rows that were looked at

    @classmethod
    def of(cls, scope: Scope, columns: int = 0) -> "Noise":
        """In scores of so many columns together; of 0 in what is told as it is."""
        shorter, half = min(scope.real_rows, scope.synthetic_rows), min(scope.real_rows, scope.max_rows) // 2
        width = 2 ** (columns - 1) * scope.k if columns else 0  # of a step, times the rows: `telling.step`

        def of_few(rows: int) -> float:
            return hypot(0.5 / sqrt(rows), width / sqrt(2) / rows) if rows else 0.0

        in_tables = hypot(1 / sqrt(shorter), width / 2 / scope.real_rows)
        return cls(in_tables, of_few(scope.holdout_rows or 0), 0.4 * of_few(min(half, scope.synthetic_rows)))


def high(value: float, limits: Limits) -> Level:
    good, bad = limits
    return Level.GOOD if value >= good else Level.BAD if value < bad else Level.WARN


def low(value: float, limits: Limits) -> Level:
    good, bad = limits
    return Level.GOOD if value <= good else Level.BAD if value > bad else Level.WARN


def beside(measure: Measure, limits: Limits, noise: Noise) -> Level:
    """As many rows as were held out beside these, or the halves of the real table, which have chance in them too;
    without them by these limits."""
    value, chance = measure.value or 0.0, noise.tables
    ceiling = measure.halves if measure.ceiling is None else measure.ceiling
    if not ceiling:
        return high(value + chance, limits)
    if measure.matched is not None:
        value, chance = measure.matched, noise.halves if measure.ceiling is None else noise.holdout
    return high((value + chance) / ceiling, BESIDE)
