"""Where a moment goes that is so long before or after another of its row: to that place, or to one nearby that the
column has, with the hour and the day that are told.

Shapes: B rows, L of them that have no place yet.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa

from synthgen_ray.synthesizers.columns import arrow
from synthgen_ray.synthesizers.columns.durations import LONGEST, DurationCodec, Moments
from synthgen_ray.synthesizers.columns.forms import grid_of, plain_form
from synthgen_ray.synthesizers.columns.number import NumberCells, NumberCodec
from synthgen_ray.synthesizers.columns.phases import PERIODS, Phase, PhaseCodec, Shown

HOURS = 24
NEAR = 3  # days, in which something is open


@dataclass(frozen=True)
class End:
    """A column of moments as one end of durations, counted in their unit."""

    codec: NumberCodec
    moments: Moments
    units_per_day: int
    phases: Sequence[PhaseCodec]

    def counted(self, cells: NumberCells) -> tuple[np.ndarray, np.ndarray]:
        """The moments, and which cells have one that is counted, (B,) each."""
        array = self.codec.form.back(cells.numbers, *(cells.bounds or ()))
        counted_B, known_B = self.moments.counted(array, self.units_per_day)
        return counted_B, known_B & ~cells.null

    def at(self, counted_B: np.ndarray, cells: NumberCells) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The numbers that are nearest to moments, the moments of these, and which are those that were wanted: where
        the column has some, inside of what is asked for."""
        first, last = (arrow.of_values([int(end)], self._type) for end in plain_form(self.codec.form).ends)
        whole_B = arrow.integers(self.array(counted_B + self.step // 2))
        inside_B = np.clip(whole_B, arrow.integers(first), arrow.integers(last))
        numbers_B = self.codec.form.forward(arrow.of_integers(inside_B, self._type))
        if cells.bounds:
            numbers_B = np.clip(numbers_B, *(bound.astype(np.float64) for bound in cells.bounds))
        there_B, known_B = self.counted(replace(cells, numbers=numbers_B))
        return numbers_B, there_B, known_B & (np.abs(there_B - counted_B) <= self.step // 2)

    def array(self, counted_B: np.ndarray) -> pa.Array:
        return self.moments.array(counted_B, self.units_per_day)

    def phase(self, name: str) -> PhaseCodec | None:
        """Of the hour, or else of the day."""
        return next((phase for phase in self.phases if (phase.phase == "hour") == (name == "hour")), None)

    @cached_property
    def step(self) -> int:
        """Of the column's grid."""
        grid = grid_of(self.codec.form)
        step = grid.step // self.moments.unit if grid else 1
        return max(step, 1) * (self.units_per_day // self.moments.units_per_day)

    @property
    def _type(self) -> pa.DataType:
        return arrow.type_of(self.moments.type)


@dataclass(frozen=True)
class Link:
    """Two columns of moments and what is between them, counted in one unit."""

    duration: DurationCodec
    since: End
    until: End

    def lengths(self, cells: NumberCells, rng: np.random.Generator) -> np.ndarray:
        return arrow.integers(self.duration.written(cells.without_nulls(), rng)) * self._scale

    def holds(self, lengths: np.ndarray) -> np.ndarray:
        """Which of them a row may have."""
        shortest, longest = self.ends
        return np.asarray((lengths >= shortest) & (lengths <= longest))

    @cached_property
    def ends(self) -> tuple[int, int]:
        shortest, longest = self.duration.form.ends
        return int(shortest) * self._scale, int(longest) * self._scale

    @property
    def usual(self) -> tuple[int, int]:
        """Between which most are."""
        shortest, longest = self.duration.usual
        return shortest * self._scale, longest * self._scale

    @property
    def _scale(self) -> int:
        return self.since.units_per_day // self.duration.units_per_day

    def from_other(self, column: str) -> tuple[int, End, End]:
        """The column as an end, the other one, and whether it is after (1) or before (-1) that by a duration."""
        is_until = column == self.until.moments.column
        return (1, self.until, self.since) if is_until else (-1, self.since, self.until)


def placed(
    link: Link,
    column: str,
    lengths_B: np.ndarray,
    rows_B: np.ndarray,
    cells: Mapping[str, NumberCells],
    codes: Mapping[str, np.ndarray],
    room: tuple[np.ndarray, np.ndarray] | None = None,
) -> NumberCells:
    """The column's moments, in the rows so far from those of the other column. Where no place near that one will do
    they are as they were drawn, if a row may be that long, and else as near as may be.

    Where the order is all that is told, those stay that are in it, and others are as far on the other side. `room` is
    where a row's other moments leave some (B,).
    """
    sign, end, other = link.from_other(column)
    drawn = cells[column]
    from_B, is_known_B = other.counted(cells[other.moments.column])
    drawn_B, is_moment_B = end.counted(drawn)
    first_B, last_B = room or (np.full_like(from_B, -LONGEST), np.full_like(from_B, LONGEST))
    has_room_B = first_B <= last_B

    def holds(there: np.ndarray, rows: np.ndarray) -> np.ndarray:
        is_inside = (there >= first_B[rows]) & (there <= last_B[rows])
        return np.asarray(link.holds(sign * (there - from_B[rows])) & (is_inside | ~has_room_B[rows]))

    as_drawn_B = holds(drawn_B, np.arange(len(drawn_B)))
    rows_B = rows_B & is_known_B & is_moment_B
    wanted_B = from_B + sign * lengths_B
    if not link.duration.is_followed:
        rows_B &= ~as_drawn_B
        wanted_B = 2 * from_B - drawn_B
    wanted_B = np.where(has_room_B, np.clip(wanted_B, first_B, last_B), wanted_B)
    rows = np.flatnonzero(rows_B)
    told = {phase.phase: phase.phases(codes[phase.name][rows]) for phase in end.phases}
    search = _Search(end, drawn.at(rows), lambda there_L, left: holds(there_L, rows[left]))
    for places, has_its_day in _places(end, wanted_B[rows], drawn_B[rows], told):
        if len(search.left):
            search.look(places, has_its_day)
    search.left = search.left[~as_drawn_B[rows[search.left]]]
    shortest = np.clip(0, *link.ends)
    for places_B in (wanted_B, from_B + sign * shortest):
        search.look(places_B[rows], nearby=True)
    search.numbers[search.left] = end.at(wanted_B[rows[search.left]], drawn.at(rows[search.left]))[0]
    numbers_B = drawn.numbers.copy()
    numbers_B[rows] = search.numbers
    return replace(drawn, numbers=numbers_B)


class _Search:
    """Rows that look for a place, all at once: what the first place is for one may be taken by many."""

    def __init__(self, end: End, cells: NumberCells, holds: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> None:
        self._end, self._cells, self._holds = end, cells, holds
        self.numbers = cells.numbers.copy()
        self.left = np.arange(len(self.numbers))

    def look(
        self,
        places: np.ndarray,
        has_its_day: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
        *,
        nearby: bool = False,
    ) -> None:
        """Those whose place will do, or what the column has near it, are left no more."""
        numbers_L, there_L, fits_L = self._end.at(places[self.left], self._cells.at(self.left))
        fits_L = self._holds(there_L, self.left) & (fits_L | nearby)
        if has_its_day:
            fits_L &= has_its_day(there_L, self.left)
        self.numbers[self.left[fits_L]] = numbers_L[fits_L]
        self.left = self.left[~fits_L]


def _places(
    end: End, wanted: np.ndarray, drawn: np.ndarray, told: Mapping[Phase, np.ndarray]
) -> Iterator[tuple[np.ndarray, Callable[[np.ndarray, np.ndarray], np.ndarray] | None]]:
    """The best first, and what else must be."""
    per_day, hours, days = end.units_per_day, end.phase("hour"), end.phase("day")
    at_hour = wanted
    if hours:
        at_hour = wanted + (told["hour"] - Shown.of(end.array(wanted)).hour) * (per_day // HOURS)
    if days:
        phase = days.phase

        def has_its_day(there: np.ndarray, left: np.ndarray) -> np.ndarray:
            return np.asarray(Shown.of(end.array(there)).phase(phase) == told[phase][left])

        for shift in _outwards(PERIODS[phase] // 2):
            yield at_hour + shift * per_day, has_its_day
    yield at_hour, None
    for shift in (0, end.step, -end.step):
        yield wanted + shift, None
    for shift in _outwards(NEAR):  # at an hour at which something is open
        yield wanted - wanted % per_day + drawn % per_day + shift * per_day, None


def _outwards(furthest: int) -> Iterator[int]:
    yield 0
    for distance in range(1, furthest + 1):
        yield from (distance, -distance)
