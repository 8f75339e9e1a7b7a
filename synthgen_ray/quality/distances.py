"""Distances to the closest record: whether synthetic rows lie closer to the rows that training saw than to others."""

from typing import NamedTuple

import numpy as np

from synthgen_ray.quality.cells import Array, Cells
from synthgen_ray.quality.neighbours import nearest, popularity, ranges

MOST_QUERIES = 10_000
LEAST_QUERIES = 500
MOST_ROWS = 25_000  # of each side, where both are cut to one length
MOST_DISTANCES = 1_000_000_000  # where all rows are searched: some ten seconds

ValueAndError = tuple[float, float]


class Distances(NamedTuple):
    """Each with its standard error; `ratio_ceiling` is the hold-out's ratio."""

    share: ValueAndError
    ratio: ValueAndError
    ratio_ceiling: float


def remembered_rows(real: Cells, synthetic: Cells, holdout: Cells, seed: int) -> ValueAndError:
    """The share of synthetic rows that lie closer to a row that training saw than chance explains; its standard error.

    Of a model that remembers nothing the closest of all N + n rows is one of the n of the hold-out as often as they are
    many. A share m of rows made after one that training saw leaves of that 1 - m, so m = 1 - h (N + n) / n, h the
    share that is closest to the hold-out. All rows are searched: in a part of them the originals would be lacking.
    """
    seen, unseen = real.num_rows, holdout.num_rows
    most = int(np.clip(MOST_DISTANCES // (seen + unseen), LEAST_QUERIES, MOST_QUERIES))
    queries = synthetic.sample(most, np.random.default_rng(seed))
    closest_to = popularity(queries, (real, holdout), ranges(real, holdout))
    times = (seen + unseen) / unseen
    return float(1 - times * closest_to[seen:].sum()), times * _split_error(closest_to, seen)


def closest_records(real: Cells, synthetic: Cells, holdout: Cells, seed: int) -> Distances:
    """The share of synthetic rows that are closer to a real row than to any of as many hold-out rows; ties by half.

    0.5 is best: above it, rows of the training table were remembered, though where the hold-out is the smaller most of
    their originals are not among the rows that are searched. And the median ratio of the distances to the closest and
    the second closest real row: near 0 where single rows were copied (two of the same count as 1).

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
        (float(wins.mean()), _split_error(popularity(queries, (seen, unseen), scale), num_rows)),
        (float(np.median(ratios)), _median_error(ratios)),
        float(np.median(_ratios(expected.distances, expected.second_distances))),
    )


def _split_error(closest_to: Array, seen: int) -> float:
    """Standard error of the share of queries that fall to the first `seen` rows, were the rows split by chance.

    Queries are not independent: all that a popular row attracts change sides with it. Source: Cochran 1977, Sampling
    Techniques, theorem 2.2: the variance of a total over rows drawn without replacement.
    """
    total = len(closest_to)
    spread = max(float((closest_to**2).sum()) - 1 / total, 0.0)
    return float(np.sqrt(seen * (total - seen) / total / (total - 1) * spread))


def _ratios(first: Array, second: Array) -> Array:
    return np.asarray(np.divide(first, second, out=np.ones_like(first), where=second > 0))


def _median_error(values: Array) -> float:
    """By the order statistics one standard deviation of their rank away (David and Nagaraja 2003, sec. 7.1)."""
    rank = 0.5 / np.sqrt(len(values))
    low, high = np.quantile(values, [max(0.5 - rank, 0), min(0.5 + rank, 1)])
    return float((high - low) / 2)
