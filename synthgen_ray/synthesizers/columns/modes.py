"""Mode-specific normalisation: a number as one of a few modes and its place in it.

Source: Xu et al. 2019, arXiv:1907.00503, section 4.2. Beyond the paper: a value that many rows share (the
zeros of a zero-inflated column) is a mode of its own, without width, so that it comes back exactly. So is one of fewer
rows that is far from all others: a mixture that has to reach it sees nothing else."""

from itertools import pairwise
from typing import Self

import numpy as np
from pydantic import Field, model_validator

from synthgen_ray.synthesizers.columns import mixture
from synthgen_ray.synthesizers.columns.normal import FURTHEST, log_probability, truncated_normal
from synthgen_ray.synthesizers.columns.remote import remote_atoms
from synthgen_ray.synthesizers.columns.stored import Stored

MAX_MODES = 10
LEAST_WEIGHT = 0.005  # of a mode that is kept, as in the reference implementation
ATOM_SHARE = 0.05  # of the rows, from which a single value is a mode of its own
WIDTH = 4.0  # standard deviations on which a mode's scalar runs from -1 to 1
BLOCK = 16_384  # rows encoded at once: what is worked on stays in the cache
MOST_SQUARED = 1e30  # distance from a mode that float32 still holds
BLUR = 0.02  # a network that names exact scalars is taken to mean this much around them when a range is asked for
POINT = 1e-9  # standard deviations
OUT_OF_REACH = 1e-9  # of a mode that ends before the range begins: only where no other is nearer
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
    def learn(cls, values: np.ndarray, counts: np.ndarray, k: int) -> Self:
        """From a column's rising distinct values and how many rows hold each."""
        rows = counts.sum()
        atomic = counts >= max(k, ATOM_SHARE * rows)
        atomic[~atomic] = remote_atoms(values[~atomic], counts[~atomic], k)
        atoms, atom_weights = values[atomic], counts[atomic] / rows
        rest = rows - counts[atomic].sum()
        # A handful of rows between atoms says nothing about modes, and too much about its rows.
        modes = _mixture(values[~atomic], counts[~atomic], k) if rest >= max(k, 2) else _NO_MODES
        centers, scales, weights = modes
        if len(centers) + len(atoms) == 0:
            centers, scales, weights = np.array([values @ counts / rows]), np.zeros(1), np.ones(1)
        weights = np.concatenate([weights * (1 - atom_weights.sum()), atom_weights])
        return cls(
            centers=tuple(np.concatenate([centers, atoms]).tolist()),
            scales=tuple(np.concatenate([scales, np.zeros(len(atoms))]).tolist()),
            weights=tuple((weights / weights.sum()).tolist()),
        )

    def encode(self, numbers: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """A mode for each number, drawn by the modes' share in it, and the number's place in that mode."""
        codes = np.empty(len(numbers), dtype=np.int32)
        scalars = np.empty(len(numbers), dtype=np.float32)
        centers, scales = np.array(self.centers), np.array(self.scales)
        for start in range(0, len(numbers), BLOCK):
            block = slice(start, start + BLOCK)
            code = codes[block] = self._modes_of(numbers[block], rng)
            scale = scales[code]
            scalar = (numbers[block] - centers[code]) / np.where(scale == 0, 1.0, scale)
            scalars[block] = np.where(scale == 0, 0.0, np.clip(scalar, -EDGE, EDGE))
        return codes, scalars

    def _modes_of(self, numbers: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        centers, scales, weights = (np.array(part) for part in (self.centers, self.scales, self.weights))
        atoms, wide = np.flatnonzero(scales == 0), np.flatnonzero(scales)
        if len(wide):
            codes = wide[_drawn_by_share(numbers, centers[wide], scales[wide] / WIDTH, weights[wide], rng)]
        else:
            codes = np.abs(numbers[:, None] - centers).argmin(axis=1)
        for atom in atoms:
            codes[numbers == centers[atom]] = atom
        return np.asarray(codes)

    def decode(self, codes: np.ndarray, scalars: np.ndarray) -> np.ndarray:
        return np.asarray(np.array(self.centers)[codes] + np.array(self.scales)[codes] * scalars)

    def share_between(self, scalars: np.ndarray, spread: float, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """How likely each mode falls between two bounds when its scalar is normal around the given one.

        A Cauchy's thousandth is mixed in, so that of rows that are all too far the nearest stands out. A point
        counts as a little wide, so that of modes and rows the nearest stand out for it too.
        Shapes: scalars, low, high (B,); returns (B, modes).
        """
        centers, scales = np.array(self.centers), np.array(self.scales)
        low, high = low[:, None], high[:, None]
        reached = (low <= centers + scales) & (centers - scales <= high)
        low, high = _open_at_ends(centers, scales, low, high)
        sd = np.where(scales == 0, 1.0, np.maximum(scales * max(spread, BLUR), np.finfo(float).tiny))
        share = sum(_shares_between(low, high, centers + scales * scalars[:, None], sd))
        return np.asarray(np.where(scales == 0, reached, np.where(reached, share, OUT_OF_REACH * share)))

    def draw_between(
        self, codes: np.ndarray, scalars: np.ndarray, spread: float, bounds: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Scalars of the given modes drawn from the same normal, cut to the bounds (B, 2); to be clipped to ±1.

        One that does not come that far by itself, and was chosen for being among the nearest, says nothing of where
        between the bounds: it is drawn from all of its mode, lest the rows of a rare range crowd at the nearer bound.
        """
        centers, scales = np.array(self.centers)[codes], np.array(self.scales)[codes]
        low, high = _open_at_ends(centers, scales, *bounds.T)
        scales = np.where(scales == 0, 1.0, scales)
        low, high = (low - centers) / scales, (high - centers) / scales
        by_itself, nearest = _shares_between(low, high, scalars, max(spread, np.finfo(float).tiny))
        is_near = rng.random(len(codes)) * (by_itself + nearest) < by_itself
        means, sds = np.where(is_near, scalars, 0.0), np.where(is_near, max(spread, BLUR), 1 / WIDTH)
        return truncated_normal(means, sds, low, high, rng)


_NO_MODES = (np.zeros(0), np.zeros(0), np.zeros(0))


def _open_at_ends(
    centers: np.ndarray, scales: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The bounds, with all that strays beyond an end of its mode, where it stays, when that end is inside."""
    return np.where(low <= centers - scales, -np.inf, low), np.where(high >= centers + scales, np.inf, high)


def _shares_between(
    low: np.ndarray, high: np.ndarray, mean: np.ndarray, sd: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray]:
    """Of a normal to be between two bounds, and the thousandth of a Cauchy that is mixed in."""
    with np.errstate(over="ignore"):
        low, high = (np.clip((end - mean) / sd, -FURTHEST, FURTHEST) for end in (low, high))
    return 0.999 * np.exp(log_probability(low, high, POINT)), 0.001 * _cauchy_probability(low, high, POINT)


def _cauchy_probability(low: np.ndarray, high: np.ndarray, least: float) -> np.ndarray:
    """Of a standard Cauchy number to be in an interval, which counts as `least` wide at least."""
    width, middle = np.maximum(high - low, least), (low + high) / 2
    thin = width < 1e-3 * np.maximum(np.abs(middle), 1)
    return np.asarray(np.where(thin, width / (1 + middle**2), np.arctan(high) - np.arctan(low)) / np.pi)


def _drawn_by_share(
    numbers: np.ndarray, centers: np.ndarray, sd: np.ndarray, weights: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """For each number (N,) one of the normals (J,), as likely as it is to have made the number."""
    with np.errstate(over="ignore"):
        off_JN = ((numbers - centers[:, None]) / sd[:, None]).astype(np.float32)
        off_JN *= off_JN
    log_JN = np.minimum(off_JN, np.float32(MOST_SQUARED), out=off_JN)
    log_JN *= np.float32(-0.5)
    log_JN += np.log(weights / sd).astype(np.float32)[:, None]
    log_JN -= log_JN.max(axis=0)
    total_JN = np.exp(log_JN, out=log_JN)
    for before, after in pairwise(total_JN):
        after += before
    return np.asarray((total_JN[:-1] <= rng.random(len(numbers), dtype=np.float32) * total_JN[-1]).sum(axis=0))


def _mixture(values: np.ndarray, counts: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Centers, scales and weights of a Bayesian Gaussian mixture over the values."""
    rows = counts.sum()
    unit = float(np.abs(values).max()) or 1.0
    mean = float(values / unit @ counts / rows)
    sd = float(np.sqrt((values / unit - mean) ** 2 @ counts / rows)) or 1.0
    found = mixture.fit(mixture.points_of((values / unit - mean) / sd, counts), MAX_MODES)
    # A mode of fewer than k rows would tell what they are.
    kept = found.weights_J > min(max(LEAST_WEIGHT, k / rows), found.weights_J.max() - 1e-9)
    centers = (found.means_J[kept] * sd + mean) * unit
    scales = WIDTH * np.sqrt(found.variances_J[kept]) * sd * unit
    return centers, _widened(values, counts, centers, scales, k), found.weights_J[kept]


def _widened(values: np.ndarray, counts: np.ndarray, centers: np.ndarray, scales: np.ndarray, k: int) -> np.ndarray:
    """Scales that reach the outermost numbers of a heavy tail: the mean distance of a mode's k furthest rows."""
    nearest, distances = np.zeros(len(values), dtype=np.int8), np.full(len(values), np.inf)
    for mode, (center, scale) in enumerate(zip(centers, scales, strict=True)):
        distance = np.abs(values - center) / scale
        nearest[distance < distances] = mode
        np.minimum(distances, distance, out=distances)
    reach = [_furthest(distances[nearest == mode], counts[nearest == mode], k) for mode in range(len(centers))]
    return np.asarray(scales * np.maximum([distance / EDGE for distance in reach], 1.0))


def _furthest(distances: np.ndarray, counts: np.ndarray, k: int) -> float:
    """The mean distance of the k furthest rows; 0 if there are fewer."""
    if counts.sum() < k:
        return 0.0
    furthest = np.argsort(-distances)[:k] if len(distances) <= k else np.argpartition(-distances, k)[:k]
    furthest = furthest[np.argsort(-distances[furthest])]
    return float(np.repeat(distances[furthest], np.minimum(counts[furthest], k))[:k].mean())
