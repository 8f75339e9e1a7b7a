"""Table <-> numbers. One codec for each column: learnt columns have codes and scalars, the others are made afresh. Of
these only which cells are missing is learnt."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from synthgen_ray.datasets.date_formats import is_format
from synthgen_ray.domain.columns import FRESH, Column, ColumnKind, LearnedColumn, are_categories
from synthgen_ray.domain.errors import InvalidTable
from synthgen_ray.domain.params import Family
from synthgen_ray.synthesizers.columns import arrow, checks, moments
from synthgen_ray.synthesizers.columns.category import CategoryCells, CategoryCodec, GapCodec
from synthgen_ray.synthesizers.columns.constant import ConstantCodec
from synthgen_ray.synthesizers.columns.durations import DurationCodec, learn_durations
from synthgen_ray.synthesizers.columns.identifier import CodeCodec
from synthgen_ray.synthesizers.columns.number import NumberCells, NumberCodec, kind_of
from synthgen_ray.synthesizers.columns.number_ids import ScatteredCodec, SequenceCodec, learn_number_ids
from synthgen_ray.synthesizers.columns.phases import PhaseCodec, learn_phases
from synthgen_ray.synthesizers.columns.seen import shares_of_strangers
from synthgen_ray.synthesizers.columns.stored import Stored
from synthgen_ray.synthesizers.columns.text import TextCodec
from synthgen_ray.synthesizers.columns.wrapped import Wrapped
from synthgen_ray.synthesizers.columns.written_moments import WrittenMoments
from synthgen_ray.synthesizers.numerics.streams import stream
from synthgen_ray.synthesizers.timeline import Timeline

LearntCodec = CategoryCodec | NumberCodec
Cells = CategoryCells | NumberCells
AvoidingCodec = CodeCodec | ScatteredCodec | TextCodec
FreshCodec = AvoidingCodec | SequenceCodec
ColumnCodec = Annotated[LearntCodec | FreshCodec | ConstantCodec, Field(discriminator="kind")]


@dataclass(frozen=True)
class Encoded:
    """A table as the networks hold it: codes (N, K) of the learnt columns, scalars (N, S) of the numbers among them."""

    codes: np.ndarray
    scalars: np.ndarray


@dataclass(frozen=True)
class CodecOptions:
    k: int  # what fewer rows share is not kept
    most_categories: int
    maps: frozenset[str]  # what numbers need: "modes", "marginal"
    marginals: Family | Literal["empirical"] = "empirical"
    derived: bool = True  # whether moments have durations and phases


class TableCodec(Stored):
    columns: tuple[ColumnCodec, ...] = Field(min_length=1)
    # Of columns that are made afresh; files of tables without have none, nor have those of before.
    gaps: tuple[GapCodec, ...] = Field(default=(), exclude_if=lambda gaps: not gaps)
    # Of columns of moments; so have these.
    durations: tuple[DurationCodec, ...] = Field(default=(), exclude_if=lambda durations: not durations)
    phases: tuple[PhaseCodec, ...] = Field(default=(), exclude_if=lambda phases: not phases)

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        if len({codec.name for codec in self.columns}) != len(self.columns):
            raise ValueError("column names repeat")
        fresh = {codec.name for codec in self.columns if isinstance(codec, FreshCodec)}
        gaps = {gap.name for gap in self.gaps}
        if len(gaps) != len(self.gaps) or not gaps <= fresh:
            raise ValueError("gaps of other columns")
        self._check_moments()
        for codec in self.columns:
            arrow.type_of(codec.arrow_type)
        return self

    def _check_moments(self) -> None:
        columns = {codec.name: codec for codec in self._moments}
        names = [codec.name for codec in (*self.columns, *self.durations, *self.phases)]
        if len(set(names)) < len(names):
            raise ValueError("durations or phases have the names of columns")
        ends = [end for duration in self.durations for end in (duration.since, duration.until)]
        if any(end.column not in columns or not end.is_of(columns[end.column]) for end in ends):
            raise ValueError("durations of other columns")
        by_column = {end.column: end for end in ends}
        if any(end != by_column[end.column] for end in ends):
            raise ValueError("durations of a column that is counted in two ways")
        untils = [duration.until.column for duration in self.durations]
        if len(set(untils)) < len(untils):
            raise ValueError("durations until the same column")
        if any(duration.since.column in untils[place:] for place, duration in enumerate(self.durations)):
            raise ValueError("durations since a column that follows")
        phases = {(phase.column, phase.phase == "hour") for phase in self.phases}
        are_known = all(phase.column in columns and phase.is_of(columns[phase.column]) for phase in self.phases)
        if len(phases) < len(self.phases) or not are_known:
            raise ValueError("phases of other columns")

    @classmethod
    def learn(
        cls,
        train: pa.Table,
        whole: pa.Table,
        columns: Sequence[Column],
        options: CodecOptions,
        rng: np.random.Generator,
        breathe: Callable[[], None] = lambda: None,
    ) -> Self:
        """From the rows of training; of the whole table only what no value that is made up may be.

        `breathe` is called before each column, and may raise.
        """
        learnt = []
        for column in columns:
            breathe()
            learnt.append(_learn(train[column.name], whole[column.name], column, options, rng))
        fresh = [codec.name for codec in learnt if isinstance(codec, FreshCodec)]
        gaps = (GapCodec.of(name, train[name], options.k) for name in fresh)
        found = cls(columns=_avoiding(learnt, whole, breathe), gaps=tuple(filter(None, gaps)))
        if not options.derived:
            return found

        def learn(name: str, column: pa.ChunkedArray) -> NumberCodec:
            return NumberCodec.learn(name, column, options.k, 1, options.maps, options.marginals, rng)

        durations = learn_durations(found._moments, train, options.k, learn, breathe)
        found = cls(columns=found.columns, gaps=found.gaps, durations=tuple(durations))
        phases = learn_phases(found.learnt, train, options.k, breathe)
        return cls(columns=found.columns, gaps=found.gaps, durations=found.durations, phases=tuple(phases))

    @cached_property
    def learnt(self) -> tuple[LearntCodec, ...]:
        columns = (codec for codec in self.columns if isinstance(codec, LearntCodec))
        return (*columns, *self.gaps, *self.durations, *self.phases)

    @cached_property
    def numbers(self) -> tuple[NumberCodec, ...]:
        return tuple(codec for codec in self.learnt if isinstance(codec, NumberCodec))

    def with_learnt(self, columns: Sequence[LearntCodec]) -> Self:
        """The same with other codecs for the learnt columns."""
        changed: dict[str, Any] = {column.name: column for column in columns}
        learnt = {codec.name: changed.get(codec.name, codec) for codec in self.learnt}
        return type(self)(
            columns=tuple(learnt[codec.name] if isinstance(codec, LearntCodec) else codec for codec in self.columns),
            gaps=tuple(learnt[gap.name] for gap in self.gaps),
            durations=tuple(learnt[duration.name] for duration in self.durations),
            phases=tuple(learnt[phase.name] for phase in self.phases),
        )

    @cached_property
    def timeline(self) -> Timeline:
        return Timeline(self._moments, self.durations, self.phases)

    @property
    def learned_columns(self) -> tuple[LearnedColumn, ...]:
        return tuple(codec.learned for codec in self.columns)

    def encode(self, table: pa.Table, rng: np.random.Generator) -> Encoded:
        codes = np.empty((table.num_rows, len(self.learnt)), dtype=np.int32)
        scalars = np.empty((table.num_rows, len(self.numbers)), dtype=np.float32)
        number = 0
        for place, codec in enumerate(self.learnt):
            codes[:, place], column_scalars = codec.encode(codec.column_of(table), rng)
            if column_scalars is not None:
                scalars[:, number] = column_scalars
                number += 1
        return Encoded(codes, scalars)

    def written(
        self,
        drawn: Mapping[str, Cells],
        rng: np.random.Generator,
        asked: Collection[str] = (),
        missing: Mapping[str, np.ndarray] | None = None,
    ) -> dict[str, pa.Array]:
        """The cells that were drawn of the learnt columns, those of which something was `asked` as it was; or, where
        `missing` tells for each which were (B,), of those of which some were."""
        cells: dict[str, Any] = self.timeline.settled(drawn, rng, asked, missing)
        wanted = [codec for codec in self.learnt if not isinstance(codec, DurationCodec | PhaseCodec)]
        if missing is not None:
            wanted = [codec for codec in wanted if missing[codec.name].any()]
        return {codec.name: codec.written(cells[codec.name], rng) for codec in wanted}

    def table(self, learnt: dict[str, pa.Array], num_rows: int, first_row: int, seed: int) -> pa.Table:
        """Whole rows: the learnt columns given, the rest made for the rows of a job from `first_row` on."""
        arrays = [
            learnt[codec.name]
            if isinstance(codec, LearntCodec)
            else self._fresh(place, num_rows, first_row, seed, learnt.get(codec.name))
            for place, codec in enumerate(self.columns)
        ]
        return pa.table(arrays, names=[codec.name for codec in self.columns])

    @cached_property
    def _moments(self) -> tuple[NumberCodec, ...]:
        columns = (codec for codec in self.columns if isinstance(codec, NumberCodec))
        return tuple(codec for codec in columns if codec.column_kind is ColumnKind.DATETIME)

    def _fresh(self, place: int, num_rows: int, first_row: int, seed: int, missing: pa.Array | None) -> pa.Array:
        codec: Any = self.columns[place]
        if isinstance(codec, ConstantCodec):
            return codec.make(num_rows)
        rows = np.arange(first_row, first_row + num_rows, dtype=np.uint64)
        key = int(stream(seed, *JOB, place).integers(2**62))  # one for the whole job, so that ids never meet
        rng = stream(seed, *JOB, place, first_row)
        if missing is None:
            return codec.make(rows, key, rng)
        made = codec.model_copy(update={"null_share": 0.0}).make(rows, key, rng)
        return made.take(pa.array(np.arange(num_rows), mask=missing.to_numpy(zero_copy_only=False)))


MANY_REPEAT = 0.1  # of the cells
LEAST_LIKENESS = 0.5  # of how frequent neighbours are: an autocorrelation
WEIGHT_OF_IDS = 3  # a text that is passed over is written again, an id may end beyond the shape of the table's
JOB = (2**32 - 1,)  # a place that no chunk has


def _avoiding(columns: Sequence[ColumnCodec], whole: pa.Table, breathe: Callable[[], None]) -> tuple[ColumnCodec, ...]:
    """The columns with those that make values up told which are the table's."""
    hashes: dict[str, np.ndarray] = {}
    weights: dict[str, int] = {}
    for codec in columns:
        if isinstance(codec, AvoidingCodec):
            breathe()
            found = codec.seen.hashes(codec.to_avoid(whole[codec.name]))
            if len(found):
                hashes[codec.name] = found
                weights[codec.name] = 1 if isinstance(codec, TextCodec) else WEIGHT_OF_IDS
    strangers = shares_of_strangers(weights)
    return tuple(
        codec.model_copy(update={"seen": codec.seen.of(hashes[codec.name], strangers[codec.name])})
        if isinstance(codec, AvoidingCodec) and codec.name in hashes
        else codec
        for codec in columns
    )


def _learn(
    values: pa.ChunkedArray,
    whole: pa.ChunkedArray,
    column: Column,
    options: CodecOptions,
    rng: np.random.Generator,
) -> ColumnCodec:
    checks.check_values(column.name, whole)  # lest the seed, which tells who is held out, decided
    name, k, type_ = column.name, options.k, arrow.value_type(values.type)
    present = arrow.plain(values).drop_null()
    is_declared = column.kind is ColumnKind.TEXT and arrow.is_text(type_) and _repeats(whole)
    wrapped = None if is_declared else _for_all(lambda rows: _wrapped(rows, column, k), values, whole)
    if not wrapped and column.kind is ColumnKind.DATETIME and arrow.is_text(type_) and whole.null_count < len(whole):
        wrapped = WrittenMoments.find(whole, column.format)  # who is held out may tell days from months
        if not wrapped:
            raise _unread(column)
    if len(present) and column.kind in FRESH and not wrapped:
        return _learn_fresh(values, whole, column, k, rng)
    if len(present) < k:
        return ConstantCodec(name=name, arrow_type=str(values.type), value=None)
    if len(values) - len(present) < k and _is_one_value(present):
        return ConstantCodec.learn(name, values)
    kind = ColumnKind.CATEGORICAL if pa.types.is_dictionary(values.type) else _kind(column.kind, type_)
    if not wrapped and kind in (ColumnKind.CATEGORICAL, ColumnKind.BOOLEAN):
        category = CategoryCodec.learn(name, kind, values, k, options.most_categories)
        if category is None and pa.types.is_boolean(type_):
            return ConstantCodec(name=name, arrow_type=str(values.type), value=None)
        if category is not None and not category.loses_many(values):
            return category
        wrapped = _for_all(lambda rows: _numbers(rows, k, are_categories=category is not None), values, whole)
        if category is not None and not wrapped:
            return category.with_stand_ins(values, whole, k, rng)
        if arrow.is_text(type_) and not wrapped:
            return TextCodec.learn(name, values, whole, column.pii, k, rng)
    if wrapped:
        type_ = wrapped.plain_type
    written = wrapped.format if isinstance(wrapped, WrittenMoments) else column.format
    least_step = moments.resolution(written, type_) if arrow.is_integral(type_) else 1
    return NumberCodec.learn(name, values, k, least_step, options.maps, options.marginals, rng, wrapped)


def _learn_fresh(
    values: pa.ChunkedArray, whole: pa.ChunkedArray, column: Column, k: int, rng: np.random.Generator
) -> ColumnCodec:
    if arrow.is_text(values.type):
        if column.kind is ColumnKind.ID:
            return CodeCodec.learn(column.name, values, k, rng)
        return TextCodec.learn(column.name, values, whole, column.pii, k, rng)
    if pa.types.is_boolean(arrow.value_type(values.type)):
        raise InvalidTable(f"Column {column.name!r} is boolean: it cannot tell rows apart.", "kind_mismatch")
    null_share = arrow.kept_nulls(arrow.plain(values), k) / len(values)
    return learn_number_ids(column.name, whole, null_share, rng, k)


def _is_one_value(present: pa.Array) -> bool:
    if arrow.is_narrow_decimal(present.type):
        present = present.cast(pa.decimal128(present.type.precision, present.type.scale))
    return len(present[:1000].unique()) == 1 and len(present.unique()) == 1  # the first rows answer for most columns


def _repeats(texts: pa.ChunkedArray) -> bool:
    """Whether only their owner can have called them text. Then they are made afresh, though they be numbers."""
    present = arrow.plain(texts).drop_null()
    return are_categories(pc.count_distinct(present).as_py(), len(present))


def _wrapped(values: pa.ChunkedArray, column: Column, k: int) -> Wrapped | WrittenMoments | None:
    """Text that is declared to be numbers or moments, or that was taken for free text and is numbers; decimals that are
    whole numbers too long for floats."""
    if pa.types.is_decimal(values.type) and column.kind in (ColumnKind.INTEGER, ColumnKind.FLOAT):
        return Wrapped.find(values, k)
    if not arrow.is_text(values.type) or column.pii:
        return None
    if column.kind is ColumnKind.DATETIME:
        return WrittenMoments.find(values, column.format)
    return Wrapped.find(values, k) if column.kind in (ColumnKind.TEXT, ColumnKind.INTEGER, ColumnKind.FLOAT) else None


def _numbers(values: pa.ChunkedArray, k: int, *, are_categories: bool) -> Wrapped | None:
    """How the column keeps numbers; of text that may be categories only if all have a point and as many digits behind
    it, and hardly repeat or are about as frequent as their neighbours: whole ones may be codes, 1.10 a version, and
    71.22 a trade."""
    found = Wrapped.find(values, k)
    if found is None or not are_categories:
        return found
    if not found.decimals:
        return None
    _, counts = np.unique(found.unwrap(values).drop_null().to_numpy(), return_counts=True)
    repeat = counts[counts >= k].sum() > MANY_REPEAT * counts.sum()
    how_often = np.sqrt(counts) - np.sqrt(counts).mean()
    are_alike = how_often[:-1] @ how_often[1:] > LEAST_LIKENESS * (how_often @ how_often)
    return None if repeat and not are_alike else found


def _unread(column: Column) -> InvalidTable:
    if column.format and not is_format(column.format):
        detail = f"Column {column.name!r}: no dates or times can be read and written by the format {column.format!r}."
        return InvalidTable(f"{detail} Use one such as %d/%m/%Y or %H:%M.", "invalid_format")
    ways = f"all be read, and written again, by the format {column.format!r}" if column.format else "all be read"
    detail = f"Column {column.name!r} is declared to be of dates or times, but its cells cannot {ways}."
    return InvalidTable(f"{detail} Declare the format that all have, or no kind.", "format_mismatch")


def _for_all(
    find: Callable[[pa.ChunkedArray], Wrapped | WrittenMoments | None], values: pa.ChunkedArray, whole: pa.ChunkedArray
) -> Wrapped | WrittenMoments | None:
    """What is found in the rows of training if it reads those that are held out too, else what is found in all."""
    found = find(values)
    if found:
        with suppress(pa.ArrowException):
            found.unwrap(whole)
            return found
        return find(whole)
    return None


def _kind(declared: ColumnKind, type_: pa.DataType) -> ColumnKind:
    """The kind that the column is learnt as: what its type allows of what was declared."""
    if pa.types.is_boolean(type_):
        return ColumnKind.BOOLEAN
    if arrow.is_text(type_):
        return ColumnKind.CATEGORICAL
    is_category = declared in (ColumnKind.CATEGORICAL, ColumnKind.BOOLEAN, ColumnKind.CONSTANT)
    if is_category and arrow.can_be_categories(type_) and not pa.types.is_temporal(type_):
        return ColumnKind.CATEGORICAL
    return kind_of(type_)
