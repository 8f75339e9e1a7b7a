"""Columns of numbers, dates and times: a form that is exact, and what a model makes of the numbers in it."""

from dataclasses import dataclass, replace
from typing import Literal, Self, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from synthgen_ray.domain.columns import CELL_BYTES, ColumnKind, LearnedColumn
from synthgen_ray.domain.errors import JobError
from synthgen_ray.domain.params import Condition, Family, Range
from synthgen_ray.domain.widths import widest_of
from synthgen_ray.synthesizers.columns import arrow, moments
from synthgen_ray.synthesizers.columns.endings import Endings
from synthgen_ray.synthesizers.columns.forms import Form, counted, in_order, learn_form
from synthgen_ray.synthesizers.columns.heaps import Heaps, LocalHeaps
from synthgen_ray.synthesizers.columns.marginal import Marginal, NormalMap, least_of_atoms
from synthgen_ray.synthesizers.columns.modes import Modes
from synthgen_ray.synthesizers.columns.parametric import Parametric
from synthgen_ray.synthesizers.columns.quantile_map import Parts, QuantileMap
from synthgen_ray.synthesizers.columns.stored import Kind, Share, Stored
from synthgen_ray.synthesizers.columns.whole import EXACT, Number
from synthgen_ray.synthesizers.columns.wrapped import Wrapped
from synthgen_ray.synthesizers.columns.written_moments import WrittenMoments

LAST = 1e-9  # digits of a z


@dataclass(frozen=True)
class NumberTarget:
    """What a condition leaves of a column: any of some ranges (exact, as the form counts), or null."""

    lows: np.ndarray  # (ranges,)
    highs: np.ndarray
    null: bool

    def __len__(self) -> int:
        """How many alternatives there are; null is the last."""
        return len(self.lows) + self.null

    def bounds(self, choices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Exact bounds of the alternatives that rows have chosen; for null they mean nothing."""
        if len(self.lows) == 0:
            nothing = np.zeros(len(choices), dtype=self.lows.dtype)
            return nothing, nothing
        places = np.minimum(choices, len(self.lows) - 1)
        return self.lows[places], self.highs[places]


@dataclass(frozen=True)
class NumberCells:
    """Drawn cells, before they are written: numbers of the form (B,), whether null (B,), exact bounds if asked for."""

    numbers: np.ndarray
    null: np.ndarray
    bounds: tuple[np.ndarray, np.ndarray] | None = None

    @classmethod
    def obeying(
        cls, numbers: np.ndarray, null: np.ndarray, target: NumberTarget | None, choices: np.ndarray | None
    ) -> Self:
        """Inside what rows have chosen of a target, if there is one: so the other columns see them as they will be."""
        if target is None or choices is None or len(target.lows) == 0:
            return cls(numbers, null)
        low, high = target.bounds(choices)
        return cls(np.clip(numbers, low.astype(np.float64), high.astype(np.float64)), null, (low, high))

    def without_nulls(self) -> Self:
        return replace(self, null=np.zeros_like(self.null))

    def at(self, rows: np.ndarray) -> Self:
        bounds = None if self.bounds is None else (self.bounds[0][rows], self.bounds[1][rows])
        return replace(self, numbers=self.numbers[rows], null=self.null[rows], bounds=bounds)


class NumberCodec(Stored):
    """Modes for the networks, a marginal for the copula, for CopulaGAN modes of what the marginal made normal.

    Among the modes' codes, null is the last if there is one.
    """

    kind: Literal["number"] = "number"
    name: str
    column_kind: Kind
    form: Form
    null_share: Share
    marginal: Marginal | Parametric | None
    modes: Modes | None
    offsets: tuple[float, ...] = ()  # of the codes' logits
    calibration: QuantileMap | None = None
    wrapped: Wrapped | WrittenMoments | None = None  # how the column keeps its numbers, if not as numbers
    # How their last digits are. Files of before have none, or one that puts numbers on atoms too.
    heaps: Heaps | LocalHeaps | Endings | None = Field(default=None, exclude_if=lambda heaps: heaps is None)

    @model_validator(mode="after")
    def _is_of_its_form(self) -> Self:
        type_ = arrow.type_of(self.form.arrow_type)
        if self.column_kind is not kind_of(type_) or (self.wrapped and self.wrapped.plain_type != type_):
            raise ValueError("a form of other cells")
        return self

    @model_validator(mode="after")
    def _has_a_map(self) -> Self:
        if self.marginal is None and self.modes is None:
            raise ValueError("a number needs modes or a marginal")
        if self.offsets and (self.modes is None or len(self.offsets) != self.width):
            raise ValueError("offsets do not fit")
        return self

    @classmethod
    def learn(
        cls,
        name: str,
        column: pa.ChunkedArray,
        k: int,
        least_step: int,
        maps: frozenset[str],
        marginals: Family | Literal["empirical"],
        rng: np.random.Generator,
        wrapped: Wrapped | WrittenMoments | None = None,
    ) -> Self:
        array = wrapped.unwrap(column) if wrapped else arrow.plain(column)
        present = array.drop_null()
        ordered = in_order(present)
        form = learn_form(present, k, least_step, ordered)
        numbers = counted(form, present, ordered)
        comes_back = least_of_atoms(len(present), k) if marginals == "empirical" else np.inf
        heaps = _heaps(form, *numbers, comes_back, k)
        marginal: Marginal | Parametric | None = None
        if "marginal" in maps:
            if marginals == "empirical":
                marginal = Marginal.of_counts(*numbers, k)
            else:
                marginal = Parametric.learn(name, marginals, np.repeat(*numbers), form.rounding)
        if marginal and "modes" in maps:
            numbers = np.unique(marginal.forward(form.forward(present), rng), return_counts=True)
        return cls(
            name=name,
            column_kind=kind_of(array.type),
            form=form,
            null_share=arrow.kept_nulls(array, k) / len(array),
            marginal=marginal,
            modes=Modes.learn(*numbers, k) if "modes" in maps else None,
            wrapped=wrapped,
            heaps=heaps,
        )

    @property
    def learned(self) -> LearnedColumn:
        low, high = self.form.ends
        ends: tuple[int | float | str, int | float | str] = low, high
        type_ = arrow.type_of(self.form.arrow_type)
        if moments.is_moment(type_):  # told so that they can be asked for
            ends = moments.iso(int(low), type_, upwards=True), moments.iso(int(high), type_)
        blank = self.wrapped.blank if self.wrapped else None
        widest = max(CELL_BYTES, widest_of((blank or "",)))
        return LearnedColumn(self.name, self.column_kind, self.null_share > 0, None, ends[0], ends[1], widest)

    def column_of(self, table: pa.Table) -> pa.ChunkedArray:
        """What it is learnt from."""
        return table[self.name]

    @property
    def maps(self) -> frozenset[str]:
        """What its numbers are turned into: "modes", "marginal"."""
        return frozenset(name for name in ("modes", "marginal") if getattr(self, name) is not None)

    @property
    def modes_or_fail(self) -> Modes:
        if self.modes is None:
            raise ValueError("a number has no modes")
        return self.modes

    @property
    def marginal_or_fail(self) -> NormalMap:
        if self.marginal is None:
            raise ValueError("a number has no marginal")
        return self.marginal

    @property
    def width(self) -> int:
        return len(self.modes_or_fail) + (self.null_share > 0)

    @property
    def has_scalar(self) -> bool:
        return True

    @property
    def arrow_type(self) -> str:
        return self.wrapped.arrow_type if self.wrapped else self.form.arrow_type

    def plain(self, column: pa.ChunkedArray) -> pa.Array:
        """The column's cells as plain numbers or nulls."""
        return self.wrapped.unwrap(column) if self.wrapped else arrow.plain(column)

    def is_unknown(self, column: pa.ChunkedArray) -> np.ndarray:
        """No cell is: beyond the model's range a number counts as the end of it."""
        return np.zeros(len(column), dtype=bool)

    def _present(self, column: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
        """Which rows hold a number, (N,), and these numbers as the form counts."""
        array = self.plain(column)
        return np.asarray(array.is_valid()), self.form.forward(array.drop_null())

    def _drawn_where_rare(self, column: pa.ChunkedArray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """The same, with draws from the numbers in the place of nulls where these are too few to be learnt."""
        present, numbers = self._present(column)
        if self.null_share > 0 or len(numbers) in (0, len(present)):
            return present, numbers
        drawn = rng.choice(numbers, len(present))
        drawn[present] = numbers
        return np.ones_like(present), drawn

    def encode(self, column: pa.ChunkedArray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A code and a scalar for each row."""
        present, numbers = self._drawn_where_rare(column, rng)
        if self.marginal:
            numbers = self.marginal.forward(numbers, rng)
        codes = np.full(len(present), self.width - 1, dtype=np.int32)
        scalars = np.zeros(len(present), dtype=np.float32)
        codes[present], scalars[present] = self.modes_or_fail.encode(numbers, rng)
        return codes, scalars

    def numbers(self, codes: np.ndarray, scalars: np.ndarray) -> np.ndarray:
        """What codes and scalars stand for, before calibration and rounding; anything where null."""
        modes = self.modes_or_fail
        numbers = modes.decode(np.minimum(codes, len(modes) - 1), scalars)
        return self.marginal.back(numbers) if self.marginal else numbers

    def cells(
        self,
        codes: np.ndarray,
        scalars: np.ndarray,
        rng: np.random.Generator,
        target: NumberTarget | None = None,
        choices: np.ndarray | None = None,
    ) -> NumberCells:
        """Choices (B,) are those of a target's alternatives."""
        numbers = self.numbers(codes, scalars)
        if self.calibration:
            places = None
            if target is not None and choices is not None and len(target.lows):
                places = self.calibration.target.between(self.ranges(target))[np.minimum(choices, len(target.lows) - 1)]
            numbers = self.calibration.forward(numbers, rng, places)
        return NumberCells.obeying(numbers, codes == len(self.modes_or_fail), target, choices)

    def normal(self, column: pa.ChunkedArray) -> np.ndarray:
        """The column made normal by its marginal, a number that rows share as the mean of its part; NaN where null."""
        present, numbers = self._present(column)
        z = np.full(len(present), np.nan)
        distinct = pa.array(numbers).dictionary_encode()
        z[present] = self.marginal_or_fail.middle(distinct.dictionary.to_numpy())[distinct.indices.to_numpy()]
        return z

    def cells_of(self, column: pa.ChunkedArray, rng: np.random.Generator) -> NumberCells:
        present, found = self._drawn_where_rare(column, rng)
        numbers = np.zeros(len(present))
        numbers[present] = found
        return NumberCells(numbers, ~present)

    def written(self, cells: NumberCells, rng: np.random.Generator) -> pa.Array:
        array = self.form.back(self._heaped(cells, rng), *(cells.bounds or ()))
        if cells.null.any():
            null = pa.scalar(None, array.type)
            array = pc.if_else(pa.array(cells.null), null, array).cast(array.type)  # narrow decimals are widened
        return self.wrapped.wrap(array) if self.wrapped else array

    def _heaped(self, cells: NumberCells, rng: np.random.Generator) -> np.ndarray:
        """The numbers, as many of them round as in the table, within what is asked for."""
        if self.heaps is None or self.form.last_digit is None:
            return cells.numbers
        zero, unit, _ = self.form.last_digit
        low, high = cells.bounds or (np.array(self.form.lower), np.array(self.form.upper))
        atoms = self._atoms()
        numbers, atoms_in_units, first, last = (
            (self.form.squeezed(of_form) - zero) / unit for of_form in (cells.numbers, atoms, low, high)
        )
        put = self.heaps.put(numbers, np.rint(atoms_in_units), first, last, rng=rng)
        put = self.form.stretched(put * unit + zero)
        stays = np.isin(cells.numbers, atoms) | self.form.is_marker(cells.numbers) | (put < low) | (put > high)
        return np.where(stays, cells.numbers, put)

    def target(self, condition: Condition) -> NumberTarget:
        """Raises: JobError, if the column never takes such a value."""
        asked = condition if isinstance(condition, list) else [condition]
        ranges = [self._range(part) for part in asked if part is not None]
        ranges = list(dict.fromkeys((low, high) for low, high in ranges if low <= high))
        null = None in asked and self.null_share > 0
        if not ranges and not null:
            reach = f"{self.learned.minimum} to {self.learned.maximum}"
            detail = f"conditions.{self.name}: the model generates no such value; those that it generates are {reach}."
            raise JobError(detail, "conditions_unsatisfiable")
        ends: np.ndarray = np.array(ranges, dtype=self.form.exact).reshape(-1, 2)
        return NumberTarget(ends[:, 0], ends[:, 1], null)

    def obeys(self, column: pa.ChunkedArray, condition: Condition) -> np.ndarray:
        """Which cells are as asked for, (N,)."""
        asked = condition if isinstance(condition, list) else [condition]
        array = self.plain(column)
        null = np.asarray(array.is_null())
        present, obeys = array.drop_null(), null & (None in asked)
        for part in asked:
            if part is not None:
                obeys[~null] |= self.form.inside(present, *self._bounds(part))
        return obeys

    def parts(self, target: NumberTarget) -> Parts:
        """Where to look for each range, in the numbers that modes or the copula see."""
        ranges = self.ranges(target)
        parts = self.calibration.parts(ranges) if self.calibration else Parts.of(ranges)
        if self.marginal is None:
            return parts
        bounds = self.marginal.between(parts.bounds)
        if self.calibration:  # on the way back a z loses its last digits, which must not part it from its atom
            lows, highs = bounds.T + np.where(parts.bounds[:, 0] == parts.bounds[:, 1], 1, -1) * [[-LAST], [LAST]]
            bounds = np.stack([lows, np.maximum(lows, highs)], axis=1)
        return replace(parts, bounds=bounds)

    def ranges(self, target: NumberTarget) -> np.ndarray:
        """What rounds into each range, (ranges, 2); open where that is all up to an end of the column.

        A single value stands for those near it too, so that rows are found; but for no other that many rows share, and
        on a grid for its own step alone where there are others to choose from: beside these it is as rare as it is.
        """
        lows, highs = target.lows.astype(np.float64), target.highs.astype(np.float64)
        half = self.form.rounding / 2
        alone = half if half and len(target) > 1 else self._grain / 2
        ranges = np.stack(self.form.cells(lows, highs), axis=1)
        single, atoms = np.flatnonzero(target.lows == target.highs), self._atoms()
        first, last = np.searchsorted(atoms, ranges[single, 0]), np.searchsorted(atoms, ranges[single, 1], "right")
        reach = np.where(first < last, half, alone)
        before, after = np.append(-np.inf, atoms)[first], np.append(atoms, np.inf)[last]
        near = np.minimum(ranges[single, 0], lows[single] - reach), np.maximum(ranges[single, 1], highs[single] + reach)
        ranges[single, 0] = np.maximum(near[0], np.nextafter(before, np.inf))
        ranges[single, 1] = np.minimum(near[1], np.nextafter(after, -np.inf))
        ranges[lows <= self.form.lower, 0] = -np.inf
        ranges[highs >= self.form.upper, 1] = np.inf
        return ranges

    @property
    def _grain(self) -> float:
        """The form's, as it would be without numbers that many rows share at its ends, which may be far away."""
        known = self.known
        between = np.setdiff1d(known.x, known.atoms()[0]) if known else np.zeros(0)
        wide = (between[-1] - between[0]) / 100 if len(between) else np.inf
        return float(max(self.form.rounding, min(self.form.grain, wide)))

    @property
    def known(self) -> NormalMap | None:
        """How the table's numbers are distributed."""
        return self.calibration.target if self.calibration else self.marginal

    def _atoms(self) -> np.ndarray:
        """The numbers that many rows share, rising."""
        if known := self.known:
            return known.atoms()[0]
        modes = self.modes_or_fail
        return np.sort(np.array(modes.centers)[np.array(modes.scales) == 0])

    def _range(self, part: object) -> tuple[int | float, int | float]:
        return self.form.between(*self._bounds(part))

    def _bounds(self, part: object) -> tuple[Number | None, Number | None]:
        """Of a range or a value, in the units of the type."""
        low, high = (part.min, part.max) if isinstance(part, Range) else (part, part)
        type_ = arrow.type_of(self.form.arrow_type)

        def number(bound: object) -> Number | None:
            return moments.steps_of(bound, type_) if isinstance(bound, str) else cast(float | None, bound)

        return number(low), number(high)


def kind_of(type_: pa.DataType) -> ColumnKind:
    """What numbers, dates and times of that type are to who asks for some."""
    if moments.is_moment(type_):
        return ColumnKind.DATETIME
    return ColumnKind.FLOAT if arrow.is_real(type_) else ColumnKind.INTEGER


def _heaps(
    form: Form, numbers: np.ndarray, counts: np.ndarray, comes_back: float, k: int
) -> LocalHeaps | Endings | None:
    """From the distinct numbers as the form counts, without those that come back exactly anyway: of so many rows."""
    if form.last_digit is None:
        return None
    zero, unit, step = form.last_digit
    units, rare = np.rint((form.squeezed(numbers) - zero) / unit), (counts < comes_back) & ~form.is_marker(numbers)
    if np.abs(units[rare]).max(initial=0.0) >= EXACT:
        return None
    some, counts = units[rare].astype(np.int64), counts[rare]
    endings = Endings.learn(some, counts, step, k)
    return endings or (LocalHeaps.learn(some, counts, units[~rare], k) if step == 1 else None)
