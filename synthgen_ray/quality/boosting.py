"""Gradient boosting on cells, and the area under its ROC curve. scikit-learn is imported when it is needed."""

from typing import Any

import numpy as np

from synthgen_ray.quality.cells import NULL, Array, Cells


def features(cells: Cells, known: Cells) -> Array:
    """(N, D): the codes of the categories, then the numbers. What `known` lacks of a category is as null."""
    categories = [name for name in cells.names if not cells.is_number(name)]
    numbers = [cells.columns[name] for name in cells.names if cells.is_number(name)]
    return np.column_stack([*(_known(cells.columns[name], known.columns[name]) for name in categories), *numbers])


def classifier(seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(random_state=seed)


def regressor(seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(random_state=seed)


def auc(positive: Array, scores: Array) -> tuple[float, float]:
    """The chance that a positive row scores higher than a negative one, and its standard error.

    Shapes: (N,) of booleans, (N,). Source: DeLong, DeLong and Clarke-Pearson 1988, Biometrics 44, 837-845.
    """
    hits, others = np.sort(scores[positive]), np.sort(scores[~positive])
    above = _below(others, hits)  # of each positive row, the share of negative ones that it beats
    under = 1 - _below(hits, others)
    error = np.sqrt(_variance(above) / len(hits) + _variance(under) / len(others))
    return float(above.mean()), float(error)


def _below(sorted_values: Array, at: Array) -> Array:
    """The share of values that lie below, those that are equal by half."""
    left, right = (np.searchsorted(sorted_values, at, side=side) for side in ("left", "right"))
    return (left + right) / (2 * len(sorted_values))


def _variance(values: Array) -> float:
    return float(values.var(ddof=1)) if len(values) > 1 else float("nan")


def _known(codes: Array, known: Array) -> Array:
    return np.where(np.isin(codes, known), codes, NULL)
