"""Gradient boosting on cells, and the area under its ROC curve. scikit-learn is imported when it is needed."""

import numpy as np
from threadpoolctl import threadpool_limits

from synthgen_ray.quality.cells import NULL, Array, Cells
from synthgen_ray.quality.numbers import Z

LEAF = 20  # rows, of scikit-learn's boosting
MOST_WITHOUT_SPLIT = 10_000  # of more rows scikit-learn sets a tenth aside, stratified by class, to know when to stop


def features(cells: Cells, known: Cells) -> Array:
    """(N, D): the codes of the categories, then the numbers. What `known` lacks of a category is as null."""
    categories = [name for name in cells.names if not cells.is_number(name)]
    numbers = [cells.columns[name] for name in cells.names if cells.is_number(name)]
    return np.column_stack([*(_known(cells.columns[name], known.columns[name]) for name in categories), *numbers])


def classify(rows: Array, truth: Array, others: Array, seed: int, leaf: int = LEAF) -> tuple[Array, Array]:
    """The classes, and the chances of each that a model which learnt `truth` from `rows` gives `others`.

    A leaf of its trees holds `leaf` rows or more. Shapes: rows (N, D), truth (N,), others (M, D); classes (C,), chances
    (M, C).
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    rows, others = _without_empty(rows, others)
    rows, truth = _with_pairs(rows, truth)
    # So small a fit gains nothing by a second thread, and on a busy machine waits for it.
    with threadpool_limits(1):
        model = HistGradientBoostingClassifier(min_samples_leaf=leaf, random_state=seed).fit(rows, truth)
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
    above, _ = _placements(positive, scores)
    return float(above.mean()), error_of(influences(positive, scores)) + error_of_all(positive, scores)


def error_of_all(positive: Array, scores: Array) -> float:
    """The standard error of an area of 1 or 0, of which DeLong's is 0; 0 of any other.

    Of m pairs that share no row, as many as there are rows of the rarer kind, all are then in order, and of an area of
    A that happens by a chance of A^m. So it is that which puts the end of the interval where this is 2.5 %. Source:
    Clopper and Pearson 1934, Biometrika 26, 404-413, for m of m successes.
    """
    above, _ = _placements(positive, scores)
    pairs = min(np.count_nonzero(positive), np.count_nonzero(~positive))
    return float((1 - 0.025 ** (1 / pairs)) / Z) if above.mean() in (0, 1) else 0.0


def influences(positive: Array, scores: Array) -> Array:
    """How far each row moves the area, (N,); NaN where one row is all that there is of a kind.

    They are there to be added: those of a difference or a mean of areas over the same rows are the difference or the
    mean of theirs, so that what is hard for all is no error of a difference. Source: the same, whose covariance of two
    areas this is.
    """
    found = np.empty(len(scores))
    for rows, values in zip((positive, ~positive), _placements(positive, scores), strict=True):
        count = len(values)
        found[rows] = (values - values.mean()) / np.sqrt(count * (count - 1)) if count > 1 else np.nan
    return found


def error_of(influences: Array) -> float:
    """The standard error of what the rows move so far."""
    return float(np.sqrt((influences**2).sum()))


def _placements(positive: Array, scores: Array) -> tuple[Array, Array]:
    """Of each positive row, the share of negative ones that it beats; of each negative one, of positive that beat it.

    In the order of the rows. Shapes: (P,), (N - P,).
    """
    hits, others = scores[positive], scores[~positive]
    return _below(np.sort(others), hits), 1 - _below(np.sort(hits), others)


def _below(sorted_values: Array, at: Array) -> Array:
    """The share of values that lie below, those that are equal by half."""
    left, right = (np.searchsorted(sorted_values, at, side=side) for side in ("left", "right"))
    return (left + right) / (2 * len(sorted_values))


def _without_empty(rows: Array, others: Array) -> tuple[Array, Array]:
    """Both with 0 in the columns of which `rows`, that are learnt from, have no value: those cannot be binned."""
    empty = np.isnan(rows).all(axis=0)
    return np.where(empty, 0.0, rows), np.where(empty, 0.0, others)


def _with_pairs(rows: Array, truth: Array) -> tuple[Array, Array]:
    """Both with the row of each class that has no other twice, where they are split: that takes two rows of a class."""
    if len(truth) <= MOST_WITHOUT_SPLIT:
        return rows, truth
    _, places, counts = np.unique(truth, return_index=True, return_counts=True)
    lone = places[counts == 1]
    return np.concatenate([rows, rows[lone]]), np.concatenate([truth, truth[lone]])


def _known(codes: Array, known: Array) -> Array:
    return np.where(np.isin(codes, known), codes, NULL)
