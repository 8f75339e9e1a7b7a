"""The moments of a row, put where its other columns have them.

What a model draws of a moment is the season. Which hour and what day it is are told beside it (`phases`), and how long
after another moment it is (`durations`). Here these come together.
Shapes: B rows.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
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
MOST_PAIRS = 100_000  # of ranges, beyond which those that go together are not looked for


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
        ways = [way for link in self._links for way in (link.back, link.forth)]
        self._ways = {column: [way for way in ways if way.end.column == column] for column in self._ends}

    def targets(self, asked: Targets) -> dict[str, CategoryTarget | NumberTarget]:
        """What follows from the moments that are asked for: of these when they can be, to go together; when those
        before them are about; and at which hours and on what days all these."""
        reach = self._reach(asked)
        found = {column: reach[column] for column in reach if column in asked}
        for link in reversed(self._links):
            column, until = link.since.column, found.get(link.until.column)
            if column not in asked and until and (about := _about(link.back, until)):
                own = found.get(column) or reach.get(column)
                found[column] = _both(own, about) if own else about
        told: dict[str, CategoryTarget] = {}
        for column, (codec, phases) in self._phases.items():
            for phase in phases:
                if column in found and (of_phase := phase.target_in(codec, found[column])):
                    told[phase.name] = of_phase
        return {**found, **told}

    def _reach(self, asked: Targets) -> dict[str, NumberTarget]:
        """Of each column that hangs on one that is asked for when its moments can be."""
        reach = {column: target for column, target in asked.items() if isinstance(target, NumberTarget)}
        for way in (*(link.back for link in reversed(self._links)), *(link.forth for link in self._links)):
            other, own = reach.get(way.other.column), reach.get(way.end.column)
            there = _away(way, other, way.ends) if other else None
            if there:
                reach[way.end.column] = _fitting(way.end, own, there) if own else there
        return reach

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
        """First those that are known, or asked for, lead the moments that they count from, back to the first: each
        row's by that of which most is known. Then the others follow, from the first on."""
        for column in self._ends:
            if column not in asked:
                cells[column] = replace(cells[column], bounds=None)  # which said about when it may be
        # How much is open of a row's moment: nothing where it is known.
        doubt = {column: self._doubt(column, cells[column], asked, missing) for column in self._ends}
        agrees = {column: np.zeros(len(doubt_B), dtype=bool) for column, doubt_B in doubt.items()}
        lengths = {link: link.lengths(cells[link.duration.name], rng) for link in self._links}

        def leads(way: Way) -> np.ndarray:
            is_less_B = doubt[way.other.column] < doubt[way.end.column]
            if is_less_B.any():
                is_less_B &= way.other.counted(cells[way.other.column])[1]  # what is missing leads none
            return is_less_B

        def put(way: Way, rows_B: np.ndarray) -> None:
            column = way.end.column
            room = self._room(column, cells, leads)
            cells[column] = placed(way, lengths[way.link], rows_B, cells, codes, room, rng)

        for column in reversed(self._ends):
            ways = self._ways[column]
            leads_WB = np.array([leads(way) for way in ways])
            is_led_B = leads_WB[[way.sign < 0 for way in ways]].any(axis=0)
            if not is_led_B.any():
                continue
            of_other_WB = np.array([doubt[way.other.column] for way in ways])
            open_WB = of_other_WB + np.array([[way.link.usual_width] for way in ways])
            leader_B = np.argmin(np.where(leads_WB, open_WB, np.iinfo(np.int64).max), axis=0)
            for place, way in enumerate(ways):
                rows_B = is_led_B & (leader_B == place)
                if rows_B.any():
                    put(way, rows_B)
                    agrees[way.other.column] |= rows_B
            agrees[column] |= is_led_B
            of_leader_B = np.take_along_axis(of_other_WB, leader_B[None], axis=0)[0]
            doubt[column] = np.where(is_led_B, of_leader_B, doubt[column])
        for link in self._links:
            column = link.until.column
            from_B, to_B = (end.counted(cells[end.column])[0] for end in (link.since, link.until))
            rows_B = (doubt[column] >= 0) & ~(agrees[column] & link.holds(to_B - from_B))
            if rows_B.any():
                put(link.forth, rows_B)

    def _doubt(
        self,
        column: str,
        cells: NumberCells,
        asked: Collection[str],
        missing: Mapping[str, np.ndarray] | None,
    ) -> np.ndarray:
        """How far apart the moments are that a row may have, (B,); below 0 where it has one that stays."""
        first_B, last_B = self._ends[column].bounds(cells)
        doubt_B = last_B - first_B if column in asked else np.full_like(first_B, LONGEST)
        return doubt_B if missing is None else np.where(missing[column], doubt_B, -1)

    def _room(
        self, column: str, cells: Mapping[str, NumberCells], leads: Callable[[Way], np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Between which moments a row has its own, by what is asked for and by those that lead it, (B,) each."""
        first_B, last_B = self._ends[column].bounds(cells[column])
        for way in self._ways[column]:
            rows_B = leads(way)
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
    return _away(way, other, way.usual)


def _away(way: Way, other: NumberTarget, lengths: tuple[int, int]) -> NumberTarget | None:
    """When a moment is that is so long from what is asked for of the other; `None` where that is unknown, or never."""
    if other.null:
        return None
    outermost = way.other.codec.form.back(np.concatenate([other.lows, other.highs]).astype(np.float64))
    counted, known = way.other.moments.counted(outermost, way.other.units_per_day)
    if not known.all():
        return None
    form = way.end.codec.form
    about = arrow.integers(way.end.array(counted + np.repeat(lengths, len(other.lows))))
    found = [form.between(*ends) for ends in about.reshape(2, -1).T.tolist()]
    ranges: list[list[float]] = []
    for first, last in sorted(part for part in found if part[0] <= part[1]):
        if ranges and first <= ranges[-1][1]:
            ranges[-1][1] = max(ranges[-1][1], last)
        else:
            ranges.append([first, last])
    if not ranges:
        return None
    bounds: np.ndarray = np.array(ranges, dtype=form.exact)
    return NumberTarget(bounds[:, 0], bounds[:, 1], null=False)


def _fitting(end: End, own: NumberTarget, there: NumberTarget) -> NumberTarget:
    """What is asked for, as far as it can be. Beside what is as far from all moments, null and markers, the rest keeps
    its length: cut short it would come less often."""
    form = end.codec.form
    apart = np.array([form.between(value, value)[0] for value in end.moments.apart])
    is_apart = ((apart >= own.lows[:, None]) & (apart <= own.highs[:, None])).any(axis=1)
    if not (own.null or is_apart.any()):
        return _both(own, there)
    fits = is_apart | ((there.lows <= own.highs[:, None]) & (there.highs >= own.lows[:, None])).any(axis=1)
    return NumberTarget(own.lows[fits], own.highs[fits], own.null) if fits.any() else own


def _both(own: NumberTarget, other: NumberTarget) -> NumberTarget:
    """What is in both; as it was where nothing is, or they have too many ranges to look for it."""
    if len(own.lows) * len(other.lows) > MOST_PAIRS:
        return own
    lows = np.maximum(own.lows[:, None], other.lows).ravel()
    highs = np.minimum(own.highs[:, None], other.highs).ravel()
    some = lows <= highs
    return NumberTarget(lows[some], highs[some], own.null) if some.any() else own
