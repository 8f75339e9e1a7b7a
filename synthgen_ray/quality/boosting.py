"""Gradient boosting on cells, and the area under its ROC curve. scikit-learn is imported when it is needed."""

import numpy as np
from threadpoolctl import threadpool_limits

from synthgen_ray.quality.cells import NULL, Array, Cells


def features(cells: Cells, known: Cells) -> Array:
    """(N, D): the codes of the categories, then the numbers. What `known` lacks of a category is as null."""
    categories = [name for name in cells.names if not cells.is_number(name)]
    numbers = [cells.columns[name] for name in cells.names if cells.is_number(name)]
    return np.column_stack([*(_known(cells.columns[name], known.columns[name]) for name in categories), *numbers])


def classify(rows: Array, truth: Array, others: Array, seed: int) -> tuple[Array, Array]:
    """The classes, and the chances of each that a model which learnt `truth` from `rows` gives `others`.

    Shapes: rows (N, D), truth (N,), others (M, D); classes (C,), chances (M, C).
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    rows, others = _without_empty(rows, others)
    # So small a fit gains nothing by a second thread, and on a busy machine waits for it.
    with threadpool_limits(1):
        model = HistGradientBoostingClassifier(random_state=seed).fit(rows, truth)
        return model.classes_, model.predict_proba(others)


def regress(rows: Array, truth: Array, others: Array, seed: int) -> Array:
    """The numbers, (M,), that a model which learnt `truth` from `rows` expects of `others`; shapes as for classes."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    rows, others = _without_empty(rows, others)
    with threadpool_limits(1):
        model = HistGradientBoostingRegressor(random_state=seed).fit(rows, truth)
        return np.asarray(model.predict(others))


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


def _without_empty(rows: Array, others: Array) -> tuple[Array, Array]:
    """Both with 0 in the columns of which `rows`, that are learnt from, have no value: those cannot be binned."""
    empty = np.isnan(rows).all(axis=0)
    return np.where(empty, 0.0, rows), np.where(empty, 0.0, others)


def _known(codes: Array, known: Array) -> Array:
    return np.where(np.isin(codes, known), codes, NULL)
