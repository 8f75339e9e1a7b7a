"""Places that are chosen by weight."""

import numpy as np
import pytest

from synthgen_ray.synthesizers.sampling.weighted import effective_size, thinned


def test_effective_size():
    assert effective_size(np.zeros(10)) == pytest.approx(10)
    assert effective_size(np.array([0.0, -1e3, -1e3])) == pytest.approx(1)


def test_the_chance_of_each_is_its_weights_and_of_what_is_too_heavy_one():
    log_weights = np.log([0.5, 1, 2, 3, 3.5, 40])
    chances = np.zeros(6)
    for seed in range(4000):
        places, weighing = thinned(log_weights, 3, np.random.default_rng(seed))
        assert len(set(places)) == 3
        assert np.exp(weighing).sum() == pytest.approx(50)
        chances[places] += 1 / 4000

    assert chances == pytest.approx([0.1, 0.2, 0.4, 0.6, 0.7, 1], abs=4 * 0.5 / 4000**0.5)


def test_what_comes_in_rounds_is_chosen_as_what_comes_at_once():
    """Of weights as a network's, whose larger ones were chosen too seldom where each was drawn after the other."""
    rng = np.random.default_rng(1)
    kept, weighing, everything = np.zeros(0), np.zeros(0), np.zeros(0)
    for _ in range(5):
        weights = rng.beta(0.3, 0.9, 10_000) + 1e-300
        everything = np.append(everything, weights)
        candidates = np.append(kept, weights)
        places, weighing = thinned(np.append(weighing, np.log(weights)), 10_000, rng)
        kept = candidates[places]

    expected = (everything**2).sum() / everything.sum()
    assert kept.mean() == pytest.approx(expected, abs=4 * kept.std() / 100)
    assert len(np.unique(kept)) == 10_000


def test_weights_that_no_float_tells_from_nothing_are_all_alike():
    places, weighing = thinned(np.array([0.0, -2000, -2000, -3000, -3000]), 4, np.random.default_rng(1))

    assert places[0] == 0
    assert len(set(places)) == 4
    assert np.isfinite(weighing).all()
