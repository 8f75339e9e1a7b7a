"""Moments that were drawn, moved to where they have the hour and the day that were drawn with them.

The season is the moment's, the phase is told: a moment goes to the nearest day that has it, and there to the hour, as
far into it as it was into its own. How far is counted in rows of the table: what is closed is not entered, and what is
busy at half past is busy there too. A day that has many more rows than others of its kind keeps more of them: phases
know nothing of single days.
Source: Metropolis et al. 1953, "Equation of State Calculations by Fast Computing Machines" (what a day keeps).
Shapes: B moments, D days from the first to the last.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import pyarrow as pa
from scipy.special import ndtr, ndtri

from synthgen_ray.synthesizers.columns import arrow
from synthgen_ray.synthesizers.columns.calendar import CalendarForm
from synthgen_ray.synthesizers.columns.number import NumberCells, NumberCodec
from synthgen_ray.synthesizers.columns.phases import PhaseCodec, Shown, plain_form, units_per_day
from synthgen_ray.synthesizers.columns.wall_clock import first_shown
from synthgen_ray.synthesizers.columns.whole import IntegerForm, has_zone

FURTHEST = 31  # days
CROWDED = 2  # times as crowded as the day that it would go to, from which on a moment may stay
TINY = 1e-300


class Moves:
    """Those of one column, of which the hour is told, a kind of day, or both."""

    def __init__(self, codec: NumberCodec, phases: Sequence[PhaseCodec]) -> None:
        self._codec, self._type = codec, arrow.type_of(codec.form.arrow_type)
        self._hours = next((phase for phase in phases if phase.phase == "hour"), None)
        days = next((phase for phase in phases if phase.phase != "hour"), None)
        self._days = None if days is None else Days(self, days)
        self._apart = phases[0].apart

    def moved(self, cells: NumberCells, codes: Mapping[str, np.ndarray], rng: np.random.Generator) -> NumberCells:
        """By the codes of each phase, inside of what is asked for. Where no day nearby is open then, a moment stays."""
        chances_B, into_B = rng.random((2, len(cells.numbers)))
        moments = self._codec.form.back(cells.numbers, *(cells.bounds or ()))
        now = Shown.of(moments)
        told = Shown(
            self._days.nearest(now.day, codes, chances_B) if self._days else now.day,
            self._hours.phases(codes[self._hours.name]) if self._hours else now.hour,
        )
        goes = ((told.day != now.day) | (told.hour != now.hour)) & ~cells.null & ~self._is_apart(moments)
        rows = np.flatnonzero(goes)
        numbers = cells.numbers.copy()
        numbers[rows] = self._put(cells.at(rows), now.at(rows), told.at(rows), into_B[rows])
        return replace(cells, numbers=numbers)

    def stretches(self, shown: Shown, *, of_days: bool) -> tuple[np.ndarray, np.ndarray]:
        """Where all that is told as moments of these days, or of these hours of theirs, begins and ends among the
        table's rows: as shares of these, or as numbers where it is not known how many there are."""
        begin, end = self._numbers(shown, of_days=of_days)
        return self._ranks(begin)[0], self._ranks(end)[1]

    def _put(self, cells: NumberCells, now: Shown, told: Shown, into_B: np.ndarray) -> np.ndarray:
        """Numbers at the told days and hours, or at the hours at least; where there are none, what they were."""
        of_days, form = self._hours is None, self._codec.form
        begin, end = self.stretches(now, of_days=of_days)
        first, last = self._ranks(cells.numbers)
        into_B = np.clip((first + into_B * (last - first) - begin) / np.maximum(end - begin, TINY), 0, 1)
        numbers, is_put = cells.numbers, np.zeros(len(into_B), dtype=bool)
        for goal in (told, Shown(now.day, told.hour)):
            low, high = self._numbers(goal, of_days=of_days)
            if cells.bounds is not None:
                asked = form.cells(*(bound.astype(np.float64) for bound in cells.bounds))
                low, high = np.maximum(low, asked[0]), np.minimum(high, asked[1])
            begin, end = self._ranks(low)[0], self._ranks(high)[1]
            found = self._number_at(begin + into_B * np.maximum(end - begin, 0))
            moments = form.back(found, *(cells.bounds or ()))
            shown = Shown.of(moments)
            fits = (begin < end) & (shown.day == goal.day) & (of_days | (shown.hour == goal.hour))
            fits &= ~is_put & ~self._is_apart(moments)
            numbers, is_put = np.where(fits, found, numbers), is_put | fits
        return numbers

    def _is_apart(self, moments: pa.Array) -> np.ndarray:
        return np.isin(arrow.integers(moments), self._apart)

    def _numbers(self, shown: Shown, *, of_days: bool) -> tuple[np.ndarray, np.ndarray]:
        """Where all that is told as these begins and ends, as numbers; outside of the model that is nothing."""
        per_day, form = units_per_day(self._type), plain_form(self._codec)
        length = per_day if of_days else per_day // 24
        starts = shown.day * per_day + (0 if of_days else shown.hour * length)
        first, last = self._when(starts), self._when(starts + length) - 1
        grid = form.grid if isinstance(form, CalendarForm) else form
        if isinstance(grid, IntegerForm):
            first = first + (grid.origin - first) % grid.step
        outside = (last < first) | (last < form.ends[0]) | (first > form.ends[1])
        begin, end = (self._codec.form.forward(arrow.of_integers(edge, self._type)) for edge in (first, last))
        begin, end = self._codec.form.cells(begin, end)
        return begin, np.where(outside, begin, end)

    def _when(self, shown: np.ndarray) -> np.ndarray:
        return first_shown(shown, self._type) if has_zone(self._type) else shown

    def _ranks(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where each begins and ends among the table's rows."""
        if self._codec.known is None:
            return numbers, numbers
        low, high = self._codec.known.span(numbers)
        return ndtr(low), ndtr(high)

    def _number_at(self, ranks: np.ndarray) -> np.ndarray:
        return ranks if self._codec.known is None else self._codec.known.back(ndtri(ranks))


class Days:
    """The days of a column's moments, from the first to the last, of a kind each."""

    def __init__(self, moves: Moves, phase: PhaseCodec) -> None:
        self._moves, self._phase, self._first = moves, phase, phase.first
        self._size = phase.last - phase.first + 1

    def nearest(self, day_B: np.ndarray, codes: Mapping[str, np.ndarray], chances_B: np.ndarray) -> np.ndarray:
        """The nearest day of the kind drawn that has rows; the day itself where there is none, or it is too crowded."""
        wanted_B = self._phase.phases(codes[self._phase.name])
        from_B = np.clip(day_B - self._first, 0, self._size - 1)
        to_B, left = from_B.copy(), np.arange(len(day_B))
        for distance in sorted(range(-FURTHEST, FURTHEST + 1), key=abs):
            place = np.clip(from_B[left] + distance, 0, self._size - 1)
            found = self._kinds_D[place] == wanted_B[left]
            to_B[left[found]] = place[found]
            left = left[~found]
        usual, crowds = (rows_D[to_B] / np.maximum(rows_D[from_B], TINY) for rows_D in (self._usual_D, self._crowds_D))
        goes = chances_B < np.minimum(usual, 1) * np.minimum(CROWDED * crowds, 1)
        return np.where(goes, self._first + to_B, day_B)

    @cached_property
    def _rows_D(self) -> np.ndarray:
        begin, end = self._moves.stretches(self._shown, of_days=True)
        return np.asarray(np.maximum(end - begin, 0))

    @cached_property
    def _kinds_D(self) -> np.ndarray:
        """What each day is; -1 where it has no rows."""
        return np.where(self._rows_D > 0, self._shown.phase(self._phase.phase), -1)

    @cached_property
    def _usual_D(self) -> np.ndarray:
        """How many rows days of the same weekday have; of a column whose weekdays are told that says nothing more."""
        weekdays = self._shown.phase("weekday")
        usual = np.bincount(weekdays, self._rows_D) / np.maximum(np.bincount(weekdays), 1)
        return np.ones(self._size) if self._phase.phase == "weekday" else np.asarray(usual[weekdays])

    @cached_property
    def _crowds_D(self) -> np.ndarray:
        """How many times the rows each day has that days of its kind have."""
        kinds = self._kinds_D + 1
        usual = np.bincount(kinds, self._rows_D) / np.maximum(np.bincount(kinds), 1)
        return np.asarray(self._rows_D / np.maximum(usual, TINY)[kinds])

    @cached_property
    def _shown(self) -> Shown:
        return Shown.of_days(self._first + np.arange(self._size))
