"""The empirical marginal of a column as a map between its numbers and normal ones.

Knots (z, x), linear in between: x is the mean of at least k rows around the quantile of z. A value that k rows
or more share is two knots with one x; a number on it is sent to a random z between them, which makes any column
exactly normal, and comes back exactly. A wide gap between two groups is two knots with one z, so that no number comes
back in it. Each mean is taken of its own k rows, as distances from the first of them: a sum
from the column's smallest number on would lose all digits where that is -1e38.
Source: Rüschendorf 2009, "On the distributional transform, Sklar's theorem, and the empirical copula process" (a value
that many share goes to a random place).
"""

from abc import ABC, abstractmethod
from functools import cached_property
from itertools import pairwise
from typing import Self

import numpy as np
from pydantic import Field, model_validator
from scipy.special import ndtr, ndtri

from synthgen_ray.synthesizers.columns.normal import mean_between
from synthgen_ray.synthesizers.columns.ramp import Ramp
from synthgen_ray.synthesizers.columns.remote import remote_atoms
from synthgen_ray.synthesizers.columns.stored import Stored

MAX_CELLS = 4096
WIDE = 10  # times as wide as what the rows of a cell on either side of it span: such a gap is jumped
FAR = 8.2  # beyond it a double cannot tell a probability from 0 or 1


class NormalMap(Stored, ABC):
    """A rising map between a column's numbers and normal ones, by knots (z, x) and straight lines between them."""

    @property
    @abstractmethod
    def z(self) -> np.ndarray:
        """The normal numbers of the knots, rising, (V,)."""

    @property
    @abstractmethod
    def x(self) -> np.ndarray:
        """The column's numbers at the knots, rising, (V,)."""

    def forward(self, numbers: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """A z that comes back as the number, drawn where there are several."""
        low, high = self._ends(numbers)
        tied = high > low
        z = low.copy()
        start, end = ndtr(low[tied]), ndtr(high[tied])
        z[tied] = ndtri(start + rng.random(len(start)) * (end - start))
        return np.asarray(np.clip(z, -FAR, FAR))

    def middle(self, numbers: np.ndarray) -> np.ndarray:
        """The mean of the z's that come back as the number."""
        return mean_between(*self._ends(numbers))

    def back(self, z: np.ndarray) -> np.ndarray:
        return self._ramp(z)

    def _ends(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.span(numbers)

    def span(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The smallest and the largest z that come back as the number."""
        left, right = (np.searchsorted(self.x, numbers, side) for side in ("left", "right"))
        z = np.interp(numbers, self.x, self.z)
        on_knot = right > left
        return np.where(on_knot, self.z[np.minimum(left, len(self.z) - 1)], z), np.where(on_knot, self.z[right - 1], z)

    def between(self, ranges: np.ndarray) -> np.ndarray:
        """The z's that come back as numbers in these ranges, (R, 2); open where a range reaches an end."""
        lows, highs = ranges.T
        first = np.where(lows <= self.x[0], -np.inf, self.span(lows)[0])
        return np.stack([first, np.where(highs >= self.x[-1], np.inf, self.span(highs)[1])], axis=1)

    def atoms(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The numbers that many rows share, rising, with the z's where each begins and ends."""
        level = np.flatnonzero((np.diff(self.x) == 0) & (np.diff(ndtr(self.z)) > 0))
        return self.x[level], self.z[level], self.z[level + 1]

    @cached_property
    def _ramp(self) -> Ramp:
        return Ramp(self.z, self.x)


class Marginal(NormalMap):
    normal: tuple[float, ...] = Field(min_length=2, max_length=4 * MAX_CELLS)
    number: tuple[float, ...]

    @model_validator(mode="after")
    def _both_rise(self) -> Self:
        if len(self.normal) != len(self.number):
            raise ValueError("knots do not fit together")
        if (np.diff(self.z) < 0).any() or (np.diff(self.x) < 0).any():
            raise ValueError("knots do not rise")
        return self

    @classmethod
    def learn(cls, numbers: np.ndarray, k: int, most_cells: int = MAX_CELLS) -> Self:
        return cls.of_counts(*np.unique(numbers, return_counts=True), k, most_cells)

    @classmethod
    def of_counts(cls, values: np.ndarray, counts: np.ndarray, k: int, most_cells: int = MAX_CELLS) -> Self:
        """From the rising distinct values and how many rows hold each."""
        rows = int(counts.sum())
        ranks, knots = _knots(values, counts, least_of_atoms(rows, k, most_cells), k)
        z = np.clip(ndtri(ranks / rows), -FAR, FAR)
        return cls(normal=tuple(z.tolist()), number=tuple(knots.tolist()))

    @cached_property
    def z(self) -> np.ndarray:
        return np.array(self.normal)

    @cached_property
    def x(self) -> np.ndarray:
        return np.array(self.number)


def least_of_atoms(rows: int, k: int, most_cells: int = MAX_CELLS) -> int:
    """How many of the rows a value has at least that is an atom, and a cell."""
    return max(k, -(-rows // most_cells))


def _knots(values: np.ndarray, counts: np.ndarray, cell: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Ranks and values of the knots: two for each atom, and those that cut the runs between atoms into cells
    of at least `cell` rows, none across a wide gap. A value far from all others is an atom from k rows on. A run begins
    and ends at the atoms beside it where they are as near as its own rows are: what is between would never be made."""
    ordered, starts = np.repeat(values, counts), np.cumsum(counts) - counts
    atomic = counts >= cell
    atomic[~atomic] = remote_atoms(values[~atomic], counts[~atomic], k)
    atoms, begins, ends = values[atomic], starts[atomic], (starts + counts)[atomic]
    pieces: list[tuple[np.ndarray, int, int]] = []  # where a run is cut, its first and last row; of an atom none
    run_begins, run_ends = np.append(0, ends), np.append(begins, len(ordered))
    for index, (begin, end) in enumerate(zip(run_begins.tolist(), run_ends.tolist(), strict=True)):
        if end - begin >= cell:  # a shorter run is left to the atoms beside it
            for first, last in pairwise([begin, *(begin + _wide_gaps(ordered[begin:end], cell)).tolist(), end]):
                cuts = np.linspace(first, last, (last - first) // cell + 1).round().astype(int)
                run = ordered[first:last]
                begins_at_atom = first == begin and index and run[0] - atoms[index - 1] <= run[cell - 1] - run[0]
                ends_at_atom = last == end and index < len(atoms) and atoms[index] - run[-1] <= run[-1] - run[-cell]
                pieces.append((cuts[int(bool(begins_at_atom)) : len(cuts) - bool(ends_at_atom)], first, last))
        if index < len(atoms):
            pieces.append((np.array([begins[index], ends[index]]), 0, 0))
    if not pieces:
        return np.array([0, len(ordered)]), np.repeat(ordered.mean(), 2)
    cut = np.concatenate([cuts for cuts, _, _ in pieces])
    first, last = np.repeat([bounds for _, *bounds in pieces], [len(cuts) for cuts, _, _ in pieces], axis=0).T
    of_run = last > 0
    rank, knot = cut.astype(float), np.empty(len(cut))
    rank[of_run] = np.clip(cut[of_run], k / 2, len(ordered) - k / 2)  # the outer knots are means of k rows too
    knot[of_run] = _means_around(cut[of_run], first[of_run], last[of_run], k, ordered)
    knot[~of_run] = np.repeat(atoms, 2)
    if run_ends[0] < cell:
        rank[0] = 0
    if len(ordered) - run_begins[-1] < cell:
        rank[-1] = len(ordered)
    return rank, np.maximum.accumulate(knot)


def _wide_gaps(run: np.ndarray, cell: int) -> np.ndarray:
    """Where a run is in two groups of `cell` rows or more each: the places of the first numbers after the gaps."""
    if len(run) < 2 * cell:
        return np.zeros(0, dtype=int)
    after = np.arange(cell, len(run) - cell + 1)
    spans = np.maximum(run[after - 1] - run[after - cell], run[after + cell - 1] - run[after])
    return np.asarray(after[(run[after] - run[after - 1]) / WIDE > spans])


def _means_around(cuts: np.ndarray, begins: np.ndarray, ends: np.ndarray, k: int, ordered: np.ndarray) -> np.ndarray:
    """The mean of k rows around each cut, inside its run."""
    rows = ordered[np.clip(cuts - k // 2, begins, ends - k)[:, None] + np.arange(k)]
    return np.asarray(rows[:, 0] + (rows - rows[:, :1]).mean(axis=1))
