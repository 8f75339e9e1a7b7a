"""A normal number between bounds: how likely it is, its mean, and draws of it, in the tail that keeps its digits.

Source: Johnson, Kotz & Balakrishnan 1994, "Continuous Univariate Distributions" 1, chapter 13, section 10 (truncated).
"""

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri

FURTHEST = 1e150  # stands for infinity: its square is still a number
THIN = 1e-4  # by the midpoint such an interval is exact to nine digits


def log_probability(low: np.ndarray, high: np.ndarray, least: float = 1e-300) -> np.ndarray:
    """Of a standard normal to be in an interval, however thin it is and however far out.

    An interval counts as `least` wide at least: among points, which have no probability, the density decides.
    """
    low, high = np.clip(low, -FURTHEST, FURTHEST), np.clip(high, -FURTHEST, FURTHEST)
    flip = low > 0
    low, high = np.where(flip, -high, low), np.where(flip, -low, high)
    width, middle = np.maximum(high - low, least), (low + high) / 2
    thin = width * np.maximum(np.abs(middle), 1) < THIN
    density = np.log(width) - middle**2 / 2 - np.log(2 * np.pi) / 2
    below = log_ndtr(high)
    rest = np.minimum(log_ndtr(low) - below, -THIN)  # where it is not thin, it is less
    return np.asarray(np.where(thin, density, below + np.log(-np.expm1(rest))))


def mean_between(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The mean of a standard normal that is known to be in an interval, which may be a point."""
    mass = np.where(low > 0, ndtr(-low) - ndtr(-high), ndtr(high) - ndtr(low))  # the nearer tail keeps its digits
    fall = (np.exp(-(low**2) / 2) - np.exp(-(high**2) / 2)) / np.sqrt(2 * np.pi)
    return np.asarray(np.divide(fall, mass, out=(low + high) / 2, where=mass > 0))


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
