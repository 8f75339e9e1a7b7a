"""Mode-specific normalisation: a number as one of a few modes and its place in it.

Source: Xu et al. 2019, arXiv:1907.00503, section 4.2. Beyond the paper: a value that many rows share (the
zeros of a zero-inflated column) is a mode of its own, without width, so that it comes back exactly."""

import warnings
from typing import Self

import numpy as np
from pydantic import Field, model_validator
from scipy.special import log_ndtr, ndtr, ndtri

from synthgen_ray.synthesizers.columns.stored import Stored

MAX_MODES = 10
LEAST_WEIGHT = 0.005  # of a mode that is kept, as in the reference implementation
ATOM_SHARE = 0.05  # of the rows, from which a single value is a mode of its own
SUBSAMPLE = 10_000  # rows that the mixture is fitted on
WIDTH = 4.0  # standard deviations on which a mode's scalar runs from -1 to 1
BLOCK = 100_000  # rows encoded at once, which bounds the memory
EDGE = 0.99  # tanh never reaches 1


class Modes(Stored):
    """`centers + scales * scalar`; a mode of scale 0 is an atom. Atoms come last."""

    centers: tuple[float, ...] = Field(min_length=1, max_length=4 * MAX_MODES)
    scales: tuple[float, ...]
    weights: tuple[float, ...]

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        if not len(self.centers) == len(self.scales) == len(self.weights) or min(self.scales) < 0:
            raise ValueError("modes do not fit together")
        return self

    def __len__(self) -> int:
        return len(self.centers)

    @classmethod
    def learn(cls, numbers: np.ndarray, k: int, rng: np.random.Generator) -> Self:
        values, counts = np.unique(numbers, return_counts=True)
        atoms = values[counts >= max(k, ATOM_SHARE * len(numbers))]
        rest = numbers[~np.isin(numbers, atoms)]
        # A handful of rows between atoms says nothing about modes, and too much about its rows.
        centers, scales, weights = _mixture(rest, k, rng) if len(rest) >= max(k, 2) else _NO_MODES
        if len(centers) + len(atoms) == 0:
            centers, scales, weights = np.array([numbers.mean()]), np.zeros(1), np.ones(1)
        atom_weights = np.array([(numbers == atom).mean() for atom in atoms])
        weights = np.concatenate([weights * (1 - atom_weights.sum()), atom_weights])
        return cls(
            centers=tuple(np.concatenate([centers, atoms]).tolist()),
            scales=tuple(np.concatenate([scales, np.zeros(len(atoms))]).tolist()),
            weights=tuple((weights / weights.sum()).tolist()),
        )

    def encode(self, numbers: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A mode for each number, drawn by the modes' share in it, and the number's place in that mode."""
        blocks = [self._modes_of(numbers[i : i + BLOCK], rng) for i in range(0, len(numbers), BLOCK)]
        codes = np.concatenate(blocks) if blocks else np.zeros(0, dtype=np.int32)
        scales = np.array(self.scales)[codes]
        scalars = (numbers - np.array(self.centers)[codes]) / np.where(scales == 0, 1.0, scales)
        return codes, np.where(scales == 0, 0.0, np.clip(scalars, -EDGE, EDGE)).astype(np.float32)

    def _modes_of(self, numbers: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        centers, scales, weights = (np.array(part) for part in (self.centers, self.scales, self.weights))
        atom = scales == 0
        wide = np.flatnonzero(~atom)
        if len(wide):
            sd = scales[wide] / WIDTH
            log_share = np.log(weights[wide] / sd) - ((numbers[:, None] - centers[wide]) / sd) ** 2 / 2
            codes = wide[np.argmax(log_share + rng.gumbel(size=log_share.shape), axis=1)].astype(np.int32)
        else:
            codes = np.abs(numbers[:, None] - centers).argmin(axis=1).astype(np.int32)
        for mode in np.flatnonzero(atom):
            codes[numbers == centers[mode]] = mode
        return np.asarray(codes)

    def decode(self, codes: np.ndarray, scalars: np.ndarray) -> np.ndarray:
        return np.asarray(np.array(self.centers)[codes] + np.array(self.scales)[codes] * scalars)

    def share_between(self, scalars: np.ndarray, spread: float, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """How likely each mode falls between two bounds when its scalar is normal around the given one.

        A Cauchy's thousandth is mixed in, so that of rows that are all too far the nearest stands out.
        Shapes: scalars, low, high (B,); returns (B, modes).
        """
        centers, scales = np.array(self.centers), np.array(self.scales)
        sd = np.maximum(scales * spread, 1e-12)
        mean = centers + scales * scalars[:, None]
        above, below = (low[:, None] - mean) / sd, (high[:, None] - mean) / sd
        far = (np.arctan(below) - np.arctan(above)) / np.pi
        share = 0.999 * (ndtr(below) - ndtr(above)) + 0.001 * far
        inside = (low[:, None] <= centers) & (centers <= high[:, None])
        return np.where(scales == 0, inside, share)

    def draw_between(
        self, codes: np.ndarray, scalars: np.ndarray, spread: float, bounds: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Scalars of the given modes drawn from the same normal, cut to the bounds (B, 2)."""
        centers, scales = np.array(self.centers)[codes], np.array(self.scales)[codes]
        scales = np.where(scales == 0, 1.0, scales)
        low, high = ((bounds - centers[:, None]) / scales[:, None]).T
        return truncated_normal(scalars, np.full(len(codes), spread), low, high, rng)


_NO_MODES = (np.zeros(0), np.zeros(0), np.zeros(0))


def truncated_normal(
    mean: np.ndarray, sd: np.ndarray, low: np.ndarray, high: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Normal numbers between bounds, by the inverse of the distribution function, in the tail that keeps
    its digits. Bounds may be infinite. Beyond all digits the answer is the nearer bound."""
    a, b = (low - mean) / sd, (high - mean) / sd
    flip = a > 0  # the upper tail is computed as the lower one of the mirror image
    a, b = np.where(flip, -b, a), np.where(flip, -a, b)
    start, end = ndtr(a), ndtr(b)
    z = ndtri(start + rng.random(len(mean)) * (end - start))
    lost = ~np.isfinite(z) | (np.isneginf(log_ndtr(b)))
    z = np.clip(np.where(lost, b, z), a, b)
    return np.asarray(np.clip(mean + sd * np.where(flip, -z, z), low, high))


def _mixture(numbers: np.ndarray, k: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Centers, scales and weights of a Bayesian Gaussian mixture over the numbers."""
    # Here, because a process that only samples needs neither.
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import BayesianGaussianMixture

    some = rng.choice(numbers, SUBSAMPLE, replace=False) if len(numbers) > SUBSAMPLE else numbers
    unit = float(np.abs(some).max()) or 1.0
    mean = float((some / unit).mean())
    sd = float((some / unit).std()) or 1.0
    distinct = len(np.unique(some))
    mixture = BayesianGaussianMixture(
        n_components=min(MAX_MODES, distinct),
        weight_concentration_prior_type="dirichlet_process",
        weight_concentration_prior=0.001,
        n_init=1,
        random_state=int(rng.integers(2**31)),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the last iteration is good enough
        mixture.fit(((some / unit - mean) / sd)[:, None])
    # A mode of fewer than k rows would tell what they are.
    kept = mixture.weights_ > min(max(LEAST_WEIGHT, k / len(some)), mixture.weights_.max() - 1e-9)
    centers = (mixture.means_[kept, 0] * sd + mean) * unit
    scales = WIDTH * np.sqrt(mixture.covariances_[kept, 0, 0]) * sd * unit
    return centers, _widened(some, centers, scales, k), mixture.weights_[kept]


def _widened(numbers: np.ndarray, centers: np.ndarray, scales: np.ndarray, k: int) -> np.ndarray:
    """Scales that reach the outermost numbers of a heavy tail: the mean distance of a mode's k furthest."""
    off = np.abs(numbers[:, None] - centers) / scales
    mode = off.argmin(axis=1)
    distance = off[np.arange(len(numbers)), mode]
    reach = [distance[mode == one] for one in range(len(centers))]
    factor = [np.sort(some)[-k:].mean() / EDGE if len(some) >= k else 1.0 for some in reach]
    return np.asarray(scales * np.maximum(factor, 1.0))
