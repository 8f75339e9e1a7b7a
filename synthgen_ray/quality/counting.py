"""Accuracies of columns, pairs and triples, told as exactly as they may be.

They are counted on all rows: fewer are further apart by chance alone.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from synthgen_ray.quality.accuracy import shares, similarities
from synthgen_ray.quality.assessment import Measure
from synthgen_ray.quality.cells import Array
from synthgen_ray.quality.groups import Group
from synthgen_ray.quality.numbers import mean, measure
from synthgen_ray.quality.telling import step, told


class Bins(NamedTuple):
    """The bins of the three tables' cells, (D, N); `parts` are the synthetic rows that are set beside the hold-out."""

    real: Array
    synthetic: Array
    holdout: Array | None
    parts: Sequence[Array]


class Counted(NamedTuple):
    """The accuracies of some groups, (G,), what the hold-out gets, and as many synthetic rows."""

    value: Array
    ceiling: Array
    matched: Array

    def some(self, places: Sequence[int]) -> "Counted":
        return Counted(*(scores[list(places)] for scores in self))

    def total(self, all_groups: int) -> Measure:
        """The mean; of groups that were drawn from more with the interval that this leaves."""
        return measure(mean(self.value), mean(self.ceiling), drawn_error(self.value, all_groups), mean(self.matched))


def counted(bins: Bins, groups: Sequence[Group], k: int) -> Counted:
    """Of groups of one size."""
    if not groups:
        return Counted(np.empty(0), np.empty(0), np.empty(0))
    rows, ours = bins.real.shape[1], shares(bins.real, groups)

    def against(codes: Array, fewest: int) -> Array:
        return told(similarities(ours, shares(codes, groups)), step(fewest, k, len(groups[0])))

    value, unknown = against(bins.synthetic, rows), np.full(len(groups), np.nan)
    if bins.holdout is None:
        return Counted(value, unknown, unknown)
    fewest = min(rows, bins.holdout.shape[1])  # its rows are real ones, of which no count may be told either
    # The parts are rounded as the ceiling is, or the two would differ by that.
    parts = [against(bins.synthetic[:, part], fewest) for part in bins.parts]
    return Counted(value, against(bins.holdout, fewest), np.mean(parts, axis=0) if parts else unknown)


def drawn_error(scores: Array, all_groups: int) -> float | None:
    """Standard error of the mean over groups that were drawn from so many; `None` where all were looked at.

    Source: Cochran 1977, Sampling Techniques, theorem 2.2.
    """
    drawn = len(scores)
    if not 1 < drawn < all_groups:
        return None
    return float(np.std(scores, ddof=1) * np.sqrt((1 - drawn / all_groups) / drawn))


def drawn_ratio_error(scores: Array, drawn: int, all_groups: int) -> float | None:
    """The same of a mean over those of the `drawn` groups that count, which are as many as chance has it.

    Source: Cochran 1977, Sampling Techniques, sec. 2.11: the error of a ratio.
    """
    if drawn >= all_groups or len(scores) < 2:
        return None
    squares = float(((scores - scores.mean()) ** 2).sum()) / (drawn - 1)
    return float(np.sqrt((1 - drawn / all_groups) * squares * drawn)) / len(scores)
