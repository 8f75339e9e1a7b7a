"""Moments of a zone with summer time are on the grid of its clocks."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from synthgen_ray.synthesizers.columns import arrow
from synthgen_ray.synthesizers.columns.whole import IntegerForm
from tests.unit.synthesizers.columns.test_whole import grid_of

DAYS = np.datetime64("2021-01-01", "us") + np.random.default_rng(8).integers(0, 730, 500).astype("timedelta64[D]")


def shown(hours, zone: str) -> pa.Array:
    """These hours of the days, as clocks of the zone show them."""
    return pc.assume_timezone(pa.array(DAYS + np.resize(hours, 500).astype("timedelta64[h]")), zone)


def hours_of(moments: pa.Array) -> set[str]:
    return set(pc.strftime(pc.local_timestamp(moments).cast(pa.timestamp("s")), format="%H:%M:%S").to_pylist())


@pytest.mark.parametrize(("hours", "told"), [([0], {"00:00:00"}), ([8, 20], {"08:00:00", "20:00:00"})])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_hours_of_a_day_stay_these_hours(hours, told, zone):
    form = grid_of(shown(hours, zone))

    drawn = form.back(np.linspace(0, form.steps, 3000))

    assert hours_of(drawn) == told
    assert form.ends[0] <= min(arrow.integers(drawn)) <= max(arrow.integers(drawn)) <= form.ends[1]
    assert len(drawn.unique()) > 600 * len(hours)
    assert IntegerForm.model_validate_json(form.model_dump_json()) == form


def test_what_is_asked_for_is_obeyed_on_the_grid_where_it_has_such_moments():
    form = grid_of(shown([0], "Europe/Berlin"))
    first = np.arange(0, form.steps - 30, 7, dtype=np.uint64)
    last = first + np.uint64(30)

    of_a_day = form.back(last.astype(float), first, last)
    of_an_hour = form.back(first.astype(float), first, first)

    assert hours_of(of_a_day) == {"00:00:00"}
    values, ends = (
        arrow.integers(of_a_day),
        [arrow.integers(form.back(at.astype(float), at, at)) for at in (first, last)],
    )
    assert ((ends[0] <= values) & (values <= ends[1])).all()
    assert np.array_equal(form.forward(of_an_hour), first)


@pytest.mark.parametrize("zone", ["UTC", "+02:00"])
def test_where_clocks_never_change_the_grid_is_that_of_utc(zone):
    assert "clock" not in grid_of(shown([0], zone)).model_dump()
