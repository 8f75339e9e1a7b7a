"""Numbers as a few bins of about equally many rows, and back to numbers that are distributed as in the table."""

from functools import cached_property
from itertools import pairwise
from typing import Self

import numpy as np
from pydantic import Field, model_validator
from scipy.special import ndtr

from synthgen_ray.synthesizers.columns.marginal import Marginal
from synthgen_ray.synthesizers.columns.stored import Stored

MOST_BINS = 50
MOST_KNOTS = 1000
LEAST_PART = 0.25  # of a usual bin, below which a bin is not worth having


class Bins(Stored):
    """`cuts` are knots of the marginal, the first and the last among them; a frequent value is a bin of its own."""

    marginal: Marginal
    cuts: tuple[int, ...] = Field(min_length=2, max_length=4 * MOST_BINS)

    @model_validator(mode="after")
    def _cuts_rise_to_the_end(self) -> Self:
        rise = all(low < high for low, high in pairwise(self.cuts))
        if not rise or self.cuts[0] != 0 or self.cuts[-1] != len(self.marginal.normal) - 1:
            raise ValueError("cuts do not fit")
        return self

    def __len__(self) -> int:
        return len(self.cuts) - 1

    @classmethod
    def learn(cls, numbers: np.ndarray, k: int) -> Self:
        marginal = Marginal.learn(numbers, k, MOST_KNOTS)
        usual = 1 / MOST_BINS
        p, x = _probabilities(marginal), np.array(marginal.number)
        cuts, last = [0], len(p) - 1
        for knot in range(1, last):
            begins_atom = x[knot] == x[knot + 1] and p[knot + 1] - p[knot] >= usual
            least = usual * LEAST_PART if begins_atom else usual
            ends_atom = x[knot] == x[knot - 1] and p[knot] - p[knot - 1] >= usual
            if p[knot] - p[cuts[-1]] >= least or ends_atom:
                cuts.append(knot)
        if len(cuts) > 1 and 1 - p[cuts[-1]] < usual * LEAST_PART:
            cuts.pop()
        return cls(marginal=marginal, cuts=(*cuts, last))

    def codes(self, numbers: np.ndarray) -> np.ndarray:
        """The bin of each number, (B,)."""
        return np.searchsorted(self._firsts, numbers, side="right").astype(np.int32)

    def numbers(self, codes: np.ndarray, chances: np.ndarray) -> np.ndarray:
        """A number in each bin, by chances from 0 to 1; shapes (B,)."""
        p, edges = self._p, self._p[list(self.cuts)]
        return np.asarray(
            np.interp(edges[codes] + chances * (edges[codes + 1] - edges[codes]), p, np.array(self.marginal.number))
        )

    def places(self, ranges: np.ndarray) -> np.ndarray:
        """Where ranges (R, 2) begin and end, (2, R), counted in bins: 2.25 is a quarter into the third."""
        p, x, edges = self._p, np.array(self.marginal.number), self._p[list(self.cuts)]
        knots = np.searchsorted(x, ranges[:, 0], "left"), np.searchsorted(x, ranges[:, 1], "right") - 1
        knots_2R = np.clip(np.stack(knots), 0, len(x) - 1)
        reached = np.where(x[knots_2R] == ranges.T, p[knots_2R], np.interp(ranges.T, x, p))
        return np.asarray(np.interp(reached, edges, np.arange(len(edges))))

    @cached_property
    def _p(self) -> np.ndarray:
        return _probabilities(self.marginal)

    @cached_property
    def _firsts(self) -> np.ndarray:
        """The smallest number of each bin but the first; after a frequent value the next that there is."""
        x = np.array(self.marginal.number)
        inner = np.array(self.cuts[1:-1], dtype=int)
        return np.asarray(np.where(x[inner - 1] == x[inner], np.nextafter(x[inner], np.inf), x[inner]))


def _probabilities(marginal: Marginal) -> np.ndarray:
    p = np.asarray(ndtr(np.array(marginal.normal)))
    p[0], p[-1] = 0.0, 1.0
    return p
