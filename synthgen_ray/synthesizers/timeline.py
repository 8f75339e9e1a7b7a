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
from synthgen_ray.synthesizers.columns.placing import End, Link, Way, placed

Cells = CategoryCells | NumberCells
Targets = Mapping[str, CategoryTarget | NumberTarget]
MOST_PAIRS = 100_000  # of ranges, of which it is looked for those that go together


class Timeline:
    """Durations are in order: each counts from a column that none of the later ones changes."""

    def __init__(
        self, columns: Sequence[NumberCodec], durations: Sequence[DurationCodec], phases: Sequence[PhaseCodec]
    ) -> None:
        codecs = {codec.name: codec for codec in columns}
        of_column: dict[str, list[PhaseCodec]] = {}
        for phase in phases:
            of_column.setdefault(phase.column, []).append(phase)
        self._phases = {column: (codecs[column], found) for column, found in of_column.items()}
        self._moves = {column: Moves(codec, found) for column, (codec, found) in self._phases.items()}
        per_day = _units_per_day(durations)
        self._ends = {
            end.column: End(codecs[end.column], end, per_day[end.column], of_column.get(end.column, []))
            for duration in durations
            for end in (duration.since, duration.until)
        }
        self._links = [
            Link(duration, self._ends[duration.since.column], self._ends[duration.until.column])
            for duration in durations
        ]
        # To each column from those it is linked with, first from where it is known best.
        ways = sorted((way for link in self._links for way in link.ways), key=lambda way: way.link.usual_width)
        self._ways = {column: [way for way in ways if way.end.column == column] for column in self._ends}

    def targets(self, asked: Targets) -> dict[str, CategoryTarget | NumberTarget]:
        """What follows from the moments that are asked for: when those before them are about, and those that are asked
        for too, if they are to go together; and at which hours and on what days all these."""
        found: dict[str, CategoryTarget | NumberTarget] = {}

        def follow(way: Way) -> None:
            column = way.end.column
            other, own = (found.get(name) or asked.get(name) for name in (way.other.column, column))
            if not isinstance(other, NumberTarget):
                return
            if isinstance(own, NumberTarget) and column in asked:
                follows = _agreeing(way, own, other)
            elif column not in asked and way.sign < 0:
                follows = _about(way, other)
            else:
                return
            found.update({column: follows} if follows else {})

        for link in reversed(self._links):
            follow(link.back)
        for link in self._links:
            follow(link.forth)
        for column, (codec, phases) in self._phases.items():
            target = found.get(column) or asked.get(column)
            for phase in phases:
                if isinstance(target, NumberTarget) and (told := phase.target_in(codec, target)):
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
        """First those that are known, or asked for, lead the moments that they count from, back to the first: those of
        which less is known. Then the others follow, from the first on."""
        width = {}
        for column, end in self._ends.items():
            if column not in asked:
                cells[column] = replace(cells[column], bounds=None)  # which say about when it may be
            first_B, last_B = end.bounds(cells[column])
            width_B = last_B - first_B if column in asked else np.full_like(first_B, LONGEST)
            width[column] = width_B if missing is None else np.where(missing[column], width_B, -1)
        lengths = {link: link.lengths(cells[link.duration.name], rng) for link in self._links}
        was_put = {column: np.zeros(len(width_B), dtype=bool) for column, width_B in width.items()}

        def leads(way: Way) -> np.ndarray:
            is_known_B = way.other.counted(cells[way.other.column])[1]  # what is missing leads none
            return np.asarray(is_known_B & (width[way.other.column] < width[way.end.column]))

        def put(way: Way, rows_B: np.ndarray) -> None:
            column = way.end.column
            room = self._room(column, cells, {other.other.column: leads(other) for other in self._ways[column]})
            cells[column] = placed(way, lengths[way.link], rows_B, cells, codes, room, rng)

        for column in reversed(self._ends):
            back = [way for way in self._ways[column] if way.sign < 0]
            must_B = np.logical_or.reduce([leads(way) for way in back]) if back else np.zeros(0, dtype=bool)
            for way in self._ways[column]:
                rows_B = must_B & leads(way) if must_B.any() else must_B
                if rows_B.any():
                    put(way, rows_B)
                    must_B = must_B & ~rows_B
                    for end in (way.end, way.other):
                        was_put[end.column] |= rows_B
                    width[column] = np.where(rows_B, width[way.other.column], width[column])
        for link in self._links:
            way, column = link.forth, link.until.column
            from_B, to_B = (end.counted(cells[end.column])[0] for end in (link.since, link.until))
            rows_B = (width[column] >= 0) & ~(was_put[column] & link.holds(to_B - from_B))
            if rows_B.any():
                put(way, rows_B)

    def _room(
        self, column: str, cells: Mapping[str, NumberCells], leads: Mapping[str, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Between which moments a row has its own, by what is asked for and by those that lead it, (B,) each."""
        first_B, last_B = self._ends[column].bounds(cells[column])
        for way in self._ways[column]:
            rows_B = leads[way.other.column]
            if rows_B.any():
                there_B, (low, high) = way.other.counted(cells[way.other.column])[0], way.ends
                first_B = np.where(rows_B, np.maximum(first_B, there_B + low), first_B)
                last_B = np.where(rows_B, np.minimum(last_B, there_B + high), last_B)
        return first_B, last_B


def _units_per_day(durations: Sequence[DurationCodec]) -> dict[str, int]:
    """Of each column: the finest of all that hang together, so that each sum is of one unit."""
    roots: dict[str, str] = {}
    finest: dict[str, int] = {}
    for duration in durations:
        root = roots.setdefault(duration.since.column, duration.since.column)
        roots[duration.until.column] = root
        finest[root] = max(finest.get(root, 1), duration.units_per_day)
    return {column: finest[root] for column, root in roots.items()}


def _about(way: Way, other: NumberTarget) -> NumberTarget | None:
    """When it began, about, what ends in the asked ranges; `None` where nothing is known of that. Nor is it asked for
    where it may be missing: null would be as likely as all of a range."""
    if way.end.codec.null_share or not way.link.duration.is_followed:
        return None
    ranges = _ranges(way, other, way.usual)
    return NumberTarget(ranges[:, 0], ranges[:, 1], null=False) if ranges is not None and len(ranges) else None


def _agreeing(way: Way, own: NumberTarget, other: NumberTarget) -> NumberTarget | None:
    """Of what is asked for what a row may have beside what is asked for of the other; `None` where that is nothing."""
    ranges = _ranges(way, other, way.ends)
    if ranges is None or len(ranges) * len(own.lows) > MOST_PAIRS:
        return None
    lows = np.maximum(own.lows[:, None], ranges[:, 0]).ravel()
    highs = np.minimum(own.highs[:, None], ranges[:, 1]).ravel()
    some = lows <= highs
    return NumberTarget(lows[some], highs[some], own.null) if some.any() else None


def _ranges(way: Way, other: NumberTarget, lengths: tuple[int, int]) -> np.ndarray | None:
    """Where a moment is that is so long from what is asked for of the other, exact as the form counts, (ranges, 2)."""
    if other.null:
        return None
    form, found = way.end.codec.form, []
    for low, high in zip(other.lows, other.highs, strict=True):
        outermost = way.other.codec.form.back(np.array([low, high], dtype=np.float64))
        counted, known = way.other.moments.counted(outermost, way.other.units_per_day)
        if not known.all():
            return None
        about = arrow.integers(way.end.array(counted + np.array(lengths)))
        found.append(form.between(*about.tolist()))
    ranges: list[list[float]] = []
    for first, last in sorted(part for part in found if part[0] <= part[1]):
        if ranges and first <= ranges[-1][1]:
            ranges[-1][1] = max(ranges[-1][1], last)
        else:
            ranges.append([first, last])
    return np.array(ranges, dtype=form.exact).reshape(-1, 2)
