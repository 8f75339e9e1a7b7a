"""How a column writes its numbers: type, grid and range. Exact on the way back, float64 in between.

Every bound is a mean of k rows at or inside the k-th extreme: no row's own value is kept."""

import math
from fractions import Fraction
from typing import Annotated, Literal, Self

import numpy as np
import pyarrow as pa
from pydantic import Field, model_validator

from synthgen_ray.synthesizers.columns import arrow
from synthgen_ray.synthesizers.columns.stored import Stored

SIGN = np.uint64(1 << 63)
MOST = np.nextafter(2.0**64, 0)  # the largest float64 that fits in 64 bits
MAX_DECIMALS = 15
BEYOND = 1e302  # no column holds such a number
Number = int | float | Fraction


class IntegerForm(Stored):
    """Whole numbers `origin + step * n` with n from 0 to `steps`; dates and times too. Exact to 64 bits."""

    form: Literal["integer"] = "integer"
    arrow_type: str
    origin: int = Field(ge=-(2**63), lt=2**64)
    step: int = Field(ge=1, lt=2**64)
    steps: int = Field(ge=0, lt=2**64)

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        type_ = arrow.type_of(self.arrow_type)
        if not arrow.is_integral(type_):
            raise ValueError("not a type of whole numbers")
        arrow.of_values(self.ends, type_)  # overflows if they do not fit
        return self

    @classmethod
    def learn(cls, array: pa.Array, k: int, least_step: int = 1) -> Self:
        """`least_step` is the resolution that the column is known to have."""
        ordered = np.sort(_unsigned(array))
        step = max(int(np.gcd.reduce(np.unique(np.diff(ordered)))), 1)
        step = step if step % least_step == 0 else math.gcd(step, least_step)
        low, high = (
            int(part[0]) + step * (sum((part - part[0]).tolist()) // (len(part) * step))
            for part in _inner_parts(ordered, k)
        )
        bias = 0 if array.type == pa.uint64() else 1 << 63
        return cls(arrow_type=str(array.type), origin=low - bias, step=step, steps=max(high - low, 0) // step)

    @property
    def upper(self) -> float:
        return float(self.steps)

    @property
    def lower(self) -> float:
        return 0.0

    @property
    def grain(self) -> float:
        return 1.0

    @property
    def rounding(self) -> float:
        """The distance between neighbours on the grid, in the numbers that `forward` gives; 0 if there is no grid."""
        return 1.0

    def forward(self, array: pa.Array) -> np.ndarray:
        return np.asarray(self._clipped(_unsigned(array)), dtype=np.float64)

    def back(self, plain: np.ndarray, low: np.ndarray | None = None, high: np.ndarray | None = None) -> pa.Array:
        """The nearest values of the grid, between the bounds if any (in steps, exact)."""
        steps = np.minimum(np.clip(np.rint(plain), 0, MOST).astype(np.uint64), np.uint64(self.steps))
        steps[plain >= self.upper] = self.steps  # exact where floats are further apart than steps
        if low is not None and high is not None:
            steps = np.clip(steps, low, high)
        unsigned = self._base + steps * np.uint64(self.step)
        return arrow.of_integers(self._signed(unsigned), arrow.type_of(self.arrow_type))

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
    def exact(self) -> type:
        return np.uint64

    @property
    def _base(self) -> np.uint64:
        return np.uint64(self.origin + (0 if self._is_unsigned else 1 << 63))

    @property
    def _is_unsigned(self) -> bool:
        return self.arrow_type == "uint64"

    def _clipped(self, unsigned: np.ndarray) -> np.ndarray:
        top = np.uint64(int(self._base) + self.step * self.steps)
        return np.asarray((np.clip(unsigned, self._base, top) - self._base) // np.uint64(self.step))

    def _signed(self, unsigned: np.ndarray) -> np.ndarray:
        return unsigned if self._is_unsigned else (unsigned ^ SIGN).view(np.int64)


class FloatForm(Stored):
    """Real numbers from `lower` to `upper` with at most so many decimals, in the column's own precision."""

    form: Literal["float"] = "float"
    arrow_type: str
    lower: float
    upper: float
    decimals: int | None = Field(ge=0, le=MAX_DECIMALS)

    @model_validator(mode="after")
    def _ends_are_in_order(self) -> Self:
        if self.lower > self.upper:
            raise ValueError("the lower end is above the upper")
        if not arrow.is_real(arrow.type_of(self.arrow_type)):
            raise ValueError("not a type of real numbers")
        return self

    @classmethod
    def learn(cls, array: pa.Array, k: int) -> Self:
        reals = _reals(array)
        decimals = _decimals(array, reals)
        shape = cls(arrow_type=str(array.type), lower=0.0, upper=0.0, decimals=decimals)
        low, high = (_reals(shape._written(np.array([part.mean()])))[0] for part in _inner_parts(np.sort(reals), k))
        return cls(arrow_type=str(array.type), lower=float(low), upper=float(max(low, high)), decimals=decimals)

    @property
    def grain(self) -> float:
        """Half of it around a value is what counts as equal when rows near the value are looked for."""
        fine = (self.upper - self.lower) / 100
        return max(self.rounding, fine)

    @property
    def rounding(self) -> float:
        return 0.0 if self.decimals is None else 10.0**-self.decimals

    def forward(self, array: pa.Array) -> np.ndarray:
        return np.asarray(np.clip(_reals(array), self.lower, self.upper))

    def back(self, plain: np.ndarray, low: np.ndarray | None = None, high: np.ndarray | None = None) -> pa.Array:
        rounded = plain if self.decimals is None else np.round(plain, self.decimals)
        clipped = np.clip(rounded, self.lower, self.upper)
        if low is not None and high is not None:
            clipped = np.clip(clipped, low, high)
        return self._written(clipped, rounded=True)

    def between(self, low: Number | None, high: Number | None) -> tuple[float, float]:
        """The outermost values inside a range; the first is above the last if there is none.

        On a grid a bound means what is written: a float32 that is written 0.7 is not below 0.7. Off a grid a single
        value means the nearest that the type holds.
        """
        single = self.decimals is None and low is not None and low == high
        first = self.lower if low is None or low <= self.lower else self._inwards(low, 0 if single else 1)
        last = self.upper if high is None or high >= self.upper else self._inwards(high, 0 if single else -1)
        return (first, last) if self.lower <= last and first <= self.upper else (1.0, 0.0)

    @property
    def ends(self) -> tuple[float, float]:
        return self.lower, self.upper

    @property
    def exact(self) -> type:
        return np.float64

    def _inwards(self, bound: Number, side: int) -> float:
        """The nearest value above (1) or below (-1) a bound, or on either side (0)."""
        bound = min(max(bound, -BEYOND), BEYOND)
        type_ = arrow.type_of(self.arrow_type)
        real = type_.to_pandas_dtype() if pa.types.is_floating(type_) else np.float64
        with np.errstate(over="ignore"):
            narrow = real(bound)
            if self.decimals is not None:
                places = min(self.decimals, type_.scale) if pa.types.is_decimal(type_) else self.decimals
                unit = Fraction(10) ** -places
                # A float32 that was read as a float64 means what it is written as.
                steps = Fraction(str(narrow) if narrow == bound else str(bound)) / unit
                narrow = real(float((math.ceil(steps) if side > 0 else math.floor(steps)) * unit))
            elif side * (bound - float(narrow)) > 0:
                narrow = np.nextafter(narrow, real(side * np.inf))
        return float(narrow)

    def _written(self, reals: np.ndarray, rounded: bool = False) -> pa.Array:
        type_ = arrow.type_of(self.arrow_type)
        if self.decimals is not None and not rounded:
            reals = np.round(reals, self.decimals)
        if pa.types.is_decimal(type_):
            most = math.nextafter(10.0 ** (type_.precision - type_.scale), 0)
            return pa.array(np.clip(reals, -most, most)).cast(type_)
        return pa.array(reals.astype(type_.to_pandas_dtype()))


Form = Annotated[IntegerForm | FloatForm, Field(discriminator="form")]


def learn_form(array: pa.Array, k: int, least_step: int = 1) -> IntegerForm | FloatForm:
    if arrow.is_integral(array.type):
        return IntegerForm.learn(array, k, least_step)
    return FloatForm.learn(array, k)


def _inner_parts(ordered: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k rows from the k-th smallest upwards, and the k rows up to the k-th largest; of few rows the k in the
    middle. There are k at least."""
    first = k - 1 if len(ordered) >= 2 * k - 1 else (len(ordered) - k) // 2
    return ordered[first : first + k], ordered[::-1][first : first + k][::-1]


def _unsigned(array: pa.Array) -> np.ndarray:
    """Integers in an order-preserving unsigned form, so that differences never overflow."""
    whole = arrow.integers(array)
    return whole if whole.dtype == np.uint64 else np.ascontiguousarray(whole).view(np.uint64) ^ SIGN


def _reals(array: pa.Array) -> np.ndarray:
    return np.asarray(array.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


def _decimals(array: pa.Array, reals: np.ndarray) -> int | None:
    """The fewest decimals that write every value, `None` if the values are truly real."""
    if pa.types.is_decimal(array.type):
        scale = int(np.clip(array.type.scale, 0, MAX_DECIMALS))
        written = np.round(reals, scale)
        return next(d for d in range(scale + 1) if np.array_equal(np.round(reals, d), written))
    narrow = array.type.to_pandas_dtype()
    written = reals.astype(narrow)
    with np.errstate(all="ignore"):
        for decimals in range(MAX_DECIMALS + 1):
            for some in (slice(1000), slice(None)):
                if not np.array_equal(np.round(reals[some], decimals).astype(narrow), written[some]):
                    break
            else:
                return decimals
    return None
