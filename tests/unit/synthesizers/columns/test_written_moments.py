"""Dates and times that a column keeps as text are learnt as such, and come back as they were written."""

import warnings

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.domain.errors import InvalidTable
from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers.base import create, load
from synthgen_ray.synthesizers.columns.category import CategoryCodec
from synthgen_ray.synthesizers.columns.written_moments import WrittenMoments
from tests.unit.synthesizers.conftest import SMALL

RNG = np.random.default_rng(6)
ROWS = 400
DAYS = pd.Timestamp("2020-01-01") + pd.to_timedelta(RNG.integers(0, 300, ROWS), "D")
TIMES = DAYS + pd.to_timedelta(RNG.integers(0, 86_400_000, ROWS), "ms")
FORMATS = {
    "%Y-%m-%d": DAYS.strftime("%Y-%m-%d"),
    "%d.%m.%Y": DAYS.strftime("%d.%m.%Y"),
    "%-m/%-d/%Y": DAYS.strftime("%-m/%-d/%Y"),
    "%Y-%m-%d %H:%M": TIMES.strftime("%Y-%m-%d %H:%M"),
    "%Y-%m-%dT%H:%M:%S.%3f+02:00": TIMES.strftime("%Y-%m-%dT%H:%M:%S.%f").str[:-3] + "+02:00",
}


def found(texts) -> WrittenMoments | None:
    return WrittenMoments.find(pa.chunked_array([pa.array(texts, pa.string())]))


def fitted(table, model_type=ModelType.GAUSSIAN_COPULA, columns=None, **options):
    return create(model_type, {**SMALL[model_type], "seed": 1, **options}).fit(table, columns=columns)


@pytest.mark.parametrize(("format", "texts"), FORMATS.items(), ids=FORMATS.keys())
def test_they_are_read_and_written_back_whichever_of_them_are_looked_at(format, texts):
    texts = [None, *texts]

    wrapped = found(texts)

    assert wrapped.format == format
    for part in (texts, texts[:2], texts[:1]):
        moments = wrapped.unwrap(pa.chunked_array([part], pa.string()))
        assert str(moments.type) == wrapped.moment_type
        assert wrapped.wrap(moments).to_pylist() == part


@pytest.mark.parametrize(
    "texts",
    [
        ["2020-01-01", "soon"],
        ["2020-01-01", "01.02.2020"],
        ["2020-02-30"] * 5,
        ["1/12/2020", "01/13/2020"],
        ["2020-01-01 10:00:00.5", "2020-01-01 10:00:00.25"],
        ["2020-01-01 10:00+01:00", "2020-01-01 10:00+02:00"],
        [None],
    ],
    ids=["a word", "two formats", "no such day", "padded or not", "fractions", "zones", "nothing"],
)
def test_other_texts_are_left_alone(texts):
    assert found(texts) is None


@pytest.mark.parametrize("zone", ["Z", "+02:00", "-0500"])
def test_whichever_zone_is_declared_the_texts_tell_it(zone):
    texts = pa.chunked_array([[f"2024-01-01T10:00:00{zone}", f"2024-06-01T10:00:00{zone}"]])

    assert WrittenMoments.find(texts, "%Y-%m-%dT%H:%M:%S%z").format == f"%Y-%m-%dT%H:%M:%S{zone}"


def test_a_format_that_writes_no_dates_is_refused():
    for format, moment_type in (("%s" * 100, "date32[day]"), ("%Y-%m-%d", "int64")):
        with pytest.raises(ValueError, match="not dates or times"):
            WrittenMoments(arrow_type="string", moment_type=moment_type, format=format)


@pytest.mark.parametrize("model_type", ModelType)
def test_a_data_frame_gets_its_dates_back_as_they_were_written(model_type, tmp_path):
    start = DAYS.strftime("%Y-%m-%d").to_series().mask(RNG.random(ROWS) < 0.2).to_list()
    frame = pd.DataFrame({"start": start, "seen": FORMATS["%Y-%m-%d %H:%M"], "paid": RNG.normal(size=ROWS)})

    model = fitted(frame, model_type)
    rows = model.sample(300, seed=1, conditions={"seen": {"min": "2020-03-01"}})

    assert [column.kind for column in model.columns[:2]] == [ColumnKind.DATETIME] * 2
    assert rows.schema.field("start").type == pa.string()
    made = rows.to_pandas()
    for name, format, low in (("start", "%Y-%m-%d", "2020-01-01"), ("seen", "%Y-%m-%d %H:%M", "2020-03-01")):
        moments = pd.to_datetime(made[name].dropna(), format=format, exact=True)
        assert moments.between(low, "2020-10-28").all()
    assert 0.05 < made["start"].isna().mean() < 0.4
    model.save(tmp_path / "model")
    assert load(tmp_path / "model").sample(20, seed=2).equals(model.sample(20, seed=2))


@pytest.mark.usefixtures("few_own_rows")
def test_gaps_are_filled_in_the_format_of_the_others_also_in_a_frame_whose_dates_were_read():
    texts = FORMATS["%d.%m.%Y"].to_series().mask(RNG.random(ROWS) < 0.2).reset_index(drop=True)
    frame = pd.DataFrame({"day": texts, "paid": RNG.normal(size=ROWS)})
    model = fitted(frame)

    filled = model.impute(frame, seed=1)["day"].to_pylist()

    assert all(new == old for new, old in zip(filled, texts, strict=True) if isinstance(old, str))
    assert pd.to_datetime(filled, format="%d.%m.%Y").notna().all()
    read = frame.assign(day=pd.to_datetime(texts, format="%d.%m.%Y"))
    assert model.impute(read, seed=1)["day"].to_pylist() == filled


def test_gaps_beside_dates_of_another_format_are_refused():
    model = fitted(pd.DataFrame({"day": FORMATS["%Y-%m-%d"], "paid": RNG.normal(size=ROWS)}))

    with pytest.raises(InvalidTable) as caught:
        model.impute(pd.DataFrame({"day": FORMATS["%d.%m.%Y"], "paid": np.nan}))

    assert caught.value.code == "column_mismatch"


def test_what_columns_are_declared_is_what_they_are():
    frame = pd.DataFrame({"day": FORMATS["%Y-%m-%d"].str[:-2] + "01", "paid": RNG.normal(size=ROWS)})

    model = fitted(frame, columns=[Column("day", ColumnKind.CATEGORICAL), Column("paid", ColumnKind.FLOAT)])

    assert isinstance(model.codec.columns[0], CategoryCodec)


def test_one_column_is_declared_and_the_others_are_inferred():
    days = [f"0{day}/0{month}/2020" for day in range(1, 10) for month in range(1, 10)] * 5
    frame = pd.DataFrame({"x": RNG.normal(size=len(days)), "day": days, "city": ["Rome", "Oslo", "Lima"] * 135})

    model = fitted(frame, columns=[Column("day", ColumnKind.DATETIME, format="%d/%m/%Y")])

    kinds = [ColumnKind.FLOAT, ColumnKind.DATETIME, ColumnKind.CATEGORICAL]
    assert [column.kind for column in model.columns] == kinds
    assert [column.kind for column in model.learned_columns] == kinds


@pytest.mark.parametrize("names", [["x", "y"], ["x", "x"]])
def test_what_is_declared_of_no_column_or_twice_is_refused(names):
    with pytest.raises(InvalidTable) as caught:
        fitted(pd.DataFrame({"x": RNG.normal(size=40)}), columns=[Column(name, ColumnKind.FLOAT) for name in names])

    assert caught.value.code == "column_mismatch"


def test_a_declared_format_tells_days_from_months():
    texts = [f"0{day}/0{month}/2020" for day in range(1, 10) for month in range(1, 10)] * 5
    columns = [Column("day", ColumnKind.DATETIME, format="%d/%m/%Y"), Column("x", ColumnKind.FLOAT)]

    model = fitted(pd.DataFrame({"day": texts, "x": RNG.normal(size=len(texts))}), columns=columns)

    assert (model.learned_columns[0].minimum, model.learned_columns[0].maximum) == ("2020-01-01", "2020-09-09")


@pytest.mark.usefixtures("few_own_rows")
def test_a_declared_format_is_kept_where_the_texts_fit_a_narrower_one():
    texts = ["12/10/2020", "13/11/2020"] * 20
    columns = [Column("day", ColumnKind.DATETIME, format="%-d/%-m/%Y"), Column("x", ColumnKind.FLOAT)]
    model = fitted(pd.DataFrame({"day": texts, "x": RNG.normal(size=len(texts))}), columns=columns)

    filled = model.impute(pd.DataFrame({"day": ["5/11/2020", "12/10/2020"], "x": [0.0, np.nan]}))

    assert filled["day"].to_pylist() == ["5/11/2020", "12/10/2020"]


@pytest.mark.parametrize(
    ("format", "fault"),
    [("%A %d", "by the format '%A %d'"), ("%d/%m/%Y", "again, by the format"), (None, "all be read")],
)
def test_a_declaration_that_the_texts_do_not_bear_out_is_refused(format, fault):
    texts = ["Monday 12", "Tuesday 13"] * 20
    columns = [Column("day", ColumnKind.DATETIME, format=format), Column("x", ColumnKind.FLOAT)]

    with pytest.raises(InvalidTable, match=f"'day'.*{fault}"):
        fitted(pd.DataFrame({"day": texts, "x": RNG.normal(size=len(texts))}), columns=columns)


@pytest.mark.parametrize("seed", range(6))
def test_the_one_cell_that_tells_days_from_months_does_so_whoever_is_held_out(seed):
    texts = ["25/03/2024", *(f"{n % 12 + 1:02}/{n % 11 + 1:02}/2024" for n in range(59))]
    columns = [Column("day", ColumnKind.DATETIME), Column("x", ColumnKind.FLOAT)]
    frame = pd.DataFrame({"day": texts, "x": RNG.normal(size=60)})

    assert fitted(frame, columns=columns, seed=seed, holdout_fraction=0.4).codec.columns[0].wrapped.format == "%d/%m/%Y"


@pytest.mark.parametrize(
    ("texts", "warning"),
    [
        (["01/02/2020", "03/04/2020"], r"'day' may have the day .*Column\('day'.*format='%d/%m/%Y' or"),
        (["05/29/23", "11/30/24"], "year or day is not written out.*with format='%m/%d/%y'"),
        (["03:40", "04:50"], "times of day, or minutes and seconds.*with format='%H:%M'"),
        (["2020-01-01", "31.01.2020"], "'day' holds dates in several formats"),
        (["2020-01-01", "0000-00-00"], "'day' holds dates that do not exist"),
        (["2020-01-01"] * 19 + ["soon"], "'day' holds dates, and in some cells something else"),
    ],
)
def test_dates_that_cannot_be_told_are_warned_of(texts, warning):
    frame = pd.DataFrame({"day": texts * 20, "x": RNG.normal(size=20 * len(texts))})

    with pytest.warns(UserWarning, match=warning) as caught:
        fitted(frame)

    assert caught[0].filename == __file__


def test_no_other_text_is_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted(pd.DataFrame({"word": ["soon", "2020-01-01"] * 20, "x": RNG.normal(size=40)}))
        fitted(pd.DataFrame({"year": ["1999/00", "2000/01"] * 20, "x": RNG.normal(size=40)}))
