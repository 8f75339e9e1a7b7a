import warnings

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.mixture import BayesianGaussianMixture

from synthgen_ray.synthesizers.columns import mixture

RNG = np.random.default_rng(11)
COLUMNS = {
    "two humps": np.concatenate([RNG.normal(30, 4, 1500), RNG.normal(55, 9, 1500)]).round(),
    "heavy tail": RNG.lognormal(0, 1, 2000).round(2),
    "few values": RNG.integers(1, 17, 3000).astype(float),
    "one value twice as often": np.array([1.0, 1.0, 2.0, 5.0]),
}


class FromStart(BayesianGaussianMixture):
    """scikit-learn's mixture, told its first responsibilities (N, J)."""

    def _initialize_parameters(self, X, random_state, xp=None):
        self._initialize(X, self.start_NJ)


def sklearns(numbers: np.ndarray, start_NJ: np.ndarray) -> FromStart:
    peer = FromStart(
        n_components=start_NJ.shape[1],
        weight_concentration_prior_type="dirichlet_process",
        weight_concentration_prior=0.001,
    )
    peer.start_NJ = start_NJ
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has not converged; nor have we
        return peer.fit(numbers[:, None])


def given_points(numbers: np.ndarray, most: int = mixture.MOST_BINS) -> mixture.Points:
    return mixture.points_of(*np.unique(numbers, return_counts=True), most)


def standardised(numbers: np.ndarray) -> np.ndarray:
    return (numbers - numbers.mean()) / numbers.std()


class TestMixture:
    @pytest.mark.parametrize("name", COLUMNS)
    def test_equals_that_of_scikit_learn_from_the_same_start(self, name):
        numbers = standardised(COLUMNS[name])
        points = given_points(numbers)
        start_JM = mixture.start(points, 10)

        ours = mixture.fit_from(points, start_JM)

        peer = sklearns(numbers, start_JM.T[np.searchsorted(points.means_M, numbers)])
        assert ours.means_J == pytest.approx(peer.means_[:, 0], rel=1e-9, abs=1e-9)
        assert ours.variances_J == pytest.approx(peer.covariances_[:, 0, 0], rel=1e-9)
        assert ours.weights_J == pytest.approx(peer.weights_, rel=1e-9, abs=1e-12)

    def test_of_bins_is_close_to_that_of_the_values(self):
        numbers = standardised(np.concatenate([RNG.normal(0, 1, 4000), RNG.normal(7, 2, 2000), RNG.gamma(2, 3, 3000)]))
        points = given_points(numbers)
        start_JM = mixture.start(points, 10)
        bins = given_points(numbers, 1000)
        starts = np.searchsorted(points.means_M, bins.means_M)

        exact, binned = mixture.fit_from(points, start_JM), mixture.fit_from(bins, start_JM[:, starts])

        at = np.linspace(-2, 4, 100)
        assert np.abs(distribution(exact, at) - distribution(binned, at)).max() < 1e-3

    def test_finds_the_humps_that_are_there(self):
        numbers = np.concatenate([RNG.normal(-3, 0.2, 3000), RNG.normal(0, 0.5, 6000), RNG.normal(4, 0.1, 1000)])

        found = mixture.fit(given_points(numbers), 10)

        at = np.linspace(-4, 5, 200)
        truth = mixture.Mixture(np.array([-3, 0, 4]), np.array([0.2, 0.5, 0.1]) ** 2, np.array([0.3, 0.6, 0.1]))
        assert np.abs(distribution(found, at) - distribution(truth, at)).max() < 0.02


def distribution(found: mixture.Mixture, at: np.ndarray) -> np.ndarray:
    return norm.cdf((at[:, None] - found.means_J) / np.sqrt(found.variances_J)) @ found.weights_J


class TestPoints:
    def test_bins_keep_the_sums_of_their_rows(self):
        numbers = RNG.lognormal(0, 2, 5000)

        bins = given_points(numbers, 100)

        assert len(bins.means_M) <= 100
        assert bins.counts_M.sum() == len(numbers)
        assert bins.counts_M @ bins.means_M == pytest.approx(numbers.sum())
        assert bins.counts_M @ (bins.variances_M + bins.means_M**2) == pytest.approx((numbers**2).sum())

    def test_a_value_is_never_split_between_bins(self):
        numbers = np.repeat(np.arange(50.0), RNG.integers(1, 300, 50))

        bins = given_points(numbers, 10)

        assert len(bins.means_M) <= 10
        assert set(bins.counts_M[bins.variances_M == 0]) <= set(np.bincount(numbers.astype(int)))


class TestStart:
    def test_is_the_best_clustering(self):
        numbers = np.unique(RNG.normal(size=12))
        start_JM = mixture.start(given_points(numbers), 3)

        def cost(clusters):
            return sum(((part - part.mean()) ** 2).sum() for part in clusters if len(part))

        all_cuts = [(a, b) for a in range(1, 11) for b in range(a + 1, 12)]
        least = min(cost(np.split(numbers, cuts)) for cuts in all_cuts)
        assert cost([numbers[row > 0] for row in start_JM]) == pytest.approx(least)

    def test_puts_the_largest_cluster_first(self):
        start_JM = mixture.start(given_points(np.array([1.0, 2.0, 2.0, 2.0, 9.0, 9.0])), 3)

        assert start_JM.tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0]]

    def test_each_of_few_values_is_a_cluster(self):
        start_JM = mixture.start(given_points(np.arange(4.0)), 10)

        assert start_JM.tolist() == np.eye(4).tolist()
