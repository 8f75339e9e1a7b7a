"""Samples in proportion to weights, of which the logarithms are given.

Sources: Kish 1965, "Survey sampling"; Cohen, Duffield, Kaplan, Lund & Thorup 2011, "Efficient stream sampling for
variance-optimal estimation of subset sums".
"""

import numpy as np

LEAST = np.log(np.finfo(np.float64).tiny)


def effective_size(log_weights: np.ndarray) -> float:
    """How many equally weighted draws the weights are worth: (Σw)² / Σw² (Kish)."""
    weights = np.exp(log_weights - log_weights.max())
    return float(weights.sum() ** 2 / (weights**2).sum())


def resampled(log_weights: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """So many places, each as often as its weight says, to the next whole number: systematic resampling."""
    ends = np.cumsum(np.exp(log_weights - log_weights.max()))
    points = (np.arange(count) + rng.random()) * (ends[-1] / max(count, 1))
    return np.asarray(np.minimum(np.searchsorted(ends, points, side="right"), len(ends) - 1))


def thinned(log_weights: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """So many places (count,) in their order, none twice, each with a chance in proportion to its weight; what is too
    heavy for that is there for sure. And the log weights with which they stand for all, so that more may be thinned
    together with them (Cohen et al.).
    """
    if len(log_weights) <= count:
        return np.arange(len(log_weights)), log_weights
    heaviest = log_weights.max()
    relative = np.maximum(log_weights - heaviest, LEAST)
    order = np.argsort(-relative, kind="stable")
    weights = np.exp(relative[order])
    left = np.cumsum(weights[::-1])[::-1][:count]  # of each one and all that are lighter
    chances = weights[:count] * np.arange(count, 0, -1) / left  # if all that are heavier are there
    sure = int(np.argmax(chances <= 1))
    lighter = np.sort(order[sure:])
    chosen = lighter[resampled(relative[lighter], count - sure, rng)]
    places = np.sort(np.append(order[:sure], chosen))
    threshold = heaviest + np.log(left[sure] / (count - sure))
    return places, np.maximum(log_weights[places], threshold)
