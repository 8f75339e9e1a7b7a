"""Who asks for moments, or has some of a row, gets the others as far from these as in the table."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthgen_ray.synthesizers.asked import asked_of_sample
from tests.marks import nightly_but
from tests.unit.synthesizers.tables_of_moments import (
    MODELS,
    ROWS,
    hours_between,
    later,
    open_orders,
    orders,
    trips,
    visits,
)


@pytest.mark.parametrize(
    "asked",
    [
        {"end": {"min": "2023-03-04T09:00:00", "max": "2023-03-04T09:30:00"}},
        {"start": {"min": "2023-03-04T09:00:00", "max": "2023-03-04T09:30:00"}},
        {
            "start": {"min": "2023-03-04T09:00:00", "max": "2023-03-04T09:30:00"},
            "end": {"max": "2023-03-04T10:00:00"},
        },
        {"end": ["2023-03-04T09:00:00", "2023-05-04T21:00:00"]},
    ],
)
@pytest.mark.parametrize("type_", nightly_but({"refined"}, ["refined", "tvae"]))
def test_who_asks_for_moments_gets_the_others_about_them(model_of_trips, type_, asked):
    model = model_of_trips if type_ == "refined" else MODELS[type_]().fit(trips())

    rows = model.sample(500, seed=2, conditions=asked)

    assert model.obeying(rows, asked_of_sample(1, 1, asked).conditions).num_rows == 500
    hours = hours_between(rows.to_pandas(), "start", "end")
    assert hours.min() > 0
    assert hours.quantile(0.9) < 2.5
    assert hours.nunique() > 10


def test_other_columns_go_by_the_hour_of_the_moment_that_is_asked_for(model_of_trips):
    asked = {"end": {"min": "2023-03-04T02:00:00", "max": "2023-03-04T04:00:00"}}

    rows = model_of_trips.sample(500, seed=2, conditions=asked).to_pandas()

    assert (rows["tariff"] == "night").mean() > 0.95


def test_who_asks_for_the_last_moment_gets_all_before_it():
    model = MODELS["refined"]().fit(orders())

    rows = model.sample(500, seed=2, conditions={"delivered": "2023-03-15"}).to_pandas()

    assert (rows["delivered"] == pd.Timestamp("2023-03-15")).all()
    assert hours_between(rows, "shipped", "delivered").min() >= 24
    assert hours_between(rows, "ordered", "shipped").min() >= 24
    assert hours_between(rows, "ordered", "delivered").quantile(0.9) < 14 * 24


def test_moments_that_cannot_go_together_are_as_they_were_asked_for():
    model = MODELS["copula"]().fit(orders())
    asked = {"ordered": {"min": "2023-06-01"}, "shipped": {"max": "2022-06-01"}}

    rows = model.sample(200, seed=2, conditions=asked).to_pandas()

    assert (rows["ordered"] >= "2023-06-01").all()
    assert (rows["shipped"] <= "2022-06-01").all()


@pytest.mark.parametrize("missing", ["ordered", "shipped", "delivered"])
def test_a_missing_moment_is_filled_in_from_those_of_its_row(missing):
    table = orders()
    model = MODELS["refined"]().fit(table)
    some = table.dropna()[:1000]

    filled = model.impute(some.assign(**{missing: pd.NaT}), seed=3).to_pandas()

    assert filled.drop(columns=missing).equals(some.drop(columns=missing).reset_index(drop=True))
    for first, last in (("ordered", "shipped"), ("shipped", "delivered")):
        if missing in (first, last):
            hours = hours_between(filled, first, last)
            assert (hours >= 24).mean() > 0.995  # but for the first days of the table, which a model does not reach
            assert hours.quantile(0.95) < 12 * 24


def test_moments_that_are_all_missing_are_filled_in_together():
    table = orders()
    model = MODELS["refined"]().fit(table)

    filled = model.impute(table[:1000].assign(ordered=pd.NaT, shipped=pd.NaT, delivered=pd.NaT), seed=3).to_pandas()

    assert not filled.isna().any().any()
    assert hours_between(filled, "ordered", "shipped").min() >= 24
    assert hours_between(filled, "shipped", "delivered").min() >= 24


def test_who_asks_for_a_moment_hardly_changes_how_many_lack_the_one_before():
    table = orders()[["ordered", "shipped"]]
    table["ordered"] = table["ordered"].where(np.random.default_rng(3).random(ROWS) < 0.8)
    table["shipped"] = table["shipped"].where(np.random.default_rng(4).random(ROWS) < 0.75)
    model = MODELS["refined"]().fit(table)

    rows = model.sample(1000, seed=2, conditions={"shipped": "2023-03-15"}).to_pandas()

    assert rows["ordered"].isna().mean() == pytest.approx(0.2, abs=0.1)
    assert hours_between(rows, "ordered", "shipped").between(24, 12 * 24).all()


def test_dates_and_times_that_count_from_each_other_are_filled_in_together():
    table = trips()
    day = pa.array(table["start"].dt.date, pa.date32())
    before = pa.array(later(table["start"], np.full(ROWS, -3), "D").dt.date, pa.date32())
    end = pa.array(table["end"], pa.timestamp("us"))
    model = MODELS["refined"]().fit(pa.table({"asked": before, "day": day, "end": end}))

    given = pa.table({"asked": before, "day": pa.nulls(ROWS, pa.date32()), "end": end})
    filled = model.impute(given, seed=1).to_pandas()
    rows = model.sample(500, seed=1, conditions={"end": {"max": "2023-02-01T00:00:00"}}).to_pandas()

    for found in (filled, rows):
        days = (pd.to_datetime(found["day"]) - pd.to_datetime(found["asked"])).dt.days
        assert (days == 3).mean() > 0.95
        assert (found["end"] - pd.to_datetime(found["day"])).dt.total_seconds().between(0, 32 * 3600).mean() > 0.95


def test_who_asks_for_what_has_no_end_gets_it_of_all_years():
    table = open_orders(0.3)
    model = MODELS["refined"]().fit(table)

    rows = model.sample(1000, seed=2, conditions={"shipped": "9999-12-31"}).to_pandas()

    for share in (0.1, 0.5, 0.9):
        apart = table.to_pandas()["ordered"].quantile(share) - rows["ordered"].quantile(share)
        assert abs(apart.total_seconds()) < 60 * 86_400


def test_a_moment_that_is_asked_to_be_missing_leads_no_other():
    table = orders()
    table["paid"] = later(table["shipped"], 1 + np.random.default_rng(5).poisson(3, ROWS), "D")
    model = MODELS["refined"]().fit(table)

    rows = model.sample(500, seed=2, conditions={"delivered": None, "paid": "2023-03-15"}).to_pandas()

    assert rows["delivered"].isna().all()
    assert hours_between(rows, "shipped", "paid").between(24, 14 * 24).all()


def test_a_moment_between_two_that_are_asked_for_is_between_them():
    model = MODELS["refined"]().fit(orders().dropna())
    asked = {"ordered": "2023-03-01", "delivered": "2023-03-08"}

    rows = model.sample(500, seed=2, conditions=asked).to_pandas()

    assert hours_between(rows, "ordered", "shipped").min() >= 24
    assert hours_between(rows, "shipped", "delivered").min() >= 24


@pytest.mark.parametrize("paid", ["2022-06-01", {"min": "2022-01-01", "max": "2023-01-01"}])
def test_a_moment_between_two_that_are_asked_for_is_as_far_from_the_nearer_as_in_the_table(paid):
    model = MODELS["copula"]().fit(visits())

    rows = model.sample(1000, seed=2, conditions={"called": "2021-01-05", "paid": paid}).to_pandas()

    days = (rows["visited"] - rows["called"]).dt.days
    assert days.between(1, 10).all()
    assert days.value_counts(normalize=True).max() < 0.2
    assert hours_between(rows, "visited", "paid").min() >= 200 * 24


@pytest.mark.parametrize(
    ("called", "visited"),
    [
        (("2020-01-01", "2021-03-31"), ("2021-02-01", "2021-02-28")),
        (("2021-02-01", "2021-02-28"), ("2021-01-01", "2021-12-31")),
        (("2021-02-01", "2021-03-15"), ("2021-01-15", "2021-02-28")),
        (("2021-02-15", "2021-03-31"), ("2021-02-01", "2021-03-01")),
        (("2021-02-15", "2021-02-15"), ("2021-02-01", "2021-03-31")),
    ],
)
def test_moments_that_are_asked_for_by_ranges_go_together(called, visited):
    model = MODELS["copula"]().fit(visits())
    asked = {
        name: dict(zip(("min", "max"), ends, strict=True)) for name, ends in (("called", called), ("visited", visited))
    }

    rows = model.sample(1000, seed=2, conditions=asked)

    assert model.obeying(rows, asked_of_sample(1, 1, asked).conditions).num_rows == 1000
    days = (rows.to_pandas()["visited"] - rows.to_pandas()["called"]).dt.days
    assert days.between(1, 10).all()
    assert days.nunique() == 10


def test_who_asks_for_one_of_some_days_gets_those_that_go_together():
    model = MODELS["copula"]().fit(visits())
    asked = {"called": ["2020-03-01", "2021-03-01", "2022-03-01"], "visited": ["2021-03-05", "2022-02-25"]}

    rows = model.sample(200, seed=2, conditions=asked).to_pandas()

    assert set(rows["called"].dt.year) == {2021}
    assert set(rows["visited"].dt.year) == {2021}


def test_two_moments_that_are_missing_are_filled_in_from_one_that_is_not():
    table = visits()
    table["seen"] = later(table["visited"], np.random.default_rng(4).integers(1, 30, ROWS), "D")
    model = MODELS["copula"]().fit(table)

    filled = model.impute(table[:1000].assign(called=pd.NaT, visited=pd.NaT), seed=3).to_pandas()

    assert hours_between(filled, "called", "visited").min() >= 24
    assert (hours_between(filled, "visited", "seen") >= 24).mean() > 0.99
    assert (hours_between(filled, "visited", "paid") >= 200 * 24).mean() > 0.99


def test_two_later_moments_that_are_asked_for_go_together_with_the_first():
    table = visits()[["called"]]
    rng = np.random.default_rng(7)
    for name, first, last in (("confirmed", 1, 8), ("ended", 10, 400)):
        table[name] = later(table["called"], rng.integers(first, last, ROWS), "D")
    model = MODELS["copula"]().fit(table)
    asked = {
        "confirmed": {"min": "2021-06-01", "max": "2021-12-31"},
        "ended": {"min": "2021-07-01", "max": "2021-10-31"},
    }

    rows = model.sample(1000, seed=2, conditions=asked).to_pandas()

    assert (rows["confirmed"] - rows["called"]).dt.days.between(1, 7).all()
    assert (rows["ended"] - rows["confirmed"]).dt.days.between(3, 398).all()


def test_what_has_no_end_is_among_what_is_asked_for_from_a_day_on():
    model = MODELS["copula"]().fit(open_orders(0.3))
    asked = {"ordered": {"min": "2022-06-01", "max": "2022-12-31"}, "shipped": {"min": "2022-06-01"}}

    rows = model.sample(1000, seed=2, conditions=asked)

    assert np.mean([end.year == 9999 for end in rows["shipped"].to_pylist()]) == pytest.approx(0.3, abs=0.08)
