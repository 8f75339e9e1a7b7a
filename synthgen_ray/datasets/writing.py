"""A table becomes a file: CSV, JSON lines or Parquet.

The same table gives the same bytes, and what is written for a row does not depend on the other
rows, so parts written by several workers concatenate into one file. Rows are built as text by
whole columns; there is no loop over rows.
"""

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from synthgen_ray.datasets.canonical import is_text
from synthgen_ray.datasets.csv_safety import without_formulas
from synthgen_ray.datasets.datetime_text import datetimes_as_text
from synthgen_ray.domain.columns import CELL_BYTES, Column
from synthgen_ray.domain.params import OutputFormat

BATCH_ROWS = 65_536
BATCH_BYTES = 64 * 2**20  # of text; escapes may make six times as much of it, and an array of text ends at 2 GiB
GROUP_ROWS = 2**20  # of Parquet, as pyarrow has it
MOST_DIGITS = 76  # of a decimal
NEEDS_QUOTES = r'[",\r\n]'
EMPTY = r"|^$"  # of text, which is no null
NEEDS_ESCAPES = r'["\\\x00-\x1f]'
QUOTED_BYTES = b'",\r\n'
ESCAPED_BYTES = b'"\\' + bytes(range(0x20))


def write_csv(
    table: pa.Table, columns: Sequence[Column], sink: BinaryIO, header: bool = True, *, safe: bool = False
) -> None:
    """Write RFC 4180 rows that end in a line feed; a null is an empty cell, an empty text a pair of quotes.

    `safe` is for spreadsheets: no text and no column name is a formula to them.
    """
    if header:
        names = table.column_names
        if safe:
            names = without_formulas(pa.array(names, pa.string())).to_pylist()
        names = [_quoted(name) if re.search(NEEDS_QUOTES, name) else name for name in names]
        sink.write((",".join(names) + "\n").encode())
    by_name = {column.name: column for column in columns}
    # A lone empty cell would be a blank line, which readers skip.
    null = '""' if table.num_columns == 1 else ""
    for batch in _batches(table):
        cells = [
            _csv_cells(values, by_name.get(name), safe)
            for name, values in zip(table.column_names, batch.columns, strict=True)
        ]
        _write_lines(pc.binary_join_element_wise(*cells, ",", null_handling="replace", null_replacement=null), sink)


def csv_blocks(parquet: Path, columns: Sequence[Column], *, safe: bool = False) -> Iterator[bytes]:
    """A canonical Parquet file as CSV, some rows at a time."""
    is_first = True
    for batch in _read_batches(parquet):
        for piece in _batches(pa.Table.from_batches([batch])):
            block = BytesIO()
            write_csv(pa.Table.from_batches([piece]), columns, block, header=is_first, safe=safe)
            is_first = False
            yield block.getvalue()


def write_jsonl(table: pa.Table, columns: Sequence[Column], sink: BinaryIO) -> None:
    """Write one JSON object per row; dates are text, a null or a number that is not finite is null."""
    by_name = {column.name: column for column in columns}
    for batch in _batches(table, sum(len(json.dumps(name)) for name in table.column_names)):
        members: list[str | pa.Array] = []
        for place, (name, values) in enumerate(zip(table.column_names, batch.columns, strict=True)):
            members.append(("{" if place == 0 else ",") + json.dumps(name, ensure_ascii=False) + ":")
            members.append(_json_values(values, by_name.get(name)).fill_null("null"))
        _write_lines(_joined(*members, "}"), sink)


def write_parquet(table: pa.Table, sink: BinaryIO) -> None:
    """Write a Parquet file, compressed, without metadata of a library. Its row groups are no more text than a reader
    has room for."""
    _write_groups(_pieces(table, GROUP_ROWS) if table.num_rows else [table], sink)


def write_file(
    tables: Iterable[pa.Table],
    columns: Sequence[Column],
    form: OutputFormat,
    sink: BinaryIO,
    *,
    safe: bool = False,
) -> None:
    """Write tables one after the other as one file, in Parquet a row group or more each; `safe` as of `write_csv`."""
    if form is OutputFormat.PARQUET:
        _write_groups(tables, sink)
        return
    for number, table in enumerate(tables):
        if form is OutputFormat.CSV:
            write_csv(table, columns, sink, header=number == 0, safe=safe)
        else:
            write_jsonl(table, columns, sink)


def as_text(values: pa.Array, column: Column | None) -> pa.Array:
    """The values as they are written; null where they are null or NaN. Of a duration it is a number, of its unit."""
    written = column.format if column else None
    if pa.types.is_boolean(values.type) and written:
        true, _, false = written.partition("/")
        return pc.if_else(values, true, false)
    if pa.types.is_timestamp(values.type) or pa.types.is_date(values.type):
        return datetimes_as_text(values, written)
    if pa.types.is_floating(values.type):
        text = pc.cast(pc.if_else(pc.is_nan(values), None, values), pa.string())
        return pc.replace_substring_regex(text, r"^(-?[0-9]+)$", r"\1.0") if written == "0.0" else text
    return pc.cast(values, pa.string())


def _write_groups(groups: Iterable[pa.Table], sink: BinaryIO) -> None:
    with ExitStack() as stack:
        writer: pq.ParquetWriter | None = None
        for group in groups:
            bare = _storable(group.replace_schema_metadata(None))
            writer = writer or stack.enter_context(pq.ParquetWriter(sink, bare.schema, compression="zstd"))
            writer.write_table(bare, row_group_size=GROUP_ROWS)


def _storable(table: pa.Table) -> pa.Table:
    """Parquet has no negative scale: decimals of one are whole, of as many more digits."""
    for place, (name, type_) in enumerate(zip(table.column_names, table.schema.types, strict=True)):
        if pa.types.is_decimal(type_) and type_.scale < 0:
            whole = pa.decimal256(min(type_.precision - type_.scale, MOST_DIGITS), 0)
            table = table.set_column(place, name, table[place].cast(whole))
    return table


def _batches(table: pa.Table, names_bytes: int = 0) -> Iterator[pa.RecordBatch]:
    """The rows in order, some at a time; `names_bytes` are written with each row."""
    most_rows = BATCH_BYTES // (names_bytes + CELL_BYTES * max(table.num_columns, 1))
    for piece in _pieces(table, max(1, min(BATCH_ROWS, most_rows))):
        yield from piece.to_batches()


def _read_batches(parquet: Path) -> Iterator[pa.RecordBatch]:
    """The rows of a file in order. A batch never reaches into a second row group, whose text would add to its own."""
    with pq.ParquetFile(parquet, memory_map=True) as file:
        most_rows = max(1, min(BATCH_ROWS, BATCH_BYTES // (CELL_BYTES * max(file.metadata.num_columns, 1))))
        for group in range(file.num_row_groups):
            yield from file.iter_batches(most_rows, row_groups=[group])


def _pieces(table: pa.Table, most_rows: int) -> Iterator[pa.Table]:
    """Slices of so many rows at most, and of no more text than is written at a time; a row is never cut."""
    ends = np.cumsum(_text_bytes(table))
    start = 0
    while start < table.num_rows:
        before = ends[start - 1] if start else 0
        stop = int(np.searchsorted(ends, before + BATCH_BYTES, side="right"))
        stop = min(max(stop, start + 1), start + most_rows)
        yield table.slice(start, stop - start)
        start = stop


def _text_bytes(table: pa.Table) -> np.ndarray:
    """Of each row, all texts together."""
    total = np.zeros(table.num_rows, dtype=np.int64)
    for column in table.columns:
        if is_text(column.type) or pa.types.is_dictionary(column.type):
            lengths = [_lengths(chunk) for chunk in column.chunks]
            total += np.concatenate(lengths) if lengths else 0
    return total


def _lengths(texts: pa.Array) -> np.ndarray:
    if pa.types.is_dictionary(texts.type):
        if not is_text(texts.type.value_type):
            return np.zeros(len(texts), dtype=np.int64)
        lengths = pa.array(_lengths(texts.dictionary)).take(texts.indices)
    else:
        lengths = pc.binary_length(texts)
    return np.asarray(pc.fill_null(lengths, 0).to_numpy(zero_copy_only=False), dtype=np.int64)


def _csv_cells(values: pa.Array, column: Column | None, safe: bool) -> pa.Array:
    if pa.types.is_dictionary(values.type):
        return _csv_cells(values.dictionary, column, safe).take(values.indices)
    text = as_text(values, column)
    is_temporal = pa.types.is_temporal(values.type)
    has_words = (pa.types.is_boolean(values.type) or is_temporal) and column is not None and bool(column.format)
    if not (is_text(values.type) or has_words):
        return text
    if safe and not is_temporal:
        text = without_formulas(text)
    if not _holds_any(text, QUOTED_BYTES) and pc.min(pc.binary_length(text)).as_py() != 0:
        return text
    needs = pc.fill_null(pc.match_substring_regex(text, NEEDS_QUOTES + EMPTY), False)
    return pc.if_else(needs, _joined('"', pc.replace_substring(text, '"', '""'), '"'), text)


def _json_values(values: pa.Array, column: Column | None) -> pa.Array:
    if pa.types.is_dictionary(values.type):
        return _json_values(values.dictionary, column).take(values.indices)
    if pa.types.is_boolean(values.type):
        return pc.cast(values, pa.string())
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_finite(values), values, None)
    text = as_text(values, column)
    if pa.types.is_temporal(values.type) and not pa.types.is_duration(values.type):
        return _joined('"', text, '"')
    if not is_text(values.type):
        return text
    if _holds_any(text, ESCAPED_BYTES):
        needs = pc.fill_null(pc.match_substring_regex(text, NEEDS_ESCAPES), False)
        escaped = [json.dumps(value, ensure_ascii=False)[1:-1] for value in text.filter(needs).to_pylist()]
        text = pc.replace_with_mask(text, needs, pa.array(escaped, pa.string()))
    return _joined('"', text, '"')


def _holds_any(texts: pa.Array, ascii: bytes) -> bool:
    """Whether one of these characters may be in any of the texts: a look at all of their bytes at once takes a
    hundredth of the time of a regular expression on each."""
    held = bytes(_text_of(texts))
    return any(character in held for character in ascii)


def _text_of(texts: pa.Array) -> memoryview:
    """All texts, end to end."""
    _, offsets, text = texts.buffers()
    if text is None:
        return memoryview(b"")
    ends = np.frombuffer(offsets, dtype=np.int32)
    return memoryview(text)[ends[texts.offset] : ends[texts.offset + len(texts)]]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _joined(*parts: str | pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")


def _write_lines(lines: pa.Array, sink: BinaryIO) -> None:
    """Write the text of an array, each value followed by a line feed: its buffer, as it is."""
    sink.write(_text_of(_joined(lines, "\n")))
