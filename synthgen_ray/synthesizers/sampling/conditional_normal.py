"""Correlated normal rows, some of whose dimensions are bound to intervals.

The bound dimensions come first: one after the other given those before (exact for one), as the GHK simulator draws
them. A row that it draws is too likely where the later bounds are hard to meet, by the factor

    q(z) / p(z)  ~  1 / Π_c P(bound c | z_1 .. z_c-1)

so more rows than are asked for are drawn, weighed by that product, and chosen by their weights: sequential importance
sampling with resampling. A Gibbs sampler over all of them then tells rows that were chosen twice apart. Alone it would
not do: between two intervals of closely related columns it never jumps.
The others follow in one step from the conditional normal, which is exact.
Sources: Keane 1994, "A computationally practical simulation estimator for panel data", section 3 (GHK); Liu & Chen
1998, "Sequential Monte Carlo methods for dynamic systems", section 3 (when to resample, and how); Geweke 1991,
"Efficient simulation from the multivariate normal subject to linear constraints", and Robert 1995, arXiv:0907.4010 (the
Gibbs sampler).
Shapes: N rows, P of them before they are chosen, D dimensions, C of them bound, A intervals of one of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from synthgen_ray.synthesizers.columns.normal import log_probability, truncated_normal
from synthgen_ray.synthesizers.numerics.noise import normals
from synthgen_ray.synthesizers.sampling.categorical import effective_size

SWEEPS = 30
LOOKS = 2000  # rows by which a chance is estimated, to a percent or so
LEAST_PARTICLES, PARTICLES_A_ROW = 4000, 2
WORN = 1 / 2  # of the particles: if weights are worth fewer, they are resampled before the next bound
WHOLE = 16  # products of whole tiles have the same last digits on any number of threads


@dataclass(frozen=True)
class Bound:
    """The intervals that a dimension may be in, each with a weight. Shapes: (A,)."""

    dimension: int
    lows: np.ndarray
    highs: np.ndarray
    weights: np.ndarray


def draw_normal(
    correlation_DD: np.ndarray, bounds: Sequence[Bound], num_rows: int, rng: np.random.Generator
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Rows as columns, (D, N), and for each bound which of its intervals each row is in."""
    bound = np.array([one.dimension for one in bounds], dtype=int)
    free = np.setdiff1d(np.arange(len(correlation_DD)), bound)
    inner_CC = correlation_DD[np.ix_(bound, bound)]
    z_NC, choices = _draw_bound(inner_CC, bounds, num_rows, rng)
    slope_CF = np.linalg.solve(inner_CC, correlation_DD[np.ix_(bound, free)])
    rest_FF = correlation_DD[np.ix_(free, free)] - correlation_DD[np.ix_(free, bound)] @ slope_CF
    padded = -(-num_rows // WHOLE) * WHOLE
    free_FN = (_root(rest_FF) @ normals(rng, len(free), padded).astype(np.float64))[:, :num_rows]
    if not bounds:
        return free_FN, choices
    z_DN = np.empty((len(correlation_DD), num_rows))
    z_DN[bound] = z_NC.T
    z_DN[free] = free_FN + slope_CF.T @ z_NC.T
    return z_DN, choices


def log_chance(correlation_DD: np.ndarray, bounds: Sequence[Bound], rng: np.random.Generator) -> float:
    """The logarithm of how likely a row is to be inside of all bounds, weights counted: the GHK simulator."""
    dimensions = [one.dimension for one in bounds]
    inner_CC = correlation_DD[np.ix_(dimensions, dimensions)]
    z_NC, log_mass_N = np.empty((LOOKS, len(bounds))), np.zeros(LOOKS)
    for place, bound in enumerate(bounds):
        mean, sd = _given_before(inner_CC, place, z_NC)
        log_mass_N += logsumexp(_log_masses(bound, mean, sd), axis=1)
        z_NC[:, place], _ = _draw_one(bound, mean, sd, rng)
    return float(logsumexp(log_mass_N) - np.log(LOOKS))


def _draw_bound(
    inner_CC: np.ndarray, bounds: Sequence[Bound], num_rows: int, rng: np.random.Generator
) -> tuple[np.ndarray, list[np.ndarray]]:
    z_NC, choices = _start(inner_CC, bounds, num_rows, rng)
    precision = np.linalg.inv(inner_CC)
    for _ in range(SWEEPS if len(bounds) > 1 else 0):
        for place, bound in enumerate(bounds):
            sd = float(precision[place, place]) ** -0.5
            mean = z_NC[:, place] - z_NC @ precision[place] * sd**2
            z_NC[:, place], choices[place] = _draw_one(bound, mean, sd, rng)
    return z_NC, choices


def _start(
    inner_CC: np.ndarray, bounds: Sequence[Bound], num_rows: int, rng: np.random.Generator
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Rows as likely as the bounds have them, some of them several times."""
    particles = max(LEAST_PARTICLES, PARTICLES_A_ROW * num_rows) if len(bounds) > 1 else num_rows
    z_PC, choices_PC = np.empty((particles, len(bounds))), np.zeros((particles, len(bounds)), dtype=np.int64)
    log_weights_P = np.zeros(particles)
    for place, bound in enumerate(bounds):
        if effective_size(log_weights_P) < WORN * particles:
            kept = _resampled(log_weights_P, particles, rng)
            z_PC, choices_PC, log_weights_P = z_PC[kept], choices_PC[kept], np.zeros(particles)
        mean, sd = _given_before(inner_CC, place, z_PC)
        if len(bounds) > 1:
            log_weights_P += logsumexp(_log_masses(bound, mean, sd), axis=1)
        z_PC[:, place], choices_PC[:, place] = _draw_one(bound, mean, sd, rng)
    if len(bounds) > 1:
        kept = rng.permutation(_resampled(log_weights_P, num_rows, rng))
        z_PC, choices_PC = z_PC[kept], choices_PC[kept]
    return z_PC, list(np.ascontiguousarray(choices_PC.T))


def _resampled(log_weights: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """So many places, each as often as its weight says, to the next whole number: systematic resampling."""
    ends = np.cumsum(np.exp(log_weights - log_weights.max()))
    points = (np.arange(count) + rng.random()) * (ends[-1] / max(count, 1))
    return np.asarray(np.minimum(np.searchsorted(ends, points, side="right"), len(ends) - 1))


def _draw_one(bound: Bound, mean: np.ndarray, sd: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """An interval for each row by its weight and probability, then a place in it."""
    choice = np.zeros(len(mean), dtype=np.int64)
    if len(bound.lows) > 1:
        log_mass = _log_masses(bound, mean, sd)
        choice = np.argmax(log_mass + rng.gumbel(size=log_mass.shape), axis=1)
    low, high = bound.lows[choice], bound.highs[choice]
    return truncated_normal(mean, np.full(len(mean), sd), np.minimum(low, high), high, rng), choice


def _log_masses(bound: Bound, mean: np.ndarray, sd: float) -> np.ndarray:
    """Of each interval its weight times its probability, (N, A)."""
    above, below = ((ends - mean[:, None]) / sd for ends in (bound.lows, bound.highs))
    return np.asarray(log_probability(above, below) + np.log(bound.weights))


def _given_before(inner_CC: np.ndarray, place: int, z_NC: np.ndarray) -> tuple[np.ndarray, float]:
    """Mean (N,) and standard deviation of a dimension given those before it."""
    slope = np.linalg.solve(inner_CC[:place, :place], inner_CC[:place, place])
    return z_NC[:, :place] @ slope, max(1 - float(inner_CC[place, :place] @ slope), 1e-12) ** 0.5


def _root(matrix: np.ndarray) -> np.ndarray:
    """R with R Rᵀ = matrix, which may be singular."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0)))
