"""Detection: how well a classifier learns to tell the synthetic rows from the real ones."""

import numpy as np

from synthgen_ray.quality.boosting import auc, classify, features
from synthgen_ray.quality.cells import Cells

MOST_ROWS = 10_000  # of each table
FOLDS = 3


def detection_auc(real: Cells, synthetic: Cells, seed: int) -> tuple[float, float]:
    """Its area under the ROC curve on rows that it did not learn from, and the standard error; 0.5 is best.

    Gradient boosting, cross-validated in three folds over as many rows of the one as of the other; (NaN, NaN) of
    tables that are too short for that. Source: Lopez-Paz and Oquab 2017, arXiv:1610.06545 (a classifier two-sample
    test), with the area in the place of the accuracy.
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
    scores = np.empty(2 * num_rows)
    for fold in range(FOLDS):
        learnt, tried = folds != fold, folds == fold
        scores[tried] = classify(rows[learnt], is_real[learnt], rows[tried], seed)[1][:, 1]
    return auc(is_real, scores)
