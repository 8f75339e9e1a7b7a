"""The hour and the day of moments as columns of their own, where other columns follow from them.

Of a moment a model learns the season: what it takes for alike is days or weeks long, so that what sells at noon would
sell at night. A phase is what comes again every day, week or month. It is learnt beside the moments that it is of, and
once both are drawn a moment is moved to where it has that phase: see `moves`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from synthgen_ray.domain.columns import ColumnKind
from synthgen_ray.synthesizers.columns import arrow, moments
from synthgen_ray.synthesizers.columns.association import association, few_rows
from synthgen_ray.synthesizers.columns.bins import MOST_BINS
from synthgen_ray.synthesizers.columns.calendar import LEAST_TIMES, kinds_of
from synthgen_ray.synthesizers.columns.category import CategoryCodec, CategoryTarget
from synthgen_ray.synthesizers.columns.durations import DurationCodec
from synthgen_ray.synthesizers.columns.ends import inner_parts
from synthgen_ray.synthesizers.columns.forms import grid_of
from synthgen_ray.synthesizers.columns.marked import MarkedForm
from synthgen_ray.synthesizers.columns.number import NumberCodec, NumberTarget
from synthgen_ray.synthesizers.columns.wall_clock import shown_by_clocks
from synthgen_ray.synthesizers.columns.whole import has_zone
from synthgen_ray.synthesizers.columns.written_moments import WrittenMoments

Phase = Literal["hour", "weekday", "day"]
VALUES: Mapping[Phase, int] = {"hour": moments.HOURS, "weekday": 7, "day": 31}
PERIODS: Mapping[Phase, int] = {"hour": 1, "weekday": 7, "day": 31}  # days
LEAST_ASSOCIATION = 0.05  # below which nobody sees that a column follows
MOST_DAYS = 40_000  # from the first to the last: a century
MOST_PARTS = 10  # of numbers, that the test tells apart
MOST_CATEGORIES = 31
LearntCodec = CategoryCodec | NumberCodec


class PhaseCodec(CategoryCodec):
    """Which hour, weekday (from Monday on) or day of the month the moments of a column have by the clocks of their
    zone, each from 0 on.

    Those that `apart` names have none: so many rows share them that they are told for themselves.
    """

    column: str
    phase: Phase
    wrapped: WrittenMoments | None = None  # how the column keeps its moments, if not as moments
    apart: tuple[int, ...] = Field(default=(), max_length=4 * MOST_BINS)  # in the unit of their type
    first: int = Field(ge=-(2**31), le=2**31)  # day of the others since 1970; of their first and last k rows the mean
    last: int

    @model_validator(mode="after")
    def _is_a_phase(self) -> Self:
        if self.arrow_type != "int8" or self.nulls or self.tail:
            raise ValueError("not a phase")
        if not all(type(value) is int and 0 <= value < VALUES[self.phase] for value in self.values):
            raise ValueError("values of another phase")
        if not 0 <= self.last - self.first < MOST_DAYS:
            raise ValueError("days of no phase")
        return self

    @classmethod
    def of(cls, codec: NumberCodec, phase: Phase, shown: "Shown", k: int, **more: Any) -> Self | None:
        """From moments that are not apart; `None` where fewer than two phases are those of k rows or more."""
        phases = pa.chunked_array([pa.array(shown.phase(phase), pa.int8())])
        found = CategoryCodec.learn(codec.name, ColumnKind.CATEGORICAL, phases, k, VALUES[phase])
        if found is None or len(found.values) < 2:
            return None
        wrapped = codec.wrapped if isinstance(codec.wrapped, WrittenMoments) else None
        return cls(**found.model_dump(), column=codec.name, phase=phase, wrapped=wrapped, **more)

    def is_of(self, codec: NumberCodec) -> bool:
        has_hours = moments.units_per_day(arrow.type_of(codec.form.arrow_type)) >= moments.HOURS
        return self.wrapped == codec.wrapped and (has_hours or self.phase != "hour")

    def column_of(self, table: pa.Table) -> pa.ChunkedArray:
        return table[self.column]

    def plain(self, column: pa.ChunkedArray) -> pa.Array:
        """The phases; null where there is no moment, or one that is apart."""
        array = self.wrapped.unwrap(column) if self.wrapped else arrow.plain(column)
        present, found = np.asarray(array.is_valid()), array.drop_null()
        phases = np.zeros(len(array), dtype=np.int8)
        phases[present] = Shown.of(found).phase(self.phase)
        present[present] = ~np.isin(arrow.integers(found), self.apart)
        return pa.array(phases, mask=~present)

    def phases(self, codes: np.ndarray) -> np.ndarray:
        return np.asarray(np.array(self.values)[codes])

    def codes_of(self, phases: np.ndarray) -> np.ndarray:
        """The code of each phase, -1 if it is none of the model's."""
        places = np.full(VALUES[self.phase], -1, dtype=np.int32)
        places[np.array(self.values)] = np.arange(len(self.values))
        return np.asarray(places[phases])

    def target_in(self, codec: NumberCodec, asked: NumberTarget) -> CategoryTarget | None:
        """What moments in the asked ranges may have, an hour or a day of which part is asked for as much of it; `None`
        if that is all, or nothing that the model knows."""
        type_, weights = arrow.type_of(codec.form.arrow_type), np.zeros(self.width)
        length = moments.units_per_day(type_) // (moments.HOURS if self.phase == "hour" else 1)
        grid = grid_of(codec.form)
        least = min(grid.step, length) if grid else 1
        for low, high in zip(asked.lows, asked.highs, strict=True):
            ends = codec.form.back(np.array([low, high], dtype=np.float64))
            begin, end = _by_clocks(ends).tolist()
            first, last = begin // length, end // length
            if asked.null or last - first >= VALUES[self.phase] - 1 or np.isin(arrow.integers(ends), self.apart).all():
                return None
            between = np.arange(first, last + 1)
            shares = (np.minimum((between + 1) * length, end + least) - np.maximum(between * length, begin)) / length
            codes = self.codes_of(Shown(between, between % moments.HOURS).phase(self.phase))
            known = codes >= 0
            np.maximum.at(weights, codes[known], np.clip(shares[known], least / length, 1))
        return CategoryTarget(weights, np.zeros(0, dtype=bool)) if weights.any() else None


def _by_clocks(array: pa.Array) -> np.ndarray:
    """What clocks show, in the unit of the type."""
    return arrow.integers(shown_by_clocks(array) if has_zone(array.type) else array).astype(np.int64)


@dataclass(frozen=True)
class Shown:
    """What clocks show: days since 1970 and hours of these, (N,) each."""

    day: np.ndarray
    hour: np.ndarray

    @classmethod
    def of(cls, array: pa.Array) -> Self:
        per_day = moments.units_per_day(array.type)
        day_N, rest_N = np.divmod(_by_clocks(array), per_day)
        return cls(day_N, rest_N * moments.HOURS // per_day)

    @classmethod
    def of_days(cls, day: np.ndarray) -> Self:
        """Their midnights."""
        return cls(day, np.zeros_like(day))

    def at(self, rows: np.ndarray) -> "Shown":
        return Shown(self.day[rows], self.hour[rows])

    def phase(self, phase: Phase) -> np.ndarray:
        return self.hour if phase == "hour" else kinds_of(phase, self.day)


def learn_phases(
    columns: Sequence[LearntCodec], train: pa.Table, k: int, breathe: Callable[[], None]
) -> Iterator[PhaseCodec]:
    """Those of the columns' moments that tell of other columns: hours, and of days what tells more, the weekday or the
    day of the month. `breathe` is called before each is looked at, and may raise."""
    durations = {codec.until.column: codec for codec in columns if isinstance(codec, DurationCodec)}
    candidates = [
        phase
        for codec in columns
        if codec.column_kind is ColumnKind.DATETIME and isinstance(codec, NumberCodec)
        for phase in _phases_of(codec, train, k)
        if not _is_told(phase, durations.get(codec.name))
    ]
    if not candidates:
        return
    some = few_rows(train)
    told: list[tuple[LearntCodec, np.ndarray]] = [
        (codec, _few_codes(codec, codec.column_of(some))) for codec in columns
    ]
    own = [_few_codes(phase, phase.column_of(some)) for phase in candidates]
    told += zip(candidates, own, strict=True)
    strongest: dict[tuple[str, bool], tuple[float, PhaseCodec]] = {}
    for phase, codes_N in zip(candidates, own, strict=True):
        breathe()
        known = codes_N < phase.width
        others = [others_N[known] for other, others_N in told if _may_follow(other, phase)]
        strength = max((association(codes_N[known], others_N) for others_N in others), default=0.0)
        place = phase.column, phase.phase == "hour"
        if strength >= LEAST_ASSOCIATION and (place not in strongest or strength > strongest[place][0]):
            strongest[place] = strength, phase
    taken = {*train.column_names, *(codec.name for codec in columns)}
    for _, phase in strongest.values():
        name = f"{phase.column} ({phase.phase})"
        while name in taken:
            name += "'"
        taken.add(name)
        yield phase.model_copy(update={"name": name})


def _may_follow(other: LearntCodec, phase: PhaseCodec) -> bool:
    """Days of the month of two moments go together where their seasons do, which are told."""
    are_moments = isinstance(other, PhaseCodec) or other.column_kind is ColumnKind.DATETIME
    column = other.column if isinstance(other, PhaseCodec) else other.name
    return column != phase.column and not (phase.phase == "day" and are_moments)


def _is_told(phase: PhaseCodec, duration: DurationCodec | None) -> bool:
    """By the phases of the moment before, and how far it is. The day of the month is not where it is days away: what is
    due at the end of a month is not as far from all days of it."""
    if duration is None:
        return False
    days = (duration.usual[1] - duration.usual[0]) / duration.units_per_day
    return days < (1 if phase.phase == "day" else PERIODS[phase.phase])


def _phases_of(codec: NumberCodec, train: pa.Table, k: int) -> Iterator[PhaseCodec]:
    """Those that come often enough for bins not to tell them."""
    array = codec.plain(train[codec.name]).drop_null()
    values, counts = np.unique(arrow.integers(array), return_counts=True)
    markers = codec.form.markers if isinstance(codec.form, MarkedForm) else ()
    often = values[counts >= max(k, len(array) / MOST_BINS)]
    apart = np.union1d(often, np.array(markers, dtype=values.dtype))
    others = array.filter(pa.array(~np.isin(arrow.integers(array), apart)))
    if len(others) < k:
        return
    shown = Shown.of(others)
    first, last = (int(part.mean()) for part in inner_parts(np.sort(shown.day), k))
    days = last - first + 1
    for phase in VALUES:
        if LEAST_TIMES * PERIODS[phase] <= days <= MOST_DAYS:
            found = PhaseCodec.of(codec, phase, shown, k, apart=tuple(apart.tolist()), first=first, last=last)
            if found is not None:
                yield found


def _few_codes(codec: LearntCodec, column: pa.ChunkedArray) -> np.ndarray:
    """What the test tells apart, (N,): about as frequent parts of numbers, the categories that are frequent."""
    if isinstance(codec, CategoryCodec):
        places = pc.index_in(codec.plain(column), value_set=codec.dictionary)
        codes_N = places.fill_null(len(codec.dictionary)).to_numpy().astype(np.int64)
        if codec.width <= MOST_CATEGORIES:
            return np.asarray(codes_N)
        ranks = np.argsort(np.argsort(-np.bincount(codes_N)))
        return np.asarray(np.minimum(ranks[codes_N], MOST_CATEGORIES))
    array = codec.plain(column)
    numbers, present = codec.form.forward(array.drop_null()), np.asarray(array.is_valid())
    codes_N = np.full(len(array), MOST_PARTS)
    if len(numbers):
        edges = np.unique(np.quantile(numbers, np.linspace(0, 1, MOST_PARTS + 1)[1:-1]))
        codes_N[present] = np.searchsorted(edges, numbers, side="right")
    return np.asarray(codes_N)
