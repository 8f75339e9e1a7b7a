"""How long it is from one moment of a row to another is as in the table."""

import json
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthgen_ray.synthesizers import CTGAN, TVAE, CopulaGAN, GaussianCopula, load
from synthgen_ray.synthesizers.asked import asked_of_sample
from synthgen_ray.synthesizers.base import Synthesizer
from synthgen_ray.synthesizers.codec import TableCodec
from synthgen_ray.synthesizers.model_file import read_model

ROWS = 4000
MODELS = {
    "copula": lambda: GaussianCopula(seed=1),
    "refined": lambda: GaussianCopula(seed=1, refine=True),
    "tvae": lambda: TVAE(seed=1, epochs=20),
    "ctgan": lambda: CTGAN(seed=1, epochs=20),
    "copulagan": lambda: CopulaGAN(seed=1, epochs=20),
}


def _later(moments: pd.Series, more: np.ndarray, unit: str) -> pd.Series:
    return moments + pd.Series(pd.to_timedelta(more.astype(np.int64), unit=unit))


def _trips() -> pd.DataFrame:
    """By day they take 5 to 60 minutes and more, by night a third of that."""
    rng = np.random.default_rng(1)
    start = _later(pd.Series([pd.Timestamp("2023-01-02")] * ROWS), rng.integers(0, 180 * 24 * 60, ROWS), "min")
    by_day = start.dt.hour.between(7, 20)
    minutes = 5 + rng.exponential(np.where(by_day, 30, 10))
    end = _later(start, minutes, "min")
    return pd.DataFrame({"start": start, "end": end, "tariff": np.where(by_day, "day", "night")})


def _orders() -> pd.DataFrame:
    """Shipped after some days, delivered after some more, but for those that are not."""
    rng = np.random.default_rng(2)
    ordered = _later(pd.Series([pd.Timestamp("2022-01-03")] * ROWS), rng.integers(0, 700, ROWS), "D")
    express = rng.random(ROWS) < 0.3
    shipped = _later(ordered, np.where(express, 1, 2 + rng.poisson(2, ROWS)), "D")
    delivered = _later(shipped, 1 + rng.poisson(3, ROWS), "D").where(rng.random(ROWS) < 0.9)
    return pd.DataFrame({"ordered": ordered, "shipped": shipped, "delivered": delivered, "express": express})


def _staff() -> pd.DataFrame:
    """Who has left did so within the years that the table spans."""
    rng = np.random.default_rng(3)
    born = _later(pd.Series([pd.Timestamp("1960-01-01")] * ROWS), rng.integers(0, 35 * 365, ROWS), "D")
    hired = _later(pd.Series([pd.Timestamp("2005-01-01")] * ROWS), rng.integers(0, 20 * 365, ROWS), "D")
    left = _later(hired, rng.exponential(4 * 365, ROWS), "D")
    return pd.DataFrame({"born": born, "hired": hired, "left": left.where(left < pd.Timestamp("2025-01-01"))})


def _hours(rows: pd.DataFrame, first: str, last: str) -> pd.Series:
    return ((rows[last] - rows[first]).dt.total_seconds() / 3600).dropna()


@pytest.fixture(scope="module")
def trips() -> Synthesizer:
    return MODELS["refined"]().fit(_trips())


@pytest.mark.parametrize("type_", MODELS)
def test_what_ends_is_as_long_after_its_start_as_in_the_table(type_):
    table = _trips()

    rows = MODELS[type_]().fit(table).sample(ROWS, seed=2).to_pandas()

    of_table, of_rows = (_hours(one, "start", "end") for one in (table, rows))
    assert of_rows.min() > 0
    for share in (0.1, 0.5, 0.9):
        assert of_rows.quantile(share) == pytest.approx(of_table.quantile(share), rel=0.15, abs=1 / 60)
    for column in ("start", "end"):
        for share in (0.1, 0.5, 0.9):
            apart = table[column].quantile(share) - rows[column].quantile(share)
            assert abs(apart.total_seconds()) < 7 * 86_400


def test_trips_by_night_are_short(trips):
    rows = trips.sample(ROWS, seed=2).to_pandas()

    by_day = rows["start"].dt.hour.between(7, 20)
    assert (rows["tariff"] == np.where(by_day, "day", "night")).mean() > 0.95
    hours = _hours(rows, "start", "end")
    assert hours[by_day].median() > 1.7 * hours[~by_day].median()


@pytest.mark.parametrize("type_", ["copula", "refined", "tvae"])
def test_each_of_several_moments_follows_the_one_before(type_):
    table = _orders()

    model = MODELS[type_]().fit(table)
    rows = model.sample(ROWS, seed=2).to_pandas()

    assert [duration.name for duration in model.codec.durations] == ["shipped since ordered", "delivered since shipped"]
    assert _hours(rows, "ordered", "shipped").min() >= 24
    assert _hours(rows, "shipped", "delivered").min() >= 24
    assert rows["delivered"].isna().mean() == pytest.approx(0.1, abs=0.03)
    for first, last in (("ordered", "shipped"), ("shipped", "delivered")):
        days = [_hours(one, first, last).round() // 24 for one in (table, rows)]
        shares = [one.value_counts(normalize=True, sort=False) for one in days]
        assert shares[0].subtract(shares[1], fill_value=0).abs().sum() / 2 < 0.08
    if type_ != "copula":
        assert (_hours(rows[rows["express"]], "ordered", "shipped") == 24).mean() > 0.9


def test_nobody_leaves_before_he_came():
    table = _staff()

    model = MODELS["refined"]().fit(table)
    rows = model.sample(ROWS, seed=2).to_pandas()

    assert [duration.name for duration in model.codec.durations] == ["left since hired"]  # all are born long before
    assert _hours(rows, "hired", "left").min() >= 0
    assert rows["left"].max() <= table["left"].max()
    assert rows["left"].isna().mean() == pytest.approx(table["left"].isna().mean(), abs=0.03)
    for column in ("hired", "left"):
        for share in (0.25, 0.5, 0.75):
            apart = table[column].quantile(share) - rows[column].quantile(share)
            assert abs(apart.total_seconds()) < 250 * 86_400


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
@pytest.mark.parametrize("type_", ["refined", "tvae"])
def test_who_asks_for_moments_gets_the_others_about_them(trips, type_, asked):
    model = trips if type_ == "refined" else MODELS[type_]().fit(_trips())

    rows = model.sample(500, seed=2, conditions=asked)

    assert model.obeying(rows, asked_of_sample(1, 1, asked).conditions).num_rows == 500
    hours = _hours(rows.to_pandas(), "start", "end")
    assert hours.min() > 0
    assert hours.quantile(0.9) < 2.5
    assert hours.nunique() > 10


def test_other_columns_go_by_the_hour_of_the_moment_that_is_asked_for(trips):
    asked = {"end": {"min": "2023-03-04T02:00:00", "max": "2023-03-04T04:00:00"}}

    rows = trips.sample(500, seed=2, conditions=asked).to_pandas()

    assert (rows["tariff"] == "night").mean() > 0.95


def test_who_asks_for_the_last_moment_gets_all_before_it():
    model = MODELS["refined"]().fit(_orders())

    rows = model.sample(500, seed=2, conditions={"delivered": "2023-03-15"}).to_pandas()

    assert (rows["delivered"] == pd.Timestamp("2023-03-15")).all()
    assert _hours(rows, "shipped", "delivered").min() >= 24
    assert _hours(rows, "ordered", "shipped").min() >= 24
    assert _hours(rows, "ordered", "delivered").quantile(0.9) < 14 * 24


def test_moments_that_cannot_go_together_are_as_they_were_asked_for():
    model = MODELS["copula"]().fit(_orders())
    asked = {"ordered": {"min": "2023-06-01"}, "shipped": {"max": "2022-06-01"}}

    rows = model.sample(200, seed=2, conditions=asked).to_pandas()

    assert (rows["ordered"] >= "2023-06-01").all()
    assert (rows["shipped"] <= "2022-06-01").all()


@pytest.mark.parametrize("missing", ["ordered", "shipped", "delivered"])
def test_a_missing_moment_is_filled_in_from_those_of_its_row(missing):
    table = _orders()
    model = MODELS["refined"]().fit(table)
    some = table.dropna()[:1000]

    filled = model.impute(some.assign(**{missing: pd.NaT}), seed=3).to_pandas()

    assert filled.drop(columns=missing).equals(some.drop(columns=missing).reset_index(drop=True))
    for first, last in (("ordered", "shipped"), ("shipped", "delivered")):
        if missing in (first, last):
            hours = _hours(filled, first, last)
            assert (hours >= 24).mean() > 0.995  # but for the first days of the table, which a model does not reach
            assert hours.quantile(0.95) < 12 * 24


def test_moments_that_are_all_missing_are_filled_in_together():
    table = _orders()
    model = MODELS["refined"]().fit(table)

    filled = model.impute(table[:1000].assign(ordered=pd.NaT, shipped=pd.NaT, delivered=pd.NaT), seed=3).to_pandas()

    assert not filled.isna().any().any()
    assert _hours(filled, "ordered", "shipped").min() >= 24
    assert _hours(filled, "shipped", "delivered").min() >= 24


def test_moments_of_a_zone_and_of_another():
    table = _trips()
    table["start"] = table["start"].dt.tz_localize(UTC).dt.tz_convert("America/New_York")
    table["end"] = table["end"].dt.tz_localize(UTC)

    rows = MODELS["copula"]().fit(table).sample(ROWS, seed=2).to_pandas()

    assert [str(rows[column].dt.tz) for column in ("start", "end")] == ["America/New_York", "UTC"]
    assert _hours(rows, "start", "end").between(0, 6).all()


def test_a_date_and_a_time_are_counted_in_the_same_unit():
    table = _trips()
    day = pa.array(table["start"].dt.date, pa.date32())
    table = pa.table({"day": day, "end": pa.array(table["end"], pa.timestamp("ms")), "tariff": table["tariff"]})
    rows = MODELS["copula"]().fit(table).sample(ROWS, seed=2).to_pandas()
    again = MODELS["copula"]().fit(table.select(["end", "day", "tariff"])).sample(ROWS, seed=2).to_pandas()

    for found in (rows, again):
        hours = _hours(found.assign(day=pd.to_datetime(found["day"])), "day", "end")
        assert hours.between(0, 32).mean() > 0.99


def test_dates_that_are_text_have_durations_too():
    table = _orders()
    for column, format in (("ordered", "%d/%m/%Y"), ("shipped", "%Y-%m-%d")):
        table[column] = table[column].dt.strftime(format)

    rows = MODELS["copula"]().fit(table).sample(ROWS, seed=2).to_pandas()

    ordered = pd.to_datetime(rows["ordered"], format="%d/%m/%Y")
    days = (pd.to_datetime(rows["shipped"], format="%Y-%m-%d") - ordered).dt.days
    assert days.between(1, 12).all()


def test_what_has_no_end_has_no_duration():
    table = _orders().drop(columns="delivered")
    open_ = np.random.default_rng(5).random(ROWS) < 0.75
    ends = [datetime(9999, 12, 31) if is_open else end for is_open, end in zip(open_, table["shipped"], strict=True)]
    table = pa.table(table.drop(columns="shipped")).append_column("shipped", pa.array(ends, pa.timestamp("s")))

    rows = MODELS["refined"]().fit(table).sample(ROWS, seed=2)

    is_open = np.array([end.year == 9999 for end in rows["shipped"].to_pylist()])
    assert is_open.mean() == pytest.approx(0.75, abs=0.03)
    others = rows.filter(pa.array(~is_open)).to_pandas()
    assert _hours(others, "ordered", "shipped").between(24, 12 * 24).mean() > 0.99


def test_what_comes_before_may_be_the_later_column():
    table = _trips()[["end", "start", "tariff"]]

    rows = MODELS["copula"]().fit(table).sample(ROWS, seed=2).to_pandas()

    assert _hours(rows, "start", "end").between(0, 6).all()


def test_moments_of_which_one_is_always_as_far_from_the_other():
    table = _orders()
    table["due"] = _later(table["ordered"], np.full(ROWS, 30), "D")

    rows = MODELS["copula"]().fit(table).sample(ROWS, seed=2).to_pandas()

    assert (_hours(rows, "ordered", "due") == 30 * 24).all()


def test_nothing_is_learnt_of_moments_that_have_nothing_to_do_with_each_other():
    table = _orders()
    table["shipped"] = np.random.default_rng(4).permutation(table["shipped"])

    assert not MODELS["copula"]().fit(table[["ordered", "shipped"]]).codec.durations


@pytest.mark.parametrize("type_", ["refined", "tvae"])
def test_what_many_rows_share_stays_and_the_order_is_kept(type_):
    table = _orders()[["ordered"]].rename(columns={"ordered": "start"})
    annual = np.random.default_rng(6).random(ROWS) < 0.4
    last = pd.to_datetime(table["start"].dt.year.astype(str) + "-12-31")
    table["end"] = last.where(annual, _later(table["start"], np.random.default_rng(7).integers(0, 400, ROWS), "D"))
    table["kind"] = np.where(annual, "annual", "other")

    rows = MODELS[type_]().fit(table).sample(ROWS, seed=2).to_pandas()

    at_the_end = (rows["end"].dt.month == 12) & (rows["end"].dt.day == 31)
    assert at_the_end.mean() == pytest.approx(0.4, abs=0.05)
    assert at_the_end[rows["kind"] == "annual"].mean() > 0.9
    assert _hours(rows, "start", "end").min() >= 0


def test_moments_of_which_the_order_alone_is_the_same_stay_when_they_are():
    rng = np.random.default_rng(8)
    table = _staff()[["hired"]].rename(columns={"hired": "joined"})
    until = (pd.Timestamp("2025-01-01") - table["joined"]).dt.days.to_numpy()
    table["seen"] = _later(table["joined"], until - np.minimum(rng.exponential(5, ROWS), until), "D")
    gone = rng.random(ROWS) < 0.4
    table["seen"] = table["seen"].where(~gone, _later(table["joined"], until * rng.random(ROWS), "D"))

    rows = MODELS["refined"]().fit(table).sample(ROWS, seed=2).to_pandas()

    assert _hours(rows, "joined", "seen").min() >= 0
    for share in (0.1, 0.25, 0.5):
        apart = table["seen"].quantile(share) - rows["seen"].quantile(share)
        assert abs(apart.total_seconds()) < 200 * 86_400
    assert (rows["seen"] > "2024-12-01").mean() == pytest.approx((table["seen"] > "2024-12-01").mean(), abs=0.05)


@pytest.mark.parametrize("type_", ["refined", "tvae"])
def test_what_is_closed_is_not_entered_and_nobody_crowds_where_it_opens(type_):
    rng = np.random.default_rng(9)
    ordered = _later(pd.Series([pd.Timestamp("2023-01-02")] * ROWS), rng.integers(0, 300 * 24 * 60, ROWS), "min")
    day = _later(ordered.dt.normalize(), rng.integers(1, 4, ROWS), "D")
    day = _later(day, np.where(day.dt.weekday == 6, 1, 0), "D")
    table = pd.DataFrame({"ordered": ordered, "brought": _later(day, rng.integers(8 * 60, 18 * 60, ROWS), "min")})
    table["half"] = np.where(table["brought"].dt.hour < 13, "morning", "afternoon")

    rows = MODELS[type_]().fit(table).sample(ROWS, seed=2).to_pandas()

    brought = rows["brought"]
    assert brought.dt.hour.between(8, 17).all()
    assert (brought.dt.weekday < 6).all()
    assert ((brought.dt.hour == 8) & (brought.dt.minute == 0)).mean() < 0.02
    assert (rows["half"] == np.where(brought.dt.hour < 13, "morning", "afternoon")).mean() > 0.95
    assert _hours(rows, "ordered", "brought").between(8, 5 * 24).all()


def test_nanoseconds_reach_as_far_as_they_do():
    table = _orders()[["ordered", "shipped"]].apply(lambda column: column + pd.DateOffset(years=60))
    table = table.astype("datetime64[ns]")

    rows = MODELS["copula"]().fit(table).sample(ROWS, seed=2).to_pandas()

    assert _hours(rows, "ordered", "shipped").between(24, 12 * 24).all()


def test_moments_count_from_those_that_fewer_rows_lack():
    table = _orders()[["delivered", "shipped", "ordered"]]
    table["delivered"] = table["delivered"].where(np.random.default_rng(3).random(ROWS) < 0.3)

    model = MODELS["copula"]().fit(table)
    rows = model.sample(ROWS, seed=2).to_pandas()

    assert [duration.name for duration in model.codec.durations] == ["ordered since shipped", "delivered since shipped"]
    assert _hours(rows, "ordered", "shipped").min() >= 24
    assert (_hours(rows, "shipped", "delivered") >= 24).mean() > 0.99  # but for the last days of the table


def test_who_asks_for_a_moment_hardly_changes_how_many_lack_the_one_before():
    table = _orders()[["ordered", "shipped"]]
    table["ordered"] = table["ordered"].where(np.random.default_rng(3).random(ROWS) < 0.8)
    table["shipped"] = table["shipped"].where(np.random.default_rng(4).random(ROWS) < 0.75)
    model = MODELS["refined"]().fit(table)

    rows = model.sample(1000, seed=2, conditions={"shipped": "2023-03-15"}).to_pandas()

    assert rows["ordered"].isna().mean() == pytest.approx(0.2, abs=0.1)
    assert _hours(rows, "ordered", "shipped").between(24, 12 * 24).all()


def test_dates_and_times_that_count_from_each_other_are_filled_in_together():
    trips = _trips()
    day = pa.array(trips["start"].dt.date, pa.date32())
    before = pa.array(_later(trips["start"], np.full(ROWS, -3), "D").dt.date, pa.date32())
    end = pa.array(trips["end"], pa.timestamp("us"))
    model = MODELS["refined"]().fit(pa.table({"asked": before, "day": day, "end": end}))

    given = pa.table({"asked": before, "day": pa.nulls(ROWS, pa.date32()), "end": end})
    filled = model.impute(given, seed=1).to_pandas()
    rows = model.sample(500, seed=1, conditions={"end": {"max": "2023-02-01T00:00:00"}}).to_pandas()

    for found in (filled, rows):
        days = (pd.to_datetime(found["day"]) - pd.to_datetime(found["asked"])).dt.days
        assert (days == 3).mean() > 0.95
        assert (found["end"] - pd.to_datetime(found["day"])).dt.total_seconds().between(0, 32 * 3600).mean() > 0.95


def test_who_asks_for_what_has_no_end_gets_it_of_all_years():
    table = _orders().drop(columns="delivered")
    ends = np.where(np.random.default_rng(5).random(ROWS) < 0.3, datetime(9999, 12, 31), table["shipped"])
    arrow_ends = pa.array([pd.Timestamp(end).to_pydatetime() for end in ends], pa.timestamp("s"))
    table = pa.table(table.drop(columns="shipped")).append_column("shipped", arrow_ends)
    model = MODELS["refined"]().fit(table)

    rows = model.sample(1000, seed=2, conditions={"shipped": "9999-12-31"}).to_pandas()

    for share in (0.1, 0.5, 0.9):
        apart = table.to_pandas()["ordered"].quantile(share) - rows["ordered"].quantile(share)
        assert abs(apart.total_seconds()) < 60 * 86_400


def test_a_moment_that_is_asked_to_be_missing_leads_no_other():
    table = _orders()
    table["paid"] = _later(table["shipped"], 1 + np.random.default_rng(5).poisson(3, ROWS), "D")
    model = MODELS["refined"]().fit(table)

    rows = model.sample(500, seed=2, conditions={"delivered": None, "paid": "2023-03-15"}).to_pandas()

    assert rows["delivered"].isna().all()
    assert _hours(rows, "shipped", "paid").between(24, 14 * 24).all()


def test_a_moment_between_two_that_are_asked_for_is_between_them():
    model = MODELS["refined"]().fit(_orders().dropna())
    asked = {"ordered": "2023-03-01", "delivered": "2023-03-08"}

    rows = model.sample(500, seed=2, conditions=asked).to_pandas()

    assert _hours(rows, "ordered", "shipped").min() >= 24
    assert _hours(rows, "shipped", "delivered").min() >= 24


def test_what_imitates_the_stock_package_has_no_durations():
    assert not CTGAN(seed=1, epochs=1, sampling="ctgan").fit(_trips()[:500]).codec.durations


def test_a_model_with_durations_comes_back_from_its_file(trips, tmp_path):
    trips.save(tmp_path / "model")

    again = load(tmp_path / "model")

    assert [duration.name for duration in again.codec.durations] == ["end since start"]
    assert again.sample(50, seed=4).equals(trips.sample(50, seed=4))
    assert [column.name for column in again.learned_columns] == ["start", "end", "tariff"]


def test_names_of_durations_are_no_columns(tmp_path):
    table = _trips().rename(columns={"tariff": "end since start"})

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
def test_durations_that_are_none_are_refused(trips, change, tmp_path):
    trips.save(tmp_path / "model")
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
