import numpy as np
import pytest

from synthgen_ray.synthesizers.columns.association import association

CODES = np.random.default_rng(1).integers(0, 7, 5000)


def test_what_is_the_same_but_for_its_names_is_associated_wholly():
    assert association(CODES, (CODES * 3) % 7) == pytest.approx(1, abs=0.001)


def test_what_is_independent_is_not_associated():
    others = np.random.default_rng(2).integers(0, 40, (20, 5000))

    assert all(association(CODES, other) == 0 for other in others)


@pytest.mark.parametrize("kept", [0.1, 0.3, 0.8])
def test_it_is_as_strong_as_what_is_kept(kept: float):
    """Of V that is the share of rows whose code is the other's, where those of the rest are drawn anew."""
    rng = np.random.default_rng(3)
    other = np.where(rng.random(5000) < kept, CODES, rng.integers(0, 7, 5000))

    assert association(CODES, other) == pytest.approx(kept, abs=0.03)


@pytest.mark.parametrize("rows", [0, 1, 5000])
def test_a_constant_says_nothing(rows: int):
    assert association(CODES[:rows], np.zeros(rows, dtype=np.int64)) == 0
