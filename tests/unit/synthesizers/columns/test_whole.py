"""The grid of whole numbers, dates and times is that of all rows but a few."""

from datetime import datetime

import numpy as np
import pyarrow as pa
import pytest

from synthgen_ray.synthesizers.columns.ends import inner_parts
from synthgen_ray.synthesizers.columns.whole import IntegerForm, as_unsigned

K = 5
RNG = np.random.default_rng(8)
DAYS = np.datetime64("2021-03-01", "us") + RNG.integers(0, 900, 500).astype("timedelta64[D]")
PRICES = 50 * RNG.integers(3, 400, 1000)


def grid_of(array: pa.Array, k: int = K) -> IntegerForm:
    return IntegerForm.learn(array, np.sort(as_unsigned(array)), k)


def learnt(values: np.ndarray, odd: list) -> IntegerForm:
    return grid_of(pa.array(np.concatenate([values, np.array(odd, dtype=values.dtype)])))


def test_one_moment_among_days_makes_no_seconds_of_them():
    form = learnt(DAYS, [datetime(2022, 7, 9, 13, 37, 42, 61)])

    assert form.step == 86_400_000_000
    assert form.origin % form.step == 0


@pytest.mark.parametrize(
    ("odd", "step"),
    [
        ([], 50),
        ([7777], 50),
        ([155, 165, 171, 19_999], 50),
        ([110, 120, 130, 140], 50),
        ([110, 120, 130, 140, 160], 10),  # as many as tell of nobody
        ([1, 2, 3, 4, 6], 2),
        ([1, 3, 7, 9, 11], 1),
    ],
)
def test_fewer_than_k_rows_do_not_set_the_step(odd, step):
    form = learnt(PRICES, odd)

    assert form.step == step
    assert form.origin % step == 0
    assert form.back(np.arange(20.0)).to_pylist() == [form.origin + step * n for n in range(20)]


@pytest.mark.parametrize("k", [1, 5, 20])
def test_the_lower_end_is_never_above_the_upper(k):
    """Of k rows both are the mean of all, of many the k from the k-th extreme."""
    for rows in range(k, 4 * k):
        low, high = inner_parts(np.arange(rows), k)
        assert len(low) == len(high) == k
        assert low[0] == rows - 1 - high[-1] <= high[0]


@pytest.mark.parametrize("rows", [8, 9, 12, 13])
def test_of_few_numbers_a_column_has_a_middle(rows):
    form = grid_of(pa.array(np.arange(rows) * 1000))

    middle = (rows - 1) * 500
    assert form.ends[0] <= middle <= form.ends[1] + form.step
    assert form.ends[0] + form.ends[1] == pytest.approx(2 * middle, abs=2 * form.step)


def test_of_a_hundred_rows_two_set_it():
    assert learnt(PRICES[:99], [7777]).step == 50
    assert learnt(PRICES[:98], [7777, 7779]).step == 1


def test_of_as_many_rows_as_are_asked_for_all_set_it():
    values = PRICES[:200].copy()
    values[:2] += 5

    assert grid_of(pa.array(values), k=200).step == 5
    assert grid_of(pa.array(values), k=198).step == 50


def test_what_is_off_the_grid_counts_as_the_place_below():
    form = learnt(PRICES, [7777])

    assert form.back(form.forward(pa.array([7777, 7750]))).to_pylist() == [7750, 7750]


def test_all_integers_there_are_may_have_one_that_is_odd():
    far = RNG.integers(-(2**62), 2**62, 1000) * 2
    form = learnt(far, [7])

    assert form.step == 2
    assert form.origin % 2 == 0
