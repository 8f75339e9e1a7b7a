"""A table's columns: statistics of each, from which `domain.columns` infers the kind."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthgen_ray.datasets.date_guessing import DATE
from synthgen_ray.datasets.pii import find_pii
from synthgen_ray.domain.columns import MIN_NAMED_ID_SHARE, NEARLY_UNIQUE, Column, ColumnKind, ColumnStats, infer_kind

# Values that the costly looks (shape, personal data) see, spread evenly over the column.
SAMPLE = 2000
SLICES = 50
# Share of steps or shapes that must be alike.
MOST = 0.9


def infer_columns(table: pa.Table, formats: Mapping[str, str] | None = None) -> tuple[Column, ...]:
    """The columns of a table, kinds inferred from values and names.

    `formats` holds, by column, how values that came as text were written.
    """
    formats = formats or {}
    return tuple(
        _column(name, values, formats.get(name)) for name, values in zip(table.column_names, table.columns, strict=True)
    )


def _column(name: str, values: pa.ChunkedArray, written: str | None) -> Column:
    stats = _stats(name, values)
    kind = infer_kind(stats)
    return Column(
        name=name,
        kind=kind,
        nullable=stats.num_nulls > 0,
        unique=0 < stats.cardinality == stats.num_values,
        cardinality=stats.cardinality,
        format=written,
        pii=stats.pii if kind is ColumnKind.TEXT else None,
    )


def _stats(name: str, values: pa.ChunkedArray) -> ColumnStats:
    is_dictionary = pa.types.is_dictionary(values.type)
    if is_dictionary:
        values = values.cast(values.type.value_type)
    storage = _storage(values.type)
    if storage == "text":
        values = values.cast(pa.string())
    num_rows, num_nulls = len(values), values.null_count
    cardinality = 0 if storage == "null" else pc.count_distinct(values, mode="only_valid").as_py()
    share = cardinality / max(num_rows - num_nulls, 1)
    sample = _sample(values) if storage == "text" else None
    return ColumnStats(
        name=name,
        # For numbers a dictionary says that they are codes; for text it is but an encoding.
        storage="category" if is_dictionary and sample is None else storage,
        num_rows=num_rows,
        num_nulls=num_nulls,
        cardinality=cardinality,
        sequential=storage == "integer" and share >= NEARLY_UNIQUE and _is_sequential(values),
        code_shaped=sample is not None and share >= MIN_NAMED_ID_SHARE and _is_code_shaped(sample),
        pii=find_pii(name, sample, share) if sample is not None else None,
    )


def _storage(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_integer(kind):
        return "integer"
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "float"
    if pa.types.is_temporal(kind):
        return "datetime"
    return "null" if pa.types.is_null(kind) else "text"


def _sample(values: pa.ChunkedArray) -> pa.Array:
    """Some values, in slices from the whole length of the column: a slice copies nothing."""
    if len(values) <= SAMPLE:
        return values.drop_null().combine_chunks()
    starts = np.linspace(0, len(values) - SAMPLE // SLICES, SLICES).astype(int)
    slices = [values.slice(start, SAMPLE // SLICES).drop_null() for start in starts]
    sample = pa.chunked_array([chunk for piece in slices for chunk in piece.chunks], values.type).combine_chunks()
    # Where nearly all is null, what is left is small enough to be copied.
    return sample if len(sample) >= SLICES else values.drop_null().slice(0, SAMPLE).combine_chunks()


def _is_sequential(values: pa.ChunkedArray) -> bool:
    """Whether distinct integers rise or fall by one step, or fill most of their range."""
    present = values.drop_null()
    bounds = pc.min_max(present).as_py()
    if bounds["max"] - bounds["min"] < 2 * len(present):
        return True
    numbers = present.slice(0, SAMPLE).to_numpy().astype(object)  # differences may exceed 64 bits
    steps = np.diff(numbers)
    _, counts = np.unique(steps, return_counts=True)
    return bool(counts.max(initial=0) >= MOST * max(len(steps), 1))


def _is_code_shaped(sample: pa.Array) -> bool:
    """Whether text has no blanks, has digits, and shares one shape that is no date's: `7590-VHVEG`, `N12A1`, a UUID."""
    if pc.sum(pc.match_substring_regex(sample, f"^{DATE}$")).as_py() >= MOST * len(sample):
        return False
    if pc.sum(pc.match_substring_regex(sample, r"\s")).as_py() > (1 - MOST) * len(sample):
        return False
    if 2 * pc.sum(pc.match_substring_regex(sample, r"[0-9]")).as_py() < len(sample):
        return False
    same_length = pc.replace_substring_regex(sample, r"[\pL\pN]", "X")
    same_runs = pc.replace_substring_regex(pc.replace_substring_regex(sample, r"\pL+", "A"), r"\pN+", "9")
    return any(_top_count(shapes) >= MOST * len(sample) for shapes in (same_length, same_runs))


def _top_count(shapes: pa.Array) -> int:
    return int(pc.max(pc.value_counts(shapes).field("counts")).as_py())
