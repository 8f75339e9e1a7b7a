"""Moments that keep to a calendar come back on its days and hours, however few rows a day has."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from synthgen_ray.synthesizers.columns import arrow
from synthgen_ray.synthesizers.columns.calendar import CalendarForm
from synthgen_ray.synthesizers.columns.forms import learn_form
from synthgen_ray.synthesizers.columns.marginal import Marginal

K = 5
MONTHS = np.arange("2005-01", "2024-01", dtype="datetime64[M]")
FIRSTS = MONTHS.astype("M8[D]")
LASTS = (MONTHS + np.timedelta64(1, "M")).astype("M8[D]") - np.timedelta64(1, "D")
DAYS = np.arange("2021-01-04", "2023-01-04", dtype="datetime64[D]")
WORKDAYS = DAYS[np.is_busday(DAYS)]


def some(days: np.ndarray, rows: int) -> np.ndarray:
    return np.random.default_rng(7).choice(days, rows)


def at_work(rows: int, unit: str = "s") -> np.ndarray:
    """From nine to seven, most of them about two."""
    seconds = np.random.default_rng(8).beta(2, 2, rows) * 36_000 + 9 * 3600
    return some(WORKDAYS, rows).astype(f"datetime64[{unit}]") + (seconds * 1e6).astype("m8[us]").astype(f"m8[{unit}]")


def drawn(array: pa.Array, rows: int = 3000) -> pa.Array:
    form = learn_form(array, K)
    marginal = Marginal.learn(form.forward(array), K)
    return form.back(marginal.back(np.random.default_rng(9).standard_normal(rows)))


def shares(moments: pa.Array, part) -> np.ndarray:
    counts = np.bincount(part(moments).to_numpy(), minlength=24)
    return counts / counts.sum()


@pytest.mark.parametrize("unit", ["s", "us"])
def test_nobody_works_at_night_and_on_sundays(unit):
    real = pa.array(at_work(2000, unit))

    rows = drawn(real)

    assert set(pc.day_of_week(rows).to_pylist()) == {0, 1, 2, 3, 4}
    assert np.abs(shares(rows, pc.hour) - shares(real, pc.hour)).sum() < 0.1
    assert not shares(rows, pc.hour)[[*range(9), *range(19, 24)]].any()


@pytest.mark.parametrize("days", [FIRSTS, LASTS, FIRSTS[::3]])
def test_the_first_or_last_day_of_months_or_quarters_stays_that(days):
    assert set(drawn(pa.array(some(days, 400))).to_pylist()) <= set(days.tolist())


def test_a_kind_of_day_that_fewer_than_k_rows_have_is_not_learnt():
    workdays, sundays = some(WORKDAYS, 900), DAYS[::7] + np.timedelta64(6, "D")

    with_few, with_more = (drawn(pa.array(np.append(workdays, sundays[:rows]))) for rows in (4, 9))

    assert 6 not in pc.day_of_week(with_few).to_pylist()
    assert 6 in pc.day_of_week(with_more).to_pylist()


def test_days_and_hours_as_even_as_chance_has_them_are_no_calendar():
    seconds = np.random.default_rng(1).integers(0, 10**8, 3000)

    forms = [learn_form(pa.array(seconds).cast(pa.timestamp("s")), K), learn_form(pa.array(some(DAYS, 3000)), K)]

    assert [form.form for form in forms] == ["integer", "integer"]


def test_summer_time_moves_no_working_day():
    clocks = pa.array(at_work(2000, "us"))
    real = pc.assume_timezone(clocks, "America/New_York")

    rows = pc.local_timestamp(drawn(real))

    assert set(pc.day_of_week(rows).to_pylist()) == {0, 1, 2, 3, 4}
    assert set(pc.hour(rows).to_pylist()) <= set(range(8, 20))


@pytest.mark.parametrize("array", [pa.array(at_work(2000)), pa.array(some(WORKDAYS, 900))])
def test_each_moment_comes_back_and_ranges_hold_what_is_in_them(array):
    form = learn_form(array, K)
    assert isinstance(form, CalendarForm)
    assert CalendarForm.model_validate_json(form.model_dump_json()).model_dump() == form.model_dump()
    steps = arrow.integers(array)
    inside = array.filter(pa.array((steps >= form.ends[0]) & (steps <= form.ends[1])))
    assert form.back(form.forward(inside)) == inside

    chance = np.random.default_rng(2)
    for low, high in np.sort(chance.integers(*form.ends, (50, 2))).tolist():
        first, last = form.between(low, high)
        if first > last:
            continue
        numbers = chance.uniform(form.lower, form.upper, 200)
        bounds = np.full(200, first), np.full(200, last)
        values = arrow.integers(form.back(numbers, *bounds))
        assert low <= values.min() <= values.max() <= high
        outer = form.cells(*bounds)
        asked = arrow.integers(form.back(chance.uniform(outer[0], np.nextafter(outer[1], 0))))
        assert low <= asked.min() <= asked.max() <= high


def test_a_closed_day_is_nothing_that_can_be_asked_for():
    form = learn_form(pa.array(some(WORKDAYS, 900)), K)
    friday = int(np.datetime64("2022-06-03").astype(int))

    assert np.subtract(*form.between(friday, friday)) == 0
    assert form.between(friday + 1, friday + 2) == (1.0, 0.0)
    assert form.between(friday, friday + 2) == form.between(friday, friday)


@pytest.mark.parametrize(
    "touched",
    [
        {"parts": [0.0]},
        {"days": {"weekday": [1.0] * 6}},
        {"days": {"weekday": [0.0] * 7}},
        {"days": {"hour": [1.0] * 24}},
        {"grid": {"arrow_type": "int64", "origin": 0, "step": 1, "steps": 300}},
        {"grid": {"arrow_type": "date32[day]", "origin": 0, "step": 1, "steps": 3_000_000}},
    ],
)
def test_a_touched_calendar_is_refused(touched):
    sound = learn_form(pa.array(some(WORKDAYS, 900)), K).model_dump(mode="json")

    with pytest.raises(ValueError, match="1 validation error"):
        CalendarForm.model_validate_json(json.dumps(sound | touched))
