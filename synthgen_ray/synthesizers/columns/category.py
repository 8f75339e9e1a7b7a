"""Columns of categories: text or numbers that repeat, booleans. Held as integer codes, never one-hot."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from synthgen_ray.domain.columns import ColumnKind, LearnedColumn
from synthgen_ray.domain.conditions import key_of
from synthgen_ray.domain.errors import JobError
from synthgen_ray.domain.params import Condition
from synthgen_ray.synthesizers.columns import arrow
from synthgen_ray.synthesizers.columns.stand_ins import stand_ins_for
from synthgen_ray.synthesizers.columns.stored import MOST_ROWS, Count, Kind, Stored, Value

MANY_RARE = 0.05  # of the cells that hold a value


@dataclass(frozen=True)
class CategoryTarget:
    """What a condition leaves of a column: a weight for each code, and which of the tail's values."""

    weights: np.ndarray  # (width,): 1 or 0, of the tail's code the share that is asked for
    tail: np.ndarray  # (tail values,): whether asked for


@dataclass(frozen=True)
class CategoryCells:
    """Drawn cells, before they are written: codes (B,), and what was asked for if anything."""

    codes: np.ndarray
    target: CategoryTarget | None = None


class CategoryCodec(Stored):
    """Codes 0.. are `values`, the next is any value of the tail if there is one, the last is null if there is one.

    Values of a tail are frequent enough to come back, but too many to be learnt one by one: they share a code
    and are drawn by their counts. So do the stand-ins of values that are too rare to come back, the last ones of it.
    """

    kind: Literal["category"] = "category"
    name: str
    column_kind: Kind
    arrow_type: str
    values: tuple[Value, ...] = Field(min_length=1, max_length=10_000)
    counts: tuple[Count, ...]
    tail: tuple[Value, ...] = ()
    tail_counts: tuple[Count, ...] = ()
    stand_ins: Annotated[int, Field(ge=0)] = Field(default=0, exclude_if=lambda count: count == 0)
    nulls: Annotated[int, Field(ge=0, le=MOST_ROWS)] = 0
    # Rows whose value is too rare to be kept, where there are nulls and no stand-ins; files of before have none.
    rare: Annotated[int, Field(ge=0, le=MOST_ROWS)] = Field(default=0, exclude_if=lambda rare: rare == 0)
    offsets: tuple[float, ...] = ()  # of the codes' logits
    # How many values are before the tail on the line that a copula has them on; in files of before all are.
    tail_at: Annotated[int, Field(ge=0)] | None = Field(default=None, exclude_if=lambda place: place is None)
    # The places of values and tail as a dictionary has them, from its lowest if it is ordered; no others have them, nor
    # have files of before of one that is not ordered.
    rising: tuple[int, ...] = Field(default=(), exclude_if=lambda rising: not rising)

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if self.column_kind not in (ColumnKind.CATEGORICAL, ColumnKind.BOOLEAN):
            raise ValueError("not a kind of categories")
        if len(self.values) != len(self.counts) or len(self.tail) != len(self.tail_counts):
            raise ValueError("values and counts do not fit together")
        if self.stand_ins > len(self.tail):
            raise ValueError("more stand-ins than values")
        if self.tail_at is not None and not (self.tail and self.tail_at <= len(self.values)):
            raise ValueError("no tail, or no such place for it")
        type_ = arrow.type_of(self.arrow_type)
        if arrow.with_room(type_, len(self.values) + len(self.tail)) != type_:
            raise ValueError("a type of fewer values")
        if len(self.offsets) not in (0, self.width):
            raise ValueError("offsets do not fit")
        if len(self.dictionary.unique()) != len(self.values) + len(self.tail):
            raise ValueError("values repeat")
        if self.rising and sorted(self.rising) != list(range(len(self.values) + len(self.tail))):
            raise ValueError("an order of other values")
        return self

    @classmethod
    def learn(cls, name: str, kind: Kind, column: pa.ChunkedArray, k: int, most: int) -> Self | None:
        """`None` if no value is held by k rows: then there is nothing that may be kept."""
        array = _plain(column)
        counted = pc.value_counts(array.drop_null())
        counts = counted.field("counts").to_numpy()
        kept = np.flatnonzero(counts >= k)
        if len(kept) == 0:
            return None
        kept = kept[np.argsort(-counts[kept], kind="stable")]
        values = arrow.values_of(counted.field("values").take(pa.array(kept)))
        head = sorted(range(min(most, len(kept))), key=_order_of(values, array.type))
        learnt = [values[place] for place in head]
        nulls = arrow.kept_nulls(array, k)
        return cls(
            name=name,
            column_kind=kind,
            arrow_type=str(arrow.with_room(column.type, len(values))),
            values=tuple(learnt),
            counts=tuple(counts[kept][head].tolist()),
            tail=tuple(values[most:]),
            tail_counts=tuple(counts[kept][most:].tolist()),
            nulls=nulls,
            rare=len(array) - nulls - int(counts[kept].sum()) if nulls else 0,
            rising=_rising(learnt + values[most:], column),
        )

    def loses_many(self, column: pa.ChunkedArray) -> bool:
        """Whether so many cells of the text that was learnt hold a value too rare to be kept that it would show if the
        others had their share. Not of a dictionary, which says what values there are."""
        present = len(column) - column.null_count
        return column.type in arrow.TEXTS and present - sum(self.counts + self.tail_counts) > MANY_RARE * present

    def with_stand_ins(self, column: pa.ChunkedArray, whole: pa.ChunkedArray, k: int, rng: np.random.Generator) -> Self:
        """The same with texts made up for those that are too rare to come back, if these are numbered."""
        rare = column.filter(pa.array(self.is_unknown(column)))
        texts, counts = stand_ins_for(rare, whole, k, rng)
        if not texts:
            return self
        more = {"tail": (*self.tail, *texts), "tail_counts": (*self.tail_counts, *counts), "rare": 0}
        return type(self)(**self.model_dump() | more | {"stand_ins": len(texts)})

    def in_order(self, order: np.ndarray, tail_at: int | None = None) -> Self:
        """The same with its values in another order: `order` has the place where each stood."""
        moved = {name: tuple(getattr(self, name)[place] for place in order) for name in ("values", "counts")}
        places = [*np.argsort(order).tolist(), *range(len(order), len(order) + len(self.tail))]
        moved["rising"] = tuple(places[place] for place in self.rising)
        return type(self)(**(self.model_dump() | moved | {"tail_at": tail_at}))

    @property
    def learned(self) -> LearnedColumn:
        return LearnedColumn(self.name, self.column_kind, self.nulls > 0, self.values + self.tail)

    def column_of(self, table: pa.Table) -> pa.ChunkedArray:
        """What it is learnt from."""
        return table[self.name]

    @property
    def width(self) -> int:
        return len(self.values) + bool(self.tail) + bool(self.nulls)

    @property
    def line(self) -> np.ndarray:
        """The codes as a copula has them on a line, null the last."""
        codes, tail = np.arange(self.width), len(self.values)
        return codes if self.tail_at is None else np.insert(np.delete(codes, tail), self.tail_at, tail)

    @property
    def has_scalar(self) -> bool:
        return False

    @property
    def null_share(self) -> float:
        return float(self.shares[-1]) if self.nulls else 0.0

    @cached_property
    def shares(self) -> np.ndarray:
        """The frequency of each code in the training table; the others have those of values that are too rare."""
        tail = [sum(self.tail_counts)] if self.tail else []
        counts = np.array([*self.counts, *tail], dtype=np.float64)
        if self.nulls:
            present = counts.sum()
            counts = np.append(counts * ((present + self.rare) / present), self.nulls)
        return np.asarray(counts / counts.sum())

    def encode(self, column: pa.ChunkedArray, rng: np.random.Generator) -> tuple[np.ndarray, None]:
        """Codes; a value too rare to be kept, which null may be too, is replaced by a draw from the others, or has that
        of its stand-ins."""
        array = self.plain(column)
        places = pc.index_in(array, value_set=self.dictionary).fill_null(-1).to_numpy()
        codes = np.minimum(places, len(self.values)).astype(np.int32)
        is_null = np.asarray(array.is_null())
        null = is_null & (self.nulls > 0)
        rare = (places < 0) & ~null
        if self.stand_ins:
            codes[rare & ~is_null] = len(self.values)
            rare &= is_null
        present = self.shares[: self.width - bool(self.nulls)]
        codes[rare] = rng.choice(len(present), rare.sum(), p=present / present.sum())
        codes[null] = self.width - 1
        return codes, None

    def plain(self, column: pa.ChunkedArray) -> pa.Array:
        """The cells as plain values or nulls, wider floats than the model's as its own, to be found among them."""
        array, type_ = _plain(column), self.dictionary.type
        return array.cast(type_) if (array.type, type_) == (pa.float64(), pa.float32()) else array

    def is_unknown(self, column: pa.ChunkedArray) -> np.ndarray:
        """Which cells hold a value that is none of the model's, (N,)."""
        array = self.plain(column)
        return np.asarray(pc.and_(array.is_valid(), pc.invert(pc.is_in(array, value_set=self.dictionary))))

    def cells_of(self, column: pa.ChunkedArray, rng: np.random.Generator) -> CategoryCells:
        return CategoryCells(self.encode(column, rng)[0])

    def written(self, cells: CategoryCells, rng: np.random.Generator) -> pa.Array:
        codes, target = cells.codes, cells.target
        places = codes.astype(np.int32)
        if self.tail:
            in_tail = codes == len(self.values)
            weights = np.array(self.tail_counts, dtype=np.float64)
            weights *= target.tail if target is not None and target.tail.any() else 1
            places[in_tail] += rng.choice(len(weights), in_tail.sum(), p=weights / weights.sum()).astype(np.int32)
        null = codes == self.width - 1 if self.nulls else np.zeros(len(codes), dtype=bool)
        places, type_ = np.where(null, 0, places), arrow.type_of(self.arrow_type)
        if not self.rising:
            return arrow.dictionary_array(places, self.dictionary, type_, null)
        ordered = self.dictionary.take(pa.array(self.rising))
        return arrow.dictionary_array(np.argsort(self.rising)[places], ordered, type_, null)

    def target(self, condition: Condition) -> CategoryTarget:
        """Raises: JobError, if the column never takes such a value."""
        asked = condition if isinstance(condition, list) else [condition]
        head, tail = (_among(values, asked).astype(np.float64) for values in (self.values, self.tail))
        if not (head.any() or tail.any() or (None in asked and self.nulls)):
            raise JobError(f"conditions.{self.name}: the model knows no such value.", "conditions_unsatisfiable")
        of_tail = [tail @ np.array(self.tail_counts) / sum(self.tail_counts)] if self.tail else []
        of_null = [float(None in asked)] if self.nulls else []
        return CategoryTarget(np.concatenate([head, of_tail, of_null]), tail > 0)

    def obeys(self, column: pa.ChunkedArray, condition: Condition) -> np.ndarray:
        """Which cells are as asked for, (N,)."""
        asked = condition if isinstance(condition, list) else [condition]
        array = self.plain(column)
        places = pc.index_in(array, value_set=self.dictionary).fill_null(-1).to_numpy()
        wanted = np.append(_among(self.values + self.tail, asked), False)  # the last one: null, or none of the model's
        return np.asarray(wanted[places] | (np.asarray(array.is_null()) & (None in asked)))

    @cached_property
    def dictionary(self) -> pa.Array:
        """The values, and those of the tail behind them."""
        return arrow.of_values(self.values + self.tail, arrow.value_type(arrow.type_of(self.arrow_type)))


class GapCodec(CategoryCodec):
    """Of a column that is made afresh, whether a cell is missing: True where it is. It has that column's name."""

    @model_validator(mode="after")
    def _is_a_truth(self) -> Self:
        if self.arrow_type != "bool" or self.nulls:
            raise ValueError("not whether a cell is missing")
        return self

    @classmethod
    def of(cls, name: str, column: pa.ChunkedArray, k: int) -> Self | None:
        """`None` where fewer than k cells are missing, or are there."""
        missing = arrow.plain(column).is_null()
        if not k <= missing.true_count <= len(missing) - k:
            return None
        return cls.learn(name, ColumnKind.BOOLEAN, pa.chunked_array([missing]), k, 2)

    def plain(self, column: pa.ChunkedArray) -> pa.Array:
        return arrow.plain(column).is_null()

    def is_unknown(self, column: pa.ChunkedArray) -> np.ndarray:
        """Where gaps are filled, a missing cell is one of them, and says nothing of the others."""
        return np.asarray(self.plain(column))


def _among(values: Sequence[Value], asked: Sequence[Hashable]) -> np.ndarray:
    """Which values are asked for, (values,)."""
    keys = set(map(key_of, asked))
    return np.array([key_of(value) in keys for value in values], dtype=bool)


def _plain(column: pa.ChunkedArray) -> pa.Array:
    """To Arrow 0.0 and -0.0 are two values; to who asks for one of them they are one."""
    array = arrow.plain(column)
    return pc.add(array, pa.scalar(0, array.type)) if pa.types.is_floating(array.type) else array


def _rising(values: Sequence[Value], column: pa.ChunkedArray) -> tuple[int, ...]:
    """The places of the values in the order of the column's dictionary, if it has one."""
    if not pa.types.is_dictionary(column.type):
        return ()
    all_values = arrow.values_of(arrow.dictionary_of(column))
    ranks = {value: rank for rank, value in reversed(list(enumerate(all_values)))}
    return tuple(sorted(range(len(values)), key=lambda place: ranks[values[place]]))


def _order_of(values: Sequence[Value], type_: pa.DataType) -> Callable[[int], Any]:
    """By what to put them in order. Codes follow numbers, of which neighbours are alike; words stay as they are."""
    if pa.types.is_decimal(type_):  # some of which are held as text
        return lambda place: Decimal(str(values[place]))
    return (lambda place: place) if isinstance(values[0], str) else (lambda place: values[place])
