"""Moments that were drawn, given to the rows that have their hour and their day, or moved to where they have these.

The season is the moment's, the phases are told. First rows exchange their moments: who was drawn a Monday and has a
Friday gives it to one who is to have it, not far away. So days stay as frequent as they are. Who finds none goes to the
nearest day of the kind, and then each to its hour, as far into it as it was into its own. How far is counted in rows of
the table: what is closed is not entered, and what is busy at half past is busy there too.
Shapes: B moments, D days from the first to the last.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
import pyarrow as pa
from scipy.special import ndtr, ndtri

from synthgen_ray.synthesizers.columns import arrow, moments
from synthgen_ray.synthesizers.columns.forms import grid_of, plain_form
from synthgen_ray.synthesizers.columns.number import NumberCells, NumberCodec
from synthgen_ray.synthesizers.columns.phases import PERIODS, PhaseCodec, Shown
from synthgen_ray.synthesizers.columns.wall_clock import first_shown
from synthgen_ray.synthesizers.columns.whole import has_zone

PERIODS_TOGETHER = {"weekday": 4, "day": 2}  # in which moments are exchanged
FURTHEST = 31  # days
CROWDED = 2  # times the rows of a usual day, beyond which moments stay
TINY = 1e-300


class Moves:
    """Those of one column, of which the hour is told, a kind of day, or both."""

    def __init__(self, codec: NumberCodec, phases: Sequence[PhaseCodec]) -> None:
        self._codec, self._type = codec, arrow.type_of(codec.form.arrow_type)
        self._hours = next((phase for phase in phases if phase.phase == "hour"), None)
        self._days = next((phase for phase in phases if phase.phase != "hour"), None)
        self._apart, self._first = phases[0].apart, phases[0].first
        self._size = phases[0].last - phases[0].first + 1

    def moved(
        self,
        cells: NumberCells,
        codes: Mapping[str, np.ndarray],
        rng: np.random.Generator,
        among_B: np.ndarray | None = None,
    ) -> NumberCells:
        """By the codes of each phase, inside of what is asked for, only moments of rows `among_B`. Where no day nearby
        is open then, a moment stays."""
        chances_B, into_B = rng.random((2, len(cells.numbers)))
        drawn = self._moments_of(cells)
        now = Shown.of(drawn)
        free_B = ~cells.null & ~self._is_apart(drawn)
        if among_B is not None:
            free_B &= among_B
        day_B, hour_B = now.day, now.hour
        if self._days:
            kinds_B = self._days.phases(codes[self._days.name])
            order_B = self._exchanged(now.day, kinds_B, free_B)
            cells, now = cells.at(order_B), now.at(order_B)
            day_B = self._gone_to(now.day, kinds_B, chances_B)
        if self._hours:
            hour_B = self._hours.phases(codes[self._hours.name])
        rows = np.flatnonzero(((day_B != now.day) | (hour_B != now.hour)) & free_B)
        return self._put(cells, rows, now, Shown(day_B, hour_B), into_B)

    def _exchanged(self, day_B: np.ndarray, kinds_B: np.ndarray, free_B: np.ndarray) -> np.ndarray:
        """Whose moment each row gets: one of the nearest day of its kind, or else of one that is not far, where that is
        not needed there; each goes to one row."""
        phase = self._days_or_fail.phase
        has_B, place_B = Shown.of_days(day_B).phase(phase), self._places(day_B)
        groups_B = place_B // (PERIODS[phase] * PERIODS_TOGETHER[phase]) * PERIODS[phase]
        order_B = np.arange(len(day_B))
        takers = givers = np.flatnonzero(free_B & (has_B != kinds_B))
        for wanted_B, given_B in (
            (self._nearest(place_B, kinds_B), place_B),
            (groups_B + kinds_B, groups_B + has_B),
        ):
            take, give = matched(wanted_B[takers], given_B[givers], day_B[takers], day_B[givers])
            order_B[takers[take]] = givers[give]
            takers, givers = np.delete(takers, take), np.delete(givers, give)
        # Who found none gets what nobody needed, in order.
        order_B[takers[np.argsort(day_B[takers], kind="stable")]] = givers[np.argsort(day_B[givers], kind="stable")]
        return order_B

    def _gone_to(self, day_B: np.ndarray, kinds_B: np.ndarray, chances_B: np.ndarray) -> np.ndarray:
        """The nearest day of each kind that has rows; the day itself where there is none, or where it is crowded."""
        place_B = self._places(day_B)
        to_B = self._nearest(place_B, kinds_B)
        stays = (to_B == self._size) | (chances_B * self._crowds_D[place_B] >= CROWDED)
        return np.where(stays, day_B, self._first + to_B)

    def _nearest(self, place_B: np.ndarray, kinds_B: np.ndarray) -> np.ndarray:
        """The place of the nearest day of each kind that has rows; that after the last day where there is none."""
        to_B, left = np.full(len(place_B), self._size), np.arange(len(place_B))
        for distance in sorted(range(-FURTHEST, FURTHEST + 1), key=abs):
            place = np.clip(place_B[left] + distance, 0, self._size - 1)
            found = self._kinds_D[place] == kinds_B[left]
            to_B[left[found]] = place[found]
            left = left[~found]
        return to_B

    def _places(self, day_B: np.ndarray) -> np.ndarray:
        return np.asarray(np.clip(day_B - self._first, 0, self._size - 1))

    def _put(self, cells: NumberCells, rows: np.ndarray, now: Shown, told: Shown, into_B: np.ndarray) -> NumberCells:
        """The cells with some rows' numbers at the told days and hours, or at the hours at least; where there are none,
        as they were."""
        numbers, own = cells.numbers.copy(), self._stretches(now.at(rows))
        first, last = self._ranks(numbers[rows])
        into = (first + into_B[rows] * (last - first) - own[0]) / np.maximum(own[1] - own[0], TINY)
        into = np.clip(into, 0, 1)
        for goal in (told, Shown(now.day, told.hour)):
            some, at = cells.at(rows), goal.at(rows)
            begin, end = self._stretches(at)
            if some.bounds is not None:
                low, high = self._codec.form.cells(*(bound.astype(np.float64) for bound in some.bounds))
                begin, end = np.maximum(begin, self._ranks(low)[0]), np.minimum(end, self._ranks(high)[1])
            some = replace(some, numbers=self._number_at(begin + into * np.maximum(end - begin, 0)))
            found = self._moments_of(some)
            shown = Shown.of(found)
            fits = (begin < end) & (shown.day == at.day) & ~self._is_apart(found)
            fits &= self._hours is None or shown.hour == at.hour
            numbers[rows[fits]] = some.numbers[fits]
            rows, into = rows[~fits], into[~fits]
        return replace(cells, numbers=numbers)

    def _moments_of(self, cells: NumberCells) -> pa.Array:
        return self._codec.form.back(cells.numbers, *(cells.bounds or ()))

    def _is_apart(self, array: pa.Array) -> np.ndarray:
        return np.isin(arrow.integers(array), self._apart)

    def _stretches(self, shown: Shown) -> tuple[np.ndarray, np.ndarray]:
        """Where all that is told as moments of these hours, or of these days where hours are not told, begins and ends
        among the table's rows."""
        place = self._places(shown.day)
        begins, ends = self._hours_2 if self._hours else self._days_2
        place = place * moments.HOURS + shown.hour if self._hours else place
        outside = (shown.day < self._first) | (shown.day >= self._first + self._size)
        return begins[place], np.where(outside, begins[place], ends[place])

    def _ranks(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where each begins and ends among the table's rows, as shares of these; numbers where it is not known."""
        if self._codec.known is None:
            return numbers, numbers
        low, high = self._codec.known.span(numbers)
        return ndtr(low), ndtr(high)

    def _number_at(self, ranks: np.ndarray) -> np.ndarray:
        return ranks if self._codec.known is None else self._codec.known.back(ndtri(ranks))

    @cached_property
    def _hours_2(self) -> tuple[np.ndarray, np.ndarray]:
        return self._cut(moments.HOURS)

    @cached_property
    def _days_2(self) -> tuple[np.ndarray, np.ndarray]:
        return self._cut(1)

    def _cut(self, parts: int) -> tuple[np.ndarray, np.ndarray]:
        """Where each part of each day begins and ends among the table's rows."""
        form, length = plain_form(self._codec.form), moments.units_per_day(self._type) // parts
        places = self._first * parts + np.arange(self._size * parts + 1)
        edges = places * length
        if has_zone(self._type):
            edges = first_shown(edges, self._type)
        first, last = edges[:-1], edges[1:] - 1
        if grid := grid_of(self._codec.form):
            first = first + (grid.origin - first) % grid.step
        outside = (last < first) | (last < form.ends[0]) | (first > form.ends[1])
        begin, end = (self._codec.form.forward(arrow.of_integers(edge, self._type)) for edge in (first, last))
        begin, end = self._codec.form.cells(begin, end)
        begin, end = self._ranks(begin)[0], self._ranks(end)[1]
        return begin, np.where(outside, begin, end)

    @cached_property
    def _rows_D(self) -> np.ndarray:
        begin, end = self._days_2
        return np.asarray(np.maximum(end - begin, 0))

    @cached_property
    def _kinds_D(self) -> np.ndarray:
        """What each day is; -1 where it has no rows."""
        return np.where(self._rows_D > 0, self._shown_D.phase(self._days_or_fail.phase), -1)

    @cached_property
    def _crowds_D(self) -> np.ndarray:
        """How many times the rows each day has that days of its kind and of its weekday have."""
        usual_D = np.zeros(self._size)
        for kinds in (self._shown_D.phase("weekday"), self._kinds_D + 1):
            usual = np.bincount(kinds, self._rows_D) / np.maximum(np.bincount(kinds), 1)
            usual_D = np.maximum(usual_D, usual[kinds])
        return np.asarray(self._rows_D / np.maximum(usual_D, TINY))

    @cached_property
    def _shown_D(self) -> Shown:
        return Shown.of_days(self._first + np.arange(self._size))

    @property
    def _days_or_fail(self) -> PhaseCodec:
        if self._days is None:
            raise ValueError("days of no kind")
        return self._days


def matched(
    wanted: np.ndarray, given: np.ndarray, order_of_wanted: np.ndarray, order_of_given: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The places of those that want something, and of those that have it, pair by pair: as many as there are, evenly
    along their orders."""
    takers, givers = np.lexsort((order_of_wanted, wanted)), np.lexsort((order_of_given, given))
    size = max(wanted.max(initial=0), given.max(initial=0)) + 1
    num_takers, num_givers = (np.bincount(keys, minlength=size) for keys in (wanted, given))
    pairs = np.minimum(num_takers, num_givers)
    group = np.repeat(np.arange(size), pairs)
    place = np.arange(len(group)) - (np.cumsum(pairs) - pairs)[group]

    def spread(rows: np.ndarray, counts: np.ndarray) -> np.ndarray:
        starts = np.cumsum(counts) - counts
        return np.asarray(rows[starts[group] + (2 * place + 1) * counts[group] // (2 * pairs[group])])

    return spread(takers, num_takers), spread(givers, num_givers)
