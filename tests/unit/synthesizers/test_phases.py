"""Other columns follow from the hour, the weekday or the day of the month of a moment."""

import json
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.domain.errors import JobError
from synthgen_ray.synthesizers import CTGAN, TVAE, GaussianCopula, load
from synthgen_ray.synthesizers.base import Synthesizer
from synthgen_ray.synthesizers.codec import TableCodec
from synthgen_ray.synthesizers.model_file import read_model
from tests.marks import nightly_but

ROWS = 6000
MODELS = {
    "copula": lambda: GaussianCopula(seed=1, refine=True),
    "tvae": lambda: TVAE(seed=1, epochs=30),
    "ctgan": lambda: CTGAN(seed=1, epochs=40),
}


def _sales(moments: pd.DatetimeIndex, shown: pd.DatetimeIndex | None = None) -> pd.DataFrame:
    """By day and by night, on weekends and on others, as clocks show it."""
    shown, rng = moments if shown is None else shown, np.random.default_rng(3)
    by_day = (shown.hour >= 7) & (shown.hour < 21)
    return pd.DataFrame(
        {
            "at": moments,
            "sales": np.round(np.where(by_day, 20.0, 5.0) * rng.lognormal(0, 0.2, len(moments)), 2),
            "tariff": np.where(by_day, "day", "night"),
            "shop": np.where(shown.weekday >= 5, "closed", "open"),
        }
    )


def _moments(start: str = "2023-01-02", days: int = 180, rows: int = ROWS, minutes: int = 15) -> pd.DatetimeIndex:
    steps = np.random.default_rng(2).integers(0, days * 24 * 60 // minutes, rows)
    return pd.DatetimeIndex(pd.Timestamp(start) + pd.to_timedelta(steps * minutes, unit="min"))


def _agree(rows: pd.DataFrame, at: pd.Series | None = None) -> tuple[float, float]:
    """How many rows have the tariff of their hour, and are open as their weekday is."""
    at = rows["at"] if at is None else at
    by_day = at.dt.hour.between(7, 20)
    tariff = (rows["tariff"] == np.where(by_day, "day", "night")).mean()
    return float(tariff), float((rows["shop"] == np.where(at.dt.weekday >= 5, "closed", "open")).mean())


@pytest.fixture(scope="module")
def model() -> Synthesizer:
    return MODELS["copula"]().fit(_sales(_moments()))


@pytest.mark.parametrize("type_", nightly_but(set(MODELS) - {"ctgan"}, MODELS))
def test_other_columns_follow_from_hours_and_weekdays(type_):
    table = _sales(_moments())

    rows = MODELS[type_]().fit(table).sample(ROWS, seed=2).to_pandas()

    assert min(_agree(rows)) > 0.93
    by_day = rows["at"].dt.hour.between(7, 20)
    assert rows["sales"][by_day].mean() > 2 * rows["sales"][~by_day].mean()
    for part in ("hour", "weekday"):
        of_table, of_rows = (
            getattr(one["at"].dt, part).value_counts(normalize=True, sort=False) for one in (table, rows)
        )
        assert (of_table - of_rows).abs().sum() / 2 < 0.06, part
    assert (rows["at"].dt.minute % 15 == 0).all()


def test_seasons_stay_as_they_are(model):
    rows = model.sample(ROWS, seed=2).to_pandas()

    for share in (0.1, 0.25, 0.5, 0.75, 0.9):
        of_table, of_rows = (one["at"].quantile(share) for one in (_sales(_moments()), rows))
        assert abs((of_table - of_rows).total_seconds()) < 5 * 86_400


def test_who_asks_for_moments_gets_what_follows_from_them(model):
    asked = {"at": {"min": "2023-03-04T09:00:00", "max": "2023-03-04T11:00:00"}}  # a Saturday

    rows = model.sample(500, seed=2, conditions=asked).to_pandas()

    assert rows["at"].between("2023-03-04T09:00:00", "2023-03-04T11:00:00").all()
    assert (rows["tariff"] == "day").mean() > 0.95
    assert (rows["shop"] == "closed").mean() > 0.95
    assert rows["at"].nunique() > 5


def test_who_asks_for_several_moments_gets_those_alone(model):
    nights = [f"2023-0{month}-15T02:15:00" for month in (2, 4, 6)]

    rows = model.sample(500, seed=2, conditions={"at": nights}).to_pandas()

    assert set(rows["at"].dt.strftime("%Y-%m-%dT%H:%M:%S")) == set(nights)
    assert (rows["tariff"] == "night").mean() > 0.95


def test_an_hour_of_which_one_moment_is_asked_for_has_the_rows_of_one(model):
    asked = {"at": {"min": "2023-03-06T09:00:00", "max": "2023-03-06T10:00:00"}}

    rows = model.sample(1000, seed=3, conditions=asked).to_pandas()

    assert (rows["at"] == "2023-03-06T10:00:00").mean() == pytest.approx(1 / 5, abs=0.1)


def test_a_single_moment_that_is_asked_for_is_all_there_is(model):
    rows = model.sample(100, seed=2, conditions={"at": "2023-03-06T02:15:00"}).to_pandas()

    assert (rows["at"] == pd.Timestamp("2023-03-06T02:15:00")).all()
    assert (rows["tariff"] == "night").mean() > 0.9


def test_who_asks_for_what_follows_gets_its_hours(model):
    rows = model.sample(1000, seed=2, conditions={"tariff": "night", "shop": "closed"}).to_pandas()

    assert min(_agree(rows)) > 0.95


def test_missing_moments_are_filled_in_with_the_hours_of_their_rows(model):
    table = _sales(_moments())[:1000]

    filled = model.impute(table.assign(at=pd.NaT), seed=3).to_pandas()

    assert min(_agree(filled)) > 0.93
    assert filled.drop(columns="at").equals(table.drop(columns="at"))


def test_what_follows_is_filled_in_from_the_hours_that_are_there(model):
    table = _sales(_moments())[:1000]

    filled = model.impute(table.assign(tariff=None, shop=None), seed=3).to_pandas()

    assert min(_agree(filled)) > 0.97
    assert filled["at"].equals(table["at"])


def test_hours_are_those_of_the_clocks_of_a_zone():
    utc = _moments("2023-01-01", days=360).tz_localize(UTC)
    table = _sales(utc.tz_convert("America/New_York"))

    rows = MODELS["copula"]().fit(table).sample(ROWS, seed=2).to_pandas()

    assert str(rows["at"].dt.tz) == "America/New_York"
    assert min(_agree(rows)) > 0.93


def test_dates_that_are_text_have_weekdays_too():
    table = _sales(_moments(days=360, minutes=1440)).drop(columns=["tariff", "sales"])
    table["at"] = table["at"].dt.strftime("%d/%m/%Y")

    rows = MODELS["copula"]().fit(table).sample(ROWS, seed=2).to_pandas()

    days = pd.to_datetime(rows["at"], format="%d/%m/%Y")
    assert (rows["shop"] == np.where(days.dt.weekday >= 5, "closed", "open")).mean() > 0.95


def test_what_is_closed_stays_closed():
    moments = _moments(days=365, rows=4 * ROWS)
    is_open = (moments.hour >= 8) & (moments.hour < 18) & (moments.weekday < 6)
    table = _sales(moments[is_open & ((moments.weekday < 5) | (moments.hour < 13))])
    table["tariff"] = np.where(table["at"].dt.hour < 12, "day", "night")

    rows = MODELS["copula"]().fit(table).sample(ROWS, seed=2).to_pandas()

    assert (rows["tariff"] == np.where(rows["at"].dt.hour < 12, "day", "night")).mean() > 0.95
    assert rows["at"].dt.hour.between(8, 17).all()
    assert (rows["at"].dt.weekday < 6).all()
    is_late = (rows["at"].dt.weekday == 5) & (rows["at"].dt.hour >= 13)
    assert is_late.mean() < 0.02


def test_moments_that_many_rows_share_stay_and_others_keep_their_hours():
    table = _sales(_moments())
    ends = np.random.default_rng(5).random(ROWS) < 0.3
    table.loc[ends, ["tariff", "shop"]] = ["day", "open"]
    moments = [datetime(9999, 12, 31) if is_end else at for at, is_end in zip(table["at"], ends, strict=True)]
    table = pa.table(table.drop(columns="at")).append_column("at", pa.array(moments, pa.timestamp("s")))

    rows = MODELS["copula"]().fit(table).sample(ROWS, seed=2)

    is_end = np.array([moment.year == 9999 for moment in rows["at"].to_pylist()])
    assert is_end.mean() == pytest.approx(0.3, abs=0.03)
    others = rows.filter(pa.array(~is_end)).to_pandas()
    assert min(_agree(others)) > 0.93


def test_a_day_with_many_more_rows_than_others_keeps_most_of_them():
    moments = _moments(minutes=60)
    crowd = pd.DatetimeIndex(["2023-03-15"] * 300) + pd.to_timedelta(np.arange(300) % 24, unit="h")
    table = _sales(moments.append(crowd))

    rows = MODELS["copula"]().fit(table).sample(len(table), seed=2).to_pandas()

    on_it = (rows["at"].dt.strftime("%m-%d") == "03-15").sum()
    assert 200 < on_it < 450


def test_days_of_the_month_are_told_where_more_follows_from_these():
    days = pd.Series(_moments(days=720, minutes=1440))
    table = pd.DataFrame({"at": days, "day": days.dt.day, "is_payday": days.dt.day == 25})

    rows = MODELS["copula"]().fit(table).sample(ROWS, seed=2).to_pandas()

    assert (rows["at"].dt.day == rows["day"]).mean() > 0.85
    assert (rows["is_payday"] == (rows["at"].dt.day == 25)).mean() > 0.97


def test_what_ends_after_minutes_has_no_hour_of_its_own():
    start = pd.Series(_moments(minutes=1))
    end = start + pd.to_timedelta(np.random.default_rng(4).exponential(40, ROWS).astype(int), unit="min")
    table = _sales(pd.DatetimeIndex(start)).rename(columns={"at": "start"}).assign(end=end)

    model = MODELS["copula"]().fit(table)
    rows = model.sample(ROWS, seed=2).to_pandas()

    assert {phase.column for phase in model.codec.phases} == {"start"}
    assert min(_agree(rows, rows["start"])) > 0.93
    assert min(_agree(rows, rows["end"])) > 0.88


@pytest.mark.parametrize("of_a_weekend", [0.3, 3.0])
def test_weekdays_stay_as_frequent_where_the_day_of_the_month_is_told(of_a_weekend):
    days = pd.DatetimeIndex(pd.date_range("2023-01-01", periods=540))
    share = np.where(days.weekday >= 5, of_a_weekend, 1)
    drawn = pd.Series(np.random.default_rng(2).choice(days, 2 * ROWS, p=share / share.sum()))
    table = pd.DataFrame({"at": drawn, "is_first_half": np.where(drawn.dt.day < 15, "yes", "no")})

    model = MODELS["copula"]().fit(table)
    rows = model.sample(2 * ROWS, seed=2).to_pandas()

    assert [phase.phase for phase in model.codec.phases] == ["day"]
    assert (rows["is_first_half"] == np.where(rows["at"].dt.day < 15, "yes", "no")).mean() > 0.97
    of_table, of_rows = (one["at"].dt.weekday.value_counts(normalize=True, sort=False) for one in (table, rows))
    assert (of_table - of_rows).abs().sum() / 2 < 0.025


def test_weekdays_are_told_where_moments_keep_to_days_of_the_month():
    days = pd.DatetimeIndex(pd.date_range("2022-01-01", periods=720))
    share = np.where(days.day == 1, 8, np.where(days.day == 25, 8, 1))
    drawn = pd.Series(np.random.default_rng(2).choice(days, 2 * ROWS, p=share / share.sum()))
    table = pd.DataFrame({"at": drawn, "shop": np.where(drawn.dt.weekday >= 5, "closed", "open")})

    rows = MODELS["copula"]().fit(table).sample(2 * ROWS, seed=2).to_pandas()

    assert (rows["shop"] == np.where(rows["at"].dt.weekday >= 5, "closed", "open")).mean() > 0.95
    for day in (1, 25):
        assert abs((rows["at"].dt.day == day).mean() - (drawn.dt.day == day).mean()) < 0.03


def test_few_rows_go_to_their_days_one_by_one(model):
    rows = pd.concat([model.sample(20, seed=seed).to_pandas() for seed in range(40)])

    assert min(_agree(rows)) > 0.95


def test_nothing_more_is_learnt_where_nothing_follows():
    rng = np.random.default_rng(6)
    table = pd.DataFrame({"at": _moments(), "x": rng.normal(size=ROWS), "c": rng.choice(["a", "b"], ROWS)})

    assert not GaussianCopula(seed=1).fit(table).codec.phases


def test_what_imitates_the_stock_package_has_no_phases():
    table = _sales(_moments(rows=500))

    assert not CTGAN(seed=1, epochs=1, sampling="ctgan").fit(table).codec.phases


def test_a_model_with_phases_comes_back_from_its_file(model, tmp_path):
    model.save(tmp_path / "model")

    again = load(tmp_path / "model")

    assert {(phase.column, phase.phase) for phase in again.codec.phases} == {("at", "hour"), ("at", "weekday")}
    assert again.sample(50, seed=4).equals(model.sample(50, seed=4))
    assert [column.name for column in again.learned_columns] == ["at", "sales", "tariff", "shop"]


def test_names_of_phases_are_no_columns(tmp_path):
    table = _sales(_moments()).rename(columns={"sales": "at (hour)", "shop": "at (weekday)"})

    model = MODELS["copula"]().fit(table)
    model.save(tmp_path / "model")

    names = [phase.name for phase in model.codec.phases]
    assert set(names).isdisjoint(table.columns)
    assert load(tmp_path / "model").sample(10, seed=1).column_names == list(table.columns)


@pytest.mark.parametrize(
    "change",
    [
        {"column": "tariff"},
        {"column": "away"},
        {"phase": "day", "values": [31], "counts": [9]},
        {"values": [7, 8]},
        {"name": "sales"},
        {"wrapped": {"arrow_type": "string", "moment_type": "date32[day]", "format": "%Y-%m-%d"}},
        {"first": -40_000},
        {"arrow_type": "int16"},
    ],
)
def test_phases_that_are_none_are_refused(model, change, tmp_path):
    model.save(tmp_path / "model")
    card, _ = read_model(tmp_path / "model")
    stored = json.loads(card.codec.model_dump_json())
    assert TableCodec.model_validate_json(json.dumps(stored)).phases == card.codec.phases
    place = next(place for place, phase in enumerate(stored["phases"]) if phase["phase"] == "weekday")
    stored["phases"][place] |= change | ({"counts": [9, 9], "offsets": []} if "values" in change else {})

    with pytest.raises(ValueError, match=r"phase|values"):
        TableCodec.model_validate_json(json.dumps(stored))


def test_hours_of_dates_are_refused():
    table = _sales(_moments(days=360, minutes=1440)).drop(columns=["tariff", "sales"])
    table["at"] = table["at"].dt.date
    stored = json.loads(MODELS["copula"]().fit(table).codec.model_dump_json())
    (phase,) = stored["phases"]
    phase["phase"] = "hour"

    with pytest.raises(ValueError, match="phases of other columns"):
        TableCodec.model_validate_json(json.dumps(stored))


def test_moments_of_which_none_is_missing_are_asked_for_by_their_zone():
    table = _sales(_moments("2023-01-01", days=360).tz_localize(UTC))
    model = MODELS["copula"]().fit(table, [Column("at", ColumnKind.DATETIME)])

    with pytest.raises(JobError):
        model.sample(5, seed=1, conditions={"at": {"min": "2031-01-01T00:00:00Z"}})
    rows = model.sample(200, seed=1, conditions={"at": {"min": "2023-06-03T05:00:00Z", "max": "2023-06-03T06:59:00Z"}})

    assert all(datetime(2023, 6, 3, 5, tzinfo=UTC) <= moment for moment in rows["at"].to_pylist())
    assert np.mean(np.array(rows["tariff"].to_pylist()) == "night") > 0.9
