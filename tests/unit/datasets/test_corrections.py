"""What owners say of their columns: it is done, or refused with the column's name."""

from datetime import UTC, date, datetime

import pyarrow as pa
import pytest
from pydantic import ValidationError

from synthgen_ray.datasets.canonical import check_schema
from synthgen_ray.datasets.corrections import corrected
from synthgen_ray.datasets.inference import infer_columns
from synthgen_ray.datasets.retyping import retyped
from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.domain.corrections import ColumnCorrection, SchemaCorrection
from synthgen_ray.domain.errors import InvalidTable


def correct(values: list | pa.Array, kind: str, written: str | None = None) -> tuple[pa.ChunkedArray, Column, tuple]:
    table = pa.table({"kept": range(len(values)), "x": values})
    schema = SchemaCorrection.model_validate({"columns": {"x": {"kind": kind, "format": written}}})

    table, columns, warnings = corrected(table, infer_columns(table), schema)

    check_schema(table.schema)
    assert table.column_names == ["kept", "x"]
    return table["x"], columns[1], warnings


AT_UTC = datetime(2023, 8, 25, 14, 15, 51, tzinfo=UTC)


def corrected_ids(ids: list[int], kind: str) -> tuple[pa.Table, tuple[Column, ...], tuple[str, ...]]:
    table = pa.table({"user_id": ids})
    columns = infer_columns(table)
    assert columns[0].kind is ColumnKind.ID
    return corrected(table, columns, SchemaCorrection.model_validate({"columns": {"user_id": {"kind": kind}}}))


BECOMES = [
    # values, kind, format, values after, format after
    (["00123", " 7", None, "n/a"], "integer", None, [123, 7, None, None], None),
    ([1.0, None, 3.0], "integer", None, [1, None, 3], None),
    ([1, 2, None], "float", None, [1.0, 2.0, None], None),
    (["1.50", "+2", "x"][:2], "float", None, [1.5, 2.0], None),
    ([1, 2], "float", "0.0", [1.0, 2.0], "0.0"),
    ([7, 8, None], "text", None, ["7", "8", None], None),
    ([1.5, 2.0], "text", None, ["1.5", "2"], None),
    ([7, 8, 7], "categorical", None, [7, 8, 7], None),
    ([date(2024, 1, 31)], "categorical", None, ["2024-01-31"], None),
    ([7, 8], "id", None, [7, 8], None),
    ([True, None], "boolean", "Y/N", [True, None], "Y/N"),
    (["Yes", "No", ""], "boolean", None, [True, False, None], "Yes/No"),
    (["y", "N"], "boolean", None, [True, False], "y/n"),
    ([1, 0, None], "boolean", None, [True, False, None], "1/0"),
    (["1,5", "20"], "float", None, [1.5, 20.0], None),
    (["$1,234.50", "-"], "float", None, [1234.5, None], None),
    (["1,234", "+5"], "integer", None, [1234, 5], None),
    (["01,5"], "float", None, [1.5], None),
    (["x", "-", "?"], "boolean", "x/-", [True, False, None], "x/-"),
    (["1.5", "#N/A"], "float", None, [1.5, None], None),
    (["ja", "nein"], "boolean", "ja/nein", [True, False], "ja/nein"),
    (["01/02/2024", "03/04/2024"], "datetime", "%d/%m/%Y", [date(2024, 2, 1), date(2024, 4, 3)], "%d/%m/%Y"),
    (["1/2/2024", None], "datetime", "%m/%d/%Y", [date(2024, 1, 2), None], "%-m/%-d/%Y"),
    (["2024-01-31 10:20", "NA"], "datetime", None, [datetime(2024, 1, 31, 10, 20), None], "%Y-%m-%d %H:%M"),
    ([date(2024, 1, 31)], "datetime", "%d.%m.%Y", [date(2024, 1, 31)], "%d.%m.%Y"),
    (["08/25/23", "01/31/69"], "datetime", "%m/%d/%y", [date(2023, 8, 25), date(1969, 1, 31)], "%m/%d/%y"),
    (["25-AUG-68"], "datetime", "%d-%b-%y", [date(2068, 8, 25)], "%d-%^b-%y"),
    ([20240131, None], "datetime", "%Y%m%d", [date(2024, 1, 31), None], "%Y%m%d"),
    (["2024-01"], "datetime", "%Y-%m", [date(2024, 1, 1)], "%Y-%m"),
    (["14:15:51"], "datetime", "%H:%M:%S", [datetime(1970, 1, 1, 14, 15, 51)], "%H:%M:%S"),
    (["14:15"], "datetime", "%H:%M", [datetime(1970, 1, 1, 14, 15)], "%H:%M"),
    (["8/5/2023 9:05"], "datetime", "%m/%d/%Y %H:%M", [datetime(2023, 8, 5, 9, 5)], "%-m/%-d/%Y %-H:%M"),
    (["20230825T141551Z"], "datetime", "%Y%m%dT%H%M%SZ", [AT_UTC], "%Y%m%dT%H%M%SZ"),
    (["2023-08-25 14:15:51 UTC"], "datetime", "%Y-%m-%d %H:%M:%S UTC", [AT_UTC], "%Y-%m-%d %H:%M:%S UTC"),
    (["2023-08-25 14:15:51+00"], "datetime", "%Y-%m-%d %H:%M:%S%z", [AT_UTC], "%Y-%m-%d %H:%M:%S+00"),
    (
        ["2023\u5e7408\u670825\u65e5"],
        "datetime",
        "%Y\u5e74%m\u6708%d\u65e5",
        [AT_UTC.date()],
        "%Y\u5e74%m\u6708%d\u65e5",
    ),
    (["a", "a"], "constant", None, ["a", "a"], None),
    ([None, None], "integer", None, [None, None], None),
]


@pytest.mark.parametrize(("values", "kind", "written", "after", "format_after"), BECOMES)
def test_values_become_what_is_declared(values, kind, written, after, format_after):
    if values == [None, None]:
        values = pa.nulls(2, pa.string())

    cells, column, _ = correct(values, kind, written)

    assert cells.to_pylist() == after
    assert (column.kind, column.format) == (kind, format_after)
    assert column.nullable == (None in after)


@pytest.mark.parametrize(
    ("before", "written", "after"),
    [
        ("%m/%d/%Y", "%d/%m/%Y", date(2024, 4, 3)),  # read anew
        ("%-m/%-d/%Y", "%-d/%-m/%Y", date(2024, 4, 3)),
        ("%Y-%m-%d", "%d-%m-%Y", date(2024, 3, 4)),  # from now on written so
        ("%m/%d/%Y", "%d.%m.%Y", date(2024, 3, 4)),
        ("%m/%d/%Y", "%d %b %Y", date(2024, 3, 4)),
    ],
)
def test_days_and_months_that_were_taken_for_each_other_can_be_set_right(before, written, after):
    column = Column("c", ColumnKind.DATETIME, cardinality=1, format=before)

    typed = retyped(
        pa.chunked_array([[date(2024, 3, 4), None]]), column, ColumnCorrection(kind=ColumnKind.DATETIME, format=written)
    )

    assert (typed.values.to_pylist(), typed.format) == ([after, None], written)


def test_dates_that_can_only_have_been_read_as_they_were_are_not_read_another_way():
    column = Column("c", ColumnKind.DATETIME, cardinality=1, format="%m/%d/%Y")

    with pytest.raises(InvalidTable) as refused:
        retyped(
            pa.chunked_array([[date(2024, 3, 31)]]),
            column,
            ColumnCorrection(kind=ColumnKind.DATETIME, format="%d/%m/%Y"),
        )

    assert refused.value.code == "invalid_date"


CANNOT = [
    (["12", "x"], "integer", None, "kind_mismatch", "row 2"),
    ([1.5], "integer", None, "kind_mismatch", "decimals"),
    (["9" * 30], "integer", None, "integer_out_of_range", "64 bits"),
    ([True], "integer", None, "kind_mismatch", ""),
    (["1.5", "about 2"], "float", None, "kind_mismatch", "row 2 has letters"),
    (["1.5", "5$0"], "float", None, "kind_mismatch", "row 2 has a sign of a currency"),
    (["1.5", "5/6"], "float", None, "kind_mismatch", "row 2 has a sign that no number has"),
    (["1.5", "5-6"], "float", None, "kind_mismatch", "row 2 has signs in no order"),
    (["1e5", "1,000"], "float", None, "kind_mismatch", "several notations"),
    (["$5", "\u20ac6"], "float", None, "kind_mismatch", "several currencies"),
    (["1,000", "1,000.5"], "integer", None, "kind_mismatch", "row 2 has decimals"),
    (["9" * 30 + "%"], "integer", None, "integer_out_of_range", "64 bits"),
    (["1e999"], "float", None, "non_finite", ""),
    ([2**60 + 1], "float", None, "kind_mismatch", "would change"),
    (["yes", "perhaps"], "boolean", None, "kind_mismatch", "Yes/No"),
    (["ja", "nein", "vielleicht"], "boolean", "ja/nein", "kind_mismatch", "row 3"),
    ([0.5], "boolean", None, "kind_mismatch", ""),
    (["a"], "boolean", "a", "invalid_format", "slash"),
    ([True], "boolean", 'The "yes"/No', "invalid_format", "quotes"),
    ([True], "boolean", "Yes\u2028/No", "invalid_format", "line breaks"),
    (["2024-02-30"], "datetime", None, "invalid_date", "do not exist"),
    (["01/02/2024"], "datetime", None, "ambiguous_dates", "`%d/%m/%Y` or `%m/%d/%Y`"),
    (["08/25/23"], "datetime", None, "dates_as_text", "`%m/%d/%y`"),
    (["2024-01-31 10:20 UTC"], "datetime", "%Y-%m-%d %H:%M +05", "format_mismatch", "another format"),
    (["2024-01-31", "31.01.2024"], "datetime", "%Y-%m-%d", "format_mismatch", "row 2"),
    ([20240131], "datetime", "%d/%m/%Y", "format_mismatch", "row 1"),
    ([20241331], "datetime", "%Y%m%d", "invalid_date", "do not exist"),
    ([date(2024, 1, 31)], "datetime", "%Y-%m", "invalid_format", "just where"),
    ([datetime(2024, 1, 31, 10)], "datetime", "%H:%M", "invalid_format", "just where"),
    (["31/01/2024"], "datetime", "%m/%d/%Y", "invalid_date", ""),
    (["31.01.2024"], "datetime", "%d/%m/%Y", "format_mismatch", "another format"),
    (["soon"], "datetime", None, "kind_mismatch", "row 1"),
    (["2024-01-31"], "datetime", "%A", "invalid_format", "year"),
    ([date(2024, 1, 31)], "datetime", "%Y-%m-%d %H:%M", "invalid_format", "time"),
    ([20240131], "datetime", None, "kind_mismatch", ""),
    ([1.5, 2.5], "id", None, "kind_mismatch", "integers or text"),
    (["a", "b"], "constant", None, "kind_mismatch", "2 different"),
    (["a", "b"], "text", "%Y", "invalid_format", ""),
]


@pytest.mark.parametrize(("values", "kind", "written", "code", "said"), CANNOT)
def test_values_that_cannot_be_so_are_refused_by_the_name_of_the_column(values, kind, written, code, said):
    with pytest.raises(InvalidTable) as refusal:
        correct(values, kind, written)

    assert (refusal.value.status, refusal.value.code) == (422, code)
    assert "'x'" in refusal.value.detail
    assert said in refusal.value.detail
    assert [error.field for error in refusal.value.errors] == ["x"]


@pytest.mark.parametrize(
    "written",
    [
        "%A", "%Y", "%m/%d", "%H", "%S", "%Y-%m-%d %M", "%I:%M", "%H:%M %p", "%Y-%m %H:%M", "%Y-%Y-%m-%d", "%",
        '%Y"%m"%d', "%Y\\%m\\%d", "=%Y-%m-%d", "+%Y-%m-%d", "%H:%M%z", "%Y-%m-%d%z", "%Y-%m-%d %H:%M.%f",
    ],
)  # fmt: skip
def test_a_format_that_could_not_be_written_back_is_refused(written):
    with pytest.raises(InvalidTable) as refusal:
        correct(["2024-01-31"], "datetime", written)

    assert refusal.value.code == "invalid_format"


def test_a_column_of_months_may_get_another_format_of_months():
    table = pa.table({"x": [date(2024, 1, 1)]})
    schema = SchemaCorrection.model_validate({"columns": {"x": {"kind": "datetime", "format": "%b %Y"}}})

    _, (column,), _ = corrected(table, infer_columns(table, {"x": "%Y-%m"}), schema)

    assert column.format == "%b %Y"


def test_leading_zeros_that_are_lost_are_said():
    _, _, warnings = correct(["00123", "7"], "integer")

    assert warnings == ("leading_zeros: column 'x' is written without its leading zeros as a number.",)


def test_what_people_write_about_numbers_and_is_lost_is_said():
    _, _, warnings = correct(["$1,234.50", "($3.00)"], "float")

    assert warnings[0].startswith(
        "number_format: column 'x' was written with separators of thousands and a currency and"
    )


def test_personal_data_as_categories_is_said():
    _, column, warnings = correct([f"user{i}@example.org" for i in range(60)], "categorical")

    assert column.pii is None
    assert warnings[0].startswith("personal_data: column 'x'")


@pytest.mark.parametrize("kind", ["categorical", "integer", "float"])
def test_ids_that_repeat_and_are_to_be_learnt_are_said(kind):
    _, _, warnings = corrected_ids([n**3 * 10**6 for n in range(60)] * 5, kind)

    assert warnings[0].startswith("personal_data: column 'user_id' looks like an id")


def test_ids_that_are_unique_are_never_learnt_as_they_are():
    assert corrected_ids([n**3 * 10**6 for n in range(60)], "integer")[2] == ()


def test_columns_that_are_not_named_stay_as_they_were():
    table = pa.table({"a": [1, 2], "b": ["x", "y"]})
    columns = infer_columns(table)

    same_table, same_columns, warnings = corrected(table, columns, SchemaCorrection())

    assert same_table.equals(table)
    assert (same_columns, warnings) == (columns, ())


class TestPrimaryKey:
    def test_it_becomes_an_id(self):
        table = pa.table({"a": [3, 1], "b": ["x", "x"]})

        _, columns, _ = corrected(table, infer_columns(table), SchemaCorrection(primary_key="a"))

        assert (columns[0].kind, columns[0].unique) == (ColumnKind.ID, True)

    @pytest.mark.parametrize("values", [[1, 1], [1, None]])
    def test_422_where_it_does_not_tell_rows_apart(self, values):
        table = pa.table({"a": values})

        with pytest.raises(InvalidTable) as refused:
            corrected(table, infer_columns(table), SchemaCorrection(primary_key="a"))

        assert refused.value.code == "not_unique"

    def test_422_where_it_is_declared_to_be_something_else(self):
        table = pa.table({"a": [1, 2]})
        schema = SchemaCorrection.model_validate({"columns": {"a": {"kind": "integer"}}, "primary_key": "a"})

        with pytest.raises(InvalidTable) as refused:
            corrected(table, infer_columns(table), schema)

        assert refused.value.code == "kind_mismatch"


@pytest.mark.parametrize("schema", [{"columns": {"z": {"kind": "text"}}}, {"primary_key": "z"}])
def test_422_for_a_column_that_is_not_there(schema):
    table = pa.table({"a": [1, 2]})

    with pytest.raises(InvalidTable) as refusal:
        corrected(table, infer_columns(table), SchemaCorrection.model_validate(schema))

    assert refusal.value.code == "unknown_column"
    assert [error.field for error in refusal.value.errors] == ["z"]


@pytest.mark.parametrize(
    "body",
    [
        {"columns": {"a": {"kind": "number"}}},
        {"columns": {"a": {}}},
        {"columns": {"a": {"kind": "text", "typ": 1}}},
        {"columns": []},
        {"column": {}},
        {"primary_key": ""},
        {"primary_key": 1},
    ],
)
def test_a_correction_refuses_what_it_does_not_know(body):
    with pytest.raises(ValidationError):
        SchemaCorrection.model_validate(body)
