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
from synthgen_ray.synthesizers.columns.durations import LONGEST, DurationCodec
from synthgen_ray.synthesizers.columns.moves import Moves
from synthgen_ray.synthesizers.columns.number import NumberCells, NumberCodec, NumberTarget
from synthgen_ray.synthesizers.columns.phases import PhaseCodec
from synthgen_ray.synthesizers.columns.placing import End, Link, placed

Cells = CategoryCells | NumberCells
Targets = Mapping[str, CategoryTarget | NumberTarget]


class Timeline:
    """Durations are in order: each counts from a column that none of the later ones changes."""

    def __init__(
        self, columns: Sequence[NumberCodec], durations: Sequence[DurationCodec], phases: Sequence[PhaseCodec]
    ) -> None:
        self._columns = {codec.name: codec for codec in columns}
        self._phases: dict[str, list[PhaseCodec]] = {}
        for phase in phases:
            self._phases.setdefault(phase.column, []).append(phase)
        ends = {end.column: end for duration in durations for end in (duration.since, duration.until)}
        per_day = max((end.units_per_day for end in ends.values()), default=1)
        self._ends = {
            column: End(self._columns[column], end, per_day, self._phases.get(column, []))
            for column, end in ends.items()
        }
        self._links = [
            Link(duration, self._ends[duration.since.column], self._ends[duration.until.column])
            for duration in durations
        ]
        self._moves = {column: Moves(self._columns[column], found) for column, found in self._phases.items()}

    def targets(self, asked: Targets) -> dict[str, CategoryTarget | NumberTarget]:
        """What follows from the moments that are asked for: about when those before them are, and at which hours and on
        what days all these."""
        found: dict[str, CategoryTarget | NumberTarget] = {}
        for link in reversed(self._links):
            since, until = link.since.moments.column, link.until.moments.column
            target = asked.get(until) or found.get(until)
            if since not in asked and isinstance(target, NumberTarget):
                before = _before(link, target)
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
        if self._links:
            self._settle_links(cells, codes, rng, asked, missing)
        return {**drawn, **cells}

    def _settle_links(
        self,
        cells: dict[str, NumberCells],
        codes: Mapping[str, np.ndarray],
        rng: np.random.Generator,
        asked: Collection[str],
        missing: Mapping[str, np.ndarray] | None,
    ) -> None:
        """First those that are asked for, or known, lead the moments that they count from, back to the first. Then the
        others follow, from the first on."""
        ends = self._ends
        free = {end: np.ones(len(cells[end].null), dtype=bool) if missing is None else missing[end] for end in ends}
        stays = {end: ~free[end] | (end in asked) for end in ends}
        was_led = {end: np.zeros_like(free[end]) for end in ends}
        lengths = [link.lengths(cells[link.duration.name], rng) for link in self._links]
        for link, lengths_B in reversed(list(zip(self._links, lengths, strict=True))):
            since, until = link.since.moments.column, link.until.moments.column
            rows_B = stays[until] & ~stays[since] & link.until.counted(cells[until])[1]  # what is missing leads none
            if rows_B.any():
                cells[since] = replace(cells[since], bounds=None)  # which said about when it may be
                room = self._room(since, stays, cells)
                cells[since] = placed(link, since, lengths_B, rows_B, cells, codes, room)
                stays[since] = stays[since] | rows_B
                was_led[since] |= rows_B
        for link, lengths_B in zip(self._links, lengths, strict=True):
            until = link.until.moments.column
            from_B, to_B = (end.counted(cells[end.moments.column])[0] for end in (link.since, link.until))
            rows_B = free[until] & ~(was_led[until] & link.holds(to_B - from_B))
            if rows_B.any():
                cells[until] = placed(link, until, lengths_B, rows_B, cells, codes)

    def _room(
        self, column: str, stays: Mapping[str, np.ndarray], cells: Mapping[str, NumberCells]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Between which moments a row has its own, by all those that stay and are linked with it, (B,) each."""
        first_B, last_B = (np.full(len(stays[column]), bound) for bound in (-LONGEST, LONGEST))
        for link in self._links:
            if column not in (link.since.moments.column, link.until.moments.column):
                continue
            sign, _, other = link.from_other(column)
            there_B, known_B = other.counted(cells[other.moments.column])
            rows_B = known_B & stays[other.moments.column]
            low, high = sorted(sign * end for end in link.ends)
            first_B[rows_B] = np.maximum(first_B, there_B + low)[rows_B]
            last_B[rows_B] = np.minimum(last_B, there_B + high)[rows_B]
        return first_B, last_B


def _before(link: Link, until: NumberTarget) -> NumberTarget | None:
    """When it began, about, what ends in the asked ranges; `None` where nothing is known of that. Nor is it asked for
    where it may be missing: null would be as likely as all of a range."""
    codec, ends = link.since.codec, link.until.codec.form
    if until.null or codec.null_share or not link.duration.is_followed:
        return None
    ranges = []
    for low, high in zip(until.lows, until.highs, strict=True):
        outermost = ends.back(np.array([low, high], dtype=np.float64))
        counted, known = link.until.moments.counted(outermost, link.until.units_per_day)
        if not known.all():
            return None
        about = link.since.array(counted - np.array(link.usual)[::-1])
        ranges.append(codec.form.between(*arrow.integers(about).tolist()))
    ranges = [(first, last) for first, last in ranges if first <= last]
    if not ranges:
        return None
    bounds: np.ndarray = np.array(ranges, dtype=codec.form.exact)
    return NumberTarget(bounds[:, 0], bounds[:, 1], null=False)
