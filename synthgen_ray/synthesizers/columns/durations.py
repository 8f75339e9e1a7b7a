"""How long it is from one moment of a row to another, where that tells more than the two by themselves: how long a trip
takes, when an order is delivered, that nobody leaves before he came.

Two moments that are drawn each for itself are right to the season. So what is between them is learnt beside them, as a
number, and once all are drawn the one follows the other by so much: see `timeline`.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Literal, Self

import numpy as np
import pyarrow as pa
from pydantic import Field, model_validator

from synthgen_ray.synthesizers.columns import arrow, moments
from synthgen_ray.synthesizers.columns.association import few_rows
from synthgen_ray.synthesizers.columns.calendar import LEAST_TIMES
from synthgen_ray.synthesizers.columns.forms import grid_of
from synthgen_ray.synthesizers.columns.marked import MarkedForm
from synthgen_ray.synthesizers.columns.number import NumberCodec
from synthgen_ray.synthesizers.columns.stored import Stored, TypeName
from synthgen_ray.synthesizers.columns.whole import has_zone
from synthgen_ray.synthesizers.columns.written_moments import WrittenMoments

MOST = (0.05, 0.95)  # rows between these
MOST_DISORDER = 0.01  # of the rows, by mistake
LEAST_BY_CHANCE = 0.05  # of them in the wrong order, for the order to be worth learning
LONGEST = 2**61  # units, so that no sum of two overflows: 73,000 years of microseconds
LEAST_OTHERS = 20  # distinct moments, for one to be far from them
LEAST_KNOWN = 0.5  # of the rows that have the moment which fewer have
HEAVY = 0.02  # of the rows: what so many share is to come back
MOST_LOST = 0.1  # of the rows
Length = Annotated[int, Field(ge=-(2**62), le=2**62)]


class Moments(Stored):
    """A column of moments, to be counted in another unit than its own. Those that `apart` names are markers, and no
    moments."""

    column: str
    type: TypeName
    wrapped: WrittenMoments | None = None  # how the column keeps its moments, if not as moments
    apart: tuple[int, ...] = Field(default=(), max_length=100)  # in the unit of their type
    unit: Literal[1, 1000] = 1  # of those of the type, in which they are counted

    @model_validator(mode="after")
    def _has_such_a_unit(self) -> Self:
        type_ = arrow.type_of(self.type)
        if not moments.is_moment(type_) or (self.unit > 1 and moments.microseconds_per_step(type_) >= 1):
            raise ValueError("a duration between other columns")
        return self

    @classmethod
    def of(cls, codec: NumberCodec, train: pa.Table, k: int) -> Self:
        """Nanoseconds are counted as microseconds where they are: int64 has 292 years of them."""
        grid, type_ = grid_of(codec.form), arrow.type_of(codec.form.arrow_type)
        is_whole = grid is not None and grid.step % 1000 == grid.origin % 1000 == 0
        unit: Literal[1, 1000] = 1000 if is_whole and moments.microseconds_per_step(type_) < 1 else 1
        wrapped = codec.wrapped if isinstance(codec.wrapped, WrittenMoments) else None
        markers = codec.form.markers if isinstance(codec.form, MarkedForm) else ()
        apart = {*map(int, markers), *_far(codec.plain(train[codec.name]), k)}
        return cls(
            column=codec.name, type=codec.form.arrow_type, wrapped=wrapped, apart=tuple(sorted(apart)), unit=unit
        )

    def is_of(self, codec: NumberCodec) -> bool:
        return self.type == codec.form.arrow_type and self.wrapped == codec.wrapped

    @property
    def units_per_day(self) -> int:
        """Of those in which they are counted."""
        return moments.units_per_day(arrow.type_of(self.type)) // self.unit

    def counted(self, array: pa.Array, units_per_day: int) -> tuple[np.ndarray, np.ndarray]:
        """In units of which a day has so many, and which of them are known, (N,) each; 0 where not."""
        known, found = np.asarray(array.is_valid()), arrow.integers(array.drop_null())
        units = units_per_day // self.units_per_day
        most, whole = LONGEST // units, found // self.unit
        is_known = ~np.isin(found, self.apart) & (whole > -most) & (whole < most)
        known[known] = is_known
        counted = np.zeros(len(array), dtype=np.int64)
        counted[known] = whole[is_known] * units
        return counted, known

    def array(self, counted: np.ndarray, units_per_day: int) -> pa.Array:
        """The way back, of those that are none to the one before."""
        whole = counted // (units_per_day // self.units_per_day) * self.unit
        type_ = arrow.type_of(self.type)
        reach = np.iinfo(np.int32 if type_.bit_width == 32 else np.int64)
        return arrow.of_integers(np.clip(whole, reach.min, reach.max), type_)

    def plain(self, column: pa.ChunkedArray) -> pa.Array:
        return self.wrapped.unwrap(column) if self.wrapped else arrow.plain(column)


class DurationCodec(NumberCodec):
    """From `since` to `until`, in the finer unit of the two; null where one of these is none."""

    since: Moments
    until: Moments
    usual: tuple[Length, Length]  # between which most are
    is_followed: bool  # else all that is told is the order

    @model_validator(mode="after")
    def _is_a_duration(self) -> Self:
        if self.form.arrow_type != "int64" or self.wrapped or self.usual[0] > self.usual[1]:
            raise ValueError("not a duration")
        types = [arrow.type_of(end.type) for end in (self.since, self.until)]
        if has_zone(types[0]) != has_zone(types[1]):
            raise ValueError("a duration between other columns")
        return self

    @property
    def units_per_day(self) -> int:
        return max(self.since.units_per_day, self.until.units_per_day)

    def column_of(self, table: pa.Table) -> pa.ChunkedArray:
        return _between(self.since, self.until, table)


def learn_durations(
    columns: Sequence[NumberCodec],
    train: pa.Table,
    k: int,
    learn: Callable[[str, pa.ChunkedArray], NumberCodec],
    breathe: Callable[[], None],
) -> Iterator[DurationCodec]:
    """Of columns of moments: one for each that is about as far from another in all rows, or never before it though by
    chance it would be. They count from those that fewer rows lack. `breathe` is called before each is looked at, and
    may raise."""
    if len(columns) < 2:
        return
    some = few_rows(train.select([codec.name for codec in columns]))
    ends = [Moments.of(codec, train, k) for codec in columns]
    tested = [(end, end.plain(some[end.column])) for end in ends]
    tested.sort(key=lambda one: -int(one[0].counted(one[1], one[0].units_per_day)[1].sum()))
    taken = {*train.column_names}
    for place, (until, _) in enumerate(tested):
        breathe()
        found = [(since, part) for since in tested[:place] if (part := _usual(since, tested[place], k))]
        if not found:
            continue
        (since, _), (low, high, is_followed) = min(found, key=lambda pair: pair[1][1] - pair[1][0])
        name = f"{until.column} since {since.column}"
        while name in taken:
            name += "'"
        taken.add(name)
        codec = learn(name, _between(since, until, train))
        yield DurationCodec(**dict(codec), since=since, until=until, usual=(low, high), is_followed=is_followed)


def _between(since: Moments, until: Moments, table: pa.Table) -> pa.ChunkedArray:
    per_day = max(since.units_per_day, until.units_per_day)
    (first_N, is_first_N), (last_N, is_last_N) = (
        end.counted(end.plain(table[end.column]), per_day) for end in (since, until)
    )
    return pa.chunked_array([pa.array(last_N - first_N, mask=~(is_first_N & is_last_N))])


def _usual(since: tuple[Moments, pa.Array], until: tuple[Moments, pa.Array], k: int) -> tuple[int, int, bool] | None:
    """Between which most durations are, by means of k, and whether the later moment follows from the earlier by them;
    `None` where they are not worth learning."""
    if has_zone(since[1].type) != has_zone(until[1].type):
        return None
    per_day = max(since[0].units_per_day, until[0].units_per_day)
    (first_N, is_first_N), (last_N, is_last_N) = (end.counted(array, per_day) for end, array in (since, until))
    known_N = is_first_N & is_last_N
    if known_N.sum() < max(k, min(is_first_N.sum(), is_last_N.sum()) * LEAST_KNOWN):
        return None
    first_N, last_N = first_N[known_N], last_N[known_N]
    low, high = _most(last_N - first_N, k)
    earliest, latest = _most(last_N, k)
    rng = np.random.default_rng(0)
    by_chance_N = rng.permutation(last_N) - first_N
    is_ordered = any(
        (sign * (last_N - first_N) < 0).mean() <= MOST_DISORDER and (sign * by_chance_N < 0).mean() >= LEAST_BY_CHANCE
        for sign in (1, -1)
    )
    is_narrow = (high - low) * LEAST_TIMES <= latest - earliest
    if not (is_narrow or is_ordered):
        return None
    return low, high, _lost(first_N, last_N, per_day, rng) <= MOST_LOST


def _lost(first_N: np.ndarray, last_N: np.ndarray, per_day: int, rng: np.random.Generator) -> float:
    """What the later moments would lose, were each row as long as another of its weekday, as a share of the rows: what
    many share, such as the end of a term, or when they are at all (as Kolmogorov and Smirnov tell it)."""
    order = np.lexsort((rng.random(len(first_N)), first_N // per_day % 7))
    moved = np.empty_like(last_N)
    moved[order] = first_N[order] + np.roll((last_N - first_N)[order], 1)
    values, counts = np.unique(last_N, return_counts=True)
    is_heavy = counts >= HEAVY * len(last_N)
    place = np.minimum(np.searchsorted(values, moved), len(values) - 1)
    after = np.bincount(place[values[place] == moved], minlength=len(values))
    apart = np.searchsorted(np.sort(moved), values, "right") - np.cumsum(counts)
    return float(max(np.maximum(counts - after, 0)[is_heavy].sum(), np.abs(apart).max()) / len(last_N))


def _far(array: pa.Array, k: int) -> list[int]:
    """The first and the last value, if k rows have it and it is further from the others than these from each other:
    the 9999-12-31 of what has no end."""
    values, counts = np.unique(arrow.integers(array.drop_null()), return_counts=True)
    if len(values) < LEAST_OTHERS:
        return []
    exact = values.astype(np.float64)
    is_last = counts[-1] >= k and exact[-1] - exact[-2] > exact[-2] - exact[1]
    is_first = counts[0] >= k and exact[1] - exact[0] > exact[-2] - exact[1]
    return [int(values[place]) for place, is_far in ((0, is_first), (-1, is_last)) if is_far]


def _most(values: np.ndarray, k: int) -> tuple[int, int]:
    """Between which most are, each end the mean of k."""
    ordered = np.sort(values)
    low, high = (int(share * (len(ordered) - k)) for share in MOST)
    return int(ordered[low : low + k].mean()), int(ordered[high : high + k].mean())
