"""Distances to the closest record: whether synthetic rows lie closer to the rows that training saw than to others."""

from typing import NamedTuple

import numpy as np

from synthgen_ray.quality.cells import Array, Cells
from synthgen_ray.quality.neighbours import nearest, ranges

MOST_QUERIES = 10_000
MOST_ROWS = 25_000  # of each side that is searched

ValueAndError = tuple[float, float]


class Distances(NamedTuple):
    """Each with its standard error; `ratio_ceiling` is the hold-out's ratio."""

    share: ValueAndError
    ratio: ValueAndError
    ratio_ceiling: float


def closest_records(real: Cells, synthetic: Cells, holdout: Cells, seed: int) -> Distances:
    """The share of synthetic rows that are closer to a real row than to any of as many hold-out rows; ties by half.

    0.5 is best: above it, rows of the training table were remembered. And the median ratio of the distances to the
    closest and the second closest real row: near 0 where single rows were copied (two of the same count as 1).

    Source: Platzer and Reutterer 2021, arXiv:2104.00635; for the ratio Zhao et al. 2021, arXiv:2102.08369. Both on
    Gower's distance.
    """
    chance = np.random.default_rng(seed)
    num_rows = min(real.num_rows, holdout.num_rows, MOST_ROWS)
    seen, unseen = (cells.sample(num_rows, chance) for cells in (real, holdout))
    queries = synthetic.sample(MOST_QUERIES, chance)
    scale = ranges(seen, unseen)
    to_seen, to_unseen = (nearest(queries, rows, scale) for rows in (seen, unseen))
    closer = to_seen.distances < to_unseen.distances
    wins = closer + (to_seen.distances == to_unseen.distances) / 2
    ratios = _ratios(to_seen.distances, to_seen.second_distances)
    expected = nearest(unseen.sample(MOST_QUERIES, chance), seen, scale)
    return Distances(
        (float(wins.mean()), float(wins.std() / np.sqrt(len(wins)))),
        (float(np.median(ratios)), _median_error(ratios)),
        float(np.median(_ratios(expected.distances, expected.second_distances))),
    )


def _ratios(first: Array, second: Array) -> Array:
    return np.asarray(np.divide(first, second, out=np.ones_like(first), where=second > 0))


def _median_error(values: Array) -> float:
    """By the order statistics one standard deviation of their rank away (David and Nagaraja 2003, sec. 7.1)."""
    rank = 0.5 / np.sqrt(len(values))
    low, high = np.quantile(values, [max(0.5 - rank, 0), min(0.5 + rank, 1)])
    return float((high - low) / 2)
