"""Real numbers: floats and decimals, with so many digits as the column has.

Every bound is a mean of k rows at or inside the k-th extreme: no row's own value is kept."""

import math
from fractions import Fraction
from typing import Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from synthgen_ray.datasets.decimals import as_floats
from synthgen_ray.synthesizers.columns import arrow
from synthgen_ray.synthesizers.columns.ends import inner_parts
from synthgen_ray.synthesizers.columns.stored import Stored
from synthgen_ray.synthesizers.columns.whole import EXACT, Number, Rounded, grid_of

MAX_DECIMALS = 15
MOST_DIGITS = 76  # of a decimal
WHOLE = 2.0**52  # a float64 that large is a whole number
BEYOND = 1e302  # no column holds such a number
NOTHING = 1e-304  # numbers that lie no further apart have slopes beyond all floats


class FloatForm(Rounded, Stored):
    """Real numbers from `lower` to `upper` with at most so many decimals, in the column's own precision.

    Those of a grid are `origin + step * n` units of the last decimal: prices that end in .99 are 99 + 100 n cents.
    """

    form: Literal["float"] = "float"
    arrow_type: str
    lower: float
    upper: float
    decimals: int | None = Field(ge=0, le=MAX_DECIMALS)
    step: int = Field(default=1, ge=1, le=EXACT)  # in files of before there is none
    origin: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _ends_are_in_order(self) -> Self:
        if self.lower > self.upper:
            raise ValueError("the lower end is above the upper")
        if not arrow.is_real(arrow.type_of(self.arrow_type)):
            raise ValueError("not a type of real numbers")
        if self.origin >= self.step or (self.step > 1 and self.decimals is None):
            raise ValueError("not a grid")
        return self

    @classmethod
    def learn(cls, array: pa.Array, k: int) -> Self:
        reals = reals_of(array)
        decimals = _decimals(array, reals, k)
        step, origin = _grid(reals, decimals, k)
        shape = cls(arrow_type=str(array.type), lower=0.0, upper=0.0, decimals=decimals, step=step, origin=origin)
        parts = inner_parts(np.sort(reals), k)
        low, high = (reals_of(shape.written(np.array([part[0] + (part - part[0]).mean()])))[0] for part in parts)
        return shape.model_copy(update={"lower": float(low), "upper": float(max(low, high))})

    @property
    def grain(self) -> float:
        """Half of it around a value is what counts as equal when rows near the value are looked for."""
        fine = (self.upper - self.lower) / 100
        return max(self.rounding, fine)

    @property
    def rounding(self) -> float:
        return 0.0 if self.decimals is None else self.step / 10.0**self.decimals

    @property
    def last_digit(self) -> tuple[float, float, int] | None:
        """Where zero is, or the number of the grid next to it, what a step of the grid is, as numbers are counted, and
        of how many units of the last digit it is; `None` if there are no digits."""
        if self.decimals is None:
            return None
        unit = 10.0**-self.decimals
        return self.origin * unit, self.step * unit, self.step

    def forward(self, array: pa.Array) -> np.ndarray:
        return np.asarray(np.clip(reals_of(array), self.lower, self.upper))

    def back(self, plain: np.ndarray, low: np.ndarray | None = None, high: np.ndarray | None = None) -> pa.Array:
        clipped = np.clip(self._rounded(plain), self.lower, self.upper)
        if low is not None and high is not None:
            clipped = np.clip(clipped, low, high)
        return self.written(clipped, rounded=True)

    def between(self, low: Number | None, high: Number | None) -> tuple[float, float]:
        """The outermost values inside a range; the first is above the last if there is none.

        On a grid a bound means what is written: a float32 that is written 0.7 is not below 0.7. Off a grid a single
        value means the nearest that the type holds.
        """
        single = self._is_single(low, high)
        grid = self.step, self.origin
        first = self.lower if low is None or low <= self.lower else self._inwards(low, 0 if single else 1, *grid)
        last = self.upper if high is None or high >= self.upper else self._inwards(high, 0 if single else -1, *grid)
        return (first, last) if self.lower <= last and first <= self.upper else (1.0, 0.0)

    def inside(self, array: pa.Array, low: Number | None, high: Number | None) -> np.ndarray:
        """Which values, none of them null, lie in a range, (N,): for what they are, beyond the ends of a model too."""
        reals, single = reals_of(array), self._is_single(low, high)
        first = -np.inf if low is None else self._inwards(low, 0 if single else 1)
        last = np.inf if high is None else self._inwards(high, 0 if single else -1)
        return np.asarray((first <= reals) & (reals <= last))

    @property
    def ends(self) -> tuple[float, float]:
        return self.lower, self.upper

    @property
    def exact(self) -> type:
        return np.float64

    def _is_single(self, low: Number | None, high: Number | None) -> bool:
        return self.decimals is None and low is not None and low == high

    def _inwards(self, bound: Number, side: int, step: int = 1, origin: int = 0) -> float:
        """The nearest value above (1) or below (-1) a bound, or on either side (0); of a grid, if one is given."""
        bound = min(max(bound, -BEYOND), BEYOND)
        type_ = arrow.type_of(self.arrow_type)
        real = type_.to_pandas_dtype() if pa.types.is_floating(type_) else np.float64
        with np.errstate(over="ignore"):
            narrow = real(bound)
            if np.isinf(narrow):  # no float32 reaches as far
                return float(narrow)
            if self.decimals is not None:
                unit = Fraction(10) ** -self.decimals
                # A float32 that was read as a float64 means what it is written as, and is asked for as that too.
                is_held = bound in (float(narrow), float(str(narrow)))
                asked = _meant(narrow, unit) if is_held else Fraction(str(bound))
                if abs(asked / unit) >= WHOLE:
                    step, origin = 1, 0
                if step == 1 and pa.types.is_decimal(type_):
                    unit = Fraction(10) ** -min(self.decimals, type_.scale)
                steps = (asked / unit - origin) / step
                if is_held and real(float((origin + step * round(steps)) * unit)) == narrow:
                    return float(narrow)
                narrow = real(float((origin + step * (math.ceil(steps) if side > 0 else math.floor(steps))) * unit))
                while np.isfinite(narrow) and side * (asked - _meant(narrow, unit)) > 0:  # it is on no such grid
                    narrow = np.nextafter(narrow, real(side * np.inf))
            elif side * (bound - float(narrow)) > 0:
                narrow = np.nextafter(narrow, real(side * np.inf))
        return float(narrow)

    def _rounded(self, reals: np.ndarray) -> np.ndarray:
        """To the decimals and the grid of the column; numbers too large for both stay."""
        if self.decimals is None:
            return reals
        rounded = _rounded(reals, self.decimals)
        if self.step == 1:
            return rounded
        units = _units(reals, self.decimals)
        on_grid = self.origin + self.step * np.rint((units - self.origin) / self.step)
        return np.where(np.abs(units) < WHOLE, on_grid / 10.0**self.decimals, rounded)

    def written(self, reals: np.ndarray, rounded: bool = False) -> pa.Array:
        type_ = arrow.type_of(self.arrow_type)
        reals = reals if rounded else self._rounded(reals)
        if pa.types.is_decimal(type_):
            most = math.nextafter(10.0 ** (type_.precision - type_.scale), 0)
            return _decimals_of(np.clip(reals, -most, most), self.decimals, type_)
        return pa.array(reals.astype(type_.to_pandas_dtype()))


def reals_of(array: pa.Array) -> np.ndarray:
    """Numbers of a column that are next to nothing beside its others are 0."""
    if pa.types.is_decimal(array.type):
        return np.asarray(as_floats(pa.chunked_array([array])).to_numpy())
    reals = array.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return np.asarray(np.where(np.abs(reals) < NOTHING, 0.0, reals), dtype=np.float64)


def _meant(number: np.floating, unit: Fraction) -> Fraction:
    """The number itself, if it is so many units, else what it is written as."""
    exact = Fraction(float(number))
    return exact if (exact / unit).denominator == 1 else Fraction(str(number))


def _grid(reals: np.ndarray, decimals: int | None, k: int) -> tuple[int, int]:
    """Step and origin of the numbers, in units of their last decimal, by the rules of whole numbers; 1 and 0 where
    they are on no grid, or too large to be counted."""
    if decimals is None:
        return 1, 0
    units = _units(reals, decimals)
    counted = np.sort(np.rint(units[np.abs(units) < WHOLE]).astype(np.int64))
    if len(counted) < k:
        return 1, 0
    step, on_grid = grid_of((counted - counted[0]).astype(np.uint64), k)
    return step, int(counted[0] + on_grid[0]) % step


def in_units(array: pa.Array, decimals: int) -> np.ndarray | None:
    """The numbers in units of their last decimal, above the least of them, (N,); `None` where one is too large to be
    counted."""
    units = np.rint(_units(reals_of(array), decimals))
    return None if np.abs(units).max() >= WHOLE else (units - units.min()).astype(np.uint64)


def _units(reals: np.ndarray, decimals: int) -> np.ndarray:
    with np.errstate(over="ignore"):
        return np.asarray(reals * 10.0**decimals)


def _decimals(array: pa.Array, reals: np.ndarray, k: int) -> int | None:
    """The fewest decimals that write every value but those of fewer than k rows, `None` if the values are truly real.

    A few rows of more digits, one of 0.1 + 0.2 among cents, are rounded as the others are: what k rows do not have is
    not learnt.
    """
    if pa.types.is_decimal(array.type):
        if array.type.scale <= 0:
            return 0
        most = min(array.type.scale, MAX_DECIMALS)
        exact = array.cast(pa.decimal256(MOST_DIGITS, array.type.scale))  # 999.99 is rounded to a digit more

        def differ(some: slice, decimals: int) -> int:
            part = exact[some]
            return int(pc.sum(pc.not_equal(pc.round(part, decimals), part)).as_py() or 0)

    else:
        most, narrow = MAX_DECIMALS, array.type.to_pandas_dtype()
        written = reals.astype(narrow)

        def differ(some: slice, decimals: int) -> int:
            with np.errstate(all="ignore"):
                return int((_rounded(reals[some], decimals).astype(narrow) != written[some]).sum())

    for decimals in range(most + 1):
        if all(differ(some, decimals) < k for some in (slice(1000), slice(None))):
            return decimals
    return None


def _decimals_of(reals: np.ndarray, decimals: int | None, type_: pa.DataType) -> pa.Array:
    """Of whole numbers of the last decimal, where floats hold those exactly, else of the digits that a float is written
    with: Arrow makes decimals of its noise too."""
    if decimals is None or decimals > type_.scale:
        return pa.array(reals).cast(type_)
    large = np.flatnonzero(np.abs(reals) * 10.0**decimals >= 2 * WHOLE)
    if len(large):
        small = np.setdiff1d(np.arange(len(reals)), large, assume_unique=True)
        wide = pa.decimal256(MOST_DIGITS, type_.scale + min(2, MOST_DIGITS - type_.precision))
        written = pa.array(reals[large]).cast(pa.string()).cast(wide)
        parts = [_decimals_of(reals[small], decimals, type_), pc.round(written, type_.scale).cast(type_)]
        return pa.concat_arrays(parts).take(pa.array(np.argsort(np.concatenate([small, large]))))
    most = 10.0 ** (type_.precision - type_.scale + decimals) - 1
    whole = np.clip(np.rint(reals * 10.0**decimals), -most, most)
    units = pa.array(whole.astype(np.int64)).cast(arrow.ANY_INTEGER)
    return pa.Array.from_buffers(pa.decimal128(19, decimals), len(units), units.buffers()).cast(type_)


def _rounded(reals: np.ndarray, decimals: int) -> np.ndarray:
    """Numbers too large to have decimals stay: `np.round` multiplies and divides, which costs their last digits."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.where(np.abs(reals) < WHOLE, np.round(reals, decimals), reals)
