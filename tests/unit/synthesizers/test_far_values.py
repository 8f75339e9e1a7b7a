"""A number far from all others, which stands for "missing", hides nothing of them."""

import numpy as np
import pyarrow as pa
import pytest

from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers.columns.marginal import Marginal
from synthgen_ray.synthesizers.columns.modes import Modes
from synthgen_ray.synthesizers.columns.real import FloatForm
from tests.unit.synthesizers.conftest import given_model

ROWS = 2000
FAR = -3.4028234663852886e38
QUARTILES = [0.25, 0.5, 0.75]


def given_numbers(far: float, count: int, rows: int = ROWS) -> np.ndarray:
    rng = np.random.default_rng(6)
    numbers = rng.normal(50, 10, rows).round(2)
    numbers[:count] = far
    return rng.permutation(numbers)


@pytest.mark.parametrize(("far", "count"), [(FAR, 5), (FAR, 7), (-1e20, 20), (-1e15, 200), (1e300, 5)], ids=str)
@pytest.mark.parametrize("model_type", [ModelType.GAUSSIAN_COPULA, ModelType.TVAE])
def test_numbers_keep_their_distribution_beside_one_that_is_far(model_type, far, count):
    x = given_numbers(far, count)
    near = x != far
    y = np.where(near, x, 50) + np.random.default_rng(7).normal(size=ROWS)
    model = given_model(model_type, pa.table({"x": x, "y": y}), holdout_fraction=0.0, refine=False)

    rows = model.sample(ROWS, seed=1)["x"].to_numpy()

    drawn = rows[rows != far]
    assert abs(len(rows) - len(drawn) - count) < 4 * count**0.5 + 5
    assert x[near].min() <= drawn.min() <= drawn.max() <= x[near].max()
    assert np.quantile(drawn, QUARTILES) == pytest.approx(np.quantile(x[near], QUARTILES), abs=1.5)
    assert np.array_equal(np.round(drawn, 2), drawn)


def test_one_number_that_is_asked_for_keeps_what_goes_with_it():
    x = given_numbers(FAR, 100, 5000)
    y = np.where(x == FAR, 50, x) + np.random.default_rng(7).normal(size=5000)
    model = given_model(ModelType.GAUSSIAN_COPULA, pa.table({"x": x, "y": y}), holdout_fraction=0.0)

    rows = model.sample(500, seed=1, conditions={"x": 65.0})

    assert rows["y"].to_numpy().mean() == pytest.approx(65, abs=2)


@pytest.mark.parametrize("count", [10, 50, 30_000])
def test_a_marginal_of_many_rows_has_the_quantiles_of_all_others(count):
    rng = np.random.default_rng(8)
    numbers = rng.random(300_000)
    numbers[:count] = -2147483648

    marginal = Marginal.learn(numbers, 5)

    x = marginal.back(rng.normal(size=300_000))
    near = x[x != -2147483648]
    assert near.min() >= 0
    assert len(x) - len(near) == pytest.approx(count, abs=4 * count**0.5)
    assert np.quantile(near, QUARTILES) == pytest.approx(QUARTILES, abs=0.01)


@pytest.mark.parametrize("model_type", ModelType)
def test_between_two_far_groups_there_are_no_rows(model_type):
    rng = np.random.default_rng(9)
    x = np.where(rng.random(ROWS) < 0.3, rng.normal(1_000_000, 100, ROWS), rng.lognormal(3, 1, ROWS))
    model = given_model(model_type, pa.table({"x": x, "y": np.log(x)}), holdout_fraction=0.0)

    rows = model.sample(20_000, seed=1)["x"].to_numpy()

    near = x < 500_000
    assert ((rows > x[near].max()) & (rows < x[~near].min())).sum() == 0
    assert (rows < 500_000).mean() == pytest.approx(near.mean(), abs=0.02)


def test_a_long_tail_is_not_taken_for_groups():
    numbers = np.random.default_rng(10).standard_cauchy(20_000)

    marginal = Marginal.learn(numbers, 5)

    assert np.diff(marginal.normal).min() > 0


def test_a_number_of_few_rows_that_is_far_from_all_is_a_mode_of_its_own():
    numbers = given_numbers(-1e20, 20)

    modes = Modes.learn(*np.unique(numbers, return_counts=True), 5)

    codes, scalars = modes.encode(numbers, np.random.default_rng(1))
    assert np.abs(modes.decode(codes, scalars) - numbers).max() < 0.01
    assert max(modes.scales) < 200


@pytest.mark.parametrize(("far", "type_"), [(FAR, pa.float64()), (FAR, pa.float32()), (-1e15, pa.float64())], ids=str)
def test_it_comes_back_as_it_was_and_leaves_the_others_their_decimals(far, type_):
    array = pa.array(given_numbers(far, 5)).cast(type_)

    form = FloatForm.learn(array, 5)

    assert form.decimals == 2
    assert form.ends[0] == far
    assert form.back(form.forward(array.filter(pa.array(given_numbers(far, 5) == far)))).to_pylist() == [far] * 5
