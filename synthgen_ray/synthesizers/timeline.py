"""The moments of a row, put where its other columns have them.

What a model draws of a moment is the season. Which hour and what day it is are told beside it (`phases`), and how long
after another moment it is (`durations`). Here these come together.
Shapes: B rows.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import numpy as np

from synthgen_ray.synthesizers.columns import arrow
from synthgen_ray.synthesizers.columns.category import CategoryCells, CategoryTarget
from synthgen_ray.synthesizers.columns.durations import DurationCodec, Moments
from synthgen_ray.synthesizers.columns.moves import Moves
from synthgen_ray.synthesizers.columns.number import NumberCells, NumberCodec, NumberTarget
from synthgen_ray.synthesizers.columns.phases import PhaseCodec, grid_of, plain_form

Cells = CategoryCells | NumberCells
Targets = Mapping[str, CategoryTarget | NumberTarget]


class Timeline:
    """Durations are in order: each counts from a column that none of the later ones changes."""

    def __init__(
        self, columns: Sequence[NumberCodec], durations: Sequence[DurationCodec], phases: Sequence[PhaseCodec]
    ) -> None:
        self._columns = {codec.name: codec for codec in columns}
        self._durations = durations
        self._phases: dict[str, list[PhaseCodec]] = {}
        for phase in phases:
            self._phases.setdefault(phase.column, []).append(phase)
        self._moves = {column: Moves(self._columns[column], found) for column, found in self._phases.items()}

    def targets(self, asked: Targets) -> dict[str, CategoryTarget | NumberTarget]:
        """What follows from the moments that are asked for: about when those before them are, and at which hours and on
        what days all these."""
        found: dict[str, CategoryTarget | NumberTarget] = {}
        for duration in reversed(self._durations):
            since, until = duration.since.column, duration.until.column
            target = asked.get(until) or found.get(until)
            if since not in asked and isinstance(target, NumberTarget):
                before = self._before(duration, target)
                found |= {since: before} if before else {}
        for column, phases in self._phases.items():
            target = asked.get(column) or found.get(column)
            for phase in phases:
                if isinstance(target, NumberTarget) and (told := phase.target_in(self._columns[column], target)):
                    found[phase.name] = told
        return found

    def settled(
        self,
        drawn: Mapping[str, Cells],
        rng: np.random.Generator,
        asked: Collection[str] = (),
        missing: Mapping[str, np.ndarray] | None = None,
    ) -> dict[str, Cells]:
        """The cells, with the moments where they belong: inside of what was `asked` for of their columns. Where
        `missing` tells which cells were drawn (B,), the others stay."""
        cells = {name: column for name, column in drawn.items() if isinstance(column, NumberCells)}
        codes = {name: column.codes for name, column in drawn.items() if isinstance(column, CategoryCells)}
        for column, moves in self._moves.items():
            among_B = None if missing is None else missing[column]
            if among_B is None or among_B.any():
                cells[column] = moves.moved(cells[column], codes, rng, among_B)
        if self._durations:
            self._settle_durations(cells, codes, rng, asked, missing)
        return {**drawn, **cells}

    def _settle_durations(
        self,
        cells: dict[str, NumberCells],
        codes: Mapping[str, np.ndarray],
        rng: np.random.Generator,
        asked: Collection[str],
        missing: Mapping[str, np.ndarray] | None,
    ) -> None:
        """What is held, asked for or known, first leads what it counts from; then each moment follows those before."""
        ends = {end.column for duration in self._durations for end in (duration.since, duration.until)}
        free = {end: np.ones(len(cells[end].null), dtype=bool) if missing is None else missing[end] for end in ends}
        held = {end: ~free[end] | (end in asked) for end in ends}
        lengths = {
            duration.name: arrow.integers(duration.written(cells[duration.name].without_nulls(), rng))
            for duration in self._durations
        }
        for duration in reversed(self._durations):
            since, until = duration.since.column, duration.until.column
            rows_B = held[until] & ~held[since]
            if rows_B.any():
                held[since] = held[since] | rows_B
                cells[since] = replace(cells[since], bounds=None)  # which said about when it may be
                cells[since] = self._put(duration, since, lengths[duration.name], rows_B, cells)
        for duration in self._durations:
            until = duration.until.column
            if free[until].any():
                cells[until] = self._put(duration, until, lengths[duration.name], free[until], cells)
                if until in self._moves:
                    cells[until] = self._moved(duration, free[until], cells, codes, rng)

    def _before(self, duration: DurationCodec, until: NumberTarget) -> NumberTarget | None:
        """When it begins, about, what ends in the asked ranges; `None` where nothing is known of that."""
        codec, ends = self._columns[duration.since.column], self._columns[duration.until.column].form
        units = duration.units_per_day // duration.since.units_per_day
        ranges = []
        for low, high in zip(until.lows, until.highs, strict=True):
            outermost = ends.back(np.array([low, high], dtype=np.float64))
            counted, _ = duration.until.counted(outermost, duration.units_per_day)
            first, last = (counted - np.array(duration.usual)[::-1]) // units
            ranges.append(codec.form.between(int(first), int(last)))
        ranges = [(first, last) for first, last in ranges if first <= last]
        if until.null or not ranges:
            return None
        bounds: np.ndarray = np.array(ranges, dtype=codec.form.exact)
        return NumberTarget(bounds[:, 0], bounds[:, 1], null=codec.null_share > 0)

    def _put(
        self,
        duration: DurationCodec,
        column: str,
        lengths_B: np.ndarray,
        rows_B: np.ndarray,
        cells: Mapping[str, NumberCells],
    ) -> NumberCells:
        """One end of a duration, so far from the other, or a step of its grid beside that, so that a row may be that
        long. Where it may not be there it is as it was drawn; or, if the row cannot be that long, as near as may be."""
        sign, one, other = 1, duration.until, duration.since
        if column == other.column:
            sign, one, other = -1, other, one
        drawn, step = cells[column], self._step(duration, one)
        from_B, is_from_B = self._counted(duration, other, cells[other.column])
        drawn_B, is_moment_B = self._counted(duration, one, drawn)

        def at(shift: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            numbers_B, fits_B = self._at(duration, one, from_B + sign * lengths_B + (step // 2 + shift), drawn)
            there_B, _ = self._counted(duration, one, replace(drawn, numbers=numbers_B))
            return numbers_B, fits_B, duration.holds(sign * (there_B - from_B))

        (near_B, fits_B, holds_B), *beside = (at(shift) for shift in (0, step, -step))
        allowed = [fits_B & holds_B, *(fits & holds for _, fits, holds in beside)]
        allowed += [duration.holds(sign * (drawn_B - from_B)), fits_B | holds_B]
        found = [near_B, *(numbers for numbers, _, _ in beside), drawn.numbers, near_B]
        numbers_B = np.select(allowed, found, drawn.numbers)
        return replace(drawn, numbers=np.where(rows_B & is_from_B & is_moment_B, numbers_B, drawn.numbers))

    def _moved(
        self,
        duration: DurationCodec,
        rows_B: np.ndarray,
        cells: Mapping[str, NumberCells],
        codes: Mapping[str, np.ndarray],
        rng: np.random.Generator,
    ) -> NumberCells:
        """The last moments, moved to their hours and days where a row may be that long."""
        before = cells[duration.until.column]
        after = self._moves[duration.until.column].moved(before, codes, rng, rows_B, exchange=False)
        first_B, _ = self._counted(duration, duration.since, cells[duration.since.column])
        last_B, _ = self._counted(duration, duration.until, after)
        return replace(after, numbers=np.where(duration.holds(last_B - first_B), after.numbers, before.numbers))

    def _counted(self, duration: DurationCodec, end: Moments, cells: NumberCells) -> tuple[np.ndarray, np.ndarray]:
        """The moments in the duration's unit, and which are some, (B,) each."""
        array = self._columns[end.column].form.back(cells.numbers, *(cells.bounds or ()))
        counted_B, known_B = end.counted(array, duration.units_per_day)
        return counted_B, known_B & ~cells.null

    def _step(self, duration: DurationCodec, end: Moments) -> int:
        """Of the column's grid, in the duration's unit."""
        grid = grid_of(self._columns[end.column])
        return (grid.step if grid else 1) * (duration.units_per_day // end.units_per_day)

    def _at(
        self, duration: DurationCodec, end: Moments, counted_B: np.ndarray, cells: NumberCells
    ) -> tuple[np.ndarray, np.ndarray]:
        """The numbers of moments, or of the nearest that may be; and which may be, (B,) each."""
        codec = self._columns[end.column]
        first, last = plain_form(codec).ends
        whole_B = counted_B // (duration.units_per_day // end.units_per_day)
        inside_B = np.clip(whole_B, int(first), int(last))
        numbers_B = codec.form.forward(arrow.of_integers(inside_B, arrow.type_of(end.type)))
        low, high = cells.bounds or (np.array(codec.form.lower), np.array(codec.form.upper))
        bounded_B = np.clip(numbers_B, low.astype(np.float64), high.astype(np.float64))
        return bounded_B, (inside_B == whole_B) & (bounded_B == numbers_B)
