"""Whole numbers that reach further than float64 can count come back exactly."""

from itertools import product

import numpy as np
import pyarrow as pa
import pytest

from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers.base import load
from synthgen_ray.synthesizers.columns.forms import IntegerForm, IslandsForm, learn_form
from tests.unit.synthesizers.conftest import given_model

ROWS = 2000
SMALLEST, LARGEST = -(2**63), 2**63 - 1


def given_numbers(*missing: tuple[int, int], low: int = 0, high: int = 100) -> np.ndarray:
    """Numbers of a narrow range, and so many rows of each number that stands for "missing"."""
    rng = np.random.default_rng(4)
    numbers = rng.integers(low, high, ROWS)
    for value, count in missing:
        numbers[:count] = value
        numbers = np.roll(numbers, -count)
    return rng.permutation(numbers)


@pytest.mark.parametrize("missing", [((SMALLEST, 5),), ((-(2**60), 20),), ((SMALLEST, 100), (LARGEST, 100))], ids=str)
@pytest.mark.parametrize("model_type", [ModelType.GAUSSIAN_COPULA, ModelType.TVAE])
def test_numbers_keep_their_shares_beside_one_that_is_far_from_all(model_type, missing, tmp_path):
    numbers = given_numbers(*missing)
    table = pa.table({"x": numbers, "y": np.random.default_rng(5).normal(size=ROWS)})
    model = given_model(model_type, table, holdout_fraction=0.0)
    model.save(tmp_path / "model.synthgen")

    rows = load(tmp_path / "model.synthgen").sample(ROWS, seed=1)["x"].to_numpy()

    assert set(rows.tolist()) <= set(numbers.tolist())
    for value, count in missing:
        assert abs((rows == value).sum() - count) < 4 * count**0.5 + 5
    wanted, given = ([(part < edge).mean() for edge in range(0, 100, 10)] for part in (numbers, rows))
    assert np.abs(np.subtract(wanted, given)).max() < 0.05


def test_a_few_far_numbers_beside_many_scattered_ones_are_learnt():
    """Their step is as long as they are apart, and the others are too many to count each."""
    scattered = np.random.default_rng(4).integers(0, 2**62, ROWS)
    few = [2**62 + 2**61, *[2**62 + 2**61 + 2**59] * 4]

    form = learn_form(pa.array([*scattered, *few]), 5)

    assert few[-1] >= form.back(form.forward(pa.array(few)))[0].as_py() >= few[0]


@pytest.mark.parametrize(
    "numbers",
    [
        given_numbers((SMALLEST, 5)),
        given_numbers((SMALLEST, 30), (LARGEST, 30), low=-(10**6), high=10**6),
        given_numbers((-1, 200), (7, 5), low=SMALLEST, high=LARGEST),
        np.concatenate([given_numbers(low=SMALLEST, high=SMALLEST + 500), given_numbers(low=0, high=500)]),
        given_numbers((0, 40), low=2**62, high=2**62 + 50).astype(np.uint64) * np.uint64(3),
    ],
    ids=["one far", "both ends", "among scattered ones", "two islands", "unsigned"],
)
def test_every_value_of_k_rows_comes_back_as_it_was(numbers):
    values, counts = np.unique(numbers, return_counts=True)
    common = pa.array(values[counts >= 5])

    form = learn_form(pa.array(numbers), 5)

    assert isinstance(form, IslandsForm)
    assert form.back(form.forward(common)).equals(common)
    for value in common.to_pylist():
        assert form.between(value, value) == (form.forward(pa.array([value], common.type))[0],) * 2
    assert form.between(None, None) == (0, form.upper)


def test_what_lies_between_islands_counts_as_the_nearer_end():
    form = IslandsForm(arrow_type="int64", islands=((SMALLEST, 1, 0), (10, 5, 2), (LARGEST, 1, 0)))

    numbers = form.forward(pa.array([SMALLEST, SMALLEST + 9, -5, 10, 14, 15, 21, 2**62 + 99, LARGEST]))

    assert numbers.tolist() == [0, 0, 1, 1, 1, 2, 3, 4, 4]
    assert form.back(np.arange(5.0)).to_pylist() == [SMALLEST, 10, 15, 20, LARGEST]
    assert form.between(0, 16) == (1, 2)
    assert form.between(SMALLEST + 1, 0.5)[0] > form.between(SMALLEST + 1, 0.5)[1]


def test_no_island_ends_on_the_number_of_a_few_rows():
    numbers = given_numbers((SMALLEST, 5), (LARGEST, 4), low=0, high=10**12)

    form = learn_form(pa.array(numbers), 5)

    kept = {end for origin, step, steps in form.islands for end in (origin, origin + step * steps)}
    assert kept & set(numbers.tolist()) == {SMALLEST}


def test_what_float64_can_count_is_one_grid():
    assert isinstance(learn_form(pa.array(given_numbers((-(2**52), 50))), 5), IntegerForm)
    assert isinstance(learn_form(pa.array(given_numbers((SMALLEST, 4))), 5), IntegerForm)
    assert isinstance(learn_form(pa.array(given_numbers(low=SMALLEST, high=LARGEST)), 5), IntegerForm)


def test_the_places_of_a_range_are_those_of_the_values_in_it():
    form = IslandsForm(arrow_type="int64", islands=((-40, 5, 3), (0, 1, 0), (7, 3, 4), (100, 1, 1)))
    values = [-40, -35, -30, -25, 0, 7, 10, 13, 16, 19, 100, 101]

    for low, high in product([None, *np.arange(-45, 105, 2.5)], repeat=2):
        inside = [low is None or low <= value for value in values], [high is None or value <= high for value in values]
        places = np.flatnonzero(np.logical_and(*inside))
        first, last = form.between(low, high)
        assert [*places] == [*range(first, last + 1)], (low, high)
