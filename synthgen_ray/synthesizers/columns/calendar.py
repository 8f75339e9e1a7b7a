"""Dates and times that keep to a calendar: working days, opening hours, the first of each month.

Where a day has few rows a marginal tells the season, and neither weekdays nor hours: from one of its knots to the next
it is days. So a form of such moments counts open time: a day is as long as days of its kind have rows, and so is a part
of a day. On Sundays and at night, when there are none, no time passes.
Source: Deming & Stephan 1940, "On a least squares adjustment of a sampled frequency table" (days of several kinds).
Shapes: N moments, D days from the first to the last, P parts of a day.
"""

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Literal, Self

import numpy as np
import pyarrow as pa
from pydantic import Field, model_validator

from synthgen_ray.synthesizers.columns import arrow, moments
from synthgen_ray.synthesizers.columns.stored import Stored
from synthgen_ray.synthesizers.columns.wall_clock import shown_by_clocks
from synthgen_ray.synthesizers.columns.whole import EXACT, Counted, IntegerForm, Number

PARTS = (24, 48, 96, 288, 1440)  # of a day, each cut further by the next one
MOST_PARTS = PARTS[-1]
MOST_DAYS = 150_000  # four hundred years
LEAST_TIMES = 4  # that a week, a month or a year has to come for anything to follow for the next
ROUNDS = 3
CERTAIN = 5  # standard deviations from what chance makes of even days
MOST_AT_ONCE = 4  # times what a day has that has rows: one day of very many says nothing of its kind
TELLS_APART = 4  # distances between floats, that a step counts at least
LAST = 1e-12  # of a day, by which its end is before the next begins

DayKind = Literal["day", "day_from_end", "month", "weekday"]
KINDS: Mapping[DayKind, int] = {"day": 31, "day_from_end": 31, "month": 12, "weekday": 7}
PERIODS: Mapping[DayKind, int] = {"day": 31, "day_from_end": 31, "month": 366, "weekday": 7}  # days
Weights = tuple[Annotated[float, Field(ge=0)], ...]


class CalendarForm(Counted, Stored):
    """Moments of a grid as open days since the first of them. A step of the grid is a stretch of these, and counts as
    the middle of it.

    Days are those of the zone's clocks, without summer time: they are `offset` ahead of UTC, in the unit of the type.
    """

    form: Literal["calendar"] = "calendar"
    grid: IntegerForm
    offset: int = Field(ge=-(2**62), le=2**62)
    days: dict[DayKind, Weights]
    parts: Weights = Field(min_length=1, max_length=MOST_PARTS)

    @model_validator(mode="after")
    def _can_be_counted(self) -> Self:
        if not moments.is_moment(arrow.type_of(self.arrow_type)) or not _is_countable(self.grid):
            raise ValueError("not moments whose days can be counted")
        if any(len(weights) != KINDS[kind] for kind, weights in self.days.items()) or not self._tells_apart:
            raise ValueError("days and their parts do not fit")
        return self

    @classmethod
    def learn(cls, grid: IntegerForm, array: pa.Array, k: int) -> Self | None:
        """`None` where days and their parts are as even as chance has them, or floats cannot count them."""
        if not _is_countable(grid):
            return None
        whole = arrow.integers(array)
        shown = arrow.integers(shown_by_clocks(array)) if pa.types.is_timestamp(array.type) else whole
        even = cls.model_construct(grid=grid, offset=int((shown - whole).max()), days={}, parts=(1.0,))
        first, days, steps_N = even._first, len(even._lengths_D), grid.forward(array)
        day_N, rest_N = even._days_of(steps_N[(steps_N > 0) & (steps_N < grid.steps)])  # the ends are means of rows
        if days < LEAST_TIMES * PERIODS["weekday"] or len(day_N) < k:
            return None
        by_kind = _by_kind(_capped(np.bincount(day_N, minlength=days)), first, k)
        told = {kind: tuple(lengths.tolist()) for kind, lengths in by_kind.items()}
        for parts in reversed(_by_part(day_N, rest_N, even._per_day, grid.step, days, k)):
            found = even.model_construct(**(dict(even) | {"days": told, "parts": tuple(parts.tolist())}))
            if found._tells_apart and (told or len(parts) > 1):
                start, end = found._open(0, grid.steps)  # what is told must be what there is
                ends = {"origin": grid.origin + start * grid.step, "steps": end - start}
                return cls(**(dict(found) | {"grid": grid.model_copy(update=ends)}))
        return None

    @property
    def arrow_type(self) -> str:
        return self.grid.arrow_type

    @property
    def lower(self) -> float:
        return float(self._counted(np.zeros(1))[0])

    @property
    def upper(self) -> float:
        return float(self._counted(np.array([self.grid.steps]))[0])

    @property
    def grain(self) -> float:
        return 0.0

    @property
    def rounding(self) -> float:
        return 0.0  # steps are of different lengths

    @property
    def exact(self) -> type:
        return np.float64

    @property
    def ends(self) -> tuple[int, int]:
        """The smallest and the largest value, as integers of the type."""
        return self.grid.ends

    def forward(self, array: pa.Array) -> np.ndarray:
        return self._counted(self.grid.forward(array))

    def back(self, plain: np.ndarray, low: np.ndarray | None = None, high: np.ndarray | None = None) -> pa.Array:
        if low is None or high is None:
            return self.grid.back(self._steps_at(plain))
        first, last = (self._steps_at(end).astype(np.uint64) for end in (low, high))
        return self.grid.back(self._steps_at(np.clip(plain, low, high)), first, last)

    def between(self, low: Number | None, high: Number | None) -> tuple[float, float]:
        """The outermost moments inside a range, as they are counted; the first is above the last if there is none."""
        first, last = self.grid.between(low, high)
        if first <= last:
            first, last = self._open(first, last)
        if first > last:
            return 1.0, 0.0
        start, end = self._counted(np.array([first, last])).tolist()
        return start, end

    def cells(self, lows: np.ndarray, highs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """All that is told as these moments, or as what is between them."""
        return self._counted(self._steps_at(lows), 0.0), self._counted(self._steps_at(highs), 1.0)

    def _open(self, first: int, last: int) -> tuple[int, int]:
        """The first and the last of these steps that are not closed; the first is above the last if all are."""
        ends = np.array([first, last])
        counted = self._counted(ends)
        beside = self._told_at(counted + self._least / 2 * np.array([1, -1]))
        first, last = np.where(self._told_at(counted) == ends, ends, beside).tolist()
        return first, last

    def _counted(self, steps: np.ndarray, part: float = 0.5) -> np.ndarray:
        """Where so much of each step is over."""
        day, rest = self._days_of(steps)
        over = np.interp((rest + part * self.grid.step) / self._per_day, *self._ramp)
        return np.asarray(self._starts[day] + self._lengths_D[day] * over)

    def _steps_at(self, counted: np.ndarray) -> np.ndarray:
        return np.asarray(np.clip(self._told_at(counted), 0, self.grid.steps), dtype=np.float64)

    def _told_at(self, counted: np.ndarray) -> np.ndarray:
        """The steps of which each place is a part, of whole days; where a closed stretch is, the next that is open."""
        day = np.searchsorted(self._starts, np.clip(counted, 0, self._starts[-1] - self._least / 2), "right") - 1
        over = np.clip((counted - self._starts[day]) / self._lengths_D[day], 0, 1 - LAST)
        since = (self._first + day) * self._per_day - self._base
        rest = np.interp(over, *reversed(self._ramp)) * self._per_day
        return np.asarray((since + rest.astype(np.int64)) // self.grid.step)

    def _days_of(self, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The days in which steps begin, from 0 on, and how far from their midnights."""
        since = steps.astype(np.int64) * self.grid.step + (self._base - self._first * self._per_day)
        return np.divmod(since, self._per_day)

    @property
    def _per_day(self) -> int:
        return _per_day(self.grid)

    @property
    def _base(self) -> int:
        """When the first step begins, if one of each day begins at midnight."""
        shown = self.grid.origin + self.offset
        return shown - shown % self.grid.step

    @property
    def _first(self) -> int:
        return self._base // self._per_day

    @cached_property
    def _lengths_D(self) -> np.ndarray:
        days = (self._base + self.grid.steps * self.grid.step) // self._per_day - self._first + 1
        lengths_D = np.ones(days)
        for kind, lengths in self.days.items():
            lengths_D *= np.array(lengths)[kinds_of(kind, np.arange(self._first, self._first + days))]
        return lengths_D

    @cached_property
    def _starts(self) -> np.ndarray:
        """Where each day begins, and the last one ends, (D + 1,)."""
        return np.append(0.0, np.cumsum(self._lengths_D))

    @cached_property
    def _ramp(self) -> tuple[np.ndarray, np.ndarray]:
        """Parts of a day by the clock, and how much of its open time is over, (P + 1,) each."""
        over = np.append(0.0, np.cumsum(self.parts))
        return np.linspace(0, 1, len(over)), over / (over[-1] or 1.0)

    @cached_property
    def _least(self) -> float:
        """What the shortest step counts."""
        steep = np.diff(self._ramp[1]) * len(self.parts)
        days, steep = (lengths[lengths > 0] for lengths in (self._lengths_D, steep))
        return float(days.min() * steep.min() * self.grid.step / self._per_day) if len(days) and len(steep) else 0.0

    @property
    def _tells_apart(self) -> bool:
        return bool(self._least > TELLS_APART * np.spacing(self._starts[-1]))


def _per_day(grid: IntegerForm) -> int:
    return moments.units_per_day(arrow.type_of(grid.arrow_type))


def _is_countable(grid: IntegerForm) -> bool:
    per_day = _per_day(grid)
    return per_day % grid.step == 0 and grid.step * grid.steps <= MOST_DAYS * per_day and grid.steps <= EXACT


def kinds_of(kind: DayKind, days: np.ndarray) -> np.ndarray:
    """Of which day of the month, month or weekday each day since 1970 is, from 0 on."""
    dates = days.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    if kind == "weekday":
        return np.asarray((dates.astype(np.int64) + 3) % 7)  # from Monday on
    if kind == "month":
        return np.asarray(months.astype(np.int64) % 12)
    next_months = months + np.timedelta64(1, "M")
    since, until = dates - months.astype("datetime64[D]"), next_months.astype("datetime64[D]") - dates
    return np.asarray(since.astype(np.int64) if kind == "day" else until.astype(np.int64) - 1)


def _capped(rows: np.ndarray) -> np.ndarray:
    return np.asarray(np.minimum(rows, MOST_AT_ONCE * rows[rows > 0].mean()))


def _crowd(rows: np.ndarray, cells: int) -> float:
    """How many rows come together, more than chance brings together in so many cells; 1 at least.

    Source: McCullagh & Nelder 1989, "Generalized linear models", section 4.5.2 (the dispersion by Pearson's χ²).
    """
    return max(float((rows**2).sum()) / int(rows.sum()) - int(rows.sum()) / cells, 1.0)


def _by_kind(rows_D: np.ndarray, first: int, k: int) -> dict[DayKind, np.ndarray]:
    """How long days of each kind are that differ by more than chance; a day's length is their product."""
    found: dict[DayKind, np.ndarray] = {}
    days, lengths_D = len(rows_D), np.ones(len(rows_D))
    dates = np.arange(first, first + days)
    kinds = {kind: kinds_of(kind, dates) for kind in KINDS if LEAST_TIMES * PERIODS[kind] <= days}
    crowd = _crowd(rows_D, days)
    for _ in range(ROUNDS):
        before = lengths_D
        for kind in kinds:
            rows, even = (np.bincount(kinds[kind], part, KINDS[kind]) for part in (rows_D, lengths_D))
            more = _lengths(rows, even, crowd, k)
            if more is not None:
                found[kind] = found.get(kind, 1.0) * more
                lengths_D = lengths_D * more[kinds[kind]]
        if lengths_D is before:
            break
    return found


def _by_part(day_N: np.ndarray, rest_N: np.ndarray, per_day: int, step: int, days: int, k: int) -> list[np.ndarray]:
    """How long the parts of a day are: first none told apart, then hours and ever shorter ones, where that is more than
    chance."""
    steps, found = per_day // step, [np.ones(1)]
    for number in sorted({part for part in PARTS if steps % part == 0} | ({steps} if steps <= MOST_PARTS else set())):
        cells, rows = np.unique(day_N * number + rest_N * number // per_day, return_counts=True)
        rows, even_P = _capped(rows), np.repeat(found[-1], number // len(found[-1]))
        more = _lengths(np.bincount(cells % number, rows, number), even_P, _crowd(rows, days * number), k)
        if more is not None:
            found.append(even_P * more)
    return found


def _lengths(rows: np.ndarray, even: np.ndarray, crowd: float, k: int) -> np.ndarray | None:
    """How many times the rows are there that would be if all were even; `None` if they are, but for chance.

    Those that fewer than k rows have share what they have together; if that is less than k too, they have none.
    """
    there = even > 0
    expected = np.where(there, even * rows.sum() / even.sum(), 1.0)
    freedom = max(int(there.sum()) - 1, 1)
    apart = ((rows - expected)[there] ** 2 / expected[there]).sum() / crowd
    if apart <= freedom + CERTAIN * math.sqrt(2 * freedom):
        return None
    rare = rows < k
    few = rows[rare].sum()
    together = few / float(expected[rare & there].sum()) if few >= k and (rare & there).any() else 0.0
    return np.where(rare, together, np.where(there, rows / expected, 0.0))
