"""How many rows there is room for."""

from io import BytesIO

import pyarrow as pa
import pytest

from synthgen_ray.datasets.writing import write_jsonl
from synthgen_ray.domain.columns import ColumnKind, LearnedColumn
from synthgen_ray.domain.errors import TooLarge
from synthgen_ray.domain.widths import MAX_BYTES, MAX_CHUNK_BYTES, MAX_CHUNKS, check_room, names_width

NUMBER = LearnedColumn("n", ColumnKind.INTEGER, nullable=False)
LONG = LearnedColumn("text", ColumnKind.TEXT, nullable=False, widest=2**20)


@pytest.mark.parametrize(
    ("most", "chunk_rows", "column"),
    [
        (10_000_000, 10_000, NUMBER),
        (MAX_CHUNKS, 1, NUMBER),
        (MAX_CHUNK_BYTES >> 20, 10_000, LONG),
        (MAX_BYTES >> 20, 100, LONG),
    ],
    ids=["all that may be asked for", "chunks", "bytes of a chunk", "bytes of all"],
)
def test_so_many_rows_may_be_asked_for_and_no_more(most, chunk_rows, column):
    check_room(most, chunk_rows, [column])

    if most < 10_000_000:
        with pytest.raises(TooLarge) as refused:
            check_room(most + 1, chunk_rows, [column])
        assert f"{most:,} rows" in refused.value.detail


@pytest.mark.parametrize("name", ["n", "\U0001f600" * 255, '"\\' * 100, "\x01\u2028"])
def test_names_are_as_wide_as_json_has_them(name):
    sink = BytesIO()
    write_jsonl(pa.table({name: ["x"], f"{name}2": ["y"]}), [], sink)

    written = len(sink.getvalue()) - len("xy")

    assert written <= names_width([name, f"{name}2"]) <= written + 2  # a comma too many, and one of JSON after the row


@pytest.mark.parametrize(("form", "is_refused"), [("json", True), ("jsonl", True), ("csv", False), ("parquet", False)])
def test_names_count_where_each_row_repeats_them(form, is_refused):
    columns = [LearnedColumn(f"{place:04}" + "\U0001f600" * 251, ColumnKind.INTEGER, False) for place in range(1000)]
    most = MAX_CHUNK_BYTES // (1000 * 24 + names_width([column.name for column in columns]))

    check_room(most, 2796, columns, form)
    if is_refused:
        with pytest.raises(TooLarge):
            check_room(most + 1, 2796, columns, form)
    else:
        check_room(100 * most, 2796, columns, form)
