"""What the synthetic table keeps of relations that are too weak for pair trends to count.

Of two columns with r and c bins that have nothing to do with each other φ² is (r - 1) (c - 1) / (n - 1) on average, by
chance alone; the rest, over all such pairs, is compared. Source: Bergsma 2013, J. Korean Stat. Soc. 42(3), 323-328;
error: that of a noncentral χ².
"""

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np

from synthgen_ray.quality.accuracy import Associated
from synthgen_ray.quality.assessment import Measure
from synthgen_ray.quality.cells import Array
from synthgen_ray.quality.groups import Group
from synthgen_ray.quality.numbers import Z
from synthgen_ray.quality.telling import matrix_steps

LEAST = 0.01  # φ² of all pairs together; that of one is called small from here on: Cohen 1988, sec. 7.2
STEPS = (0.05, 0.1, 0.25, 0.5)  # in which `Kept.value` is told


class Kept(NamedTuple):
    """Shares of the root of φ² that is there beyond chance; `most` is what the errors of both tables allow."""

    value: float
    most: float
    step: float

    def __str__(self) -> str:
        """As exactly as it may be told."""
        if self.value >= 1:
            return "all"
        low = int(self.value / self.step) * self.step
        return f"{low:.0%} to {low + self.step:.0%}"


class Weak(NamedTuple):
    """Of the pairs that pair trends do not count."""

    accuracy: Measure
    kept: Kept | None


def kept_relations(real: Associated, synthetic: Associated, pairs: Sequence[Group], k: int) -> Kept | None:
    """Of these pairs of columns whose real bins are those of k rows or more. `None` where no relation is certain, or k
    rows may have made or unmade most of what is kept."""
    if not pairs:
        return None
    places = tuple(np.array(pairs).T)
    ours, error = _beyond_chance(real, places)
    theirs, their_error = _beyond_chance(synthetic, places)
    if ours - Z * error < LEAST:
        return None
    most = max(theirs + Z * their_error, 0.0) / (ours - Z * error)
    value = sqrt(max(theirs, 0.0) / ours)
    moved = min(value, 1.0) * _moved_by_few(real, places, k) / (2 * ours)
    step = next((step for step in STEPS if step >= moved), None)
    return None if step is None else Kept(value, sqrt(most), step)


def _beyond_chance(table: Associated, places: tuple[Array, ...]) -> tuple[float, float]:
    """The sum of φ² over the pairs, without what chance adds, and its standard error."""
    rows, levels = table.codes.shape[1], _levels(table.codes)
    freedom = np.multiply.outer(levels, levels)[places]
    phi_squared = table.strength[places] ** 2 * np.minimum.outer(levels, levels)[places]
    beyond = float((phi_squared - freedom / max(rows - 1, 1)).sum())
    return beyond, sqrt(2 * (freedom.sum() + 2 * max(rows * beyond, 0.0))) / rows


def _moved_by_few(table: Associated, places: tuple[Array, ...], k: int) -> float:
    """How far k rows in a cell move φ² of a pair: that of one of them, by the steps of its V."""
    steps, levels = matrix_steps(table.codes, k), _levels(table.codes)
    moved = ((table.strength + steps) ** 2 - table.strength**2) * np.minimum.outer(levels, levels)
    return float(moved[places].max())


def _levels(codes: Array) -> Array:
    """One less than the bins that are not empty, (D,)."""
    return np.array([np.count_nonzero(np.bincount(column)) - 1 for column in codes])
