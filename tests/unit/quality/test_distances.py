"""A model that remembers rows is told from one that does not, where the hold-out is a tenth of the table."""

import numpy as np
import pyarrow as pa
import pytest

from synthgen_ray.domain.columns import ColumnKind
from synthgen_ray.quality.assessing import assess
from synthgen_ray.quality.assessment import Level
from synthgen_ray.quality.cells import Cells
from synthgen_ray.quality.distances import closest_records, distance_ratio, most_queries, remembered_rows
from synthgen_ray.quality.neighbours import popularity, ranges
from synthgen_ray.quality.numbers import Z
from synthgen_ray.quality.verdict.privacy import REMEMBERED
from tests.unit.quality.tables import given_columns

LEARNT, HELD_OUT = 900, 100


def drawn(rows: int, chance: np.random.Generator) -> Cells:
    return Cells(
        {
            **{f"n{place}": chance.normal(0, 1, rows) for place in range(3)},
            "income": chance.lognormal(0, 1.5, rows),
            **{f"c{place}": chance.integers(0, 5, rows).astype(np.int32) for place in range(3)},
        }
    )


def _jittered(cells: Cells, chance: np.random.Generator) -> Cells:
    """Every row again, its numbers a fiftieth of their deviation away: none is a copy."""
    return Cells(
        {
            name: column + chance.normal(0, column.std() / 50, cells.num_rows) if cells.is_number(name) else column
            for name, column in cells.columns.items()
        }
    )


def _mixed(first: Cells, second: Cells, rows: int) -> Cells:
    """So many rows of the first, the others of the second."""
    return Cells(
        {name: np.concatenate([first.columns[name][:rows], second.columns[name][rows:]]) for name in first.columns}
    )


def test_a_model_that_remembers_nothing_is_hardly_ever_said_to_remember():
    found = []
    for seed in range(200):
        chance = np.random.default_rng(seed)
        real, holdout, synthetic = (drawn(rows, chance) for rows in (LEARNT, HELD_OUT, LEARNT))
        found.append(remembered_rows(real, synthetic, holdout, seed))

    values, errors = np.array(found).T
    assert np.mean(values - Z * errors > REMEMBERED[0]) <= 0.05
    assert np.mean(values) == pytest.approx(0, abs=3 * values.std() / np.sqrt(len(found)))
    assert np.mean(errors) == pytest.approx(values.std(), rel=0.15)


@pytest.mark.parametrize("share", [1.0, 0.6])
def test_all_rows_that_were_made_after_training_rows_are_counted(share):
    chance = np.random.default_rng(1)
    real, holdout, others = (drawn(rows, chance) for rows in (LEARNT, HELD_OUT, LEARNT))
    synthetic = _mixed(_jittered(real, chance), others, int(share * LEARNT))

    value, error = remembered_rows(real, synthetic, holdout, 0)

    assert abs(value - share) < Z * error < 0.25
    assert value - Z * error > REMEMBERED[1]


def test_rows_next_to_those_of_the_training_table_must_not_be_handed_out():
    chance = np.random.default_rng(1)
    real, holdout = (drawn(rows, chance) for rows in (LEARNT, HELD_OUT))
    tables = [pa.table(cells.columns) for cells in (real, _jittered(real, chance), holdout)]
    kinds = {name: ColumnKind.FLOAT if real.is_number(name) else ColumnKind.CATEGORICAL for name in real.names}

    found = assess(*tables, given_columns(kinds))

    assert found.privacy.copies.value == 0
    assert found.privacy.distance_share.value < 0.6  # eight of nine originals are not among as many as were held out
    worst = found.verdict[0]
    assert (worst.level, worst.area) == (Level.BAD, "privacy")
    assert worst.sentence.startswith("100% of the synthetic rows are closer to a row of the training table than chance")


def test_a_holdout_that_is_too_short_to_tell_is_said_to_be():
    chance = np.random.default_rng(0)
    tables = [pa.table(drawn(rows, chance).columns) for rows in (400, 400, 12)]

    found = assess(*tables, given_columns(dict.fromkeys(tables[0].column_names, ColumnKind.FLOAT)))

    assert found.privacy.remembered.high > 0.5
    warning = next(finding for finding in found.verdict if "12 rows held out nobody can tell" in finding.sentence)
    assert warning.level is Level.WARN
    assert not any("no closer to rows" in finding.sentence for finding in found.verdict)


def test_the_wider_the_rows_the_fewer_queries_search_them():
    assert most_queries(50_000, 15) == most_queries(50_000, 3) == 10_000
    assert most_queries(50_000, 150) == 2_000
    assert most_queries(1_000_000, 400) == 500


def test_rows_that_are_as_close_are_ties_whichever_table_they_are_in():
    chance = np.random.default_rng(1)
    steps = np.arange(0.0, 11.0, 2.0)
    real, holdout = (Cells({"n": np.append(chance.choice(steps, 494, p=p), steps)}) for p in (None, [0.5, *[0.1] * 5]))
    between = Cells({"n": chance.choice(steps[:-1] + 1, 500)})

    share, _ = closest_records(real, between, holdout, 0)

    assert share == 0.5


def test_the_error_of_the_share_is_its_spread_over_tables():
    found = []
    for seed in range(100):
        chance = np.random.default_rng(seed)
        # Skewed and few: what a popular row attracts changes sides with it.
        real, holdout, synthetic = (Cells({"n": chance.lognormal(0, 2, rows)}) for rows in (100, 100, 3_000))
        found.append(closest_records(real, synthetic, holdout, seed))

    values, errors = np.array(found).T
    assert np.mean(errors) == pytest.approx(values.std(), rel=0.2)


def test_copies_show_in_the_ratio_though_nine_of_ten_originals_were_learnt():
    chance = np.random.default_rng(2)
    real, holdout, others = (drawn(rows, chance) for rows in (LEARNT, HELD_OUT, LEARNT))

    copy, half, none = (
        distance_ratio(real, _mixed(real, others, rows), holdout, 0) for rows in (LEARNT, LEARNT * 2 // 3, 0)
    )

    assert copy.value == half.value == 0
    assert copy.ceiling == none.ceiling > 0.5


def test_the_error_of_the_ratio_is_its_spread_over_synthetic_tables_and_no_seed_changes_it():
    chance = np.random.default_rng(3)
    real, holdout = drawn(LEARNT, chance), drawn(HELD_OUT, chance)
    found = [distance_ratio(real, drawn(300, chance), holdout, seed) for seed in range(100)]

    values = np.array([ratio.value for ratio in found])
    assert np.mean([ratio.error for ratio in found]) == pytest.approx(values.std(), rel=0.2)
    assert {ratio.ceiling for ratio in found} == {found[0].ceiling}


def test_a_row_is_as_popular_as_the_queries_that_it_is_closest_to_and_equals_share_them():
    numbers = Cells({"n": np.array([0.0, 10.0])}), Cells({"n": np.array([10.0, 40.0])})

    found = popularity(Cells({"n": np.array([1.0, 2.0, 11.0, 39.0])}), numbers, ranges(*numbers))

    assert found.tolist() == [0.5, 0.125, 0.125, 0.25]
