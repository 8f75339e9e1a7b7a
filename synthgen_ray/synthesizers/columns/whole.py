"""Whole numbers, dates and times: steps on a grid, exact to 64 bits.

A model counts in float64, which is exact up to 2**53. A column that reaches further, as one does that stands for
"missing" with the smallest integer there is, is counted without the empty stretches between its islands of values.

Every bound is a mean of k rows at or inside the k-th extreme, of the column or of an island: no row's own is kept.
"""

import math
from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from fractions import Fraction
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any, Literal, Self, cast

import numpy as np
import pyarrow as pa
from pydantic import Field, model_validator

from synthgen_ray.synthesizers.columns import arrow
from synthgen_ray.synthesizers.columns.ends import inner_parts
from synthgen_ray.synthesizers.columns.stored import Stored
from synthgen_ray.synthesizers.columns.wall_clock import WallClock, shown_by_clocks

SIGN = np.uint64(1 << 63)
MOST = np.nextafter(2.0**64, 0)  # the largest float64 that fits in 64 bits
EXACT = 2**53  # up to which a float64 can count
WIDE = 1 / 4  # of all that is not empty yet, from which a stretch without rows is left out
MOST_ISLANDS = 4096
PRIMES = (2, 3, 5, 7)  # of which the steps of money, clocks and calendars are made
Number = int | float | Fraction


class Rounded(ABC):
    """What is true of numbers each of which stands for all that round to it."""

    @property
    @abstractmethod
    def rounding(self) -> float:
        """The distance between neighbours on the grid, in the numbers that `forward` gives; 0 if there is no grid."""

    def cells(self, lows: np.ndarray, highs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """All that rounds into each range."""
        return lows - self.rounding / 2, highs + self.rounding / 2

    def is_marker(self, numbers: np.ndarray) -> np.ndarray:
        """Which numbers stand for values beside the grid."""
        return np.zeros(len(numbers), dtype=bool)

    def squeezed(self, numbers: np.ndarray) -> np.ndarray:
        """Numbers as they would be counted without such values."""
        return numbers

    def stretched(self, numbers: np.ndarray) -> np.ndarray:
        """The way back."""
        return numbers


class Counted(Rounded):
    """What is true of numbers that count places from 0 on, whatever these stand for."""

    @property
    def lower(self) -> float:
        return 0.0

    @property
    def grain(self) -> float:
        return 1.0

    @property
    def rounding(self) -> float:
        return 1.0

    @property
    def exact(self) -> type:
        return np.uint64

    @property
    def last_digit(self) -> tuple[float, float, int] | None:
        """Where zero is, or the number of the grid next to it, what a step of the grid is, as numbers are counted, and
        of how many units of the last digit it is; `None` if there are no digits."""
        return None

    def inside(self, array: pa.Array, low: Number | None, high: Number | None) -> np.ndarray:
        """Which values, none of them null, lie in a range, (N,): for what they are, beyond the ends of a model too."""
        whole = arrow.integers(array)
        inside = np.ones(len(whole), dtype=bool)
        if low is not None:
            inside &= whole >= math.ceil(low)
        if high is not None:
            inside &= whole <= math.floor(high)
        return inside


class IntegerForm(Counted, Stored):
    """Whole numbers `origin + step * n` with n from 0 to `steps`; dates and times too. Exact to 64 bits."""

    form: Literal["integer"] = "integer"
    arrow_type: str
    origin: int = Field(ge=-(2**63), lt=2**64)
    step: int = Field(ge=1, lt=2**64)
    steps: int = Field(ge=0, lt=2**64)
    clock: WallClock | None = Field(default=None, exclude_if=lambda clock: clock is None)  # files of before have none

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        _check_type(self.arrow_type)
        _check_ends(self.ends, self.arrow_type)
        if self.clock and not has_zone(arrow.type_of(self.arrow_type)):
            raise ValueError("clocks are of a zone")
        return self

    @classmethod
    def learn(cls, array: pa.Array, ordered: np.ndarray, k: int, least_step: int = 1) -> Self:
        """`ordered` are the rows, unsigned and rising; `least_step` is the resolution that they are known to have."""
        step, low, high = _span(ordered, k, least_step)
        type_, clock = str(array.type), _clock_of(array, k, step)
        return cls(arrow_type=type_, origin=low - _bias(type_), step=step, steps=(high - low) // step, clock=clock)

    @property
    def upper(self) -> float:
        return float(self.steps)

    @property
    def last_digit(self) -> tuple[float, float, int] | None:
        is_number = pa.types.is_integer(arrow.type_of(self.arrow_type))
        return (-float(self.origin // self.step), 1.0, self.step) if is_number else None

    def forward(self, array: pa.Array) -> np.ndarray:
        return np.asarray(self._clipped(as_unsigned(array)), dtype=np.float64)

    def back(self, plain: np.ndarray, low: np.ndarray | None = None, high: np.ndarray | None = None) -> pa.Array:
        """The nearest values of the grid, between the bounds if any (in steps, exact)."""
        steps = np.minimum(np.clip(np.rint(plain), 0, MOST).astype(np.uint64), np.uint64(self.steps))
        steps[plain >= self.upper] = self.steps  # exact where floats are further apart than steps
        if low is not None and high is not None:
            steps = np.clip(steps, low, high)
        whole = arrow.of_integers(self._values(steps), arrow.type_of(self.arrow_type))
        if self.clock is None:
            return whole
        bounds = self.ends if low is None or high is None else (self._values(low), self._values(high))
        return self.clock.nearest(whole, *bounds)

    def _values(self, steps: np.ndarray) -> np.ndarray:
        return _signed(self._base + steps * np.uint64(self.step), self.arrow_type)

    def between(self, low: Number | None, high: Number | None) -> tuple[int, int]:
        """First and last step of the grid inside a range; the first is above the last if there is none."""
        first = 0 if low is None else math.ceil((Fraction(low) - self.origin) / self.step)
        last = self.steps if high is None else math.floor((Fraction(high) - self.origin) / self.step)
        return max(first, 0), min(last, self.steps)

    @property
    def ends(self) -> tuple[int, int]:
        """The smallest and the largest value, as integers of the type."""
        return self.origin, self.origin + self.step * self.steps

    @property
    def _base(self) -> np.uint64:
        return np.uint64(self.origin + _bias(self.arrow_type))

    def _clipped(self, unsigned: np.ndarray) -> np.ndarray:
        top = np.uint64(int(self._base) + self.step * self.steps)
        return np.asarray((np.clip(unsigned, self._base, top) - self._base) // np.uint64(self.step))


class IslandsForm(Counted, Stored):
    """Whole numbers on several grids `origin + step * n`, n from 0 to `steps`: one rising island after the other.

    A number is the place of its value among those of all islands, so neighbours across an empty stretch are 1 apart.
    """

    form: Literal["islands"] = "islands"
    arrow_type: str
    islands: tuple[tuple[int, int, int], ...] = Field(min_length=1, max_length=4 * MOST_ISLANDS)  # origin, step, steps

    @model_validator(mode="after")
    def _rise_within_the_type(self) -> Self:
        _check_type(self.arrow_type)
        if any(not 0 < step < 2**64 or steps < 0 for _, step, steps in self.islands) or self._size > EXACT:
            raise ValueError("an island has no size")
        if any(_end(before) >= after[0] for before, after in pairwise(self.islands)):
            raise ValueError("islands do not rise")
        _check_ends(self.ends, self.arrow_type)
        return self

    @classmethod
    def learn(cls, arrow_type: str, ordered: np.ndarray, k: int, least_step: int = 1) -> Self | None:
        """From unsigned rows, which rise. `None` if nothing is gained: no stretch is empty and no value stands out."""
        islands = []
        for part in _parts(ordered, k):
            step, low, high = _span(part, k, least_step)
            islands.append((low, step, (high - low) // step))
        if sum(steps + 1 for _, _, steps in islands) > EXACT:
            islands = _around_atoms(islands, ordered, k)
        if len(islands) == 1:
            return None
        bias = _bias(arrow_type)
        return cls(arrow_type=arrow_type, islands=tuple((low - bias, step, steps) for low, step, steps in islands))

    @property
    def upper(self) -> float:
        return float(self._size - 1)

    def forward(self, array: pa.Array) -> np.ndarray:
        """A value between two islands counts as the nearer end."""
        unsigned, (origins, steps, most, starts) = as_unsigned(array), self._arrays
        place = np.maximum(np.searchsorted(origins, unsigned, "right"), 1) - 1
        off = np.maximum(unsigned, origins[place]) - origins[place]
        after = np.minimum(place + 1, len(origins) - 1)
        beyond = off > steps[place] * most[place]
        beyond &= origins[after] - unsigned < off - steps[place] * most[place]  # of the last island this wraps around
        counted = starts[place] + np.minimum(off // steps[place], most[place])
        return np.asarray(np.where(beyond & (after > place), starts[after], counted), dtype=np.float64)

    def back(self, plain: np.ndarray, low: np.ndarray | None = None, high: np.ndarray | None = None) -> pa.Array:
        """The values at the nearest places, between the bounds if any (places)."""
        counted = np.clip(np.rint(plain), 0, self.upper).astype(np.uint64)
        if low is not None and high is not None:
            counted = np.clip(counted, low, high)
        origins, steps, _, starts = self._arrays
        place = np.searchsorted(starts, counted, "right") - 1
        unsigned = origins[place] + (counted - starts[place]) * steps[place]
        return of_unsigned(unsigned, self.arrow_type)

    def between(self, low: Number | None, high: Number | None) -> tuple[int, int]:
        """First and last place of a value inside a range; the first is above the last if there is none."""
        low, high = self.ends[0] if low is None else low, self.ends[1] if high is None else high
        first, last = self._size, -1
        if (place := bisect_left(self.islands, low, key=_end)) < len(self.islands):
            origin, step, _ = self.islands[place]
            first = self._starts[place] + max(math.ceil((Fraction(low) - origin) / step), 0)
        if place := bisect_right(self.islands, high, key=_origin):
            origin, step, steps = self.islands[place - 1]
            last = self._starts[place - 1] + min(math.floor((Fraction(high) - origin) / step), steps)
        return first, last

    @property
    def ends(self) -> tuple[int, int]:
        """The smallest and the largest value, as integers of the type."""
        return self.islands[0][0], _end(self.islands[-1])

    @cached_property
    def _starts(self) -> list[int]:
        """Of each island the place of its first value, and the number of places."""
        return list(accumulate((steps + 1 for _, _, steps in self.islands), initial=0))

    @property
    def _size(self) -> int:
        return self._starts[-1]

    @cached_property
    def _arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Of each island its first value, unsigned, its step, how many steps it has, and the place of its first."""
        bias = _bias(self.arrow_type)
        columns = zip(*((origin + bias, step, steps) for origin, step, steps in self.islands), strict=True)
        origins, steps, most = (np.array(column, dtype=np.uint64) for column in columns)
        return origins, steps, most, np.cumsum(most + np.uint64(1)) - most - np.uint64(1)


def learn_whole(array: pa.Array, ordered: np.ndarray, k: int, least_step: int = 1) -> IntegerForm | IslandsForm:
    """One grid, where float64 can count its steps or nothing is gained by several."""
    form = IntegerForm.learn(array, ordered, k, least_step)
    return form if form.steps <= EXACT else IslandsForm.learn(form.arrow_type, ordered, k, least_step) or form


def _origin(island: tuple[int, int, int]) -> int:
    return island[0]


def _end(island: tuple[int, int, int]) -> int:
    origin, step, steps = island
    return origin + step * steps


def _span(ordered: np.ndarray, k: int, least_step: int) -> tuple[int, int, int]:
    """The step of a grid that holds the rows, but for a few, and its ends on that grid, unsigned."""
    step, ordered = grid_of(ordered, k)
    step = step if step % least_step == 0 else math.gcd(step, least_step)
    low, high = (
        int(part[0]) + step * (sum((part - part[0]).tolist()) // (len(part) * step)) for part in inner_parts(ordered, k)
    )
    return step, low, max(low, high)


def grid_of(ordered: np.ndarray, k: int) -> tuple[int, np.ndarray]:
    """The step of k unsigned rows or more, which rise, and those on the grid: all but fewer than k, and one of a
    hundred at most; k are left.

    One moment among dates would else make seconds of all days: what k rows do not have is not learnt.
    """
    values, counts = distinct(ordered)
    few = min(k - 1, len(ordered) // 100, len(ordered) - k)
    while True:
        step = divisor_of(np.diff(values))
        for prime in PRIMES:
            place = (values - values[0]) // np.uint64(step) % np.uint64(prime)
            rows = np.bincount(place.astype(np.int64), counts, prime)
            if 0 < (off := int(counts.sum() - np.max(rows))) <= few:
                break
        else:
            return step, np.repeat(values, counts)
        few, on = few - off, place == np.argmax(rows)
        values, counts = values[on], counts[on]


def divisor_of(distances: np.ndarray) -> int:
    """The largest number that divides them all; 1 if there are none."""
    return max(int(cast(Any, np.gcd).reduce(distances)), 1)


def distinct(ordered: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct values of rising rows, and how many rows hold each: `np.unique` would sort once more."""
    firsts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    return ordered[firsts], np.diff(firsts, append=len(ordered))


def has_zone(type_: pa.DataType) -> bool:
    return bool(pa.types.is_timestamp(type_) and type_.tz is not None)


def _clock_of(array: pa.Array, k: int, step: int) -> WallClock | None:
    """The grid of what clocks show, where it is coarser than that of UTC."""
    if not has_zone(array.type):
        return None
    shown = as_unsigned(shown_by_clocks(array))
    if np.ptp(shown - as_unsigned(array)) == 0:  # clocks never change
        return None
    on_clock, on_grid = grid_of(np.sort(shown), k)
    return WallClock(step=on_clock, origin=(int(on_grid[0]) - int(SIGN)) % on_clock) if on_clock > step else None


def _parts(ordered: np.ndarray, k: int) -> list[np.ndarray]:
    """The rows cut at the widest stretches without any, until float64 can count what is left or no stretch is wide.

    Each part has k rows at least.
    """
    gaps = np.diff(ordered).astype(np.float64)
    gaps[: k - 1] = gaps[len(gaps) - k + 1 :] = 0  # beyond the k-th extremes
    left, cuts = gaps.copy(), np.zeros(0, dtype=int)
    while left.sum() > EXACT and (wide := np.flatnonzero(left >= left.sum() * WIDE)).size:
        cuts, left[wide] = np.union1d(cuts, wide), 0
    while len(cuts):
        rows = np.diff(cuts + 1, prepend=0, append=len(ordered))
        small = np.flatnonzero(rows < k)
        if not len(small):
            break
        beside = cuts[max(small[0] - 1, 0) : small[0] + 1]
        cuts = np.setdiff1d(cuts, beside[np.argmin(gaps[beside])])
    return np.split(ordered, cuts + 1)


def _around_atoms(islands: list[tuple[int, int, int]], ordered: np.ndarray, k: int) -> list[tuple[int, int, int]]:
    """Values that many rows share become islands of their own, exact where those around them are counted in steps so
    large that float64 can count all."""
    values, counts = distinct(ordered)
    atoms = values[counts >= max(k, -(-len(ordered) // MOST_ISLANDS))].tolist()
    coarse = -(-sum(steps + 1 for _, _, steps in islands) // (EXACT // 2))
    cut = []
    for island in islands:
        low, step, end = island[0], island[1], _end(island)
        wide = min(step * coarse, 2**64 - 1)  # one that is longer than the island is not taken
        for atom in [*(atom for atom in atoms if low <= atom <= end), None]:
            last = end if atom is None else atom - step
            if low <= last:
                cut.append((low, wide, (last - low) // wide))
            if atom is not None:
                cut.append((atom, 1, 0))
                low = atom + step
    return cut


def _check_type(arrow_type: str) -> None:
    if not arrow.is_integral(arrow.type_of(arrow_type)):
        raise ValueError("not a type of whole numbers")


def _check_ends(ends: tuple[int, int], arrow_type: str) -> None:
    arrow.of_values(ends, arrow.type_of(arrow_type))  # overflows if they do not fit


def _bias(arrow_type: str) -> int:
    """What makes the type's integers unsigned."""
    return 0 if arrow_type == "uint64" else 1 << 63


def as_unsigned(array: pa.Array) -> np.ndarray:
    """Integers in an order-preserving unsigned form, so that differences never overflow."""
    whole = arrow.integers(array)
    return whole if whole.dtype == np.uint64 else np.ascontiguousarray(whole).view(np.uint64) ^ SIGN


def of_unsigned(unsigned: np.ndarray, arrow_type: str) -> pa.Array:
    """The way back from that form."""
    return arrow.of_integers(_signed(unsigned, arrow_type), arrow.type_of(arrow_type))


def _signed(unsigned: np.ndarray, arrow_type: str) -> np.ndarray:
    return unsigned if arrow_type == "uint64" else (unsigned ^ SIGN).view(np.int64)
