"""The map that calibration puts behind the modes: it sends a number to the one that has its place in the table.

Source: Gudmundsson et al. 2012, doi:10.5194/hess-16-3383-2012 (quantile mapping, linear between empirical quantiles).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtr, ndtri

from synthgen_ray.synthesizers.columns.marginal import Marginal
from synthgen_ray.synthesizers.columns.ramp import Ramp
from synthgen_ray.synthesizers.columns.stored import Stored

LEAST_SHARE = 1e-9  # of an atom, lest a value that no row has could not be drawn at all


@dataclass(frozen=True)
class Parts:
    """Where numbers are before they are mapped, so that they go into some ranges."""

    bounds: np.ndarray  # (parts, 2)
    shares: np.ndarray  # (parts,): how many of the numbers there go into the range
    ranges: np.ndarray  # (parts,): into which

    @classmethod
    def of(cls, ranges: np.ndarray) -> "Parts":
        """The ranges (R, 2) themselves."""
        return cls(ranges, np.ones(len(ranges)), np.arange(len(ranges)))


class QuantileMap(Stored):
    """Rising, so ranges stay ranges; but a number that many rows share goes anywhere in a range of its own."""

    source: Marginal
    target: Marginal

    def forward(self, numbers: np.ndarray, rng: np.random.Generator, places: np.ndarray | None = None) -> np.ndarray:
        """`places` are the z's between which each number is to go, (B, 2), if it is of a part that is asked for."""
        mapped = self._ramp(numbers)
        for atom, low, high in self._atoms:
            on_it = np.flatnonzero(numbers == atom)
            first, last = (low, high) if places is None else np.clip(ndtr(places[on_it]), low, high).T
            mapped[on_it] = self.target.back(ndtri(first + rng.random(len(on_it)) * (last - first)))
        return mapped

    def parts(self, ranges: np.ndarray) -> Parts:
        """Where the source's numbers are that go into these ranges of the target, (R, 2).

        An atom of which only some go into a range is a part of its own, and the other part is without it.
        """
        starts, ends = self.target.between(ranges).T
        x, begin, end = (np.concatenate([[-np.inf], part, [np.inf]]) for part in self.source.atoms())
        first = np.searchsorted(begin[1:-1], starts, "left")  # the last atom that begins before the range
        last = np.searchsorted(end[1:-1], ends, "right") + 1  # the first that ends after it
        lows = np.maximum(self.source.back(starts), np.nextafter(x[first], np.inf))
        highs = np.minimum(self.source.back(ends), np.nextafter(x[last], -np.inf))
        lows, highs = np.where(np.isinf(starts), starts, lows), np.where(np.isinf(ends), ends, highs)
        in_one = first == last
        between = np.flatnonzero(~in_one)
        split = np.flatnonzero(end[first] > starts), np.flatnonzero((begin[last] < ends) & ~in_one)
        atom, of = np.concatenate([first[split[0]], last[split[1]]]), np.concatenate(split)
        inside = ndtr(np.minimum(ends[of], end[atom])) - ndtr(np.maximum(starts[of], begin[atom]))
        shares = np.maximum(inside / (ndtr(end[atom]) - ndtr(begin[atom])), LEAST_SHARE)
        return Parts(
            np.stack([np.append(lows[between], x[atom]), np.append(np.maximum(lows, highs)[between], x[atom])], axis=1),
            np.append(np.ones(len(between)), shares),
            np.append(between, of),
        )

    @cached_property
    def _ramp(self) -> Ramp:
        """Both maps in one: each is straight between the knots of both."""
        z = np.concatenate([self.source.z, self.target.z])
        x = np.concatenate([self.source.x, self.source.back(self.target.z)])
        y = np.concatenate([self.target.back(self.source.z), self.target.x])
        order = np.lexsort([y, x, z])
        return Ramp(x[order], np.maximum.accumulate(y[order]))

    @cached_property
    def _atoms(self) -> list[tuple[float, float, float]]:
        """The source's atoms, with the probabilities where each begins and ends."""
        x, begin, end = self.source.atoms()
        return list(zip(x.tolist(), ndtr(begin).tolist(), ndtr(end).tolist(), strict=True))
