"""Utility: what a model learns from the synthetic rows, tried on real rows that it has not seen.

Gradient boosting is trained once on the synthetic rows and once on the real ones, and tried on the hold-out. Source:
Esteban, Hyland and Rätsch 2017, arXiv:1706.02633 ("train on synthetic, test on real").
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from synthgen_ray.domain.errors import InvalidRequest
from synthgen_ray.quality.assessment import HOLDOUT, NoUtility, Utility
from synthgen_ray.quality.boosting import auc, classify, error_of, error_of_all, features, influences, regress
from synthgen_ray.quality.cells import NULL, Array, Cells
from synthgen_ray.quality.numbers import measure

MOST_CLASSES = 20
LEAST_ROWS = 50
LEAST_TRIED = 5  # rows of the hold-out with a class, and as many without: of one row the area is 0 or 1 by chance
MOST_NAMED = 3  # classes in a sentence
RESAMPLES = 200
R2, AREA = (-math.inf, 1.0), (0.0, 1.0)  # where they lie
NAMED = "It was named."
NO_COLUMN = f"there is no column of 2 to {MOST_CLASSES} categories, nor one of numbers"

ValueAndError = tuple[float, float]


class Target(NamedTuple):
    name: str
    chosen: str

    @property
    def was_named(self) -> bool:
        return self.chosen == NAMED


def choose_target(real: Cells, wanted: str | None) -> Target | None:
    """The one that is wanted, else the last column of 2 to 20 categories or of two numbers, else the last number.

    Raises: InvalidRequest for a column that is not compared.
    """
    if wanted is not None:
        if wanted not in real.names:
            raise InvalidRequest(f"The target '{wanted}' is not a column that can be learnt.", "unknown_column")
        return Target(wanted, NAMED)
    classes = [
        name
        for name in real.names
        if (_is_flag(real, name) if real.is_number(name) else 2 <= _num_classes(real, name) <= MOST_CLASSES)
    ]
    if classes:
        return Target(classes[-1], f"Guessed: the last column of 2 to {MOST_CLASSES} categories, or of two numbers.")
    numbers = [name for name in real.names if real.is_number(name)]
    return Target(numbers[-1], "Guessed: the last column of numbers.") if numbers else None


def utility(
    real: Cells,
    synthetic: Cells,
    holdout: Cells | None,
    target: Target,
    seed: int,
    labels: Sequence[str] | None = None,
    k: int = 1,
) -> Utility | NoUtility:
    """What is learnt; or why nothing can be said: too few real rows to learn from or to try it on, or all the same.

    Synthetic rows whose target has no two values teach nothing, which is worth chance. Without a hold-out the real
    table is halved, of which the generator has seen both parts. `labels` are the texts of the target's classes by code;
    those that k real rows have may be told. A number of two values is two classes.
    """
    tested_on = HOLDOUT
    if _is_flag(real, target.name):
        values = _ends(real.columns[target.name])
        labels = [f"{value:g}" for value in values]
        real, synthetic = (_coded(cells, target.name, values) for cells in (real, synthetic))
        holdout = holdout and _coded(holdout, target.name, values)
    if holdout is None:
        order, half = np.random.default_rng(seed).permutation(real.num_rows), real.num_rows // 2
        real, holdout = real.rows(order[:half]), real.rows(order[half:])
        tested_on = "half of the real rows, which the generator has seen"
    name, is_number = target.name, real.is_number(target.name)
    classes = None if is_number else _frequent_classes(real, name)
    is_cut = classes is not None and len(classes) < _num_classes(real, name)
    real, synthetic, holdout = (_with_target(cells, name, classes) for cells in (real, synthetic, holdout))
    scored = None if classes is None else _scored(holdout.columns[name], classes)
    lacking = _lacking(real, holdout, name, is_cut, scored)
    if lacking:
        return NoUtility(target=name, was_named=target.was_named, reason=lacking)
    truth = truth_of(holdout, name, scored)
    ours = learnt_from(synthetic, holdout, name, scored, seed) if _varies(synthetic, name) else _chance(truth)
    best = learnt_from(real, holdout, name, scored, seed)
    tried, apart, limits = (_r2_of, _r2_gap, R2) if is_number else (auc_of, _auc_gap, AREA)
    score, ceiling = tried(truth, ours, seed), tried(truth, best, seed)
    if not np.isfinite([score[0], ceiling[0]]).all():
        reason = "its numbers are too large for their squares"
        return NoUtility(target=name, was_named=target.was_named, reason=reason)
    notes = _notes(is_cut, classes, scored, real.columns[name], labels, k)
    if not _varies(synthetic, name):
        notes.append("The synthetic rows have no two values of it, so that they teach nothing: that counts as chance.")
    return Utility(
        target=name,
        chosen=" ".join([target.chosen, *notes]),
        was_named=target.was_named,
        task="regression" if is_number else "classification",
        metric="r2" if is_number else "auc",
        tested_on=tested_on,
        synthetic=measure(score[0], ceiling[0], score[1], limits=limits),
        real=measure(ceiling[0], None, ceiling[1], limits=limits),
        lost=measure(ceiling[0] - score[0], None, apart(truth, best, ours, seed), limits=(-math.inf, math.inf)),
    )


def truth_of(holdout: Cells, target: str, classes: Array | None) -> Array:
    """(N,) the number; or (C, N) whether it is each of the classes."""
    column = holdout.columns[target]
    return column if classes is None else np.asarray(column == classes[:, None])


def learnt_from(train: Cells, holdout: Cells, target: str, classes: Array | None, seed: int) -> Array:
    """(N,) what the number is guessed to be; or (C, N) the chance of each of the classes.

    One that `train` lacks is held for impossible. Neither table has a null in the target.
    """
    rows, others = _features(train, holdout, target)
    if classes is None:
        return regress(rows, train.columns[target], others, seed)
    known, chances = classify(rows, train.columns[target], others, seed)
    of_class = dict(zip(known.tolist(), chances.T, strict=True))
    nothing = np.zeros(holdout.num_rows)
    return np.array([of_class.get(code, nothing) for code in classes.tolist()])


def _chance(truth: Array) -> Array:
    """The same of all rows: an area of 0.5; the mean, an R² of 0."""
    return np.full(truth.shape, truth.mean())


def auc_of(truth: Array, chances: Array, _: int = 0) -> ValueAndError:
    """The mean area under the ROC curve of all classes, each against the rest; its error is at most that of this mean.

    Shapes: both (C, N), as `truth_of` and `learnt_from` answer.
    """
    found = [auc(is_class, of_class) for is_class, of_class in zip(truth, chances, strict=True)]
    return float(np.mean([area for area, _ in found])), float(np.mean([error for _, error in found]))


def _auc_gap(truth: Array, best: Array, ours: Array, _: int) -> float:
    """The standard error of the difference."""
    by_class = list(zip(truth, best, ours, strict=True))
    moved = [influences(is_class, better) - influences(is_class, scores) for is_class, better, scores in by_class]
    unmoved = [max(error_of_all(is_class, one) for one in scores) for is_class, *scores in by_class]
    return math.hypot(error_of(np.mean(moved, axis=0)), float(np.mean(unmoved)))


def _r2_of(truth: Array, guess: Array, seed: int) -> ValueAndError:
    """The share of the truth's variance that is explained; its error is the deviation over resamples of the rows."""
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


def _is_flag(real: Cells, name: str) -> bool:
    """Whether it is a number of two values."""
    if not real.is_number(name) or real.nulls(name).all():
        return False
    column = real.columns[name]
    low, high = _ends(column)
    return bool(low < high and ((column == low) | (column == high) | np.isnan(column)).all())


def _ends(column: Array) -> Array:
    return np.array([np.nanmin(column), np.nanmax(column)])


def _coded(cells: Cells, name: str, values: Array) -> Cells:
    """With the place of each of its numbers among the values; of others one beyond, which is none of the classes."""
    column = cells.columns[name]
    codes = np.where(np.isnan(column), NULL, len(values)).astype(np.int32)
    for code, value in enumerate(values):
        codes[column == value] = code
    return Cells({**cells.columns, name: codes})


def _num_classes(cells: Cells, name: str) -> int:
    codes = cells.columns[name]
    return len(np.unique(codes[codes != NULL]))


def _frequent_classes(real: Cells, name: str) -> Array:
    codes = real.columns[name]
    classes, counts = np.unique(codes[codes != NULL], return_counts=True)
    return np.sort(classes[np.argsort(-counts, kind="stable")[:MOST_CLASSES]])


def _with_target(cells: Cells, name: str, classes: Array | None) -> Cells:
    """The rows that have a value of it, or one of the classes."""
    return cells.rows(~cells.nulls(name) if classes is None else np.isin(cells.columns[name], classes))


def _scored(truth: Array, classes: Array) -> Array:
    """Those that so many rows have and so many have not that their area is no matter of one of them."""
    counts = np.array([np.sum(truth == code) for code in classes.tolist()], int)
    return classes[(counts >= LEAST_TRIED) & (len(truth) - counts >= LEAST_TRIED)]


def _varies(cells: Cells, target: str) -> bool:
    return len(np.unique(cells.columns[target])) > 1


def _lacking(real: Cells, holdout: Cells, target: str, is_cut: bool, scored: Array | None) -> str | None:
    """What is not there, if anything."""
    if len(real.names) < 2:
        return "there is no other column to learn it from"
    what = f"one of its {MOST_CLASSES} most frequent classes" if is_cut else "a value of it"
    for cells, use in ((real, "to learn it from"), (holdout, "to try it on")):
        if cells.num_rows < LEAST_ROWS:
            return f"of the real rows {use}, fewer than {LEAST_ROWS} have {what}"
        if not _varies(cells, target):
            return f"the real rows {use} all have the same value of it"
    if scored is not None and not len(scored):
        return f"none of its classes has {LEAST_TRIED} real rows to try it on, beside as many without it"
    return None


def _notes(
    is_cut: bool, classes: Array | None, scored: Array | None, real: Array, labels: Sequence[str] | None, k: int
) -> list[str]:
    """Which classes do not count."""
    notes = [f"Its {MOST_CLASSES} most frequent classes are taken, the others left out."] if is_cut else []
    if classes is not None and scored is not None and len(scored) < len(classes):
        left_out = _told(np.setdiff1d(classes, scored), real, labels, k)
        notes.append(f"Not scored, for want of {LEAST_TRIED} rows to try it on: {left_out}.")
    return notes


def _told(codes: Array, real: Array, labels: Sequence[str] | None, k: int) -> str:
    """The classes by name, but for those that fewer than k real rows have."""
    named = [f"'{labels[code]}'" for code in codes.tolist() if labels and np.sum(real == code) >= k]
    parts = named[:MOST_NAMED]
    if len(named) > MOST_NAMED:
        parts.append(f"{len(named) - MOST_NAMED} more")
    if len(named) < len(codes):
        parts.append("rare ones")
    return ", ".join(parts)
