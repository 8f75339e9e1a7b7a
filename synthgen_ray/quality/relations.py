"""What the synthetic table keeps of relations that are too weak for pair trends to count.

Of two columns with r and c bins that have nothing to do with each other φ² is (r - 1) (c - 1) / (n - 1) on average, by
chance alone; the rest, over all pairs, is compared. Source: Bergsma 2013, J. Korean Stat. Soc. 42(3), 323-328; error:
that of a noncentral χ².
"""

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np

from synthgen_ray.quality.assessment import Associations, Matrix
from synthgen_ray.quality.cells import Array
from synthgen_ray.quality.numbers import Z

LEAST = 0.01  # φ² of all pairs together; that of one is called small from here on: Cohen 1988, sec. 7.2


class Kept(NamedTuple):
    """Shares of the root of φ² that is there beyond chance; `most` is what the errors of both tables allow."""

    value: float
    most: float


def kept_relations(found: Associations, real: Array, synthetic: Array) -> Kept | None:
    """By what is told of the associations of columns with these bins, (D, N). `None` where no relation is certain."""
    ours, error = _beyond_chance(found.real, real)
    theirs, their_error = _beyond_chance(found.synthetic, synthetic)
    if ours - Z * error < LEAST:
        return None
    most = max(theirs + Z * their_error, 0.0) / (ours - Z * error)
    return Kept(sqrt(max(theirs, 0.0) / ours), sqrt(most))


def _beyond_chance(associations: Matrix | Sequence[Sequence[float]], codes: Array) -> tuple[float, float]:
    """The sum of φ² over the pairs, without what chance adds, and its standard error."""
    if len(codes) < 2:
        return 0.0, 0.0
    rows = codes.shape[1]
    levels = np.array([np.count_nonzero(np.bincount(column)) - 1 for column in codes])
    places = np.triu_indices(len(codes), 1)
    freedom = np.multiply.outer(levels, levels)[places]
    phi_squared = np.array(associations)[places] ** 2 * np.minimum.outer(levels, levels)[places]
    beyond = float((phi_squared - freedom / max(rows - 1, 1)).sum())
    return beyond, sqrt(2 * (freedom.sum() + 2 * max(rows * beyond, 0.0))) / rows
