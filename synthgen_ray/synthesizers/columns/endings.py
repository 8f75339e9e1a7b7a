"""Numbers that all end in one of a few ways: prices in .99, .95 or .49, amounts in 9 or 5.

Where few rows share a number, what is made has the last digits of wherever it was drawn. So of the numbers that are no
atoms each gets one of the endings, by where it was drawn between two round numbers: the first share of the way is the
first one's. So, but beside an atom, none moves further than from one round number to the next.
"""

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from synthgen_ray.synthesizers.columns.stored import Share, Stored

ROUND = (10, 100, 1000)  # units of the last digit, after which endings come again
MOST_ENDINGS, MOST_STEPS = 1 / 3, 1 / 2  # of the units between round numbers, and of the steps: chance makes more
LEAST_FEWER = 1 / 2  # of them in longer stretches, for these to be the ones
LEAST_NUMBERS = 10  # distinct ones for each ending


class Endings(Stored):
    """Numbers are `length * n` steps of their grid and one of the `rests`, which so large `shares` of them have."""

    length: int = Field(ge=2, le=ROUND[-1])
    rests: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1)
    shares: tuple[Share, ...]

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        rests = np.array(self.rests)
        if len(self.rests) != len(self.shares) or rests.max() >= self.length or (np.diff(rests) <= 0).any():
            raise ValueError("endings and shares do not fit together")
        if abs(sum(self.shares) - 1) > 1e-9:
            raise ValueError("shares do not add up")
        return self

    @classmethod
    def learn(cls, numbers: np.ndarray, counts: np.ndarray, step: int, k: int) -> Self | None:
        """From distinct numbers, counted in steps of so many units of the last digit, and how many rows hold each.
        `None` where others than a few endings are in k rows, or in more than one of a hundred."""
        found: Self | None = None
        for unit in (unit for unit in ROUND if unit % step == 0):
            length = unit // step
            rows = np.bincount(numbers % length, counts, length).astype(np.int64)
            rests = np.flatnonzero(rows)
            rows = rows[rests]
            common = rows >= k
            few = min(k - 1, int(rows.sum()) // 100)
            most = min(MOST_ENDINGS * unit, MOST_STEPS * length)
            if found:
                most = LEAST_FEWER * len(found.rests) / found.length * length
            is_certain = 0 < common.sum() <= most and rows[~common].sum() <= few
            if not is_certain or len(numbers) < LEAST_NUMBERS * common.sum():
                continue
            shares = rows[common] / rows[common].sum()
            found = cls(length=length, rests=tuple(rests[common].tolist()), shares=tuple(shares.tolist()))
        return found

    def put(
        self,
        numbers: np.ndarray,
        atoms: np.ndarray,
        low: np.ndarray,
        high: np.ndarray,
        *,
        rng: np.random.Generator,  # noqa: ARG002 - as heaps need it
    ) -> np.ndarray:
        """The numbers with these endings, (N,), between the bounds, if any is there; the next or the one before where
        a number would be an atom."""
        begins, over = np.divmod(numbers, self.length)
        places = np.searchsorted(np.cumsum(self.shares)[:-1], over / self.length, side="right")
        first, last = self._beside(low, "left"), self._beside(high, "right")
        put = np.clip(self._number(begins, places), first, last)
        for step in (1, -1):
            other = np.clip(self._number(begins, places + step), first, last)
            put = np.where(np.isin(put, atoms) & ~np.isin(other, atoms), other, put)
        return np.where(first <= last, put, numbers)

    def _beside(self, bound: np.ndarray, side: Literal["left", "right"]) -> np.ndarray:
        """The first number with one of the endings that is not below a bound, or the last one not above."""
        begins, over = np.divmod(bound, self.length)
        return self._number(begins, np.searchsorted(self.rests, over, side) - (side == "right"))

    def _number(self, begins: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Of endings before the first or behind the last those of the units beside."""
        units, rests = np.divmod(places, len(self.rests))
        return np.asarray((begins + units) * self.length + np.array(self.rests)[rests])
