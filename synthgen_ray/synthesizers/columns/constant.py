"""Columns of one value, or of none at all: remembered."""

from typing import Literal, Self

import numpy as np
import pyarrow as pa

from synthgen_ray.domain.columns import ColumnKind, LearnedColumn
from synthgen_ray.domain.params import Condition
from synthgen_ray.synthesizers.columns import arrow, moments
from synthgen_ray.synthesizers.columns.stored import Kind, Stored, TypeName, Value


class ConstantCodec(Stored):
    kind: Literal["constant"] = "constant"
    name: str
    arrow_type: TypeName
    column_kind: Kind = ColumnKind.CONSTANT
    value: Value | None

    @classmethod
    def learn(cls, name: str, column: pa.ChunkedArray) -> Self:
        present = arrow.plain(column).drop_null()
        return cls(
            name=name, arrow_type=str(column.type), value=arrow.values_of(present[:1])[0] if len(present) else None
        )

    @property
    def learned(self) -> LearnedColumn:
        type_ = arrow.type_of(self.arrow_type)
        if self.value is None:
            return LearnedColumn(self.name, ColumnKind.CONSTANT, True, ())
        value = moments.iso(int(self.value), type_) if moments.is_moment(type_) else self.value
        return LearnedColumn(self.name, ColumnKind.CONSTANT, False, (value,))

    def obeys(self, column: pa.ChunkedArray, condition: Condition) -> np.ndarray:  # noqa: ARG002 - as a category's
        """Which cells are as asked for, (N,): there is one thing only that may be."""
        array = arrow.plain(column)
        return np.asarray(array.is_null() if self.value is None else array.is_valid())

    def make(self, num_rows: int) -> pa.Array:
        type_ = arrow.type_of(self.arrow_type)
        if self.value is None:
            return pa.nulls(num_rows, type_)
        one = arrow.of_values([self.value], arrow.value_type(type_))
        return arrow.as_type(pa.repeat(one[0], num_rows), type_)
