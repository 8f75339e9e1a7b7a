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
    ("thousands", ["1,000", "2,000"], pa.string(), ["1,000", "2,000"]),
    ("nothing", [None, None], pa.string(), [None, None]),
    ("the first and the last date", ["0001-01-01", "9999-12-31"], pa.date32(), [date(1, 1, 1), date(9999, 12, 31)]),
    ("clock-alone", ["12:30", "13:45"], pa.string(), ["12:30", "13:45"]),
]


@pytest.mark.parametrize(("cells", "kind", "values"), [pytest.param(*row[1:], id=row[0]) for row in TYPED])
def test_types(cells: list, kind: pa.DataType, values: list):
    result = typed(*cells).values

    assert result.type == kind
    assert result.to_pylist() == values


INDIA = timezone(timedelta(hours=5, minutes=30))
DATES = [
    # written, format, first value
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


STAY_TEXT = [
    (["2024-02-30", "2024-02-28"], "invalid_date"),
    (["01/02/2024", "03/04/2024"], "ambiguous_dates"),
    (["31/01/2024", "01/31/2024"], "mixed_dates"),
    (["2024-01-31", "31.01.2024"], "mixed_dates"),
    (["2024-01-31", "2024-01-31 10:00"], "mixed_dates"),
    (["2024-01-31T10:20:30Z", "2024-01-31T10:20:30"], "mixed_timezones"),
    (["1", "x", "2.5", "True"], "mixed_types"),
    (["1", "2", "3", "?"], "mixed_types"),
]


@pytest.mark.parametrize(("cells", "warning"), STAY_TEXT)
def test_text_with_a_warning(cells: list[str], warning: str):
    result = typed(*cells)

    assert result.values.to_pylist() == cells
    assert [text.split(":")[0] for text in result.warnings] == [warning]


def test_warns_of_blanks_that_are_read_as_missing():
    assert typed("1.5", " ", "NA").warnings == (
        "missing_values: 2 cells of column 'x' are blank or NA and were read as missing.",
    )


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
