"""How many bytes a model's rows may take, so that rows for which there is no room are refused before they are drawn."""

import json
from collections.abc import Sequence
from dataclasses import replace

from synthgen_ray.domain.columns import CELL_BYTES, LearnedColumn, Scalar
from synthgen_ray.domain.errors import JobError, TooLarge

CHUNK_BYTES = 64 * 2**20  # of the rows that a model draws at a time, by which it is trained
# Of those of models that were made elsewhere or before: they are in memory at once, several times over.
MAX_CHUNK_BYTES = 512 * 2**20
MAX_BYTES = 64 * 2**30  # of all rows of a generation
MAX_CHUNKS = 20_000  # of a generation: some of them are a file each
# Characters of all categories that are kept beside a model, each time read with it.
MAX_LISTED = 2 * 2**20
WITH_NAMES = frozenset({"json", "jsonl"})  # the formats that repeat all names in each row


def widest_row(columns: Sequence[LearnedColumn]) -> int:
    """Bytes of the longest row that can be drawn."""
    return sum(max(column.widest, widest_of(column.categories or ())) for column in columns)


def names_width(names: Sequence[str]) -> int:
    """Bytes of a row of JSON beside its cells."""
    written = [json.dumps(name, ensure_ascii=False).encode() for name in names]
    return len("{},\n") + sum(len(name) + len(':"",') for name in written)


def widest_of(values: Sequence[Scalar | None]) -> int:
    return max((len(value.encode()) if isinstance(value, str) else CELL_BYTES for value in values), default=0)


def check_room(num_rows: int, chunk_rows: int, columns: Sequence[LearnedColumn], form: str = "") -> None:
    """Refuse rows that, were all as long as the longest one, nobody would have room for. Raises: TooLarge."""
    names = names_width([column.name for column in columns]) if form in WITH_NAMES else 0
    widest = max(widest_row(columns) + names, 1)
    most = min(MAX_BYTES // widest, MAX_CHUNKS * chunk_rows)
    if widest * chunk_rows > MAX_CHUNK_BYTES:
        most = min(most, MAX_CHUNK_BYTES // widest)
    if num_rows > most:
        detail = f"A row of this model may have {widest:,} bytes: at most {most:,} rows are drawn at once."
        raise TooLarge(detail, "rows_too_large")


def rows_too_large() -> JobError:
    return JobError("The rows are too large to be drawn together: ask for fewer.", "rows_too_large")


def listed(columns: Sequence[LearnedColumn]) -> tuple[LearnedColumn, ...]:
    """The columns without the categories of those that have the most to list, where all are too much.

    Whether such a column knows a value is found when it is drawn.
    """
    left, kept = MAX_LISTED, dict[str, LearnedColumn]()
    for column in sorted(columns, key=_size):
        left -= _size(column)
        kept[column.name] = column if left >= 0 else _unlisted(column)
    return tuple(kept[column.name] for column in columns)


def _size(column: LearnedColumn) -> int:
    return sum(len(str(value)) for value in column.categories or ())


def _unlisted(column: LearnedColumn) -> LearnedColumn:
    widest = max(column.widest, widest_of(column.categories or ()))
    return replace(column, categories=None, unlisted=True, widest=widest)
