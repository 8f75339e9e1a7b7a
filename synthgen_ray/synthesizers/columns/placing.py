"""Where a moment goes that is so long before or after another of its row: to that place, or to one nearby that the
column has, with the hour and the day that are told.

Shapes: B rows, L of them that have no place yet. What has no suffix is of the rows that are placed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa

from synthgen_ray.synthesizers.columns import arrow
from synthgen_ray.synthesizers.columns.durations import LONGEST, DurationCodec, Moments
from synthgen_ray.synthesizers.columns.forms import grid_of, plain_form
from synthgen_ray.synthesizers.columns.moments import HOURS
from synthgen_ray.synthesizers.columns.number import NumberCells, NumberCodec
from synthgen_ray.synthesizers.columns.phases import PERIODS, Phase, PhaseCodec, Shown

NEAR = 3  # days, in which something is open
MONTH = 31  # days, in which what comes at its end comes


@dataclass(frozen=True, eq=False)
class End:
    """A column of moments as one end of durations, counted in the unit of all that hang together."""

    codec: NumberCodec
    moments: Moments
    units_per_day: int
    phases: Sequence[PhaseCodec]

    @property
    def column(self) -> str:
        return self.codec.name

    def counted(self, cells: NumberCells) -> tuple[np.ndarray, np.ndarray]:
        """The moments, and which cells have one that is counted, (B,) each."""
        array = self.codec.form.back(cells.numbers, *(cells.bounds or ()))
        counted_B, known_B = self.moments.counted(array, self.units_per_day)
        return counted_B, known_B & ~cells.null

    def bounds(self, cells: NumberCells) -> tuple[np.ndarray, np.ndarray]:
        """Between which moments the cells are to be, (B,) each: those of the column, or what is asked for."""
        found = []
        for place, end in enumerate(self._ends):
            bounds_B = np.full(len(cells.numbers), end)
            if cells.bounds:
                asked = self.codec.form.back(cells.bounds[place].astype(np.float64), *cells.bounds)
                asked_B, known_B = self.moments.counted(asked, self.units_per_day)
                bounds_B = np.where(known_B, asked_B, bounds_B)
            found.append(bounds_B)
        return found[0], found[1]

    def at(self, counted_B: np.ndarray, cells: NumberCells) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The numbers that are nearest to moments, the moments of these, and which are those that were wanted: where
        the column has some, inside of what is asked for."""
        whole_B = arrow.integers(self.array(counted_B + self.step // 2))
        inside_B = np.clip(whole_B, *arrow.integers(self._outermost))
        numbers_B = self.codec.form.forward(arrow.of_integers(inside_B, self._outermost.type))
        if cells.bounds:
            numbers_B = np.clip(numbers_B, *(bound.astype(np.float64) for bound in cells.bounds))
        there_B, known_B = self.counted(replace(cells, numbers=numbers_B))
        return numbers_B, there_B, known_B & (np.abs(there_B - counted_B) <= self.step // 2)

    def array(self, counted_B: np.ndarray) -> pa.Array:
        return self.moments.array(counted_B, self.units_per_day)

    @cached_property
    def hours(self) -> PhaseCodec | None:
        return next((phase for phase in self.phases if phase.phase == "hour"), None)

    @cached_property
    def days(self) -> PhaseCodec | None:
        return next((phase for phase in self.phases if phase.phase != "hour"), None)

    @cached_property
    def step(self) -> int:
        """Of the column's grid."""
        grid = grid_of(self.codec.form)
        step = grid.step // self.moments.unit if grid else 1
        return max(step, 1) * (self.units_per_day // self.moments.units_per_day)

    @cached_property
    def _outermost(self) -> pa.Array:
        """The first and the last value that is no marker."""
        return arrow.of_values([int(end) for end in plain_form(self.codec.form).ends], arrow.type_of(self.moments.type))

    @cached_property
    def _ends(self) -> tuple[int, int]:
        ends, known = self.moments.counted(self._outermost, self.units_per_day)
        first, last = np.where(known, ends, (-LONGEST, LONGEST)).tolist()
        return first, last


@dataclass(frozen=True, eq=False)
class Link:
    """Two columns of moments and what is between them, counted in one unit."""

    duration: DurationCodec
    since: End
    until: End

    def lengths(self, cells: NumberCells, rng: np.random.Generator) -> np.ndarray:
        return self._counted(arrow.integers(self.duration.written(cells.without_nulls(), rng)))

    def holds(self, lengths: np.ndarray) -> np.ndarray:
        """Which of them a row may have."""
        shortest, longest = self.ends
        return np.asarray((lengths >= shortest) & (lengths <= longest))

    @cached_property
    def ends(self) -> tuple[int, int]:
        shortest, longest = self._counted(np.array([int(end) for end in self.duration.form.ends])).tolist()
        return shortest, longest

    @cached_property
    def usual(self) -> tuple[int, int]:
        """Between which most are."""
        shortest, longest = self._counted(np.array(self.duration.usual)).tolist()
        return shortest, longest

    @property
    def usual_width(self) -> int:
        return self.usual[1] - self.usual[0]

    @cached_property
    def back(self) -> "Way":
        return Way(self, self.since, self.until, -1)

    @cached_property
    def forth(self) -> "Way":
        return Way(self, self.until, self.since, 1)

    def _counted(self, lengths: np.ndarray) -> np.ndarray:
        scale = self.since.units_per_day // self.duration.units_per_day
        return np.asarray(np.clip(lengths, -LONGEST // scale, LONGEST // scale) * scale)


@dataclass(frozen=True, eq=False)
class Way:
    """To one end of a link from the other, after (1) or before (-1) which it is by a duration."""

    link: Link
    end: End
    other: End
    sign: int

    @property
    def ends(self) -> tuple[int, int]:
        return self._signed(self.link.ends)

    @property
    def usual(self) -> tuple[int, int]:
        return self._signed(self.link.usual)

    def _signed(self, lengths: tuple[int, int]) -> tuple[int, int]:
        low, high = sorted(self.sign * length for length in lengths)
        return low, high


def placed(
    way: Way,
    lengths_B: np.ndarray,
    rows_B: np.ndarray,
    cells: Mapping[str, NumberCells],
    codes: Mapping[str, np.ndarray],
    room: tuple[np.ndarray, np.ndarray],
    rng: np.random.Generator,
) -> NumberCells:
    """The moments of the way's end, in the rows so far from those of the other. Where no place near that one will do
    they are as they were drawn, if a row may be that long, and else as near as may be.

    Where the order is all that is told, those stay that are in it, and others get the moment of another row. `room` is
    where a row's other moments leave some (B,): who has none there, and may not stay, gets the length of another row.
    """
    end, link = way.end, way.link
    drawn = cells[end.column]
    from_B, is_known_B = way.other.counted(cells[way.other.column])
    drawn_B, is_moment_B = end.counted(drawn)
    first_B, last_B = room
    has_room_B = first_B <= last_B

    def holds(there: np.ndarray, rows: np.ndarray) -> np.ndarray:
        is_inside = (there >= first_B[rows]) & (there <= last_B[rows])
        return np.asarray(link.holds(way.sign * (there - from_B[rows])) & (is_inside | ~has_room_B[rows]))

    as_drawn_B = holds(drawn_B, np.arange(len(drawn_B)))
    away_B = way.sign * lengths_B
    low_B, high_B = (np.where(has_room_B, edge_B - from_B, away_B) for edge_B in room)
    fits_B = (away_B >= low_B) & (away_B <= high_B)
    may_stay_B = as_drawn_B & ~(fits_B & link.duration.is_followed)
    rows = np.flatnonzero(rows_B & is_known_B & is_moment_B & ~may_stay_B)
    near, low, high, away = from_B[rows], low_B[rows], high_B[rows], away_B[rows]
    misfits = np.flatnonzero(~fits_B[rows])
    away[misfits] = _one_of(away_B, low[misfits], high[misfits], np.clip(away, low, high)[misfits], rng)
    wanted = near + away
    if not link.duration.is_followed:
        about, (nearest, furthest) = MONTH // 2 * end.units_per_day, way.ends
        low = np.maximum(wanted - about, near + np.maximum(low, nearest))
        high = np.minimum(wanted + about, near + np.minimum(high, furthest))
        wanted = _one_of(drawn_B[is_moment_B], low, high, wanted, rng)
    told = {phase.phase: phase.phases(codes[phase.name][rows]) for phase in end.phases}
    search = _Search(end, drawn.at(rows), lambda there_L, left: holds(there_L, rows[left]))
    for places, has_its_day in _places(end, wanted, drawn_B[rows], told):
        if len(search.left):
            search.look(places, has_its_day)
    search.left = search.left[~as_drawn_B[rows[search.left]]]
    for places in (wanted, near + way.sign * np.clip(0, *link.ends)):
        search.look(places, nearby=True)
    search.numbers[search.left] = end.at(wanted[search.left], drawn.at(rows[search.left]))[0]
    numbers_B = drawn.numbers.copy()
    numbers_B[rows] = search.numbers
    return replace(drawn, numbers=numbers_B)


def _one_of(
    values: np.ndarray, low: np.ndarray, high: np.ndarray, otherwise: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """For each one of the values that lie between its ends, all as likely; what it is otherwise, where none does."""
    if not len(low):
        return otherwise
    ordered = np.sort(values)
    first, last = np.searchsorted(ordered, low, "left"), np.searchsorted(ordered, high, "right")
    chosen = first + (rng.random(len(low)) * (last - first)).astype(np.int64)
    is_some = first < last
    return np.where(is_some, ordered[np.where(is_some, chosen, 0)], otherwise) if len(ordered) else otherwise


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
    per_day, at_hour = end.units_per_day, wanted
    if end.hours:
        later = told["hour"] - Shown.of(end.array(wanted)).hour
        at_hour = wanted + ((later + HOURS // 2) % HOURS - HOURS // 2) * (per_day // HOURS)
    if end.days:
        phase = end.days.phase

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
