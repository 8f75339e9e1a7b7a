"""Utility: what a model learns from the synthetic rows, tried on real rows that it has not seen.

Gradient boosting is trained once on the synthetic rows and once on the real ones, and tried on the hold-out. Source:
Esteban, Hyland and Rätsch 2017, arXiv:1706.02633 ("train on synthetic, test on real").
"""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np

from synthgen_ray.domain.errors import InvalidRequest
from synthgen_ray.quality.assessment import Utility
from synthgen_ray.quality.boosting import auc, classify, error_of, features, influences, regress
from synthgen_ray.quality.cells import NULL, Array, Cells
from synthgen_ray.quality.numbers import measure

MOST_CLASSES = 20
LEAST_ROWS = 50
RESAMPLES = 200

Task = Literal["classification", "regression"]
ValueAndError = tuple[float, float]


class Target(NamedTuple):
    name: str
    chosen: str


def choose_target(real: Cells, wanted: str | None) -> Target | None:
    """The one that is wanted, else the last column of 2 to 20 categories, else the last number.

    Raises: InvalidRequest for a column that is not compared.
    """
    if wanted is not None:
        if wanted not in real.names:
            raise InvalidRequest(f"The target '{wanted}' is not a column that can be learnt.", "unknown_column")
        return Target(wanted, "It was named.")
    classes = [
        name for name in real.names if not real.is_number(name) and 2 <= _num_classes(real, name) <= MOST_CLASSES
    ]
    if classes:
        return Target(classes[-1], f"Guessed: the last column of 2 to {MOST_CLASSES} categories.")
    numbers = [name for name in real.names if real.is_number(name)]
    return Target(numbers[-1], "Guessed: the last column of numbers.") if numbers else None


def utility(real: Cells, synthetic: Cells, holdout: Cells | None, target: Target, seed: int) -> Utility | None:
    """`None` where the tables are too short, or the target does not vary in one of them.

    Without a hold-out the real table is halved, of which the generator has seen both parts.
    """
    tested_on = "hold-out"
    if holdout is None:
        order, half = np.random.default_rng(seed).permutation(real.num_rows), real.num_rows // 2
        real, holdout = real.rows(order[:half]), real.rows(order[half:])
        tested_on = "half of the real rows, which the generator has seen"
    is_number = real.is_number(target.name)
    if not is_number:
        real, synthetic, holdout = (
            _of_frequent_classes(cells, real, target.name) for cells in (real, synthetic, holdout)
        )
    real, synthetic, holdout = (cells.rows(~cells.nulls(target.name)) for cells in (real, synthetic, holdout))
    if any(_is_too_little(cells, target.name) for cells in (real, synthetic, holdout)) or len(real.names) < 2:
        return None
    learnt = _learnt_number if is_number else _learnt_classes
    truth = holdout.columns[target.name]
    ours, best = (learnt(train, holdout, target.name, seed) for train in (synthetic, real))
    tried, apart = (_r2_of, _r2_gap) if is_number else (_auc_of, _auc_gap)
    score, ceiling = tried(truth, ours, seed), tried(truth, best, seed)
    return Utility(
        target=target.name,
        chosen=target.chosen,
        task="regression" if is_number else "classification",
        metric="r2" if is_number else "auc",
        tested_on=tested_on,
        synthetic=measure(score[0], ceiling[0], score[1]),
        real=measure(ceiling[0], None, ceiling[1]),
        lost=measure(ceiling[0] - score[0], None, apart(truth, best, ours, seed)),
    )


def target_auc(train: Cells, holdout: Cells, target: str, seed: int = 0) -> ValueAndError:
    """Area under the ROC curve on the hold-out of what learnt `target` from `train`, and its standard error.

    Of several classes each against the rest, weighted alike; a class that `train` lacks is held for impossible. The
    error of their mean is at most the mean of their errors. Neither table has a null in the target.
    """
    return _auc_of(holdout.columns[target], _learnt_classes(train, holdout, target, seed), seed)


def target_r2(train: Cells, holdout: Cells, target: str, seed: int = 0) -> ValueAndError:
    """Share of the hold-out's variance of a number that what learnt it from `train` explains, and its standard error.

    The error is the deviation over resamples of the hold-out.
    """
    return _r2_of(holdout.columns[target], _learnt_number(train, holdout, target, seed), seed)


def _learnt_classes(train: Cells, holdout: Cells, target: str, seed: int) -> Array:
    """The chance of each class that the hold-out has, (classes, N)."""
    rows, others = _features(train, holdout, target)
    classes, chances = classify(rows, train.columns[target], others, seed)
    of_class = dict(zip(classes.tolist(), chances.T, strict=True))
    nothing = np.zeros(holdout.num_rows)
    return np.array([of_class.get(code, nothing) for code in np.unique(holdout.columns[target]).tolist()])


def _learnt_number(train: Cells, holdout: Cells, target: str, seed: int) -> Array:
    """(N,)"""
    rows, others = _features(train, holdout, target)
    return regress(rows, train.columns[target], others, seed)


def _auc_of(truth: Array, chances: Array, _: int) -> ValueAndError:
    found = [auc(truth == code, of_class) for code, of_class in zip(np.unique(truth), chances, strict=True)]
    return float(np.mean([area for area, _ in found])), float(np.mean([error for _, error in found]))


def _auc_gap(truth: Array, best: Array, ours: Array, _: int) -> float:
    """The standard error of the difference."""
    moved = [
        influences(truth == code, better) - influences(truth == code, scores)
        for code, better, scores in zip(np.unique(truth), best, ours, strict=True)
    ]
    return error_of(np.mean(moved, axis=0))


def _r2_of(truth: Array, guess: Array, seed: int) -> ValueAndError:
    return _r2(truth, guess), _deviation([_r2(truth[rows], guess[rows]) for rows in _resamples(len(truth), seed)])


def _r2_gap(truth: Array, best: Array, ours: Array, seed: int) -> float:
    """The standard error of the difference."""
    return _deviation(
        [_r2(truth[rows], best[rows]) - _r2(truth[rows], ours[rows]) for rows in _resamples(len(truth), seed)]
    )


def _resamples(num_rows: int, seed: int) -> Iterator[Array]:
    chance = np.random.default_rng(seed)
    return (chance.integers(0, num_rows, num_rows) for _ in range(RESAMPLES))


def _deviation(values: Sequence[float]) -> float:
    return float(np.nanstd(values, ddof=1))


def _r2(truth: Array, guess: Array) -> float:
    spread = ((truth - truth.mean()) ** 2).sum()
    return float(1 - ((truth - guess) ** 2).sum() / spread) if spread else float("nan")


def _features(train: Cells, holdout: Cells, target: str) -> tuple[Array, Array]:
    known, others = (
        Cells({name: array for name, array in cells.columns.items() if name != target}) for cells in (train, holdout)
    )
    return features(known, known), features(others, known)


def _num_classes(cells: Cells, name: str) -> int:
    codes = cells.columns[name]
    return len(np.unique(codes[codes != NULL]))


def _of_frequent_classes(cells: Cells, real: Cells, name: str) -> Cells:
    codes = real.columns[name]
    classes, counts = np.unique(codes[codes != NULL], return_counts=True)
    frequent = classes[np.argsort(-counts, kind="stable")[:MOST_CLASSES]]
    return cells.rows(np.isin(cells.columns[name], frequent))


def _is_too_little(cells: Cells, target: str) -> bool:
    return cells.num_rows < LEAST_ROWS or len(np.unique(cells.columns[target])) < 2
