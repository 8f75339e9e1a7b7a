"""Tables out: CSV, JSON lines, Parquet; and CSV in, CSV out."""

import csv
import io
import json
from decimal import Decimal
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthgen_ray.datasets.csv_safety import with_formulas
from synthgen_ray.datasets.writing import BATCH_BYTES, csv_blocks, write_csv, write_jsonl, write_parquet
from synthgen_ray.domain.columns import Column, ColumnKind


def csv_of(table: pa.Table, columns: tuple[Column, ...] = (), header: bool = True, *, safe: bool = False) -> str:
    sink = BytesIO()
    write_csv(table, columns, sink, header, safe=safe)
    return sink.getvalue().decode()


def jsonl_of(table: pa.Table, columns: tuple[Column, ...] = ()) -> str:
    sink = BytesIO()
    write_jsonl(table, columns, sink)
    return sink.getvalue().decode()


class Sizes(BytesIO):
    """A file that keeps how much came at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def write(self, block: bytes | memoryview) -> int:  # type: ignore[override]
        self.sizes.append(len(block))
        return len(block)


ROUND_TRIPS = [
    b"a,b\n1,x\n2,\n,y\n",
    b"f,g\n1.5,1.0\n-0.1,20.0\n1e+20,0.5\n5e-324,3.0\n",
    b"t\nTrue\nFalse\n",
    b"t,u\nTRUE,false\n,true\n",
    b"d,e,f\n2024-01-31,31.01.2024,1/31/2024\n,01.02.2024,2/1/2024\n",
    b"t\n2024-01-31T10:20:30Z\n2024-02-01T00:00:00Z\n",
    b"t,n\n2024-01-31 10:20:30.250,1\n2024-02-01 00:00:00.000,2\n",
    b"t,n\n2024-01-31T10:20:30.123456+05:30,1\n2024-02-01T00:00:00.000000+05:30,2\n",
    b"t,n\n2024-01-31T10:20:30.123456789,1\n2024-02-01T00:00:00.000000001,2\n",
    b"t,n\n1/31/2024 09:05,1\n12/1/2024 00:00,2\n",
    b"t,n\n2024-1-5 09:05:00.050,1\n2024-12-31 00:00:00.000,2\n",
    b"t,n\n0001-01-01,1\n9999-12-31,2\n",
    b't,"a,b","c""d"\n"x\r\ny","say ""hi""","1,2"\n padded ,\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9,"\n"\n',
    b"zip,n\n00123,9223372036854775807\n12345,-9223372036854775808\n",
    b"=1+1,x\n=cmd|' /C calc'!A0,NA\n@SUM(1),None\n",
    b'lonely\nx\n""\ny\n',
]


@pytest.mark.parametrize("content", ROUND_TRIPS)
def test_csv_comes_out_as_it_went_in(through_canonical, content: bytes):
    assert through_canonical(content) == content


@pytest.mark.parametrize(
    "name",
    ["adult_test.csv", "nycflights13_20k.csv", "penguins_raw.csv", "student_placements.csv", "hotel_rates.csv.gz"],
)
def test_real_csv_comes_out_as_it_went_in(through_canonical, shared_table, name: str):
    content = shared_table(name)

    assert through_canonical(content) == content


class TestCsv:
    def test_quotes_only_where_it_must(self):
        table = pa.table({"a": ["plain", "x,y", 'q"q', "l\nl", "", None], "b": [1, 2, 3, 4, 5, 6]})

        assert csv_of(table) == 'a,b\nplain,1\n"x,y",2\n"q""q",3\n"l\nl",4\n"",5\n,6\n'

    def test_floats_are_the_shortest_that_read_back(self):
        floats = [0.1, 1 / 3, 1e16, 123456.0, float("nan")]

        assert csv_of(pa.table({"f": floats, "n": [0] * 5})) == (
            "f,n\n0.1,0\n0.3333333333333333,0\n1e+16,0\n123456,0\n,0\n"
        )

    def test_parts_concatenate(self):
        table = pa.table({"a": list(range(10)), "b": [None, "x"] * 5})

        assert csv_of(table.slice(0, 4)) + csv_of(table.slice(4), header=False) == csv_of(table)

    def test_many_rows_are_as_few(self):
        table = pa.table({"n": pa.array(range(200_000)), "s": pa.array(["é"] * 200_000)})

        assert csv_of(table, header=False) == "".join(f"{n},é\n" for n in range(200_000))

    def test_no_rows_are_a_header(self):
        assert csv_of(pa.table({"a": pa.array([], pa.int64()), "b": pa.array([], pa.string())})) == "a,b\n"

    def test_moments_without_a_format_are_iso(self):
        table = pa.table(
            {
                "naive": pa.array([1_500_000, 2_000_000], pa.timestamp("us")),
                "zoned": pa.array([0, 1], pa.timestamp("ns", "Asia/Kolkata")),
                "day": pa.array([0, 1], pa.date32()),
            }
        )

        assert csv_of(table, header=False) == (
            "1970-01-01T00:00:01.5,1970-01-01T00:00:00Z,1970-01-01\n"
            "1970-01-01T00:00:02,1970-01-01T00:00:00.000000001Z,1970-01-02\n"
        )

    def test_moments_before_1970_are_cut_as_later_ones_are(self):
        table = pa.table({"when": pa.array([-86_400_000_500, -500_001, 1_999_999], pa.timestamp("us"))})

        for written, told in (("%S", ["59", "59", "01"]), ("%S.%3f", ["59.999", "59.499", "01.999"])):
            columns = (Column("when", ColumnKind.DATETIME, format=f"%H:%M:{written}"),)
            assert [line[6:] for line in csv_of(table, columns, header=False).split()] == told

    def test_a_time_of_day_is_text_and_a_duration_a_number_of_its_unit(self):
        table = pa.table(
            {
                "time": pa.array([51_351, None], pa.int32()).view(pa.time32("s")),
                "fine": pa.array([1, 86_399_999_999]).view(pa.time64("us")),
                "long": pa.array([-1500, 0]).view(pa.duration("ms")),
            }
        )

        assert csv_of(table, header=False) == "14:15:51,00:00:00.000001,-1500\n,23:59:59.999999,0\n"
        assert jsonl_of(table).splitlines()[0] == '{"time":"14:15:51","fine":"00:00:00.000001","long":-1500}'

    def test_dictionaries_are_written_as_their_values(self):
        table = pa.table({"s": pa.array(["x,y", None, "x,y"]).dictionary_encode(), "n": [1, 2, 3]})

        assert csv_of(table, header=False) == '"x,y",1\n,2\n"x,y",3\n'

    def test_the_words_of_a_boolean_are_quoted_as_text_is(self):
        columns = (Column("paid", ColumnKind.BOOLEAN, format="Yes, gladly/No"),)

        assert csv_of(pa.table({"paid": [True, False, None], "n": [1, 2, 3]}), columns) == (
            'paid,n\n"Yes, gladly",1\nNo,2\n,3\n'
        )

    def test_nobody_has_to_have_room_for_all_long_texts_at_once(self, tmp_path):
        table = pa.table({"text": pa.array(['"' * 1_000_000]).take(pa.array([0] * 100)), "n": range(100)})
        with (tmp_path / "table.parquet").open("wb") as sink:
            write_parquet(table, sink)

        blocks = list(csv_blocks(tmp_path / "table.parquet", ()))

        assert pq.ParquetFile(tmp_path / "table.parquet").num_row_groups > 1
        assert max(map(len, blocks)) < 2.1 * BATCH_BYTES  # each quote is written twice
        assert b"".join(blocks) == csv_of(table).encode()

    def test_long_texts_in_one_row_group_are_written_some_at_a_time_too(self, tmp_path):
        table = pa.table({"text": pa.array(["x" * 1_000_000]).take(pa.array([0] * 100))})
        pq.write_table(table, tmp_path / "table.parquet")  # as releases before this one did

        blocks = list(csv_blocks(tmp_path / "table.parquet", ()))

        assert max(map(len, blocks)) < 1.1 * BATCH_BYTES
        assert sum(map(len, blocks)) == len("text\n") + 100 * 1_000_001


class TestJsonl:
    def test_one_object_a_line(self):
        table = pa.table(
            {
                'a "b"': [1, None],
                "f": [0.5, float("inf")],
                "t": [True, None],
                "s": ['say "hi"\\\n\t\x01é', None],
                "d": pa.array([0, None], pa.timestamp("us")),
            }
        )
        columns = (Column("d", ColumnKind.DATETIME, format="%d.%m.%Y %H:%M"), Column("t", ColumnKind.BOOLEAN))

        lines = jsonl_of(table, columns).splitlines()

        assert [json.loads(line) for line in lines] == [
            {'a "b"': 1, "f": 0.5, "t": True, "s": 'say "hi"\\\n\t\x01é', "d": "01.01.1970 00:00"},
            {'a "b"': None, "f": None, "t": None, "s": None, "d": None},
        ]

    def test_long_names_of_many_columns_are_written_some_rows_at_a_time(self):
        names = [f"{number:05}" + "n" * 250 for number in range(1000)]
        sink = Sizes()

        write_jsonl(pa.table(dict.fromkeys(names, pa.nulls(500, pa.int8()))), (), sink)

        assert sum(sink.sizes) == 500 * sum(len(f'"{name}":null,') for name in names) + 500 * len("{\n")
        assert max(sink.sizes) < 1.1 * BATCH_BYTES

    def test_booleans_stay_booleans_whatever_their_spelling(self):
        columns = (Column("t", ColumnKind.BOOLEAN, format="TRUE/FALSE"),)

        assert jsonl_of(pa.table({"t": [True, False]}), columns) == '{"t":true}\n{"t":false}\n'


class TestParquet:
    def test_has_the_types_and_no_metadata(self):
        table = pa.table({"a": [1]}).replace_schema_metadata({"pandas": "{}"})
        sink = BytesIO()

        write_parquet(table, sink)

        read_back = pq.read_table(BytesIO(sink.getvalue()))
        assert read_back.schema == pa.schema({"a": pa.int64()})
        assert read_back.schema.metadata is None

    def test_decimals_that_are_whole_thousands_are_whole_numbers(self):
        sink = BytesIO()

        write_parquet(pa.table({"a": pa.array([Decimal("2E+3"), None], pa.decimal128(10, -3))}), sink)

        assert pq.read_table(BytesIO(sink.getvalue()))["a"].to_pylist() == [2000, None]


@pytest.mark.parametrize("empty", ["", None])
def test_a_lone_empty_cell_is_a_row(empty):
    assert csv_of(pa.table({"a": ["x", empty, "y"]})) == 'a\nx\n""\ny\n'


FORMULAS = ["=cmd|' /C calc'!A0", "@SUM(1)", "\t1", " +cell", "-a", "\r1", "'=1", '"=1', "\uff1d1", "+1+1", "-"]
WITHIN = {"x;=1": "x;'=1", "a\n @b; -\t;+": "a\n' @b;' -\t;'+", "\t=1": "'\t'=1", "x;'=1": "x;''=1", "=1;-2": "'=1;'-2"}
HARMLESS = ["a=b", "a; b=c", "1-2", "-5", "+49.5", "-1e9", "x@y.org", "", " ", "'quoted'"]


@pytest.mark.parametrize("encode", [pa.array, lambda values: pa.array(values).dictionary_encode()])
def test_a_safe_csv_holds_no_formulas(encode):
    table = pa.table({"=text;=1": encode([*FORMULAS, *WITHIN, *HARMLESS, None])})

    header, *cells = csv.reader(io.StringIO(csv_of(table, safe=True), newline=""))

    assert header == ["'=text;'=1"]
    assert [cell for [cell] in cells] == [*(f"'{cell}" for cell in FORMULAS), *WITHIN.values(), *HARMLESS, ""]
    assert with_formulas(pa.array([cell for [cell] in cells[:-1]])).to_pylist() == [*FORMULAS, *WITHIN, *HARMLESS]


def test_a_safe_csv_holds_no_formulas_as_words_of_a_boolean():
    columns = (Column("paid", ColumnKind.BOOLEAN, format="=1+1/No"),)

    assert csv_of(pa.table({"paid": [True, False]}), columns, safe=True) == "paid\n'=1+1\nNo\n"


def test_a_safe_csv_leaves_what_is_no_text():
    table = pa.table({"n": [-1, 2], "f": [-0.5, None], "when": pa.array([-1, 1], pa.timestamp("s"))})

    assert csv_of(table, safe=True) == csv_of(table)
