"""What text becomes: types, missing cells, warnings."""

from datetime import UTC, date, datetime, timedelta, timezone

import pyarrow as pa
import pytest

from synthgen_ray.datasets.datetime_text import datetimes_as_text
from synthgen_ray.datasets.text_typing import Typed, type_cells


def typed(*cells: str | None) -> Typed:
    return type_cells("x", pa.chunked_array([pa.array(cells, pa.string())]))


TYPED = [
    ("integers", ["1", "-20", None], pa.int64(), [1, -20, None]),
    ("the largest integer", ["9223372036854775807"], pa.int64(), [2**63 - 1]),
    ("floats", ["1", "2.5", "-.5", "1e3", "1E-3"], pa.float64(), [1, 2.5, -0.5, 1000, 0.001]),
    ("the largest floats", ["1e300", "2"], pa.float64(), [1e300, 2]),
    ("padded", [" 39", " 7 "], pa.int64(), [39, 7]),
    ("booleans with a gap", ["True", None, "False"], pa.bool_(), [True, None, False]),
    ("not-yes", ["yes", "no"], pa.string(), ["yes", "no"]),
    ("not-0-1", ["0", "1"], pa.int64(), [0, 1]),
    ("leading zeros", ["00123", "12345"], pa.string(), ["00123", "12345"]),
    ("leading-zero-float", ["00.5", "1.5"], pa.string(), ["00.5", "1.5"]),
    ("NA among text", ["NA", "DE", "None", "null"], pa.string(), ["NA", "DE", "None", "null"]),
    ("NA among numbers", ["1", "NA", "n/a", "NaN", "null", "None"], pa.int64(), [1, None, None, None, None, None]),
    ("NA among dates", ["2024-01-31", "NA"], pa.date32(), [date(2024, 1, 31), None]),
    ("NA among booleans", ["true", "null"], pa.bool_(), [True, None]),
    ("NA alone", ["NA", "NA"], pa.string(), ["NA", "NA"]),
    ("blank-number", ["1.5", " ", "2"], pa.float64(), [1.5, None, 2]),
    ("blank-text", ["a", " "], pa.string(), ["a", " "]),
    ("question-mark", ["?", "Private"], pa.string(), ["?", "Private"]),
    ("underscores in numbers", ["1_000", "2_000"], pa.string(), ["1_000", "2_000"]),
    ("hexadecimal", ["0x1F", "0x20"], pa.string(), ["0x1F", "0x20"]),
    ("formulas", ["=cmd|' /C calc'!A0", "\t=1", " +1"], pa.string(), ["=cmd|' /C calc'!A0", "\t=1", " +1"]),
    ("plus", ["+1", "+2"], pa.string(), ["+1", "+2"]),
    ("addresses", ["192.168.100.200", "192.168.100.201"], pa.string(), ["192.168.100.200", "192.168.100.201"]),
    ("versions", ["1.2.3", "1.10.0"], pa.string(), ["1.2.3", "1.10.0"]),
    ("telephones", ["+4915112345", "+4917112345"], pa.string(), ["+4915112345", "+4917112345"]),
    ("telephones in groups", ["601 234 567", "701 234 567"], pa.string(), ["601 234 567", "701 234 567"]),
    ("notes", ["(1)", "(2)"], pa.string(), ["(1)", "(2)"]),
    ("lists", ["1,2,3", "4,5"], pa.string(), ["1,2,3", "4,5"]),
    ("nothing", [None, None], pa.string(), [None, None]),
    ("the first and the last date", ["0001-01-01", "9999-12-31"], pa.date32(), [date(1, 1, 1), date(9999, 12, 31)]),
    ("clock-alone", ["12:30", "03:45"], pa.string(), ["12:30", "03:45"]),
]


@pytest.mark.parametrize(("cells", "kind", "values"), [pytest.param(*row[1:], id=row[0]) for row in TYPED])
def test_types(cells: list, kind: pa.DataType, values: list):
    result = typed(*cells).values

    assert result.type == kind
    assert result.to_pylist() == values


WRITTEN = [
    (["1,000", "2,000", "7"], [1000, 2000, 7], "separators of thousands"),
    (["1,234.56", "-12.5", "NULL"], [1234.56, -12.5, None], "separators of thousands"),
    (["1 234,56", "12,5"], [1234.56, 12.5], "separators of thousands and decimal commas"),
    (["1\u202f234", "2"], [1234, 2], "separators of thousands"),
    (["1'234.50", "3"], [1234.5, 3], "separators of thousands"),
    (["1.234,56", "2,00"], [1234.56, 2], "separators of thousands and decimal commas"),
    (["$344.02", "-$1.00", "$-.50"], [344.02, -1, -0.5], "a currency"),
    (["354.39 \u20ac", "1,000.00 \u20ac"], [354.39, 1000], "separators of thousands and a currency"),
    (["CHF 12.50", None], [12.5, None], "a currency"),
    (["23.3%", "5 %"], [23.3, 5], "percent signs"),
    (["+12.00", "+3.25"], [12, 3.25], "plus signs"),
    (["+12", "-3"], [12, -3], "plus signs"),
    (["(12.00)", "3.00"], [-12, 3], "brackets for negative numbers"),
    (["12.00-", "3.00"], [-12, 3], "signs behind numbers"),
    (["\u22125", "3"], [-5, 3], "signs of their own"),
]


@pytest.mark.parametrize(("cells", "values", "how"), WRITTEN)
def test_reads_numbers_as_people_write_them_and_says_what_is_lost(cells: list, values: list, how: str):
    result = typed(*cells)

    assert result.values.to_pylist() == values
    assert result.warnings[0].startswith(f"number_format: column 'x' was written with {how}; it is read as numbers")


@pytest.mark.parametrize("cells", [cells for cells, _, _ in WRITTEN])
def test_leaves_them_where_numbers_have_to_be_bare(cells: list):
    assert type_cells("x", pa.chunked_array([cells]), bare=True).values.to_pylist() == cells


def test_numbers_of_many_blocks_are_judged_together():
    blocks = pa.chunked_array([["$1.00"], [], ["2.00", None, "3.00"], ["$4.00"]], pa.string())
    other = pa.chunked_array([["$1.00"], ["\u20ac2.00"]])

    assert type_cells("x", blocks).values.to_pylist() == [1, 2, None, 3, 4]
    assert (
        type_cells("x", other).warnings[0].startswith("number_format: column 'x' holds amounts in several currencies")
    )


def test_a_comma_may_stand_before_decimals_where_the_file_is_not_delimited_by_it():
    cells = pa.chunked_array([["1,234", "5,678"]])

    assert type_cells("x", cells, decimal_comma=True) == Typed(cells)


INDIA = timezone(timedelta(hours=5, minutes=30))
DATES = [
    # written, format, first value
    (["09:05", "23:59"], "%H:%M", None),
    (["9:05", "14:30"], "%-H:%M", None),
    (["2024-01-31"], "%Y-%m-%d", date(2024, 1, 31)),
    (["2024/01/31"], "%Y/%m/%d", date(2024, 1, 31)),
    (["31.01.2024", "01.02.2024"], "%d.%m.%Y", date(2024, 1, 31)),
    (["1.2.2024", "31.12.2024"], "%-d.%-m.%Y", date(2024, 2, 1)),
    (["31/01/2024", "01/02/2024"], "%d/%m/%Y", date(2024, 1, 31)),
    (["01/31/2024", "02/01/2024"], "%m/%d/%Y", date(2024, 1, 31)),
    (["1/31/2024", "2/1/2024"], "%-m/%-d/%Y", date(2024, 1, 31)),
    (["31-01-2024"], "%d-%m-%Y", date(2024, 1, 31)),
    (["2024-01-31 10:20"], "%Y-%m-%d %H:%M", datetime(2024, 1, 31, 10, 20)),
    (["2024-01-31T10:20:30"], "%Y-%m-%dT%H:%M:%S", datetime(2024, 1, 31, 10, 20, 30)),
    (["2024-01-31 10:20:30.250"], "%Y-%m-%d %H:%M:%S.%3f", datetime(2024, 1, 31, 10, 20, 30, 250_000)),
    (["2024-01-31 10:20:30.000250"], "%Y-%m-%d %H:%M:%S.%f", datetime(2024, 1, 31, 10, 20, 30, 250)),
    (["31.01.2024 10:20:30.5"], "%d.%m.%Y %H:%M:%S.%1f", datetime(2024, 1, 31, 10, 20, 30, 500_000)),
    (["2024-01-31 10:20:30.25Z"], "%Y-%m-%d %H:%M:%S.%2fZ", datetime(2024, 1, 31, 10, 20, 30, 250_000, UTC)),
    (["2024-01-31 10:20:30.1234567"], "%Y-%m-%d %H:%M:%S.%7f", None),
    (["2024-01-31 10:20:30.5", "2024-01-31 10:20:30.25", "2024-01-31 10:20:30"], "%Y-%m-%d %H:%M:%S.%3f", None),
    (["2024-01-31 10:20:30.2", "2024-01-31 10:20:30.0025"], "%Y-%m-%d %H:%M:%S.%f", None),
    (["1/31/2024 10:20"], "%-m/%-d/%Y %H:%M", datetime(2024, 1, 31, 10, 20)),
    (["2024-01-31T10:20:30Z"], "%Y-%m-%dT%H:%M:%SZ", datetime(2024, 1, 31, 10, 20, 30, tzinfo=UTC)),
    (["2024-01-31T10:20:30+00:00"], "%Y-%m-%dT%H:%M:%S+00:00", datetime(2024, 1, 31, 10, 20, 30, tzinfo=UTC)),
    (["2024-01-31 10:20:30+05:30"], "%Y-%m-%d %H:%M:%S+05:30", datetime(2024, 1, 31, 10, 20, 30, tzinfo=INDIA)),
    (["2024-01-31 10:20:30 -0500", "2024-01-31 09:20:30 -0500"], "%Y-%m-%d %H:%M:%S -0500", None),
    (["2024-01-31T10:20:30Z", "2024-01-31T10:20:30+05:30"], "%Y-%m-%dT%H:%M:%SZ", None),
    (["2023-08-25 14:15:51 UTC"], "%Y-%m-%d %H:%M:%S UTC", datetime(2023, 8, 25, 14, 15, 51, tzinfo=UTC)),
    (["2023-08-25 14:15:51.25 UTC"], "%Y-%m-%d %H:%M:%S.%2f UTC", None),
    (["2023-08-25 14:15:51+00"], "%Y-%m-%d %H:%M:%S+00", datetime(2023, 8, 25, 14, 15, 51, tzinfo=UTC)),
    (["2023-08-25 14:15:51+0530"], "%Y-%m-%d %H:%M:%S+0530", datetime(2023, 8, 25, 14, 15, 51, tzinfo=INDIA)),
    (["8/25/2023 9:05"], "%-m/%-d/%Y %-H:%M", datetime(2023, 8, 25, 9, 5)),
    (["8/25/2023 19:05"], "%-m/%-d/%Y %H:%M", datetime(2023, 8, 25, 19, 5)),
    (["8/25/2023 9:05 AM", "8/25/2023 2:05 PM"], "%-m/%-d/%Y %-I:%M %p", datetime(2023, 8, 25, 9, 5)),
    (["08/25/2023 12:05:10 AM", "08/25/2023 12:05:10 PM"], "%m/%d/%Y %I:%M:%S %p", datetime(2023, 8, 25, 0, 5, 10)),
    (["08/25/2023 02:05:10.125pm"], "%m/%d/%Y %I:%M:%S.%3f%P", datetime(2023, 8, 25, 14, 5, 10, 125_000)),
    (["Aug 25, 2023", "May 01, 2023"], "%b %d, %Y", date(2023, 8, 25)),
    (["August 5, 2023", "May 7, 2023", "May 17, 2023"], "%B %-d, %Y", date(2023, 8, 5)),
    (["25-Aug-2023"], "%d-%b-%Y", date(2023, 8, 25)),
    (["25-AUG-2023 14:15"], "%d-%^b-%Y %H:%M", datetime(2023, 8, 25, 14, 15)),
    (["25 August 2023"], "%d %B %Y", date(2023, 8, 25)),
    (["25/Aug/2023:14:15:51 +0000"], "%d/%b/%Y:%H:%M:%S +0000", datetime(2023, 8, 25, 14, 15, 51, tzinfo=UTC)),
    (["14:15:51", "00:00:00"], "%H:%M:%S", datetime(1970, 1, 1, 14, 15, 51)),
    (["9:05 AM", "1:15 PM"], "%-I:%M %p", datetime(1970, 1, 1, 9, 5)),
]


@pytest.mark.parametrize(("cells", "written", "first"), DATES)
def test_types_dates(cells: list[str], written: str, first: date | None):
    result = typed(*cells, None)

    assert result.format == written
    assert result.values.null_count == 1
    assert first is None or result.values[0].as_py() == first


@pytest.mark.parametrize("cells", [cells for cells, written, _ in DATES if len({len(cell) for cell in cells}) == 1])
def test_dates_go_out_as_they_came(cells: list[str]):
    result = typed(*cells)

    assert datetimes_as_text(result.values.combine_chunks(), result.format).to_pylist() == cells


def test_times_of_several_zones_are_utc():
    result = typed("2024-01-31T10:20:30Z", "2024-01-31T10:20:30+05:30")

    assert result.values.to_pylist()[1] == datetime(2024, 1, 31, 4, 50, 30, tzinfo=UTC)
    assert result.warnings[0].startswith("mixed_timezones")


def test_says_how_to_declare_dates_that_may_be_read_in_two_ways():
    (warning,) = type_cells("day", pa.chunked_array([["01/02/2024 9:05", "03/04/2024 10:05"]])).warnings

    assert "--kind day=datetime --format 'day=%d/%m/%Y %-H:%M'" in warning
    assert "--kind day=datetime --format 'day=%m/%d/%Y %-H:%M'" in warning
    assert "`schema`" in warning


def test_says_that_times_of_day_are_read_as_moments():
    assert typed("14:15:51", "01:02:03").warnings == (
        "times_of_day: column 'x' holds times of day and was read as moments of 1970-01-01.",
    )


class TestDaysThatAreIntegers:
    DAYS = pa.chunked_array([["20240131", None, "19991231"]])

    @pytest.mark.parametrize("name", ["day", "OrderDate", "posting_dt"])
    def test_are_dates_in_a_column_that_is_called_so(self, name):
        result = type_cells(name, self.DAYS)

        assert result.values.to_pylist() == [date(2024, 1, 31), None, date(1999, 12, 31)]
        assert result.format == "%Y%m%d"
        assert result.warnings[0].startswith("dates_as_integers: ")

    def test_are_integers_and_said_to_be_perhaps_dates_in_others(self):
        result = type_cells("x", self.DAYS)

        assert result.values.to_pylist() == [20240131, None, 19991231]
        assert result.warnings[0].startswith("dates_as_integers: ")
        assert "--format x=%Y%m%d" in result.warnings[0]

    @pytest.mark.parametrize("cells", [["20240131", "20241301"], ["20240230"], ["20240131", "7"]])
    def test_are_integers_where_one_is_no_day(self, cells):
        result = type_cells("day", pa.chunked_array([cells]))

        assert (result.values.to_pylist(), result.warnings) == ([int(cell) for cell in cells], ())


def test_season_years_are_no_months():
    assert typed("2019-20", "2020-21") == Typed(pa.chunked_array([["2019-20", "2020-21"]]))


STAY_TEXT = [
    (["2024-02-30", "2024-02-28"], "invalid_date"),
    (["0000-01-01", "2024-02-28"], "date_out_of_range"),
    (["9999-12-31T23:59:59-05:00", "2024-01-31T00:00:00-05:00"], "date_out_of_range"),
    (["01/02/2024", "03/04/2024"], "ambiguous_dates"),
    (["31/01/2024", "01/31/2024"], "mixed_dates"),
    (["2024-01-31", "31.01.2024"], "mixed_dates"),
    (["2024-01-31", "2024-01-31 10:00"], "mixed_dates"),
    (["2024-01-31T10:20:30Z", "2024-01-31T10:20:30"], "mixed_timezones"),
    (["1", "x", "2.5", "True"], "mixed_types"),
    (["$5", "\u20ac6"], "number_format"),
    (["5%", "6"], "number_format"),
    (["234,56", "1,2"], "number_format"),
    (["2024-01-31", "missing", "2024-02-01"], "mixed_types"),
    (["08/25/23", "12/31/23"], "dates_as_text"),
    (["25-AUG-23"], "dates_as_text"),
    (["2023-08", "2023-09"], "dates_as_text"),
    (["Aug 2023", "May 2023"], "dates_as_text"),
    (["Fri, 25 Aug 2023 14:15:51 GMT"], "dates_as_text"),
    (["2023-08-25 14:15:51 CET"], "dates_as_text"),
    (["12:30", "03:45"], "times_as_text"),
    (["72:18:30"], "invalid_date"),
    (["1", "2", "3", "missing"], "mixed_types"),
]


@pytest.mark.parametrize(("cells", "warning"), STAY_TEXT)
def test_text_with_a_warning(cells: list[str], warning: str):
    result = typed(*cells)

    assert result.values.to_pylist() == cells
    assert [text.split(":")[0] for text in result.warnings] == [warning]


def test_warns_of_blanks_that_are_read_as_missing():
    assert typed("1.5", " ", " NA", "-", "2", "-").warnings == (
        "missing_values: 4 cells of column 'x' are `NA` or `-` or blank and were read as missing.",
    )


MARKERS = [
    "\\N",
    "#N/A",
    "?",
    "-",
    "--",
    ".",
    "<NA>",
    "NaT",
    "nan",
    "NULL",
    "None",
    "n/a",
    "#DIV/0!",
    "#VALUE!",
    "#NAME?",
]


@pytest.mark.parametrize("marker", MARKERS)
def test_markers_are_missing_in_columns_of_a_type_alone(marker: str):
    assert typed("1.5", marker, "-2").values.to_pylist() == [1.5, None, -2]
    assert typed("7", marker).values.to_pylist() == [7, None]
    assert typed("2024-01-31", marker).values.to_pylist() == [date(2024, 1, 31), None]
    assert typed("a word", marker).values.to_pylist() == ["a word", marker]
    assert typed(marker, marker) == Typed(pa.chunked_array([[marker, marker]]))
    assert f"`{marker}`" in typed("1.5", marker).warnings[0]


@pytest.mark.parametrize(
    ("cells", "spelling"),
    [
        (["True", "False"], "True/False"),
        (["true"], "true/false"),
        (["TRUE", "FALSE"], "TRUE/FALSE"),
        (["True", "false"], "true/false"),
    ],
)
def test_remembers_how_booleans_were_spelt(cells: list[str], spelling: str):
    assert typed(*cells).format == spelling
