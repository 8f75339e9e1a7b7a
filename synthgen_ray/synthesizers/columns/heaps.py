"""Numbers of which many are round: most of some percentages with two decimals are whole, most of some sums end in 00.

Where few rows share a number, what is made has the last digits of wherever it was drawn. So of the numbers that are no
atoms as many are put on each coarser grid as are on it in the table beyond chance: where atoms are far apart, that is.
Of incomes, whose hundreds are all atoms where most are earned, many are round where few are, and hardly any between two
atoms that are near each other. None is put on an atom, whose share is known.
Source: Heitjan & Rubin 1990, "Inference from coarse data via multiple imputation with application to age heaping".
"""

import math
from typing import Annotated, Self

import numpy as np
from pydantic import Field, model_validator

from synthgen_ray.synthesizers.columns.stored import Share, Stored

GRIDS = (5, 10, 50, 100, 500, 1000)  # units of the last digit, each a part of the next
LEAST_REACH = 20  # times a grid's unit: on a coarser one numbers would not be where they were drawn
LEAST_SHARE = 0.02  # of the numbers, for which a grid is worth having
CERTAIN = 5  # standard deviations from chance
LIKELY = 2  # where a finer grid is certain: then only how coarse it is is in doubt


class Heaps(Stored):
    """So large `shares` of the numbers are put on grids of these `units` of the last digit."""

    units: tuple[Annotated[int, Field(ge=2, le=GRIDS[-1])], ...] = Field(min_length=1)
    shares: tuple[Share, ...]

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if len(self.units) != len(self.shares) or math.fsum(self.shares) > 1 + 1e-9:
            raise ValueError("grids and shares do not fit together")
        return self

    @classmethod
    def learn(cls, units: np.ndarray, counts: np.ndarray, atoms: np.ndarray, k: int) -> Self | None:
        """From distinct numbers, counted in units of the last digit, how many rows hold each, and the atoms, both
        rising. `None` if no more of them are round than by chance, or fewer than k rows."""
        if counts.sum() < k:
            return None
        shares = {1: 1.0}
        for grid in GRIDS:
            nearest = _rounded(units, grid)
            weights = counts * (_held(nearest, np.nextafter(atoms, -np.inf), atoms) == 0)
            rows = int(weights.sum())
            if rows < k or np.ptp(units) < LEAST_REACH * grid:
                break
            on = int(counts[units % grid == 0].sum())
            # Of the numbers around one of the grid, which are so many without the atoms among them, one is on it.
            around = grid - _held(nearest, atoms - grid / 2, atoms + grid / 2)
            by_chance = shares[1] * float((weights / np.maximum(around, 1)).sum()) / rows
            by_chance += sum(share * unit / grid for unit, share in shares.items() if unit > 1)
            seen = rows**2 / float((weights**2).sum())  # rows that hold one number tell of it once; Kish 1965
            beyond, spread = on / rows - by_chance, math.sqrt(by_chance * (1 - by_chance) / seen)
            finer = max(shares)
            if on >= k and beyond > max(LEAST_SHARE, (LIKELY if finer > 1 else CERTAIN) * spread):
                shares[grid] = min(beyond / (1 - finer / grid), shares[finer])
                shares[finer] -= shares[grid]
        coarse = {grid: share for grid, share in shares.items() if grid > 1 and share > 0}
        return cls(units=tuple(coarse), shares=tuple(coarse.values())) if coarse else None

    def put(self, units: np.ndarray, *_: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The numbers, some of them rounded to a coarser grid, (N,), on atoms too: as files of before say."""
        return _rounded(units, self.grids(len(units), rng))

    def grids(self, numbers: int, rng: np.random.Generator) -> np.ndarray:
        """To which each is rounded; 1 for those that stay."""
        which = np.searchsorted(np.cumsum(self.shares), rng.random(numbers), side="right")
        return np.asarray(np.append(self.units, 1)[which])


class LocalHeaps(Stored):
    """Those of the numbers between atoms that are up to 5, 10, ..., 1000 units apart, and further."""

    by_gap: tuple[Heaps | None, ...] = Field(min_length=len(GRIDS) + 1, max_length=len(GRIDS) + 1)

    @classmethod
    def learn(cls, units: np.ndarray, counts: np.ndarray, atoms: np.ndarray, k: int) -> Self | None:
        """From the distinct numbers that are no atoms, and the atoms, both rising, as `Heaps` does; `None` where none
        of these learns anything."""
        gaps = _gaps(units, atoms)
        among = (gaps == gap for gap in range(len(GRIDS) + 1))
        by_gap = tuple(Heaps.learn(units[these], counts[these], atoms, k) for these in among)
        return cls(by_gap=by_gap) if any(by_gap) else None

    def put(self, units: np.ndarray, atoms: np.ndarray, *_: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The numbers, some of them rounded to a coarser grid, (N,): to its other side where they would be an atom, and
        not at all if they would be one there too."""
        gaps, grids = _gaps(units, atoms), np.ones(len(units))
        for gap, heaps in enumerate(self.by_gap):
            if heaps:
                these = gaps == gap
                grids[these] = heaps.grids(int(these.sum()), rng)
        put = np.where(grids > 1, _rounded(units, grids), units)
        other = put + np.sign(units - put) * grids
        return np.where(~np.isin(put, atoms), put, np.where(np.isin(other, atoms), units, other))


def _gaps(units: np.ndarray, atoms: np.ndarray) -> np.ndarray:
    """Of each number, which of the grids has no finer steps than the atoms around it are apart."""
    ends = np.concatenate([[-np.inf], atoms, [np.inf]])
    places = np.searchsorted(atoms, units)
    return np.asarray(np.searchsorted(GRIDS, ends[places + 1] - ends[places]))


def _held(numbers: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """How many of some stretches, from behind their low ends to their high ones, each of rising numbers is in, (N,). By
    looking up the ends, which are few."""
    steps = np.zeros(len(numbers) + 1, dtype=np.int64)
    np.add.at(steps, np.searchsorted(numbers, low, "right"), 1)
    np.subtract.at(steps, np.searchsorted(numbers, high, "right"), 1)
    return np.asarray(np.cumsum(steps[:-1]))


def _rounded(units: np.ndarray, grid: np.ndarray | int) -> np.ndarray:
    return np.asarray(np.rint(units / grid) * grid)
