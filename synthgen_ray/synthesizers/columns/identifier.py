"""Columns that only tell rows apart: not learnt, made afresh, unique over a whole job, none from the table."""

import string
from typing import Annotated, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from synthgen_ray.domain.columns import ColumnKind, LearnedColumn
from synthgen_ray.domain.errors import JobError
from synthgen_ray.synthesizers.columns import arrow
from synthgen_ray.synthesizers.columns.seen import Seen
from synthgen_ray.synthesizers.columns.shape import MOST_PLACES, Shape
from synthgen_ray.synthesizers.columns.stored import Kind, Share, Stored


class CodeCodec(Stored):
    """Text ids: new codes of the commonest length's shape.

    A code is `shape.write(place)`. A row's first two places in a shape are its number in the job and half the
    shape's size further; if both codes are in the table, or the shape is too small for so many rows, it looks in
    the shape made longer. All places of all rows differ, so all ids do.
    """

    kind: Literal["code"] = "code"
    name: str
    column_kind: Kind = ColumnKind.ID
    arrow_type: str
    shape: Shape
    longest: Annotated[int, Field(ge=1)]
    null_share: Share
    seen: Seen

    @classmethod
    def learn(cls, name: str, column: pa.ChunkedArray, k: int, rng: np.random.Generator) -> Self:
        array = arrow.plain(column).cast(pa.string())
        lengths = pc.utf8_length(array.drop_null()).to_numpy()
        commonest = max(int(np.bincount(lengths).argmax()), 1)
        alike = array.drop_null().filter(pa.array(lengths == commonest))
        if len(alike) >= k and commonest <= MOST_PLACES:
            shape = Shape.of(alike.to_numpy(zero_copy_only=False))
        else:
            shape = Shape(alphabets=(string.digits,) * min(commonest, MOST_PLACES))
        return cls(
            name=name,
            arrow_type=str(column.type),
            shape=shape,
            longest=int(lengths.max()) | 7,  # rounded up: one row's own length is nobody's business
            null_share=array.null_count / len(array),
            seen=Seen.learn(array, rng),
        )

    @property
    def learned(self) -> LearnedColumn:
        return LearnedColumn(self.name, ColumnKind.ID, self.null_share > 0)

    def make(self, rows: np.ndarray, key: int, rng: np.random.Generator) -> pa.Array:
        """Ids of the rows with these numbers in a job; the key is the job's."""
        texts = np.empty(len(rows), dtype=object)
        open_ = np.arange(len(rows))
        for extra in range(self.longest + 64):
            shape = self.shape.longer(extra)
            for start in (0, shape.size // 2):
                fitting = open_[rows[open_] < shape.size // 2]
                made = shape.write(rows[fitting] + start, key + extra)
                new = np.full(len(made), True) if len(shape.alphabets) > self.longest else ~self.seen.contains(made)
                texts[fitting[new]] = made[new]
                open_ = np.setdiff1d(open_, fitting[new], assume_unique=True)
            if len(open_) == 0:
                break
        null = rng.random(len(rows)) < self.null_share
        return arrow.as_type(pa.array(texts, pa.string(), mask=null), arrow.type_of(self.arrow_type))


class SequenceCodec(Stored):
    """Integer ids: they go on above the table's largest, or below its smallest where there is more room."""

    kind: Literal["sequence"] = "sequence"
    name: str
    column_kind: Kind = ColumnKind.ID
    arrow_type: str
    start: int = Field(ge=-(2**64), lt=2**65)
    step: Literal[1, -1]
    room: int = Field(ge=0, lt=2**65)
    null_share: Share

    @classmethod
    def learn(cls, name: str, column: pa.ChunkedArray) -> Self:
        array = arrow.plain(column)
        whole = array.drop_null() if arrow.is_integral(array.type) else array.drop_null().cast(pa.int64(), safe=False)
        ids = arrow.integers(whole)
        least, most = _limits(array.type)
        above, below = most - int(ids.max()), int(ids.min()) - least
        up = above >= min(below, 2**31)
        return cls(
            name=name,
            arrow_type=str(column.type),
            start=int(ids.max()) + 1 if up else int(ids.min()) - 1,
            step=1 if up else -1,
            room=above if up else below,
            null_share=array.null_count / len(array),
        )

    @property
    def learned(self) -> LearnedColumn:
        return LearnedColumn(self.name, ColumnKind.ID, self.null_share > 0)

    def make(self, rows: np.ndarray, key: int, rng: np.random.Generator) -> pa.Array:  # noqa: ARG002 - made like the others
        if len(rows) and int(rows.max()) >= self.room:
            raise JobError(f"Column {self.name!r}: its type {self.arrow_type} holds no further ids.", "ids_exhausted")
        type_ = arrow.type_of(self.arrow_type)
        null = rng.random(len(rows)) < self.null_share
        if type_ == pa.uint64():
            steps = rows.astype(np.uint64)
            return pa.array(
                np.uint64(self.start) + steps if self.step > 0 else np.uint64(self.start) - steps, mask=null
            )
        ids = self.start + self.step * rows.astype(np.int64)
        if arrow.is_integral(type_):
            return arrow.of_integers(ids, type_, null)
        return arrow.as_type(pa.array(ids, mask=null), type_)


def _limits(type_: pa.DataType) -> tuple[int, int]:
    if pa.types.is_floating(type_):
        digits = {16: 11, 32: 24, 64: 53}[type_.bit_width]
        return -(2**digits), 2**digits
    if pa.types.is_decimal(type_):
        most = min(10 ** (type_.precision - max(type_.scale, 0)), 2**63) - 1
        return -most, most
    bits = type_.bit_width
    return (0, 2**bits - 1) if pa.types.is_unsigned_integer(type_) else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
