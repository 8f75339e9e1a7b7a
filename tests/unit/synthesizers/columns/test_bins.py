import numpy as np
import pytest
from pydantic import ValidationError
from scipy.stats import ks_2samp

from synthgen_ray.synthesizers.columns.bins import MOST_BINS, Bins

RNG = np.random.default_rng(2)
SKEWED = RNG.lognormal(3, 1, 5000)
ZEROS = np.where(RNG.random(5000) < 0.6, 0.0, SKEWED)
AGES = RNG.integers(18, 90, 5000).astype(float)


@pytest.mark.parametrize("numbers", [SKEWED, ZEROS, AGES, np.repeat([1.0, 2.0], 2500), np.full(50, 7.0)])
def test_numbers_come_back_distributed_as_they_were(numbers):
    bins = Bins.learn(numbers, 5)
    codes = bins.codes(numbers)

    back = bins.numbers(codes, RNG.random(len(codes)))

    assert codes.min() >= 0
    assert codes.max() < len(bins)
    assert len(bins) <= 2 * MOST_BINS
    assert ks_2samp(numbers, back).statistic < 0.03
    assert (bins.codes(back) == codes).mean() > 0.99


def test_a_frequent_value_is_a_bin_of_its_own_and_exact():
    bins = Bins.learn(ZEROS, 5)

    zero = bins.codes(np.array([0.0]))

    assert (bins.numbers(np.repeat(zero, 100), RNG.random(100)) == 0).all()
    assert bins.codes(np.array([np.nextafter(0, 1)])) != zero


def test_bins_hold_about_equally_many_rows():
    counts = np.bincount(Bins.learn(SKEWED, 5).codes(SKEWED))

    assert counts.min() > len(SKEWED) / MOST_BINS / 5
    assert counts.max() < len(SKEWED) / MOST_BINS * 2


def test_numbers_beyond_the_ends_are_in_the_outer_bins():
    bins = Bins.learn(SKEWED, 5)

    assert bins.codes(np.array([-1e9, 1e9])).tolist() == [0, len(bins) - 1]


@pytest.mark.parametrize("cuts", [(1, 3), (0, 2), (0, 2, 2, 9), (0,)])
def test_cuts_that_do_not_fit_are_refused(cuts):
    with pytest.raises(ValidationError):
        Bins(marginal=Bins.learn(AGES, 5).marginal, cuts=cuts)
