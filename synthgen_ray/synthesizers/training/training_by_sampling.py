"""Training-by-sampling: conditions, and rows that fulfil them.

A condition is one category of one discrete column: the column is drawn evenly, the category by the logarithm of its
frequency, so that rare categories are seen often enough; the row is any that has it.
Source: Xu et al. 2019, arXiv:1907.00503, section 4.3.
"""

from itertools import pairwise

import numpy as np

from synthgen_ray.synthesizers.layout import Layout


class ConditionSampler:
    """`codes_NQ` are the discrete columns of the training table."""

    def __init__(self, codes_NQ: np.ndarray, layout: Layout, log_frequency: bool) -> None:
        self._rows, self._columns = codes_NQ.shape
        self._starts = np.append(layout.condition_starts, layout.condition_width)
        # The rows of place c are order[ends[c] - counts[c] : ends[c]]: columns one after the other, sorted by code.
        self._order = np.empty(self._rows * self._columns, dtype=np.int32)
        self.counts_C = np.empty(layout.condition_width, dtype=np.int64)
        for column, (start, stop) in enumerate(pairwise(self._starts)):
            narrow = np.min_scalar_type(int(stop - start))  # numpy sorts 16 bits by radix
            codes_N = codes_NQ[:, column].astype(narrow)
            self._order[column * self._rows :][: self._rows] = np.argsort(codes_N, kind="stable")
            self.counts_C[start:stop] = np.bincount(codes_N, minlength=stop - start)
        self._ends = np.cumsum(self.counts_C)
        weights_C = np.log1p(self.counts_C) if log_frequency else self.counts_C
        self._chances = cumulated_chances(weights_C, self._starts)

    def draw(self, num_rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """The column and the condition place of each row."""
        return draw_places(self._chances, self._starts, num_rows, rng)

    def rows_with(self, places_B: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A training row for each condition."""
        counts = self.counts_C[places_B]
        return np.asarray(self._order[self._ends[places_B] - 1 - (rng.random(len(places_B)) * counts).astype(int)])


def cumulated_chances(weights_C: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Column after column: q + the cumulated chance of each category in column q."""
    sums = np.add.reduceat(weights_C, starts[:-1])
    chances = weights_C / np.repeat(sums, np.diff(starts))
    total = np.cumsum(chances)
    total[starts[1:] - 1] = np.arange(1, len(starts))  # without the rounding of a long sum
    return np.asarray(total)


def draw_places(
    chances: np.ndarray, starts: np.ndarray, num_rows: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    columns = rng.integers(len(starts) - 1, size=num_rows)
    places = np.searchsorted(chances, columns + rng.random(num_rows), side="right")
    return columns, np.minimum(places, starts[columns + 1] - 1)  # a sum may round up to the next column
