import numpy as np
import pytest

from synthgen_ray.synthesizers.columns.moves import matched


@pytest.mark.parametrize("seed", range(20))
def test_as_many_are_matched_as_there_are_and_each_once(seed: int):
    rng = np.random.default_rng(seed)
    rows = int(rng.integers(0, 300))
    wanted, given = rng.integers(0, 9, (2, rows))

    takers, givers = matched(wanted, given, rng.integers(0, 50, rows), rng.integers(0, 50, rows))

    assert (wanted[takers] == given[givers]).all()
    assert len(np.unique(takers)) == len(takers) == len(np.unique(givers))
    pairs = np.minimum(np.bincount(wanted, minlength=9), np.bincount(given, minlength=9))
    assert len(takers) == pairs.sum()


def test_those_that_are_matched_lie_along_the_whole_of_an_order():
    nothing = np.zeros(100, dtype=np.int64)

    takers, givers = matched(nothing, nothing[:10], np.arange(100), np.arange(10)[::-1])

    assert takers.tolist() == list(range(5, 100, 10))
    assert givers.tolist() == list(range(9, -1, -1))
