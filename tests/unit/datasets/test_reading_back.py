"""What was written comes back as it was, in each format."""

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from synthgen_ray.datasets import reading_back
from synthgen_ray.datasets.reading_back import read_back
from synthgen_ray.datasets.writing import write_csv, write_jsonl, write_parquet
from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.domain.errors import InvalidTable
from synthgen_ray.domain.params import OutputFormat

COLUMNS = (
    Column("age", ColumnKind.INTEGER),
    Column("balance", ColumnKind.FLOAT, format="0.0"),
    Column("note", ColumnKind.TEXT),
    Column("active", ColumnKind.BOOLEAN, format="Yes/No"),
    Column("is_new", ColumnKind.BOOLEAN),
    Column("opened", ColumnKind.DATETIME, format="%d/%m/%Y"),
    Column("born", ColumnKind.DATETIME, format="%b %-d, %Y"),
    Column("called", ColumnKind.DATETIME, format="%m/%d/%y %-I:%M:%S.%1f %p UTC"),
    Column("month", ColumnKind.DATETIME, format="%Y-%m"),
    Column("woke", ColumnKind.DATETIME, format="%H:%M:%S"),
    Column("seen", ColumnKind.DATETIME),
    Column("zoned", ColumnKind.DATETIME),
    Column("empty", ColumnKind.CONSTANT),
    Column("never", ColumnKind.DATETIME),
)
WRITERS = {
    OutputFormat.CSV: lambda table, sink: write_csv(table, COLUMNS, sink),
    OutputFormat.JSONL: lambda table, sink: write_jsonl(table, COLUMNS, sink),
    OutputFormat.PARQUET: write_parquet,
}
NOTES = ['a "quoted", cell', "=SUM(A1)", "'=x", "", "two\nlines", None]
SEEN = [datetime(2020, 1, day, 12, 30, 15, 250_000) for day in range(1, 6)]
TABLE = pa.table(
    {
        "age": pa.array([1, -2, None, 2**53 + 1, 0, 7], pa.int64()),
        "balance": pa.array([1.0, 0.1, None, -2.5e-9, 1e300, 3.0], pa.float64()),
        "note": pa.array(NOTES, pa.string()),
        "active": pa.array([True, False, None, True, False, True]),
        "is_new": pa.array([True, False, None, True, False, True]),
        "opened": pa.array([date(2020, 2, 1), date(1999, 12, 31), None, *[date(2021, 3, 4)] * 3], pa.date32()),
        "born": pa.array([date(2020, 2, 1), date(1999, 12, 31), None, *[date(2021, 3, 4)] * 3], pa.date32()),
        "called": pa.array(
            [*[moment.replace(tzinfo=UTC, microsecond=200_000) for moment in SEEN], None], pa.timestamp("us", "UTC")
        ),
        "month": pa.array([date(2020, 2, 1), date(1999, 12, 1), None, *[date(2021, 3, 1)] * 3], pa.date32()),
        "woke": pa.array([datetime(1970, 1, 1, 6, 30, 5), None, *[datetime(1970, 1, 1)] * 4], pa.timestamp("us")),
        "seen": pa.array([*SEEN, None], pa.timestamp("us")),
        "zoned": pa.array([*[moment.replace(tzinfo=UTC) for moment in SEEN], None], pa.timestamp("ms", "UTC")),
        "empty": pa.array([None] * 6, pa.string()),
        "never": pa.array([None] * 6, pa.date32()),
    }
)


@pytest.mark.parametrize("safe", [False, True])
def test_csv(tmp_path, safe):
    with (tmp_path / "rows").open("wb") as sink:
        write_csv(TABLE.slice(0, 2), COLUMNS, sink, safe=safe)
        write_csv(TABLE.slice(2), COLUMNS, sink, header=False, safe=safe)

    assert read_back(tmp_path / "rows", OutputFormat.CSV, TABLE.schema, COLUMNS, safe=safe).equals(TABLE)


def test_a_lone_null_of_a_csv_is_one(tmp_path):
    table = pa.table({"note": ["a", None, "b"]})
    with (tmp_path / "rows").open("wb") as sink:
        write_csv(table, COLUMNS, sink)

    assert read_back(tmp_path / "rows", OutputFormat.CSV, table.schema, COLUMNS).equals(table)


def test_jsonl(tmp_path):
    with (tmp_path / "rows").open("wb") as sink:
        write_jsonl(TABLE, COLUMNS, sink)

    assert read_back(tmp_path / "rows", OutputFormat.JSONL, TABLE.schema, COLUMNS).equals(TABLE)


def test_parquet(tmp_path):
    with (tmp_path / "rows").open("wb") as sink:
        write_parquet(TABLE, sink)

    assert read_back(tmp_path / "rows", OutputFormat.PARQUET, TABLE.schema, COLUMNS).equals(TABLE)


@pytest.mark.parametrize("form", OutputFormat)
def test_rows_that_are_spread_evenly_over_a_file_of_many_blocks(tmp_path, form, monkeypatch):
    monkeypatch.setattr(reading_back, "BLOCK_BYTES", 8192)
    table = pa.table({"age": range(150_000)})
    with (tmp_path / "rows").open("wb") as sink:
        WRITERS[form](table, sink)

    rows = read_back(tmp_path / "rows", form, table.schema, COLUMNS, every=7)

    assert rows["age"].to_pylist() == [*range(0, 150_000, 7)]


@pytest.mark.parametrize("form", OutputFormat)
def test_a_file_of_other_columns_is_refused_without_a_word_of_its_cells(tmp_path, form):
    (tmp_path / "rows").write_bytes(b"age,note\nsecret,1\n")

    with pytest.raises(InvalidTable) as refused:
        read_back(tmp_path / "rows", form, TABLE.schema, COLUMNS)

    assert "secret" not in refused.value.detail
