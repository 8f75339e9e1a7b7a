"""Values that many rows share beside a grid or a calendar that all others keep to: the 9999-12-31 of what has no end,
the 0 of what is free among prices that end in .99, the -1 that stands for "missing" among whole hours.

Each has a place of its own among the numbers of the others, which are counted as if it were not there.
Shapes: N rows, V distinct values, M markers, B numbers.
"""

import re
from fractions import Fraction
from functools import cached_property
from typing import Annotated, Literal, NamedTuple, Self

import numpy as np
import pyarrow as pa
from pydantic import Field, model_validator

from synthgen_ray.synthesizers.columns import arrow
from synthgen_ray.synthesizers.columns.calendar import CalendarForm
from synthgen_ray.synthesizers.columns.moments import is_moment
from synthgen_ray.synthesizers.columns.real import MAX_DECIMALS, FloatForm, in_units, reals_of
from synthgen_ray.synthesizers.columns.stored import Stored, Value
from synthgen_ray.synthesizers.columns.wall_clock import shown_by_clocks
from synthgen_ray.synthesizers.columns.whole import (
    PRIMES,
    IntegerForm,
    IslandsForm,
    Number,
    as_unsigned,
    distinct,
    divisor_of,
    has_zone,
)

MOST_MARKERS = 3  # off a grid, and as many at each end of a calendar
LEAST_OTHERS = 20  # distinct values: so many are hardly on one grid by chance
DECIMAL = re.compile(r"-?\d{1,80}(\.\d{1,80})?(E[+-]?\d{1,2})?")  # that no float is equal to
Plain = IntegerForm | IslandsForm | CalendarForm | FloatForm


class MarkedForm(Stored):
    """What `others` counts, and between two of its numbers, or beyond them, a stretch for each marker: as long as a
    step of theirs, or as a day."""

    form: Literal["marked"] = "marked"
    others: Annotated[IntegerForm | CalendarForm | FloatForm, Field(discriminator="form")]
    markers: tuple[Value, ...] = Field(min_length=1, max_length=3 * MOST_MARKERS)

    @model_validator(mode="after")
    def _rise_within_the_type(self) -> Self:
        kinds = (int,) if arrow.is_integral(self._type) else (int, float)
        for marker in self.markers:
            is_text = pa.types.is_decimal(self._type) and isinstance(marker, str) and DECIMAL.fullmatch(marker)
            if not is_text and (isinstance(marker, bool) or not isinstance(marker, kinds)):
                raise ValueError("markers of another type")
        if (np.diff(self._numbers_M.astype(np.float64)) < 0).any() or len(set(self._exact)) < len(self._exact):
            raise ValueError("markers do not rise")
        return self

    @classmethod
    def beside(cls, others: IntegerForm | CalendarForm | FloatForm, markers: pa.Array) -> Self:
        """From the markers, which rise."""
        return cls(others=others, markers=tuple(arrow.values_of(markers)))

    @property
    def arrow_type(self) -> str:
        return self.others.arrow_type

    @property
    def lower(self) -> float:
        return float(min(self.stretched(np.array([self.others.lower]))[0], self._places_M[0]))

    @property
    def upper(self) -> float:
        return float(max(self.stretched(np.array([self.others.upper]))[0], self._places_M[-1]))

    @property
    def grain(self) -> float:
        return self.others.grain

    @property
    def rounding(self) -> float:
        return self.others.rounding

    @property
    def exact(self) -> type:
        return np.float64

    @property
    def last_digit(self) -> tuple[float, float, int] | None:
        return self.others.last_digit

    @property
    def ends(self) -> tuple[int | float, int | float]:
        """The smallest and the largest value, in the numbers of the type."""
        low, high = self.others.ends
        return min(low, self._numbers_M[0].item()), max(high, self._numbers_M[-1].item())

    def forward(self, array: pa.Array) -> np.ndarray:
        numbers = _numbers(array)
        place = np.minimum(np.searchsorted(self._numbers_M, numbers), len(self.markers) - 1)
        is_marker = self._numbers_M[place] == numbers
        return np.where(is_marker, self._places_M[place], self.stretched(self.others.forward(array)))

    def back(self, plain: np.ndarray, low: np.ndarray | None = None, high: np.ndarray | None = None) -> pa.Array:
        """The markers in whose stretches numbers lie, and what the others are between the bounds, if any."""
        if low is None or high is None:
            written = self.others.back(self.squeezed(plain))
        else:
            plain = np.clip(plain, low, high)
            bounds = self._beside(low, self._neighbours.after_M), self._beside(high, self._neighbours.before_M)
            written = self.others.back(self.squeezed(plain), *bounds)
        place, is_marker = self._marker_at(plain)
        if not is_marker.any():
            return written
        source = np.where(is_marker, len(written) + place, np.arange(len(written)))
        return pa.concat_arrays([written, self._written]).take(pa.array(source))

    def between(self, low: Number | None, high: Number | None) -> tuple[float, float]:
        """The outermost numbers inside a range, as they are counted; the first is above the last if there is none."""
        first, last = self.others.between(low, high)
        ends = self.stretched(np.array([first, last], dtype=np.float64)) if first <= last else np.zeros(0)
        ends = np.append(ends, self._places_M[self.inside(self._written, low, high)])
        return (float(np.min(ends)), float(np.max(ends))) if len(ends) else (1.0, 0.0)

    def cells(self, lows: np.ndarray, highs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """All that is told as these numbers, or as what is between them."""

        def side(numbers: np.ndarray, end: int) -> np.ndarray:
            of_others = self._beside(numbers, self._neighbours.after_M)
            beyond = self.others.cells(of_others, of_others)[end] - of_others
            return numbers + np.where(self._marker_at(numbers)[1], (end - 0.5) * self._gap, beyond)

        return side(lows, 0), side(highs, 1)

    def inside(self, array: pa.Array, low: Number | None, high: Number | None) -> np.ndarray:
        """Which values, none of them null, lie in a range, (N,): for what they are, beyond the ends of a model too."""
        return self._judge.inside(array, low, high)

    def is_marker(self, numbers: np.ndarray) -> np.ndarray:
        """Which numbers stand for markers."""
        return self._marker_at(numbers)[1]

    def squeezed(self, numbers: np.ndarray) -> np.ndarray:
        """Numbers as the others are counted."""
        return np.asarray(numbers - self._gap * np.searchsorted(self._places_M, numbers))

    def stretched(self, numbers: np.ndarray) -> np.ndarray:
        """The way back."""
        return np.asarray(numbers + self._gap * np.searchsorted(self._neighbours.edge_M, numbers))

    @property
    def _type(self) -> pa.DataType:
        return arrow.type_of(self.arrow_type)

    @property
    def _gap(self) -> float:
        return self.others.rounding or 1.0  # of a calendar a day

    @cached_property
    def _exact(self) -> list[Fraction]:
        return [Fraction(str(marker)) for marker in self.markers]

    @cached_property
    def _written(self) -> pa.Array:
        return arrow.of_values(self.markers, self._type)

    @cached_property
    def _numbers_M(self) -> np.ndarray:
        return _numbers(self._written)

    @cached_property
    def _judge(self) -> IntegerForm | CalendarForm | FloatForm:
        """A form that tells what is inside of a range: markers may have more decimals than the others."""
        if not isinstance(self.others, FloatForm):
            return self.others
        most = range(self.others.decimals or 0, MAX_DECIMALS)
        decimals = next((enough for enough in most if self._have_decimals(enough)), MAX_DECIMALS)
        return self.others.model_copy(update={"decimals": decimals, "step": 1, "origin": 0})

    def _have_decimals(self, decimals: int) -> bool:
        return all((marker * 10**decimals).denominator == 1 for marker in self._exact)

    @cached_property
    def _neighbours(self) -> "_Neighbours":
        below = [self.others.between(None, marker) for marker in self._exact]
        above = [self.others.between(marker, None) for marker in self._exact]
        before_M = np.array([last if first <= last else self.others.lower for first, last in below], dtype=np.float64)
        after_M = np.array([first if first <= last else self.others.upper for first, last in above], dtype=np.float64)
        starts, ends = self.others.cells(before_M, before_M)
        return _Neighbours(before_M, after_M, np.where([first > last for first, last in below], starts, ends))

    @cached_property
    def _places_M(self) -> np.ndarray:
        """The middle of each marker's stretch."""
        return np.asarray(self._neighbours.edge_M + self._gap * (np.arange(len(self.markers)) + 0.5))

    def _marker_at(self, numbers_B: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The marker that is next to each number, and whether the number lies in its stretch."""
        middles = (self._places_M[1:] + self._places_M[:-1]) / 2
        place = np.searchsorted(middles, numbers_B)
        return place, np.abs(numbers_B - self._places_M[place]) <= self._gap / 2

    def _beside(self, numbers_B: np.ndarray, of_markers_M: np.ndarray) -> np.ndarray:
        """The others' own numbers where these are, exactly; of a marker that which is beside it."""
        place, is_marker = self._marker_at(numbers_B)
        own = self.others.forward(self.others.back(self.squeezed(numbers_B)))
        return np.asarray(np.where(is_marker, of_markers_M[place], own).astype(self.others.exact))


class _Neighbours(NamedTuple):
    """Of each marker what is next to it, as the others are counted. Shapes: (M,)."""

    before_M: np.ndarray  # their lowest, where nothing is
    after_M: np.ndarray  # their highest, where nothing is
    edge_M: np.ndarray  # where its stretch is put in: where the number before it ends


def marked(array: pa.Array, ordered: np.ndarray | None, form: Plain, k: int) -> tuple[np.ndarray, pa.Array]:
    """Which of the rows hold markers, (N,), and these, rising. `ordered` are the rows as `forms.in_order` has them, and
    `form` is what is learnt of all of them together."""
    nothing = np.zeros(len(array), dtype=bool), array[:0]
    if isinstance(form, FloatForm):
        whole = None if form.decimals is None else in_units(array, form.decimals)
    else:
        whole = as_unsigned(shown_by_clocks(array) if has_zone(array.type) else array)
    if whole is None:
        return nothing
    values_V, counts_V = distinct(np.sort(whole) if ordered is None or has_zone(array.type) else ordered)
    if (counts_V < k).all():
        return nothing
    is_marker = _markers(values_V, counts_V, k, is_moment(array.type))
    if not is_marker.any():
        return nothing
    rows = np.flatnonzero(np.isin(whole, values_V[is_marker]))
    values, which, held = np.unique(_numbers(array)[rows], return_inverse=True, return_counts=True)
    if isinstance(form, FloatForm):  # what they are but for digits that are a few rows' own
        markers = form.written(values[held >= k])
    else:  # clocks show an hour twice
        markers = arrow.of_integers(values[held >= k], array.type)
    found = nothing[0]
    found[rows] = held[which] >= k
    return found, markers


def _markers(values_V: np.ndarray, counts_V: np.ndarray, k: int, are_moments: bool) -> np.ndarray:
    """Which of the rising distinct values are markers: of moments those at the ends that are further from all others
    than these are from each other, and those off a grid that all others are on, but for fewer than k rows."""
    first, last = _inner(values_V, counts_V, k) if are_moments else (0, len(values_V))
    is_marker = np.ones(len(values_V), dtype=bool)
    is_marker[first:last] = False
    kept = np.arange(first, last)
    left, few = MOST_MARKERS, min(k - 1, int(counts_V.sum()) // 100)
    while len(kept) >= LEAST_OTHERS:
        values, counts = values_V[kept], counts_V[kept]
        steps = (values - values[0]) // np.uint64(divisor_of(np.diff(values)))
        for prime in PRIMES:
            rests = (steps % np.uint64(prime)).astype(np.int64)
            off = rests != np.argmax(np.bincount(rests))
            markers, strays = kept[off & (counts >= k)], int(counts[off & (counts < k)].sum())
            if off.any() and len(markers) <= left and strays <= few and len(kept) - off.sum() >= LEAST_OTHERS:
                break
        else:
            break
        is_marker[markers] = True
        kept, left, few = kept[~off], left - len(markers), few - strays
    return is_marker


def _inner(values_V: np.ndarray, counts_V: np.ndarray, k: int) -> tuple[int, int]:
    """The first of the values that are no markers at an end, and where these end."""
    first, last = 0, len(values_V)
    while last - first > LEAST_OTHERS:
        low, high = values_V[first], values_V[last - 1]
        if first < MOST_MARKERS and counts_V[first] >= k and values_V[first + 1] - low > high - values_V[first + 1]:
            first += 1
        elif (
            len(values_V) - last < MOST_MARKERS
            and counts_V[last - 1] >= k
            and high - values_V[last - 2] > values_V[last - 2] - low
        ):
            last -= 1
        else:
            break
    return first, last


def _numbers(array: pa.Array) -> np.ndarray:
    return arrow.integers(array) if arrow.is_integral(array.type) else reals_of(array)
