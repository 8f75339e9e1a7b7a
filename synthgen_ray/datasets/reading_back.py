"""A file of rows that `writing` made, as the table that it was."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq

from synthgen_ray.datasets.csv_safety import with_formulas
from synthgen_ray.datasets.text_dates import NotDates, dates_of
from synthgen_ray.domain.columns import Column
from synthgen_ray.domain.errors import InvalidTable
from synthgen_ray.domain.params import OutputFormat

BLOCK_BYTES = 8 * 2**20  # a row must fit into one


def read_back(
    path: Path, form: OutputFormat, schema: pa.Schema, columns: Sequence[Column], *, safe: bool = False, every: int = 1
) -> pa.Table:
    """The table of that schema in a file of that form; `columns` and `safe` are those it was written with.

    Of `every` so many rows the first alone is kept: a file that is larger than memory can be read so.

    Raises: InvalidTable, for any other file.
    """
    try:
        if form is OutputFormat.PARQUET:
            with pq.ParquetFile(path) as file:
                return _thinned(file.iter_batches(), file.schema_arrow, every).cast(schema)
        with _of_csv(path, schema) if form is OutputFormat.CSV else _of_jsonl(path, schema) as batches:
            cells = _thinned(batches, batches.schema, every)
        formats = {column.name: column.format for column in columns}
        values = [
            _typed(
                with_formulas(texts) if safe and pa.types.is_string(texts.type) else texts,
                field.type,
                formats[field.name],
            )
            for texts, field in zip(cells.columns, schema, strict=True)
        ]
    except (pa.ArrowException, NotDates, KeyError):
        # Not Arrow's own message, which quotes cells.
        raise InvalidTable("The rows cannot be read as what they were written from.", "column_mismatch") from None
    return pa.table(values, schema=schema)


def _of_csv(path: Path, schema: pa.Schema) -> pa.RecordBatchReader:
    """All cells as text; an empty one is null, with quotes a text, unless it is alone: then nulls have quotes too."""
    names = [str(place) for place in range(len(schema))]
    return pyarrow.csv.open_csv(
        path,
        pyarrow.csv.ReadOptions(column_names=names, skip_rows_after_names=1, block_size=BLOCK_BYTES),
        pyarrow.csv.ParseOptions(newlines_in_values=True),
        pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=len(names) == 1,
        ),
    )


def _of_jsonl(path: Path, schema: pa.Schema) -> pa.RecordBatchReader:
    """Numbers, booleans and text as JSON has them, dates as text."""
    in_json = pa.schema(
        [(field.name, pa.string() if pa.types.is_temporal(field.type) else field.type) for field in schema]
    )
    return pyarrow.json.open_json(
        path,
        pyarrow.json.ReadOptions(block_size=BLOCK_BYTES),
        pyarrow.json.ParseOptions(explicit_schema=in_json, unexpected_field_behavior="ignore"),
    )


def _thinned(batches: Iterable[pa.RecordBatch], schema: pa.Schema, every: int) -> pa.Table:
    kept, seen = [], 0
    for batch in batches:
        kept.append(batch if every == 1 else batch.take(np.arange(-seen % every, batch.num_rows, every)))
        seen += batch.num_rows
    return pa.Table.from_batches(kept, schema)


def _typed(values: pa.ChunkedArray, kind: pa.DataType, written: str | None) -> pa.ChunkedArray:
    if values.type == kind:
        return values
    if values.null_count == len(values):
        return pa.chunked_array([pa.nulls(len(values), kind)])
    if pa.types.is_boolean(kind):
        return pc.equal(values, written.partition("/")[0] if written else "true")
    if pa.types.is_temporal(kind):
        moments, _, _ = dates_of(values, written)
        return moments.cast(kind)
    return values.cast(kind)
