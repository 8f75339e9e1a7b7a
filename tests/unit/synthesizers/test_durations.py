"""How long it is from one moment of a row to another is as in the table."""

import json
from datetime import UTC

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthgen_ray.synthesizers import CTGAN, load
from synthgen_ray.synthesizers.codec import TableCodec
from synthgen_ray.synthesizers.columns.durations import Moments
from synthgen_ray.synthesizers.model_file import read_model
from tests.marks import nightly_but
from tests.unit.synthesizers.tables_of_moments import (
    MODELS,
    ROWS,
    hours_between,
    later,
    open_orders,
    orders,
    staff,
    trips,
    visits,
)


@pytest.mark.parametrize("type_", nightly_but({"copula", "refined", "tvae"}, MODELS))
def test_what_ends_is_as_long_after_its_start_as_in_the_table(type_):
    table = trips()

    rows = MODELS[type_]().fit(table).sample(ROWS, seed=2).to_pandas()

    of_table, of_rows = (hours_between(one, "start", "end") for one in (table, rows))
    assert of_rows.min() > 0
    for share in (0.1, 0.5, 0.9):
        assert of_rows.quantile(share) == pytest.approx(of_table.quantile(share), rel=0.15, abs=1 / 60)
    for column in ("start", "end"):
        for share in (0.1, 0.5, 0.9):
            apart = table[column].quantile(share) - rows[column].quantile(share)
            assert abs(apart.total_seconds()) < 7 * 86_400


def test_trips_by_night_are_short(model_of_trips):
    rows = model_of_trips.sample(ROWS, seed=2).to_pandas()

    by_day = rows["start"].dt.hour.between(7, 20)
    assert (rows["tariff"] == np.where(by_day, "day", "night")).mean() > 0.95
    hours = hours_between(rows, "start", "end")
    assert hours[by_day].median() > 1.7 * hours[~by_day].median()


@pytest.mark.parametrize("type_", ["copula", "refined", "tvae"])
def test_each_of_several_moments_follows_the_one_before(type_):
    table = orders()

    model = MODELS[type_]().fit(table)
    rows = model.sample(ROWS, seed=2).to_pandas()

    assert [duration.name for duration in model.codec.durations] == ["shipped since ordered", "delivered since shipped"]
    assert hours_between(rows, "ordered", "shipped").min() >= 24
    assert hours_between(rows, "shipped", "delivered").min() >= 24
    assert rows["delivered"].isna().mean() == pytest.approx(0.1, abs=0.03)
    for first, last in (("ordered", "shipped"), ("shipped", "delivered")):
        days = [hours_between(one, first, last).round() // 24 for one in (table, rows)]
        shares = [one.value_counts(normalize=True, sort=False) for one in days]
        assert shares[0].subtract(shares[1], fill_value=0).abs().sum() / 2 < 0.08
    if type_ != "copula":
        assert (hours_between(rows[rows["express"]], "ordered", "shipped") == 24).mean() > 0.9


def test_nobody_leaves_before_he_came():
    table = staff()

    model = MODELS["refined"]().fit(table)
    rows = model.sample(ROWS, seed=2).to_pandas()

    assert [duration.name for duration in model.codec.durations] == ["left since hired"]  # all are born long before
    assert hours_between(rows, "hired", "left").min() >= 0
    assert rows["left"].max() <= table["left"].max()
    assert rows["left"].isna().mean() == pytest.approx(table["left"].isna().mean(), abs=0.03)
    for column in ("hired", "left"):
        for share in (0.25, 0.5, 0.75):
            apart = table[column].quantile(share) - rows[column].quantile(share)
            assert abs(apart.total_seconds()) < 250 * 86_400


def test_moments_of_a_zone_and_of_another():
    table = trips()
    table["start"] = table["start"].dt.tz_localize(UTC).dt.tz_convert("America/New_York")
    table["end"] = table["end"].dt.tz_localize(UTC)

    rows = MODELS["copula"]().fit(table).sample(ROWS, seed=2).to_pandas()

    assert [str(rows[column].dt.tz) for column in ("start", "end")] == ["America/New_York", "UTC"]
    assert hours_between(rows, "start", "end").between(0, 6).all()


def test_a_date_and_a_time_are_counted_in_the_same_unit():
    table = trips()
    day = pa.array(table["start"].dt.date, pa.date32())
    table = pa.table({"day": day, "end": pa.array(table["end"], pa.timestamp("ms")), "tariff": table["tariff"]})
    rows = MODELS["copula"]().fit(table).sample(ROWS, seed=2).to_pandas()
    again = MODELS["copula"]().fit(table.select(["end", "day", "tariff"])).sample(ROWS, seed=2).to_pandas()

    for found in (rows, again):
        hours = hours_between(found.assign(day=pd.to_datetime(found["day"])), "day", "end")
        assert hours.between(0, 32).mean() > 0.99


def test_dates_that_are_text_have_durations_too():
    table = orders()
    for column, format in (("ordered", "%d/%m/%Y"), ("shipped", "%Y-%m-%d")):
        table[column] = table[column].dt.strftime(format)

    rows = MODELS["copula"]().fit(table).sample(ROWS, seed=2).to_pandas()

    ordered = pd.to_datetime(rows["ordered"], format="%d/%m/%Y")
    days = (pd.to_datetime(rows["shipped"], format="%Y-%m-%d") - ordered).dt.days
    assert days.between(1, 12).all()


def test_what_has_no_end_has_no_duration():
    rows = MODELS["refined"]().fit(open_orders(0.75)).sample(ROWS, seed=2)

    is_open = np.array([end.year == 9999 for end in rows["shipped"].to_pylist()])
    assert is_open.mean() == pytest.approx(0.75, abs=0.03)
    others = rows.filter(pa.array(~is_open)).to_pandas()
    assert hours_between(others, "ordered", "shipped").between(24, 12 * 24).mean() > 0.99


def test_what_comes_before_may_be_the_later_column():
    table = trips()[["end", "start", "tariff"]]

    rows = MODELS["copula"]().fit(table).sample(ROWS, seed=2).to_pandas()

    assert hours_between(rows, "start", "end").between(0, 6).all()


def test_moments_of_which_one_is_always_as_far_from_the_other():
    table = orders()
    table["due"] = later(table["ordered"], np.full(ROWS, 30), "D")

    rows = MODELS["copula"]().fit(table).sample(ROWS, seed=2).to_pandas()

    assert (hours_between(rows, "ordered", "due") == 30 * 24).all()


def test_nothing_is_learnt_of_moments_that_have_nothing_to_do_with_each_other():
    table = orders()
    table["shipped"] = np.random.default_rng(4).permutation(table["shipped"])

    assert not MODELS["copula"]().fit(table[["ordered", "shipped"]]).codec.durations


@pytest.mark.parametrize("type_", ["refined", "tvae"])
def test_what_many_rows_share_stays_and_the_order_is_kept(type_):
    table = orders()[["ordered"]].rename(columns={"ordered": "start"})
    annual = np.random.default_rng(6).random(ROWS) < 0.4
    last = pd.to_datetime(table["start"].dt.year.astype(str) + "-12-31")
    table["end"] = last.where(annual, later(table["start"], np.random.default_rng(7).integers(0, 400, ROWS), "D"))
    table["kind"] = np.where(annual, "annual", "other")

    rows = MODELS[type_]().fit(table).sample(ROWS, seed=2).to_pandas()

    at_the_end = (rows["end"].dt.month == 12) & (rows["end"].dt.day == 31)
    assert at_the_end.mean() == pytest.approx(0.4, abs=0.05)
    assert at_the_end[rows["kind"] == "annual"].mean() > 0.9
    assert hours_between(rows, "start", "end").min() >= 0


def test_moments_of_which_the_order_alone_is_the_same_stay_when_they_are():
    rng = np.random.default_rng(8)
    table = staff()[["hired"]].rename(columns={"hired": "joined"})
    until = (pd.Timestamp("2025-01-01") - table["joined"]).dt.days.to_numpy()
    table["seen"] = later(table["joined"], until - np.minimum(rng.exponential(5, ROWS), until), "D")
    gone = rng.random(ROWS) < 0.4
    table["seen"] = table["seen"].where(~gone, later(table["joined"], until * rng.random(ROWS), "D"))

    rows = MODELS["refined"]().fit(table).sample(ROWS, seed=2).to_pandas()

    assert hours_between(rows, "joined", "seen").min() >= 0
    for share in (0.1, 0.25, 0.5):
        apart = table["seen"].quantile(share) - rows["seen"].quantile(share)
        assert abs(apart.total_seconds()) < 200 * 86_400
    assert (rows["seen"] > "2024-12-01").mean() == pytest.approx((table["seen"] > "2024-12-01").mean(), abs=0.05)


@pytest.mark.parametrize("type_", ["refined", "tvae"])
def test_what_is_closed_is_not_entered_and_nobody_crowds_where_it_opens(type_):
    rng = np.random.default_rng(9)
    ordered = later(pd.Series([pd.Timestamp("2023-01-02")] * ROWS), rng.integers(0, 300 * 24 * 60, ROWS), "min")
    day = later(ordered.dt.normalize(), rng.integers(1, 4, ROWS), "D")
    day = later(day, np.where(day.dt.weekday == 6, 1, 0), "D")
    table = pd.DataFrame({"ordered": ordered, "brought": later(day, rng.integers(8 * 60, 18 * 60, ROWS), "min")})
    table["half"] = np.where(table["brought"].dt.hour < 13, "morning", "afternoon")

    rows = MODELS[type_]().fit(table).sample(ROWS, seed=2).to_pandas()

    brought = rows["brought"]
    assert brought.dt.hour.between(8, 17).all()
    assert (brought.dt.weekday < 6).all()
    assert ((brought.dt.hour == 8) & (brought.dt.minute == 0)).mean() < 0.02
    assert (rows["half"] == np.where(brought.dt.hour < 13, "morning", "afternoon")).mean() > 0.95
    assert hours_between(rows, "ordered", "brought").between(8, 5 * 24).all()


def test_nanoseconds_reach_as_far_as_they_do():
    table = orders()[["ordered", "shipped"]].apply(lambda column: column + pd.DateOffset(years=60))
    table = table.astype("datetime64[ns]")

    rows = MODELS["copula"]().fit(table).sample(ROWS, seed=2).to_pandas()

    assert hours_between(rows, "ordered", "shipped").between(24, 12 * 24).all()


def test_moments_count_from_those_that_fewer_rows_lack():
    table = orders()[["delivered", "shipped", "ordered"]]
    table["delivered"] = table["delivered"].where(np.random.default_rng(3).random(ROWS) < 0.3)

    model = MODELS["copula"]().fit(table)
    rows = model.sample(ROWS, seed=2).to_pandas()

    assert [duration.name for duration in model.codec.durations] == ["ordered since shipped", "delivered since shipped"]
    assert hours_between(rows, "ordered", "shipped").min() >= 24
    assert (hours_between(rows, "shipped", "delivered") >= 24).mean() > 0.99  # but for the last days of the table


def test_nanoseconds_of_other_columns_do_not_shorten_the_years():
    rng = np.random.default_rng(5)
    table = pa.table(visits().drop(columns="paid").apply(lambda column: (column + pd.DateOffset(years=40)).dt.date))
    start = rng.integers(18_000, 18_700, ROWS) * 86_400 * 10**9 + rng.integers(0, 10**9, ROWS)
    for name, moments in (("start", start), ("end", start + rng.integers(1, 10**12, ROWS))):
        table = table.append_column(name, pa.array(moments, pa.timestamp("ns")))

    model = MODELS["copula"]().fit(table)
    rows = model.sample(ROWS, seed=2).to_pandas()

    assert [duration.name for duration in model.codec.durations] == ["visited since called", "end since start"]
    days = (pd.to_datetime(rows["visited"]) - pd.to_datetime(rows["called"])).dt.days
    assert days.between(1, 10).all()
    assert (rows["end"] > rows["start"]).all()


def test_centuries_beside_nanoseconds_stay_within_what_can_be_counted():
    rng = np.random.default_rng(6)
    is_old = rng.random(ROWS) < 0.3
    founded = np.where(is_old, rng.integers(-700_000, -30_000, ROWS), rng.integers(10_000, 18_000, ROWS))
    closed = founded + np.where(is_old, rng.integers(100, 500_000, ROWS), rng.integers(10, 5000, ROWS))
    seen = np.maximum(closed, 14_000) * 86_400 * 10**9 + rng.integers(1, 10**14, ROWS)
    dates = {"founded": founded, "closed": closed}
    table = pa.table({name: pa.array(days.astype(np.int32)).cast(pa.date32()) for name, days in dates.items()})
    model = MODELS["copula"]().fit(table.append_column("seen", pa.array(seen, pa.timestamp("ns"))))

    rows = model.sample(500, seed=2, conditions={"seen": {"min": "2015-01-01T00:00:00"}, "closed": "2014-01-01"})

    assert {duration.until.column: duration.units_per_day for duration in model.codec.durations} == {
        "closed": 1,
        "seen": 86_400 * 10**9,
    }
    founded_on = rows["founded"].cast(pa.int32()).to_numpy()
    assert (founded_on < 16_071).all()


@pytest.mark.parametrize("type_", ["copula", "refined"])
def test_what_is_due_when_a_month_ends_stays_so(type_):
    rng = np.random.default_rng(5)
    billed = later(pd.Series([pd.Timestamp("2020-01-01")] * ROWS), rng.integers(0, 1000, ROWS), "D")
    is_other = rng.random(ROWS) < 0.1
    due = (billed + pd.offsets.MonthEnd(0)).mask(is_other, later(billed, rng.integers(0, 20, ROWS), "D"))

    rows = MODELS[type_]().fit(pd.DataFrame({"billed": billed, "due": due})).sample(ROWS, seed=2).to_pandas()

    assert rows["due"].dt.is_month_end.mean() == pytest.approx(due.dt.is_month_end.mean(), abs=0.06)
    assert hours_between(rows, "billed", "due").between(0, 31 * 24).all()


def test_what_imitates_the_stock_package_has_no_durations():
    assert not CTGAN(seed=1, epochs=1, sampling="ctgan").fit(trips()[:500]).codec.durations


def test_a_model_with_durations_comes_back_from_its_file(model_of_trips, tmp_path):
    model_of_trips.save(tmp_path / "model")

    again = load(tmp_path / "model")

    assert [duration.name for duration in again.codec.durations] == ["end since start"]
    assert again.sample(50, seed=4).equals(model_of_trips.sample(50, seed=4))
    assert [column.name for column in again.learned_columns] == ["start", "end", "tariff"]


def test_names_of_durations_are_no_columns(tmp_path):
    table = trips().rename(columns={"tariff": "end since start"})

    model = MODELS["copula"]().fit(table)
    model.save(tmp_path / "model")

    assert load(tmp_path / "model").sample(10, seed=1).column_names == list(table.columns)


@pytest.mark.parametrize(
    "change",
    [
        {"until": "tariff"},
        {"until": "start"},
        {"until": "away"},
        {"since": "end"},
        {"name": "tariff"},
        {"usual": [5, 4]},
    ],
)
def test_durations_that_are_none_are_refused(model_of_trips, change, tmp_path):
    model_of_trips.save(tmp_path / "model")
    card, _ = read_model(tmp_path / "model")
    stored = json.loads(card.codec.model_dump_json())
    assert len(TableCodec.model_validate_json(json.dumps(stored)).durations) == 1
    for key, value in change.items():
        if key in ("since", "until"):
            stored["durations"][0][key]["column"] = value
        else:
            stored["durations"][0][key] = value

    with pytest.raises(ValueError, match="duration"):
        TableCodec.model_validate_json(json.dumps(stored))


@pytest.mark.parametrize("type_", ["timestamp[s]", "timestamp[us]", "date32[day]", "int64"])
def test_what_is_no_finer_than_microseconds_is_counted_as_it_is(type_):
    assert Moments(column="at", type="timestamp[ns]", unit=1000).unit == 1000

    with pytest.raises(ValueError, match="duration"):
        Moments(column="at", type=type_, unit=1000)
