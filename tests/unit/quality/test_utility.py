"""What is learnt from a table, and how sure that is."""

import numpy as np
import pyarrow as pa
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from synthgen_ray.domain.columns import ColumnKind
from synthgen_ray.quality.assessment import NoUtility
from synthgen_ray.quality.boosting import LEAF, auc, classify, error_of, influences
from synthgen_ray.quality.cells import Cells, read_cells
from synthgen_ray.quality.detection import FOLDS, detection_auc, folds_of_equals
from synthgen_ray.quality.numbers import Z, measure
from synthgen_ray.quality.utility import Target, choose_target, utility
from tests.unit.quality.tables import given_columns, given_table

KINDS = {"x": ColumnKind.FLOAT, "y": ColumnKind.FLOAT, "c": ColumnKind.CATEGORICAL}


def _cells(*seeds: int, columns: tuple[str, ...] = ("x", "y", "c")) -> list[Cells]:
    """`y` follows from `x` with some noise, and `c` from both."""
    tables = []
    for seed in seeds:
        chance = np.random.default_rng(seed)
        x = chance.normal(size=400)
        y = x + chance.normal(0, 0.5, 400)
        tables.append(pa.table({"x": x, "y": y, "c": np.where(x + y > 0, "up", "down")}).select(columns))
    return read_cells(tables, given_columns({name: KINDS[name] for name in columns}))[0]


def test_the_area_is_that_of_scikit_learn_with_ties_counted_by_half():
    chance = np.random.default_rng(0)
    positive, scores = chance.random(300) < 0.4, chance.integers(0, 6, 300).astype(float)

    assert auc(positive, scores)[0] == pytest.approx(roc_auc_score(positive, scores))


def test_its_error_is_how_much_it_varies_from_sample_to_sample():
    chance = np.random.default_rng(0)
    positive = np.arange(200) < 80
    found = np.array([auc(positive, chance.normal(positive * 1.0, 1)) for _ in range(500)])

    assert found[:, 1].mean() == pytest.approx(found[:, 0].std(), rel=0.1)


@pytest.mark.parametrize("is_reversed", [False, True])
def test_an_area_of_all_or_nothing_is_as_sure_as_so_many_pairs_in_order_make_it(is_reversed):
    positive = np.arange(100) < 30

    area, error = auc(positive, positive * (-1.0 if is_reversed else 1.0))

    assert area == (0.0 if is_reversed else 1.0)
    assert (1 - Z * error) ** 30 == pytest.approx(0.025)  # the chance of 30 pairs in order


def test_the_error_of_a_gap_is_how_much_the_gap_varies_and_less_than_that_of_either_area():
    chance = np.random.default_rng(0)
    positive = np.arange(200) < 80
    gaps, alone = [], []
    for _ in range(500):
        better = chance.normal(positive * 1.5, 1)
        other = better + chance.normal(0, 0.5, 200)
        moved = influences(positive, better) - influences(positive, other)
        gaps.append((auc(positive, better)[0] - auc(positive, other)[0], error_of(moved)))
        alone.append(auc(positive, other)[1])

    found, errors = np.array(gaps).T
    assert errors.mean() == pytest.approx(found.std(), rel=0.1)
    assert errors.mean() < 0.6 * np.mean(alone)


@pytest.mark.parametrize("columns", [("x", "c"), ("x", "y")])
def test_what_is_lost_has_the_interval_of_a_difference_on_the_same_rows(columns):
    real, synthetic, holdout = _cells(0, 1, 2, columns=columns)

    found = utility(real, synthetic, holdout, choose_target(real, None), seed=0)

    assert found.lost.value == pytest.approx(found.real.value - found.synthetic.value)
    assert found.lost.low < found.lost.value < found.lost.high
    assert found.lost.high - found.lost.low < found.synthetic.high - found.synthetic.low


def test_of_rows_that_both_know_wholly_it_is_not_certain_that_nothing_is_lost():
    def told_by_x(seed: int, rows: int) -> Cells:
        x = np.random.default_rng(seed).normal(size=rows)
        return Cells({"x": x, "c": (x > 0).astype(np.int32)})

    real, synthetic, holdout = told_by_x(0, 500), told_by_x(0, 500), told_by_x(2, 60)

    found = utility(real, synthetic, holdout, choose_target(real, "c"), seed=0)

    assert (found.real.value, found.lost.value) == (1.0, 0.0)
    assert 0.8 < found.real.low < 0.95
    assert found.lost.low < -0.05
    assert found.lost.high > 0.05


def test_intervals_end_where_what_they_are_of_does():
    real, holdout = _cells(0, 1, columns=("x", "y"))
    wrong = Cells({"x": real.columns["x"], "y": -3 * real.columns["y"]})

    found = utility(real, wrong, holdout, choose_target(real, "y"), seed=0)

    assert found.synthetic.low < found.synthetic.value < -1
    assert found.lost.high > found.lost.value > 1
    share = measure(0.1, None, 0.4)
    assert (share.low, share.high) == (0.0, pytest.approx(0.1 + 0.4 * Z))


def test_a_number_is_learnt_as_well_from_rows_of_the_same_source():
    real, synthetic, holdout = _cells(0, 1, 2, columns=("x", "y"))

    found = utility(real, synthetic, holdout, choose_target(real, None), seed=0)

    assert (found.target, found.chosen) == ("y", "Guessed: the last column of numbers.")
    assert (found.task, found.metric, found.tested_on) == ("regression", "r2", "hold-out")
    assert 0.5 < found.synthetic.low < found.synthetic.value < found.synthetic.high < 0.9
    assert found.synthetic.ceiling == found.real.value
    assert found.real.value == pytest.approx(found.synthetic.value, abs=0.1)


def test_a_model_that_guesses_the_mean_explains_nothing():
    real, holdout = _cells(0, 1, columns=("x", "y"))
    noise = Cells({"x": np.random.default_rng(3).normal(size=400), "y": real.columns["y"]})

    found = utility(real, noise, holdout, choose_target(real, "y"), seed=0)

    assert found.synthetic.value < 0.1 < found.real.value


def test_the_target_is_the_last_column_of_categories_unless_it_is_named():
    (real,) = _cells(0)

    assert choose_target(real, None).name == "c"
    assert choose_target(real, "x") == ("x", "It was named.")


def test_a_number_of_two_values_is_learnt_as_two_classes():
    as_text = _cells(0, 1, 2)

    def numbered(cells: Cells) -> Cells:
        return Cells({**cells.columns, "c": np.where(cells.columns["c"] == 1, 7.0, -2.0)})

    tables = [numbered(cells) for cells in as_text]
    others = Cells({**tables[1].columns, "c": np.where(np.arange(400) % 3 == 0, 0.5, tables[1].columns["c"])})

    assert choose_target(tables[0], None).name == "c"
    found, wanted = (utility(*cells, choose_target(cells[0], "c"), seed=0) for cells in (tables, as_text))
    assert (found.metric, found.task) == ("auc", "classification")
    assert found.synthetic.value == pytest.approx(wanted.synthetic.value, abs=0.02)
    assert found.real.value == pytest.approx(wanted.real.value, abs=0.02)
    in_between = utility(tables[0], others, tables[2], choose_target(tables[0], "c"), seed=0)
    assert in_between.synthetic.value == pytest.approx(wanted.synthetic.value, abs=0.05)
    without = utility(tables[0], tables[1], None, choose_target(tables[0], "c"), seed=0)
    assert without.tested_on.startswith("half of the real rows")


def test_other_rows_of_the_same_source_are_not_told_apart_and_shifted_ones_are():
    (same, other, shifted), _ = read_cells(
        [given_table(0, 300), given_table(1, 300), given_table(2, 300, 0.4)], given_columns()
    )

    area, error = detection_auc(same, other, seed=0)
    assert abs(area - 0.5) < 3 * error
    assert detection_auc(same, shifted, seed=0)[0] > 0.65
    assert np.isnan(detection_auc(same.rows(slice(0, 5)), other, seed=0)[0])


def test_a_class_of_one_row_is_learnt_from_in_a_table_of_any_length():
    chance = np.random.default_rng(0)
    rows = chance.integers(0, 9, (10_001, 1)).astype(float)
    ordinary = (rows[:, 0] > chance.integers(2, 6, 10_001)).astype(int)
    with_a_lone_one = np.where(np.arange(10_001) == 77, 2, ordinary)

    classes, chances = classify(rows, with_a_lone_one, rows[:50], seed=0)

    assert classes.tolist() == [0, 1, 2]
    assert np.array_equal(chances, classify(rows, with_a_lone_one, rows[:50], seed=0)[1])
    for length in (10_000, 10_001):  # what could be learnt before is learnt as before
        model = HistGradientBoostingClassifier(random_state=0).fit(rows[:length], ordinary[:length])
        expected = model.predict_proba(rows[:50])
        assert np.array_equal(classify(rows[:length], ordinary[:length], rows[:50], seed=0)[1], expected)


def _classes(seed: int, **counts: int) -> Cells:
    """So many rows of each class, of which `x` tells `a` from all others."""
    chance = np.random.default_rng(seed)
    names = sorted(counts)
    codes = np.repeat(np.arange(len(names), dtype=np.int32), [counts[name] for name in names])
    return Cells({"x": chance.normal(size=len(codes)) + 3 * (codes == 0), "c": codes})


@pytest.mark.parametrize("values", [np.full(400, 0, np.int32), np.full(400, -1, np.int32), np.full(400, 7, np.int32)])
def test_a_synthetic_target_of_one_class_or_none_or_unknown_ones_is_worth_chance(values):
    real, holdout = _classes(0, a=200, b=200), _classes(1, a=40, b=40)
    synthetic = Cells({"x": real.columns["x"], "c": values})

    found = utility(real, synthetic, holdout, Target("c", "It was named."), seed=0)

    assert (found.synthetic.value, found.synthetic.low, found.synthetic.high) == (0.5, 0.5, 0.5)
    assert found.real.value > 0.95
    assert found.lost.low > 0.4
    assert "teach nothing: that counts as chance" in found.chosen


@pytest.mark.parametrize("value", [3.5, np.nan])
def test_a_synthetic_number_that_does_not_vary_or_is_missing_explains_nothing(value):
    real, holdout = _cells(0, 1, columns=("x", "y"))
    synthetic = Cells({"x": real.columns["x"], "y": np.full(400, value)})

    found = utility(real, synthetic, holdout, choose_target(real, None), seed=0)

    assert found.synthetic.value == pytest.approx(0)
    assert found.lost.low > 0.5


def test_two_synthetic_rows_that_differ_are_learnt_from():
    real, holdout = _classes(0, a=200, b=200), _classes(1, a=40, b=40)

    found = utility(real, _classes(2, a=1, b=1), holdout, choose_target(real, None), seed=0)

    assert found.synthetic.value == 0.5  # no leaf takes so few


def test_a_class_that_hardly_a_row_to_try_it_on_has_is_not_scored_and_is_named():
    real, holdout = _classes(0, a=200, b=200, c=9, d=4), _classes(1, a=40, b=40, c=1, d=0)
    synthetic, target = _classes(2, a=200, b=200, c=9, d=4), Target("c", "It was named.")

    found = utility(real, synthetic, holdout, target, 0, ["anna", "bert", "cleo", "dora"], k=5)

    assert found.chosen == "It was named. Not scored, for want of 5 rows to try it on: 'cleo', rare ones."
    assert found.lost.low < 0 < found.lost.high
    assert found.real.value > 0.9


def test_classes_that_are_not_taken_are_told_of():
    real = Cells({"x": np.arange(126.0), "c": np.arange(126, dtype=np.int32) % 21})

    found = utility(real, real, real, choose_target(real, "c"), seed=0)

    assert found.chosen == "It was named. Its 20 most frequent classes are taken, the others left out."


def test_why_nothing_can_be_said_is_told():
    real, holdout = _classes(0, a=100, b=100), _classes(1, a=40, b=40)
    named = choose_target(real, "c")

    def why(real: Cells, holdout: Cells) -> str:
        found = utility(real, real, holdout, named, seed=0)
        assert isinstance(found, NoUtility)
        assert (found.target, found.was_named) == ("c", True)
        return found.reason

    alone = Cells({"c": real.columns["c"]})
    assert why(alone, alone) == "there is no other column to learn it from"
    assert (
        why(_classes(0, a=20, b=20), holdout) == "of the real rows to learn it from, fewer than 50 have a value of it"
    )
    assert why(real, _classes(0, a=20, b=20)) == "of the real rows to try it on, fewer than 50 have a value of it"
    assert why(real, _classes(0, a=80)) == "the real rows to try it on all have the same value of it"
    assert why(real, _classes(0, a=80, b=2)) == (
        "none of its classes has 5 real rows to try it on, beside as many without it"
    )


def test_two_draws_of_one_source_are_hardly_ever_told_apart():
    areas, errors = [], []
    for seed in range(40):
        chance = np.random.default_rng(seed)
        tables = [Cells({name: chance.normal(size=100) for name in "xyz"}) for _ in range(2)]
        area, error = detection_auc(*tables, seed)
        areas.append(area)
        errors.append(error)

    missed = np.abs(np.array(areas) - 0.5) > Z * np.array(errors)
    assert missed.mean() <= 0.05
    assert np.std(areas) == pytest.approx(np.mean(errors), rel=0.25)


@pytest.mark.parametrize("rows", [10, 25])
def test_of_few_rows_too_those_that_are_far_apart_are_told_apart_and_twins_are_not(rows):
    chance = np.random.default_rng(rows)
    real, twin = (Cells({name: chance.normal(size=rows) for name in "xy"}) for _ in range(2))
    far = Cells({name: column + 100 for name, column in twin.columns.items()})

    area, error = detection_auc(real, far, seed=0)
    assert area == 1.0
    assert 0.5 < area - Z * error < 0.85
    area, error = detection_auc(real, twin, seed=0)
    assert 0 < abs(area - 0.5) < Z * error
    assert detection_auc(real, real, seed=0)[0] == pytest.approx(0.5, abs=0.02)


def test_a_copy_cannot_be_told_from_its_table_in_whatever_order():
    (real,) = _cells(0)
    chance = np.random.default_rng(0)

    for rows in (np.arange(real.num_rows), chance.permutation(real.num_rows)):
        assert detection_auc(real, real.rows(rows), seed=0)[0] == pytest.approx(0.5, abs=0.02)


def test_equal_rows_are_tried_together_and_the_folds_stay_as_they_are_otherwise():
    chance = np.random.default_rng(0)
    folds = np.concatenate([chance.permutation(300) % FOLDS for _ in range(2)])
    different, some = np.arange(600), np.arange(600)
    some[300:320], some[5:10] = np.arange(20), 4  # copies, and a real row that is there six times
    many = np.arange(600) // LEAF

    assert (folds_of_equals(folds, different) == folds).all()
    assert (folds_of_equals(folds, many) == folds).all()
    found = folds_of_equals(folds, some)
    assert all(len(np.unique(found[some == row])) == 1 for row in range(20))
    assert np.mean(found != folds) < 0.1
    for table in np.split(found, 2):
        assert np.bincount(table).tolist() == [100, 100, 100]


def test_where_all_rows_are_equal_there_is_still_something_to_learn_from_in_every_fold():
    folds = np.tile(np.arange(FOLDS), 4)

    assert (folds_of_equals(folds, np.zeros(12)) == folds).all()
