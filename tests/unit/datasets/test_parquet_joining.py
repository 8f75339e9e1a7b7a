"""Parquet files laid end to end: the bytes that pyarrow writes when it is given all rows."""

import datetime as dt
from decimal import Decimal
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthgen_ray.datasets.parquet_joining import MARK, joined_footer, split
from synthgen_ray.datasets.thrift import read_struct, write_struct

ROWS = 100
NUMBERS = list(range(ROWS))
TABLES = {
    "numbers": {"n": NUMBERS, "x": [n / 7 if n % 3 else None for n in NUMBERS]},
    "texts": {"a, b": [f"é{n}" for n in NUMBERS], "empty": [""] * ROWS, "null": pa.nulls(ROWS, pa.string())},
    "categories": {"c": pa.array([f"c{n % 4}" for n in NUMBERS]).dictionary_encode()},
    "others": {
        "when": [dt.datetime(1850, 1, 1, tzinfo=dt.UTC) + dt.timedelta(hours=n) for n in NUMBERS],
        "price": [Decimal(n) / 4 for n in NUMBERS],
        "is": [n % 2 == 0 for n in NUMBERS],
        "bytes": [bytes([n]) for n in NUMBERS],
        "list": [[n] * (n % 3) for n in NUMBERS],
        "struct": [{"a": n, "b": None} for n in NUMBERS],
    },
    "many columns": {f"column {place}": NUMBERS for place in range(300)},
}


def written(*pieces: pa.Table, **options) -> bytes:
    file = BytesIO()
    with pq.ParquetWriter(file, pieces[0].schema, compression="zstd", **options) as writer:
        for piece in pieces:
            writer.write_table(piece)
    return file.getvalue()


def joined(*files: bytes) -> bytes:
    groups, footers = zip(*(split(file, is_first=place == 0) for place, file in enumerate(files)), strict=True)
    return b"".join(groups) + joined_footer(zip(footers, map(len, groups), strict=True))


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("cuts", [[], [40], [1, 40, 99], list(range(3, ROWS, 3))])
def test_the_bytes_are_those_of_all_rows_written_at_once(name, cuts):
    table = pa.table(TABLES[name])
    pieces = [table.slice(start, stop - start) for start, stop in zip([0, *cuts], [*cuts, ROWS], strict=True)]

    assert joined(*map(written, pieces)) == written(*pieces)


def test_a_file_without_rows_adds_none():
    table = pa.table(TABLES["texts"])

    for pieces in ([table, table.slice(0, 0)], [table.slice(0, 0), table], [table.slice(0, 0)]):
        assert pq.read_table(BytesIO(joined(*map(written, pieces)))) == pa.concat_tables(pieces)


def test_parts_may_be_joined_and_have_indexes():
    table = pa.table(TABLES["others"])
    part = joined(*[written(table.slice(start, 20), write_page_index=True) for start in range(0, ROWS, 20)])

    file = pq.ParquetFile(BytesIO(joined(part, part)))

    assert file.metadata.num_row_groups == 10
    assert file.metadata.row_group(9).column(0).has_offset_index
    assert file.read() == pa.concat_tables([table, table])
    assert file.read_row_group(7) == table.slice(40, 20)


@pytest.mark.parametrize("name", TABLES)
def test_a_footer_is_read_and_written_as_it_is(name):
    footer = split(
        written(pa.table(TABLES[name]), sorting_columns=[pq.SortingColumn(0, descending=True)]), is_first=True
    ).footer

    assert write_struct(read_struct(footer)) == footer


def test_files_of_other_columns_are_refused():
    footers = [(split(written(pa.table({name: NUMBERS})), is_first=True).footer, 1) for name in ("a", "b")]

    with pytest.raises(ValueError, match="same columns"):
        joined_footer(footers)
    with pytest.raises(ValueError, match="has parts"):
        joined_footer([])


@pytest.mark.parametrize("content", [b"", b"PAR1", b"a,b\n1,2\n", MARK + b"no mark at its end"])
def test_what_is_no_parquet_file_is_refused(content):
    with pytest.raises(ValueError, match="PAR1"):
        split(content, is_first=True)
