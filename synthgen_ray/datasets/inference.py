"""A table's columns: statistics of each, from which `domain.columns` infers the kind."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthgen_ray.datasets.date_guessing import DATE
from synthgen_ray.datasets.decimals import as_numbers
from synthgen_ray.datasets.pii import find_pii
from synthgen_ray.domain.column_names import names_an_id
from synthgen_ray.domain.columns import MIN_NAMED_ID_SHARE, NEARLY_UNIQUE, Column, ColumnKind, ColumnStats, infer_kind

# Values that the costly looks (shape, personal data) see, spread evenly over the column.
SAMPLE = 2000
SLICES = 50
# Share of steps or shapes that must be alike.
MOST = 0.9
# Share of the steps between neighbouring values of which a list of codes has one size: stores from 1 to 400, of which
# some were closed, or codes in tens. Of values drawn by chance so many are alike as the share of the range they fill.
LISTED = 0.5
DIGITS = 15  # of a code are looked at, the last ones


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
    if pa.types.is_decimal(values.type):
        values = as_numbers(values)
    storage = _storage(values.type)
    if storage == "text":
        values = values.cast(pa.string())
    elif storage == "float":
        values = pc.if_else(pc.is_nan(values), None, values)
    num_rows, num_nulls = len(values), values.null_count
    cardinality = 0 if storage == "null" else pc.count_distinct(values, mode="only_valid").as_py()
    share = cardinality / max(num_rows - num_nulls, 1)
    sample = _sample(values) if storage == "text" and cardinality else None
    named_id = names_an_id(name)
    code_shaped = sample is not None and (named_id or share >= MIN_NAMED_ID_SHARE) and _is_code_shaped(sample)
    return ColumnStats(
        name=name,
        # For numbers a dictionary says that they are codes; for text it is but an encoding.
        storage="category" if is_dictionary and storage != "text" else storage,
        num_rows=num_rows,
        num_nulls=num_nulls,
        cardinality=cardinality,
        sequential=storage == "integer" and share >= NEARLY_UNIQUE and _is_sequential(values),
        whole=storage == "integer" or (storage == "float" and named_id and _are_whole(values)),
        code_shaped=code_shaped,
        scattered=named_id and (code_shaped or storage in ("integer", "float")) and is_scattered(values),
        pii=find_pii(name, sample, share) if sample is not None else None,
    )


def _storage(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_integer(kind):
        return "integer"
    if pa.types.is_floating(kind):
        return "float"
    if pa.types.is_temporal(kind):
        return "datetime"
    return "null" if pa.types.is_null(kind) else "text"


def _sample(values: pa.ChunkedArray) -> pa.Array:
    """Some values, in slices from the whole length of the column: a slice copies nothing."""
    if len(values) <= SAMPLE:
        return values.drop_null().combine_chunks()
    starts = np.linspace(0, len(values) - SAMPLE // SLICES, SLICES).astype(int)
    slices = [values.slice(start, SAMPLE // SLICES) for start in starts]
    chunks = [chunk for piece in slices for chunk in piece.chunks]
    sample = pa.chunked_array(chunks, values.type).combine_chunks().drop_null()
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
    return bool(np.max(counts, initial=0) >= MOST * max(len(steps), 1))


def is_scattered(values: pa.ChunkedArray | pa.Array) -> bool:
    """Whether distinct whole numbers, or the digits of codes, have gaps of all sizes between them.

    A list of codes has gaps of one size, but for a few: one value far away makes no list scattered.
    """
    distinct = values.unique().drop_null()
    if pa.types.is_string(distinct.type):
        digits = pc.utf8_slice_codeunits(pc.replace_substring_regex(distinct, r"[^0-9]", ""), -DIGITS)
        distinct = pc.cast(pc.if_else(pc.equal(digits, ""), "0", digits), pa.int64())
    elif not pa.types.is_integer(distinct.type):
        distinct = pc.cast(distinct, pa.float64(), safe=False)
        if not _are_whole(distinct):
            return False
    steps = np.diff(np.unique(distinct.to_numpy(zero_copy_only=False)))  # of 64 bits they may wrap, each to its own
    _, counts = np.unique(steps, return_counts=True)
    return bool(np.max(counts, initial=0) < LISTED * len(steps))


def _are_whole(floats: pa.ChunkedArray | pa.Array) -> bool:
    floats = pc.cast(floats, pa.float64())  # half precision cannot be rounded
    return bool(pc.all(pc.equal(floats, pc.round(floats)), min_count=0).as_py())


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
