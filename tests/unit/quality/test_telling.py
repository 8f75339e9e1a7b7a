"""Scores tell of no count of real rows below k, and hardly differ from exact ones on large tables."""

import numpy as np
import pytest

from synthgen_ray.quality.accuracy import Associated, associations
from synthgen_ray.quality.assessment import Associations
from synthgen_ray.quality.cells import Cells
from synthgen_ray.quality.counting import Bins, counted
from synthgen_ray.quality.fidelity import Tables, association_matrices, told_shapes, told_trends, without_rare_bins
from synthgen_ray.quality.relations import kept_relations
from synthgen_ray.quality.shapes import column_shapes
from synthgen_ray.quality.telling import step, told
from synthgen_ray.quality.trends import pair_trends
from tests.unit.quality.tables import given_table

K, ROWS = 5, 1000


def _two_by_two(first: int, second: int, both: int, dtype: type = np.int32) -> Cells:
    """Columns of which so many rows have one, the other and both."""
    a, b = np.zeros((2, ROWS), dtype)
    a[:first], b[first - both : first - both + second] = 1, 1
    return Cells({"a": a, "b": b})


def _matrices(real: np.ndarray, synthetic: np.ndarray) -> Associations:
    ours = Associated.of(without_rare_bins(real, K))
    return association_matrices(["a", "b"], ours, Associated.of(synthetic), K)


def _fits_few_alone(told_by_count: dict[int, float]) -> set[float]:
    """What is told only where the count is of 1 to k - 1 rows."""
    few = {value for count, value in told_by_count.items() if 0 < count < K}
    return few - {value for count, value in told_by_count.items() if not 0 < count < K}


@pytest.mark.parametrize("drawn", [0, 3, 6, 11])
def test_the_shape_and_the_accuracy_of_a_column_tell_no_count_below_k(drawn):
    synthetic = _two_by_two(drawn, 1, 0)
    by_count = {count: _two_by_two(count, 1, 0) for count in range(30)}
    codes = {count: np.array([cells.columns["a"]], np.int8) for count, cells in by_count.items()}
    theirs = np.array([synthetic.columns["a"]], np.int8)

    shapes = {count: told_shapes(cells, synthetic, K)["a"] for count, cells in by_count.items()}
    accuracies = {count: counted(Bins(ours, theirs, None, ()), [(0,)], K).value[0] for count, ours in codes.items()}

    assert _fits_few_alone(shapes) == _fits_few_alone(accuracies) == set()
    assert len(set(shapes.values())) > 3


@pytest.mark.parametrize(("first", "second"), [(200, 300), (5, 7), (10, 10), (12, 900)])
@pytest.mark.parametrize("kind", [np.int32, np.float64])
def test_pairs_of_columns_tell_no_count_below_k(first, second, kind):
    given = {both: _two_by_two(first, second, both, kind) for both in range(min(first, second) + 1)}
    codes = {both: np.array(list(cells.columns.values()), np.int8) for both, cells in given.items()}
    synthetic, theirs = given[3], codes[3]

    trends, accuracies, tables, kept = {}, {}, {}, {}
    for both, real in given.items():
        trends[both] = told_trends(Tables(real, synthetic, None), [(0, 1)], (), K).value[0].score
        accuracies[both] = counted(Bins(codes[both], theirs, None, ()), [(0, 1)], K).value[0]
        tables[both] = _matrices(codes[both], theirs).real[0][1]
        ours = Associated.of(without_rare_bins(codes[both], K))
        kept[both] = str(kept_relations(ours, Associated.of(theirs), [(0, 1)], K))

    assert [_fits_few_alone(figure) for figure in (trends, accuracies, tables, kept)] == [set()] * 4
    assert tables[3] != pytest.approx(associations(theirs)[0, 1], abs=1e-4)


def test_a_value_that_few_rows_have_has_no_associations():
    codes = np.array(list(_two_by_two(3, 3, 3).columns.values()), np.int8)

    found = _matrices(codes, codes)

    assert (found.real[0][1], found.synthetic[0][1]) == (0.0, 1.0)


def test_steps_are_wide_for_short_holdouts_and_nothing_is_told_of_shorter_ones():
    real, holdout = np.zeros((1, ROWS), np.int8), np.zeros((1, 50), np.int8)
    holdout[0, :2] = 1

    assert counted(Bins(real, real, holdout, ()), [(0,)], K).ceiling.tolist() == [1.0]
    assert np.isnan(counted(Bins(real, real, holdout[:, :8], ()), [(0,)], K).ceiling).all()
    assert (step(100, K, 1), step(100, K, 3)) == (0.05, 0.2)


def test_what_is_told_keeps_ones_and_what_is_not_defined():
    assert told(np.array([1.0, 0.0, 0.996, np.nan]), 5 / 1003) == pytest.approx(
        [1.0, 0.0, 1 - 5 / 1003, np.nan], nan_ok=True
    )


def test_the_scores_of_a_large_table_move_by_less_than_three_in_ten_thousand():
    tables = [given_table(seed, rows) for seed, rows in ((0, 24_421), (1, 24_421))]
    real, synthetic = (Cells({name: table[name].to_numpy() * 1.0 for name in ("step", "twice")}) for table in tables)

    shapes, exact = told_shapes(real, synthetic, K), column_shapes(real, synthetic)
    (trend,) = told_trends(Tables(real, synthetic, None), [(0, 1)], (), K).value

    assert shapes == pytest.approx(exact, abs=3e-4)
    assert shapes != exact
    assert trend.score == pytest.approx(pair_trends(real, [synthetic], [(0, 1)])[0][0].score, abs=3e-4)
