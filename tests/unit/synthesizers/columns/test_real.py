"""Ranges of real numbers end on values that the column can hold."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.domain.errors import JobError
from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers.columns.real import FloatForm
from tests.unit.synthesizers.conftest import given_model

RNG = np.random.default_rng(3)
CENTS = FloatForm(arrow_type="double", lower=0.05, upper=99.95, decimals=2)
MONEY = FloatForm(arrow_type="decimal128(9, 2)", lower=0.05, upper=99.95, decimals=2)
THOUSANDS = FloatForm(arrow_type="decimal128(20, -3)", lower=1000.0, upper=9000.0, decimals=0)
TENTHS = FloatForm(arrow_type="float", lower=float(np.float32(0.1)), upper=float(np.float32(9.9)), decimals=1)
CITIZENS = FloatForm(arrow_type="float", lower=0.0, upper=3e7, decimals=0)  # of which a float32 has even ones alone
SINGLE = FloatForm(arrow_type="float", lower=0.0, upper=10.0, decimals=None)
HUGE = FloatForm(arrow_type="double", lower=-1e300, upper=1e300, decimals=0)
DOUBLE = FloatForm(arrow_type="double", lower=0.0, upper=10.0, decimals=None)
HALVES = FloatForm(arrow_type="double", lower=-2.5, upper=40.0, decimals=1, step=5)
GRAMS = FloatForm(arrow_type="double", lower=2700.0, upper=6300.0, decimals=0, step=25)
OFFERS = FloatForm(arrow_type="double", lower=-1.01, upper=99.99, decimals=2, step=100, origin=99)


@pytest.mark.parametrize(
    ("form", "low", "high", "expected"),
    [
        (CENTS, 9.995, None, (10.0, 99.95)),
        (CENTS, 9.99, 9.999, (9.99, 9.99)),
        (CENTS, 0.07, 0.29, (0.07, 0.29)),
        (CENTS, 12, 12, (12.0, 12.0)),
        (CENTS, None, 1000, (0.05, 99.95)),
        (MONEY, None, 9.999, (0.05, 9.99)),
        (THOUSANDS, 1500, 2500, (2000.0, 2000.0)),
        (TENTHS, 0.7, 0.7, (float(np.float32(0.7)),) * 2),
        (TENTHS, float(np.float32(0.3)), float(np.float32(0.7)), (float(np.float32(0.3)), float(np.float32(0.7)))),
        (TENTHS, None, 0.1, (float(np.float32(0.1)),) * 2),
        (TENTHS, 0.7000000001, None, (float(np.float32(0.8)), float(np.float32(9.9)))),
        (CITIZENS, 20_000_001, None, (20_000_002.0, 3e7)),
        (CITIZENS, None, 20_000_003, (0.0, 20_000_002.0)),
        (CITIZENS, 20_000_001, 20_000_001, (20_000_002.0, 20_000_000.0)),
        (CITIZENS, 20_000_002, 20_000_002, (20_000_002.0, 20_000_002.0)),
        (SINGLE, 0.7, None, (float(np.nextafter(np.float32(0.7), np.float32(1))), 10.0)),
        (SINGLE, None, 0.7, (0.0, float(np.float32(0.7)))),
        (SINGLE, 0.7, 0.7, (float(np.float32(0.7)),) * 2),
        (SINGLE, -1e300, 1e300, (0.0, 10.0)),
        (HUGE, 1e299, 2e299, (1e299, 2e299)),
        (DOUBLE, 0.7, 0.7, (0.7, 0.7)),
        (HALVES, -0.2, 1.9, (0.0, 1.5)),
        (HALVES, None, -0.1, (-2.5, -0.5)),
        (GRAMS, 4001, 4049, (4025.0, 4025.0)),
        (GRAMS, 4000, 4000, (4000.0, 4000.0)),
        (GRAMS, 1e300, None, (1.0, 0.0)),
        (OFFERS, 10, 12, (10.99, 11.99)),
        (OFFERS, 10.99, 10.99, (10.99, 10.99)),
        (OFFERS, -1.5, 0, (-1.01, -0.01)),
    ],
    ids=str,
)
def test_a_range_ends_on_the_outermost_values_inside(form, low, high, expected):
    assert form.between(low, high) == expected


@pytest.mark.parametrize(
    ("form", "low", "high"),
    [
        (CENTS, 9.991, 9.999),
        (CENTS, 9.995, 9.995),
        (CENTS, 100, None),
        (CENTS, None, 0.01),
        (TENTHS, None, 0.09),
        (SINGLE, 0.7, 0.700000001),
        (SINGLE, 1e300, None),
        (CENTS, 10**400, None),
        (CENTS, None, -(10**400)),
        (THOUSANDS, 1100, 1900),
        (GRAMS, 4001, 4024),
        (GRAMS, 4010, 4010),
        (OFFERS, 10, 10.98),
    ],
    ids=str,
)
def test_a_range_may_hold_no_value(form, low, high):
    first, last = form.between(low, high)

    assert first > last


CENT_VALUES = RNG.integers(100, 9999, 500)


@pytest.mark.parametrize(
    ("values", "condition"),
    [
        (pa.array(CENT_VALUES / 100), {"min": 9.995}),
        (pa.array([Decimal(int(cents)) / 100 for cents in CENT_VALUES], pa.decimal128(9, 2)), {"max": 9.999}),
        (pa.array(RNG.uniform(0, 3, 500).astype(np.float32)), {"min": 0.7, "max": 0.70001}),
    ],
    ids=["off the grid", "decimals", "float32"],
)
@pytest.mark.parametrize("model_type", ModelType)
def test_rows_obey_bounds_that_no_value_is_equal_to(model_type, values, condition):
    model = given_model(model_type, pa.table({"x": values}), (Column("x", ColumnKind.FLOAT),))

    rows = model.sample(100, seed=1, conditions={"x": condition})["x"]

    low, high = condition.get("min", -np.inf), condition.get("max", np.inf)
    written = [float(str(value)) for value in rows.to_numpy()]
    assert all(low <= value <= high for value in written)
    if values.type != pa.float32():
        assert all(round(float(value), 2) == float(value) for value in rows.to_pylist())


def test_a_range_between_two_values_of_the_grid_is_refused_as_an_impossible_one():
    table = pa.table({"x": CENT_VALUES / 100})
    model = given_model(ModelType.GAUSSIAN_COPULA, table, (Column("x", ColumnKind.FLOAT),))

    with pytest.raises(JobError) as caught:
        model.sample(10, conditions={"x": {"min": 9.991, "max": 9.999}})

    assert caught.value.code == "conditions_unsatisfiable"


@pytest.mark.parametrize("type_", [pa.float64(), pa.decimal128(20, 12)], ids=str)
@pytest.mark.parametrize(("noisy", "decimals"), [(4, 2), (5, 12)])
def test_decimals_of_fewer_than_k_rows_are_not_learnt(type_, noisy, decimals):
    values = [Decimal(int(cents)) / 100 for cents in CENT_VALUES]
    values[:noisy] = [value + Decimal("1e-12") for value in values[:noisy]]

    form = FloatForm.learn(pa.array(map(float, values) if type_ == pa.float64() else values, type_), 5)

    assert form.decimals == decimals


GRIDS = {
    "quarters of a hundred": (RNG.integers(100, 250, 500) * 25.0, 25, 0),
    "halves": (RNG.integers(-80, 80, 500) / 2, 5, 0),
    "prices": (RNG.integers(1, 80, 500) + 0.99, 100, 99),
    "prices below zero": (RNG.integers(-80, 0, 500) + 0.49, 100, 49),
    "cents": (RNG.integers(100, 9999, 500) / 100, 1, 0),
    "huge": (RNG.integers(1, 9, 500) * 1e300, 1, 0),
}


@pytest.mark.parametrize(("values", "step", "origin"), GRIDS.values(), ids=GRIDS.keys())
def test_the_grid_of_the_values_is_learnt_and_kept(values, step, origin):
    form = FloatForm.learn(pa.array(values), 5)

    assert (form.step, form.origin) == (step, origin)
    assert form.back(values).to_pylist() == np.clip(values, *form.ends).tolist()
    made = form.back(np.append(RNG.uniform(*form.ends, 500), form.ends)).to_numpy()
    places = (made * 10.0**form.decimals - origin) / step
    assert np.allclose(places, np.rint(places), atol=1e-9)


@pytest.mark.parametrize(("off", "step"), [(4, 25), (5, 1)])
def test_numbers_of_fewer_than_k_rows_do_not_hide_a_grid(off, step):
    values = GRIDS["quarters of a hundred"][0].copy()
    values[:off] += 1

    assert FloatForm.learn(pa.array(values), 5).step == step


def test_numbers_too_large_to_be_counted_do_not_hide_a_grid():
    values = np.where(RNG.random(500) < 0.1, -3.4e38, GRIDS["prices"][0])

    form = FloatForm.learn(pa.array(values), 5)

    assert (form.step, form.origin) == (100, 99)
    assert form.back(values).to_pylist() == values.tolist()


def test_a_real_row_beside_the_grid_is_judged_by_its_own_value():
    rows = pa.array([4000.0, 4010.0, 4025.0])

    assert GRAMS.inside(rows, 4005, None).tolist() == [False, True, True]


@pytest.mark.parametrize(("decimals", "step", "origin"), [(2, 25, 25), (2, 25, 30), (None, 25, 0)])
def test_a_grid_that_is_none_is_refused(decimals, step, origin):
    with pytest.raises(ValueError, match="not a grid"):
        FloatForm(arrow_type="double", lower=0.0, upper=1.0, decimals=decimals, step=step, origin=origin)


@pytest.mark.usefixtures("few_own_rows")
@pytest.mark.parametrize("model_type", ModelType)
def test_rows_and_filled_gaps_are_on_the_grid(model_type):
    grams = np.rint(RNG.normal(4200, 800, 400).clip(2700, 6300) / 25) * 25
    price = np.rint(grams / 100) + 0.99
    missing = RNG.random(400) < 0.2
    table = pa.table({"grams": pa.array(grams, mask=missing), "price": price})
    model = given_model(model_type, table, (Column("grams", ColumnKind.FLOAT), Column("price", ColumnKind.FLOAT)))

    rows = model.sample(500, seed=1).to_pandas()
    asked = model.sample(50, seed=1, conditions={"grams": {"min": 4001, "max": 4063}, "price": {"min": 40}})
    filled = model.impute(table, seed=1)["grams"].to_numpy()[missing]

    assert (rows["grams"].dropna() % 25 == 0).all()
    assert set(np.round(rows["price"] % 1, 9)) == {0.99}
    assert set(asked["grams"].to_pylist()) <= {4025.0, 4050.0}
    assert (filled % 25 == 0).all()


@pytest.mark.parametrize("step", [16, 64])
@pytest.mark.parametrize("type_", [pa.float16(), pa.float32()])
def test_what_is_made_on_a_grid_can_be_asked_for_though_its_type_writes_it_shorter(type_, step):
    most = 6e4 if type_ == pa.float16() else 9e7
    numbers = np.random.default_rng(1).integers(1, int(most / step), 3000) * float(step)
    form = FloatForm.learn(pa.array(numbers).cast(type_), 5)

    made = form.back(np.random.default_rng(2).uniform(form.lower, form.upper, 500)).cast(pa.float64()).to_pylist()

    assert form.step == step
    for number in made:
        for as_written in (number, float(str(type_.to_pandas_dtype()(number)))):
            assert form.between(as_written, as_written) == (number, number)


def test_thousands_of_a_decimal_without_digits_for_less_can_be_asked_for():
    thousands = pa.array([Decimal(n * 1000) for n in range(10, 900)]).cast(pa.decimal128(8, -3))
    form = FloatForm.learn(thousands, 5)

    assert form.between(50_000, 50_000) == (50_000, 50_000)
    assert form.between(99_500, 200_500) == (100_000, 200_000)
    assert np.diff(form.between(99_500, 99_600)) < 0
    assert form.inside(thousands, 50_000, 51_000).sum() == 2
