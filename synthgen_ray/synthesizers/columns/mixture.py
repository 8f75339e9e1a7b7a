"""A mixture of normals over the numbers of one column, which finds out itself how many of its components it needs.

Variational inference under a Dirichlet process prior. It reads distinct values with their counts, or bins of them
with their spread, and is exact for either: what depends on rows enters only by sums over them.
Sources: Blei & Jordan 2006, "Variational inference for Dirichlet process mixtures", section 3.1 (the weights);
Bishop 2006, "Pattern recognition and machine learning", section 10.2 (means and variances); Verbeek, Nunnink & Vlassis
2006, "Accelerated EM-based clustering of large data sets" (bins). Priors, stopping rule and start from a k-means are
those of scikit-learn's BayesianGaussianMixture, and so are its results.
Shapes: M points (values or bins), J components.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, digamma, gammaln

MOST_BINS = 4096
MOST_ITERATIONS = 100
TOLERANCE = 1e-3  # of the lower bound
CONCENTRATION = 0.001  # prior of the Dirichlet process: few components
LEAST_VARIANCE = 1e-6  # added to each component's, so that none collapses
LEAST_ROWS = 10 * np.finfo(np.float64).eps  # added to each component's, so that none divides by 0
START_POINTS = 512  # of the k-means


@dataclass(frozen=True)
class Points:
    """What many rows look like: means, counts, and the variance of the rows around each mean (0 for one value)."""

    means_M: np.ndarray
    counts_M: np.ndarray
    variances_M: np.ndarray


@dataclass(frozen=True)
class Mixture:
    means_J: np.ndarray
    variances_J: np.ndarray
    weights_J: np.ndarray


def points_of(values: np.ndarray, counts: np.ndarray, most: int = MOST_BINS) -> Points:
    """The rising distinct values themselves, or at most so many bins of them, of about as many rows each."""
    counts = counts.astype(np.float64)
    if len(values) <= most:
        return Points(values, counts, np.zeros(len(values)))
    middle = np.cumsum(counts) - counts / 2
    bins = (middle * (most / counts.sum())).astype(np.int64)
    starts = np.flatnonzero(np.diff(bins, prepend=-1))
    rows = np.add.reduceat(counts, starts)
    means = np.add.reduceat(values * counts, starts) / rows
    off = values - np.repeat(means, np.diff(starts, append=len(values)))
    return Points(means, rows, np.add.reduceat(off**2 * counts, starts) / rows)


def fit(points: Points, most_components: int) -> Mixture:
    return fit_from(points, start(points, most_components))


def start(points: Points, most_components: int) -> np.ndarray:
    """Responsibilities (J, M) of the best k-means there is: in one dimension its clusters are runs of values, so that
    dynamic programming finds it. The largest cluster comes first, as a Dirichlet process has it.

    Source: Fisher 1958, "On grouping for maximum homogeneity".
    """
    coarse = points_of(points.means_M, points.counts_M, START_POINTS)
    x, rows = coarse.means_M, coarse.counts_M
    clusters = min(most_components, len(x))
    sums = np.stack([np.append(0.0, np.cumsum(rows * part)) for part in (np.ones(len(x)), x, x**2)])
    n, s, q = sums[:, None, 1:] - sums[:, :-1, None]  # of the run from the row's place to the column's
    cost = np.where(n > 0, q - s**2 / np.where(n > 0, n, 1.0), np.inf)
    best, begins = cost[0], []
    for _ in range(1, clusters):
        total = np.append(np.inf, best[:-1])[:, None] + cost
        begins.append(total.argmin(axis=0))
        best = total.min(axis=0)
    cuts, end = [], len(x) - 1
    for begin in reversed(begins):
        cuts.append(begin[end])
        end = begin[end] - 1
    cluster_M = np.searchsorted(x[cuts[::-1]], points.means_M, side="right")
    order = np.argsort(-np.bincount(cluster_M, points.counts_M, minlength=clusters), kind="stable")
    return np.asarray(order[:, None] == cluster_M).astype(np.float64)


def fit_from(points: Points, responsibilities_JM: np.ndarray) -> Mixture:
    """The mixture that is found from these responsibilities, each of whose columns adds up to 1."""
    x_M, counts_M, variances_M = points.means_M, points.counts_M, points.variances_M
    rows = counts_M.sum()
    mean = counts_M @ x_M / rows
    variance = counts_M @ ((x_M - mean) ** 2 + variances_M) / (rows - 1)
    posterior = _Posterior(points, mean, variance, responsibilities_JM)
    bound = -np.inf
    for _ in range(MOST_ITERATIONS):
        log_share_JM = posterior.log_shares(x_M, variances_M)
        log_share_JM -= log_share_JM.max(axis=0)
        share_JM = np.exp(log_share_JM)
        total_M = share_JM.sum(axis=0)
        share_JM /= total_M
        # The shares' entropy; log of a share is log_share - log(total).
        entropy = counts_M @ (np.log(total_M) - np.einsum("jm,jm->m", share_JM, log_share_JM))
        posterior = _Posterior(points, mean, variance, share_JM)
        before, bound = bound, entropy + posterior.log_norms()
        if abs(bound - before) < TOLERANCE:
            break
    return Mixture(posterior.mean_J, posterior.variance_J, posterior.weights())


class _Posterior:
    """Beta for the sticks, normal-gamma for means and precisions; one degree of freedom and one row as priors."""

    def __init__(self, points: Points, mean: float, variance: float, share_JM: np.ndarray) -> None:
        weighted_JM = share_JM * points.counts_M
        rows_J = weighted_JM.sum(axis=1) + LEAST_ROWS
        mean_J = weighted_JM @ points.means_M / rows_J
        off_JM = points.means_M - mean_J[:, None]
        off_JM *= off_JM
        off_JM += points.variances_M
        variance_J = np.einsum("jm,jm->j", weighted_JM, off_JM) / rows_J + LEAST_VARIANCE
        self.taken_J = 1 + rows_J  # the sticks' Beta(taken, left)
        self.left_J = CONCENTRATION + np.append(np.cumsum(rows_J[::-1])[-2::-1], 0.0)
        self.scale_J = 1 + rows_J  # of the means' precision, and by chance also the degrees of freedom
        self.mean_J = (mean + rows_J * mean_J) / self.scale_J
        between_J = rows_J / self.scale_J * (mean_J - mean) ** 2
        self.variance_J = (variance + rows_J * variance_J + between_J) / self.scale_J

    def log_shares(self, x_M: np.ndarray, variances_M: np.ndarray) -> np.ndarray:
        """Expected log of weight times density, up to what all components share (Bishop, eqs. 10.64 to 10.66)."""
        sum_J = digamma(self.taken_J + self.left_J)
        weight_J = digamma(self.taken_J) - sum_J
        weight_J[1:] += np.cumsum(digamma(self.left_J) - sum_J)[:-1]
        precision_J = digamma(self.scale_J / 2) - np.log(self.scale_J / 2) - np.log(self.variance_J)
        constant_J = weight_J + (precision_J - 1 / self.scale_J) / 2
        log_JM = x_M - self.mean_J[:, None]
        log_JM *= log_JM
        log_JM += variances_M
        log_JM *= -0.5 / self.variance_J[:, None]
        log_JM += constant_J[:, None]
        return np.asarray(log_JM)

    def log_norms(self) -> float:
        """The lower bound but for the shares' entropy and constants (Bishop, section 10.2.2)."""
        half_J = self.scale_J / 2
        wishart_J = gammaln(half_J) - half_J * np.log(half_J * self.variance_J)
        return float((wishart_J + betaln(self.taken_J, self.left_J) - np.log(self.scale_J) / 2).sum())

    def weights(self) -> np.ndarray:
        """Expected weights: what each stick takes of what is left by those before."""
        took_J = self.taken_J / (self.taken_J + self.left_J)
        weights_J = took_J * np.append(1.0, np.cumprod(1 - took_J)[:-1])
        return np.asarray(weights_J / weights_J.sum())
