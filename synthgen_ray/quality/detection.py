"""Detection: how well a classifier learns to tell the synthetic rows from the real ones."""

import math

import numpy as np

from synthgen_ray.quality.boosting import LEAF, auc, classify, features
from synthgen_ray.quality.cells import Array, Cells
from synthgen_ray.quality.copies import fingerprints

MOST_ROWS = 10_000  # of each table
FOLDS = 3
FINEST = 3  # rows of a leaf: two are a row and its copy


def detection_auc(real: Cells, synthetic: Cells, seed: int) -> tuple[float, float]:
    """Its area under the ROC curve on rows that it did not learn from, and the standard error; 0.5 is best.

    Gradient boosting, cross-validated in three folds over as many rows of the one as of the other; (NaN, NaN) of
    tables that are too short for that. Source: Lopez-Paz and Oquab 2017, arXiv:1610.06545 (a classifier two-sample
    test), with the area in the place of the accuracy.

    Of fewer than a hundred rows the leaves are smaller than scikit-learn's, by which nothing is learnt of fewer than
    thirty: the area would be 0.5 with an error of 0, however far apart the tables are.

    DeLong's error takes the folds for independent. But what is learnt from one about another is also learnt from that
    one about it: where there is nothing to learn the area is a sum over pairs of folds in which each pair is twice, and
    its variance is twice that of a sum of as many different terms. Source: Bengio and Grandvalet 2004, JMLR 5,
    1089-1105, for that covariance between folds (their γ).
    """
    chance = np.random.default_rng(seed)
    num_rows = min(MOST_ROWS, real.num_rows, synthetic.num_rows)
    if num_rows < 2 * FOLDS:
        return float("nan"), float("nan")
    both = [cells.sample(num_rows, chance) for cells in (real, synthetic)]
    rows = np.concatenate([features(cells, cells) for cells in both])
    is_real = np.repeat([True, False], num_rows)
    # The same number of both in every fold.
    folds = np.concatenate([chance.permutation(num_rows) % FOLDS for _ in both])
    leaf = min(max(num_rows // 5, FINEST), LEAF)
    folds = folds_of_equals(folds, np.concatenate([fingerprints(cells) for cells in both]), leaf)
    scores = np.empty(2 * num_rows)
    for fold in range(FOLDS):
        learnt, tried = folds != fold, folds == fold
        scores[tried] = classify(rows[learnt], is_real[learnt], rows[tried], seed, leaf)[1][:, 1]
    area, error = auc(is_real, scores)
    return area, math.sqrt(2) * error


def folds_of_equals(folds: Array, prints: Array, leaf: int = LEAF) -> Array:
    """The folds with each row in that of the first one that is equal to it; as many of a table are in each as before.

    Who has learnt that a row is real is wrong of its copy: a table of nothing but copies would get less than 0.5. Rows
    that are there `leaf` times or more stay where they are: fewer have no leaf to themselves, and of a table of few
    different rows, each in one fold alone, nothing could be learnt about the others. Rows that are equal within one
    table are kept together as well: if only those of both were, two draws of one source would be told apart.

    Shapes: (2 N,), first the real rows, then the synthetic ones. Without equal rows the folds are those given.
    """
    _, firsts, groups, counts = np.unique(prints, return_index=True, return_inverse=True, return_counts=True)
    moved = ((counts > 1) & (counts < leaf))[groups]
    found = np.where(moved, folds[firsts][groups], folds)
    for table in (slice(None, len(folds) // 2), slice(len(folds) // 2, None)):
        lacking = _sizes(folds[table]) - _sizes(found[table])
        # Rows that no other is equal to make room where too many came, and fill up the folds that these left.
        free = ~moved[table]
        spare = [np.flatnonzero(free & (found[table] == fold))[: max(-lacking[fold], 0)] for fold in range(FOLDS)]
        places = np.concatenate(spare)
        found[table][places] = np.repeat(np.arange(FOLDS), np.maximum(lacking, 0))[: len(places)]
    is_learnable = all(_sizes(half).min() > 0 for half in np.split(found, 2))
    return found if is_learnable else folds


def _sizes(folds: Array) -> Array:
    return np.bincount(folds, minlength=FOLDS)
