"""Distances to the closest record: whether synthetic rows lie closer to the rows that training saw than to others."""

from typing import NamedTuple

import numpy as np

from synthgen_ray.quality.cells import Array, Cells
from synthgen_ray.quality.neighbours import Neighbours, nearest, popularity, ranges

MOST_QUERIES = 10_000
LEAST_QUERIES = 500
MOST_ROWS = 25_000  # of each side, where both are cut to one length
MOST_DISTANCES = 1_000_000_000  # of rows of USUAL columns: some ten seconds
USUAL = 15

ValueAndError = tuple[float, float]


class Ratio(NamedTuple):
    """`value` with its standard error; `ceiling` is the hold-out's."""

    value: float
    error: float
    ceiling: float


def remembered_rows(real: Cells, synthetic: Cells, holdout: Cells, seed: int) -> ValueAndError:
    """The share of synthetic rows that lie closer to a row that training saw than chance explains; its standard error.

    Of a model that remembers nothing the closest of all N + n rows is one of the n of the hold-out as often as they are
    many. A share m of rows made after one that training saw leaves of that 1 - m, so m = 1 - h (N + n) / n, h the
    share that is closest to the hold-out. All rows are searched: in a part of them the originals would be lacking.
    """
    seen, unseen = real.num_rows, holdout.num_rows
    queries = synthetic.sample(most_queries(seen + unseen, len(real.names)), np.random.default_rng(seed))
    closest_to = popularity(queries, (real, holdout), ranges(real, holdout))
    times = (seen + unseen) / unseen
    return float(1 - times * closest_to[seen:].sum()), times * _split_error(closest_to, seen)


def closest_records(real: Cells, synthetic: Cells, holdout: Cells, seed: int) -> ValueAndError:
    """The share of synthetic rows that are closer to a real row than to any of as many hold-out rows; ties by half.

    0.5 is best: above it, rows of the training table were remembered, though where the hold-out is the smaller most of
    their originals are not among the rows that are searched.

    Source: Platzer and Reutterer 2021, arXiv:2104.00635, on Gower's distance.
    """
    chance = np.random.default_rng(seed)
    num_rows = min(real.num_rows, holdout.num_rows, MOST_ROWS)
    seen, unseen = (cells.sample(num_rows, chance) for cells in (real, holdout))
    queries = synthetic.sample(most_queries(2 * num_rows, len(real.names)), chance)
    scale = ranges(seen, unseen)
    to_seen, to_unseen = (nearest(queries, rows, scale).distances for rows in (seen, unseen))
    wins = (to_seen < to_unseen) + (to_seen == to_unseen) / 2
    return float(wins.mean()), _split_error(popularity(queries, (seen, unseen), scale), num_rows)


def distance_ratio(real: Cells, synthetic: Cells, holdout: Cells, seed: int) -> Ratio:
    """The median ratio of the distances to the closest and the second closest real row, of synthetic rows.

    Near 0 where single rows were copied (two of the same count as 1). All rows that training saw are searched, for the
    hold-out's rows too: among some of them most originals would be lacking, and among fewer the ratio is another.

    Source: Zhao et al. 2021, arXiv:2102.08369, on Gower's distance.
    """
    chance = np.random.default_rng(seed)
    most = most_queries(2 * real.num_rows, len(real.names))
    scale = ranges(real, holdout)
    ratios, expected = (_ratios(nearest(cells.sample(most, chance), real, scale)) for cells in (synthetic, holdout))
    return Ratio(float(np.median(ratios)), _median_error(ratios), float(np.median(expected)))


def most_queries(num_rows: int, num_columns: int) -> int:
    """How many may search so many rows of so many columns."""
    most = MOST_DISTANCES * USUAL / (num_rows * max(num_columns, USUAL))
    return int(np.clip(most, LEAST_QUERIES, MOST_QUERIES))


def _split_error(closest_to: Array, seen: int) -> float:
    """Standard error of the share of queries that fall to the first `seen` rows, were the rows split by chance.

    Queries are not independent: all that a popular row attracts change sides with it. Source: Cochran 1977, Sampling
    Techniques, theorem 2.2: the variance of a total over rows drawn without replacement.
    """
    total = len(closest_to)
    spread = max(float((closest_to**2).sum()) - 1 / total, 0.0)
    return float(np.sqrt(seen * (total - seen) / total / (total - 1) * spread))


def _ratios(found: Neighbours) -> Array:
    first, second = found
    return np.asarray(np.divide(first, second, out=np.ones_like(first), where=second > 0))


def _median_error(values: Array) -> float:
    """By the order statistics one standard deviation of their rank away (David and Nagaraja 2003, sec. 7.1)."""
    rank = 0.5 / np.sqrt(len(values))
    low, high = np.quantile(values, [max(0.5 - rank, 0), min(0.5 + rank, 1)])
    return float((high - low) / 2)
