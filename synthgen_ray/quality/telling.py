"""How exactly a score may be told, so that no count below k follows from it.

The synthetic table is at hand and the shares of the columns' bins are told, so that an exact score is an equation, by
which a count can be computed. Scores are told in whole steps, each as wide as k rows.
"""

import numpy as np

from synthgen_ray.quality.cells import Array

DECIMALS = 9  # without them a step of a third leaves digits of its own


def told(scores: Array | float, steps: Array | float) -> Array:
    """The same in whole steps below 1, at least 0; NaN stays NaN."""
    below = np.round((1 - np.asarray(scores)) / steps) * steps
    return np.asarray(np.clip(np.round(1 - below, DECIMALS), 0.0, 1.0))


def step(rows: int, k: int, columns: int = 1) -> float:
    """What k of so many rows move a score of groups of so many columns; NaN where that is most of it, so that nothing
    can be told.

    Where all else is known, a row more in one cell is one more or less in 2^columns cells, and a score is 1 - half of
    what all cells together are apart.
    """
    width = 2 ** (columns - 1) * k / max(rows, 1)
    return width if width <= 0.5 else float("nan")


def association_steps(first: Array | float, second: Array | float, rows: int, k: int) -> Array:
    """The same for a correlation, or Cramér's V, of columns with these `spread`s.

    Where both have two values, a row more in a cell moves it by 1 / (n √(p (1 - p) q (1 - q))). What is told shows the
    step that it is a multiple of, and that the spreads: it is a power of two, of values that k rows have or more.
    """
    rarest = min(k / max(rows, 1), 0.5)
    least = rarest * (1 - rarest)
    needed = rarest / np.sqrt(np.maximum(first, least) * np.maximum(second, least))
    return np.asarray(np.minimum(2.0 ** np.ceil(np.log2(needed)), 1.0))


def matrix_steps(codes: Array, k: int) -> Array:
    """Those of Cramér's V of all pairs of real columns with these bins, (D, D). Shape: (D, N)."""
    spreads = np.array([spread(np.bincount(column)) for column in codes])
    return association_steps(spreads[:, None], spreads, codes.shape[1], k)


def spread(counts: Array) -> float:
    """p (1 - p) of a column with two values; of one with more the like, half the chance that two rows differ."""
    shares = counts / max(counts.sum(), 1)
    return float((1 - shares @ shares) / 2)
