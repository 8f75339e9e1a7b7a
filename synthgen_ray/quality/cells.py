"""Tables as arrays that can be compared: numbers, and codes of categories that all tables share."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthgen_ray.datasets.datetime_text import UNITS_PER_DAY
from synthgen_ray.datasets.decimals import as_floats
from synthgen_ray.domain.columns import FRESH, Column, ColumnKind
from synthgen_ray.domain.errors import InvalidTable

NANOSECONDS_PER_DAY = UNITS_PER_DAY["ns"]
NULL = -1  # the code of a missing category
NUMBERS = (ColumnKind.INTEGER, ColumnKind.FLOAT, ColumnKind.DATETIME)

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Cells:
    """The columns of a table that can be compared, in their order.

    Shapes: each (N,); of numbers float64 with NaN for null, moments in nanoseconds since 1970; of categories int32.
    """

    columns: dict[str, Array]

    @cached_property
    def num_rows(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.columns)

    def is_number(self, name: str) -> bool:
        return bool(self.columns[name].dtype == np.float64)

    def nulls(self, name: str) -> Array:
        """(N,) of booleans."""
        column = self.columns[name]
        return np.asarray(np.isnan(column) if self.is_number(name) else column == NULL)

    def rows(self, places: Array | slice) -> "Cells":
        return Cells({name: column[places] for name, column in self.columns.items()})

    def sample(self, most: int, chance: np.random.Generator) -> "Cells":
        """So many rows in random order, or the table as it is where it has no more."""
        if self.num_rows <= most:
            return self
        return self.rows(chance.choice(self.num_rows, most, replace=False))


def read_cells(tables: Sequence[pa.Table], columns: Sequence[Column]) -> tuple[list[Cells], dict[str, list[str]]]:
    """The tables' cells, and each category's text by its code; ids and texts are left out.

    Codes follow the order of the values. Raises: InvalidTable where a table lacks a column or has no rows.
    """
    _check(tables, columns)
    found: list[dict[str, Array]] = [{} for _ in tables]
    labels: dict[str, list[str]] = {}
    for column in columns:
        if column.kind in FRESH:
            continue
        parts = [table[column.name] for table in tables]
        if column.kind in NUMBERS and not any(is_text(part) for part in parts):
            arrays = [_numbers(part) for part in parts]
        else:
            arrays, labels[column.name] = shared_codes(parts)
        for cells, array in zip(found, arrays, strict=True):
            cells[column.name] = array
    return [Cells(cells) for cells in found], labels


def with_gaps(cells: Cells, table: pa.Table, columns: Sequence[Column]) -> Cells:
    """With the ids and texts, of which nothing is told but where a value is missing: the others all have one code."""
    fresh = [column.name for column in columns if column.kind in FRESH]
    gaps = {name: np.where(table[name].is_null().to_numpy(), NULL, 0).astype(np.int32) for name in fresh}
    return Cells(cells.columns | gaps)


def shared_codes(parts: Sequence[pa.ChunkedArray]) -> tuple[list[Array], list[str]]:
    """The codes of several columns of one kind, (N,) each of int32, and the text of each code."""
    if len({part.type for part in parts}) > 1:
        parts = [part.cast(pa.string()) for part in parts]
    encoded = pa.chunked_array([chunk for part in parts for chunk in part.chunks], parts[0].type)
    encoded = encoded.dictionary_encode().combine_chunks()
    order = pc.sort_indices(encoded.dictionary)
    rank = np.full(len(order) + 1, NULL, np.int32)  # the last one is that of null
    rank[order.to_numpy()] = np.arange(len(order))
    codes = rank[pc.fill_null(encoded.indices, NULL).to_numpy()]
    texts = encoded.dictionary.take(order).cast(pa.string()).to_pylist()
    return np.split(codes, np.cumsum([len(part) for part in parts])[:-1]), texts


def is_text(part: pa.ChunkedArray) -> bool:
    return bool(pa.types.is_string(part.type) or pa.types.is_large_string(part.type))


def _numbers(part: pa.ChunkedArray) -> Array:
    scale = 1
    if pa.types.is_date32(part.type):
        part, scale = part.cast(pa.int32()), NANOSECONDS_PER_DAY
    elif pa.types.is_timestamp(part.type):
        part, scale = part.cast(pa.int64()), NANOSECONDS_PER_DAY // UNITS_PER_DAY[part.type.unit]
    elif pa.types.is_decimal(part.type):
        part = as_floats(part)
    return np.asarray(part.cast(pa.float64(), safe=False).to_numpy() * scale)


def _check(tables: Sequence[pa.Table], columns: Sequence[Column]) -> None:
    for table in tables:
        if table.num_rows == 0:
            raise InvalidTable("A table without rows cannot be compared.", "no_rows")
        lacking = [column.name for column in columns if column.name not in table.column_names]
        if lacking:
            detail = f"A table that is compared lacks the column '{lacking[0]}'."
            raise InvalidTable(detail, "column_mismatch")
