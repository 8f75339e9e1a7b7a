"""The attacks of Giomi et al., beside what their package `anonymeter` finds (`anonymeter_figures.py`).

Equal are the risk and its interval, the guesses of missing attributes, and the statements about one attribute, of which
all are made. Those about three attributes are drawn at random: there the intervals overlap.
"""

import json
import math
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthgen_ray.domain.columns import ColumnKind
from synthgen_ray.quality.cells import Cells, read_cells
from synthgen_ray.quality.inference import inference, is_right, range_of_near
from synthgen_ray.quality.neighbours import nearest, nearest_without_each, ranges
from synthgen_ray.quality.numbers import wilson
from synthgen_ray.quality.risk import Tries, residual_risk
from synthgen_ray.quality.singling_out import (
    MOST_CANDIDATES,
    Statement,
    Term,
    by_attributes,
    by_chance,
    by_one_attribute,
    crowding,
    design_effect,
    fitting,
    isolating,
    missed,
    singled_out,
    singling_out,
)
from synthgen_ray.quality.verdict.privacy import AT_RISK
from tests.unit.quality.people import NUMBERS, people
from tests.unit.quality.tables import given_columns
from tests.unit.quality.test_distances import HELD_OUT, LEARNT, drawn

FIGURES: dict[str, Any] = json.loads(Path(__file__).with_name("anonymeter.json").read_text())


@pytest.fixture(scope="module")
def tables() -> list[Cells]:
    """Real, synthetic, hold-out."""
    given = [pa.table(table) for table in people()]
    kinds = {name: ColumnKind.FLOAT if name in NUMBERS else ColumnKind.CATEGORICAL for name in given[0].column_names}
    return read_cells(given, given_columns(kinds))[0]


@pytest.mark.parametrize("figure", FIGURES["risk"])
def test_the_risk_of_given_successes_and_its_interval_are_those_of_anonymeter(figure):
    attempts, successes, control = figure["tries"]

    risk = residual_risk(Tries(successes, attempts), Tries(control, attempts))

    assert wilson(successes, attempts) == pytest.approx(figure["rate"])
    assert [risk.value, risk.low, risk.high] == pytest.approx(figure["risk"])


def test_as_many_attributes_are_inferred_as_by_anonymeter(tables):
    real, synthetic, holdout = tables

    for place, targets in enumerate((real, holdout)):
        closest = nearest_without_each(targets, synthetic, ranges(synthetic, targets), real.names)
        for name, figures in FIGURES["inference"].items():
            right = is_right(synthetic.columns[name][closest[name]], targets.columns[name])
            assert right.sum() == figures[place], name


def _isolated(statements: list[Statement], cells: Cells) -> int:
    return sum(fitting(statement, cells) == 1 for statement in statements)


def test_statements_about_one_attribute_single_out_as_many_rows_as_anonymeters(tables):
    real, synthetic, holdout = tables
    statements = isolating(by_one_attribute(synthetic, np.random.default_rng(0)), synthetic, 10_000)

    assert [_isolated(statements, table) for table in (real, holdout)] == FIGURES["univariate"]


def test_of_many_statements_about_one_attribute_only_those_that_are_tried_are_made():
    chance = np.random.default_rng(0)
    cells = Cells({f"n{place}": chance.normal(size=5_000) for place in range(40)})
    held = sum(column.nbytes for column in cells.columns.values())

    tracemalloc.start()
    statements = list(by_one_attribute(cells, chance))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert len(set(statements)) == MOST_CANDIDATES
    assert {statement[0].column for statement in statements} == set(cells.names)
    assert peak < 8 * held
    assert list(by_one_attribute(Cells({"c": np.zeros(9, np.int32)}), chance)) == []


def test_statements_about_three_attributes_single_out_about_as_many(tables):
    real, synthetic, holdout = tables
    statements = isolating(by_attributes(synthetic, 3, np.random.default_rng(0)), synthetic, 500)

    for table, figure in zip((real, holdout), FIGURES["multivariate"], strict=True):
        theirs = wilson(figure, 500)
        rate, error = wilson(_isolated(statements, table), len(statements))
        assert abs(rate - theirs[0]) < math.hypot(error, theirs[1])


def test_a_statement_singles_out_one_row_of_the_table_and_twins_are_not_singled_out():
    tables = [pa.table({"n": values}) for values in ([1.0, 2.0, 2.0, 4.0, 5.0], [1.0, 7.0, 8.0])]
    (real, holdout), _ = read_cells(tables, given_columns({"n": ColumnKind.FLOAT}))
    statements = [(Term("n", np.equal, value),) for value in (1.0, 2.0, 4.0, 7.0)] + [(Term("n", np.greater, 5),)]

    assert singled_out(statements, real) == [0, 3]
    assert missed(statements, real, holdout) == [[1], [1, 2]]
    assert crowding([0, 3], [1, 1, 2]) == 7 / 5


@pytest.mark.parametrize("fitted", [1, 2, 3])
def test_what_would_be_singled_out_by_chance_is_known_from_the_statements_that_no_real_row_fits(fitted):
    learnt, held_out = 30, 10
    # Each way in which the rows that a statement fits can fall to the two tables, once.
    none_learnt, one_learnt = math.comb(held_out, fitted), learnt * math.comb(held_out, fitted - 1)

    found = by_chance([[0] * fitted] * none_learnt, held_out)

    assert found * learnt / held_out == pytest.approx(one_learnt)


def test_who_remembers_all_rows_is_caught_where_a_tenth_was_held_out_and_who_remembers_none_is_not():
    risks = []
    for seed in range(10):
        chance = np.random.default_rng(seed)
        real, holdout, others = (drawn(rows, chance) for rows in (LEARNT, HELD_OUT, LEARNT))
        attacks = singling_out(real, others, holdout, seed)
        risks.append([(attack.risk.low, attack.certain_risk) for attack in attacks])

    assert np.mean(np.array(risks) > AT_RISK[0]) <= 0.05
    for k in (1, 5):
        caught = singling_out(real, real, holdout, 0, k=k)
        assert all(min(attack.risk.low, attack.certain_risk) > 0.8 for attack in caught)


def test_a_holdout_that_was_missed_by_luck_is_no_risk_where_eight_statements_hit_a_row():
    few, many = Tries(122, 500), Tries(450, 500)

    by_luck, leak = (residual_risk(seen, Tries(0, 500), lengths=9, crowding=8) for seen in (few, many))

    assert by_luck.value == residual_risk(few, Tries(0, 500), lengths=9).value > 0.2
    assert by_luck.low == 0
    assert leak.low > 0.6


@pytest.mark.parametrize("held_out", [100, 900])
def test_of_statements_that_come_in_clusters_hardly_any_are_a_risk_by_chance(held_out):
    chance, times, rate = np.random.default_rng(0), 900 / held_out, 0.25
    lows = []
    for _ in range(1_000):
        seen, unseen = (8 * int(chance.binomial(62, share)) for share in (rate, rate / times))
        lows.append(residual_risk(Tries(seen, 496), Tries(unseen, 496), times, crowding=8).low)

    assert np.mean(np.array(lows) > 0) <= 0.05


def test_the_design_effect_of_statements_is_how_many_of_them_say_the_same():
    numbers = np.arange(200.0)
    real, holdout = Cells({"n": numbers[::2]}), Cells({"n": numbers[1::2]})
    apart = [(Term("n", np.equal, value),) for value in numbers[:60]]
    thrice = [statement for statement in apart for _ in range(3)]

    one, three = (design_effect(statements, real, holdout, 0) for statements in (apart, thrice))

    assert three == pytest.approx(3 * one)
    # A row of 200 that is learnt is not held out: of two rates that are 0.5 each the difference deviates
    # √(4 p (1 - p) / 60) by chance, not √(2 p (1 - p) / 60); less what the 140 other rows leave no room for.
    assert one == pytest.approx(2 * 140 / 199, rel=0.3)
    assert design_effect([(Term("n", np.equal, 500.0),)], real, holdout, 0) == 1.0


def test_the_rows_that_common_statements_fit_are_not_held():
    numbers = np.arange(20_000.0)
    real, holdout = Cells({"n": numbers[::2]}), Cells({"n": numbers[1::2]})
    statements = [(Term("n", np.greater_equal, value),) for value in numbers[:5_000:50]]

    tracemalloc.start()
    found = design_effect(statements, real, holdout, 0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert found == 1.0  # hardly any split makes them fit one real row
    assert peak < 2 * numbers.nbytes


def test_a_statement_fits_the_rows_that_have_all_of_it_and_null_is_a_value():
    table = pa.table({"n": [1.0, 2.0, None, 3.0], "c": ["a", "a", "b", None]})
    (cells,), labels = read_cells([table], given_columns({"n": ColumnKind.FLOAT, "c": ColumnKind.CATEGORICAL}))
    at_least_two = Term("n", np.greater_equal, 2.0)
    is_a = Term("c", np.equal, labels["c"].index("a"))

    assert fitting((at_least_two,), cells) == 2
    assert fitting((at_least_two, is_a), cells) == 1
    assert fitting((Term("n", np.equal, math.nan),), cells) == 1
    assert fitting((Term("c", np.equal, -1),), cells) == 1


def test_the_closest_rows_are_those_of_the_sum_over_all_columns():
    table = pa.table({"n": [0.0, 5.0, 10.0, None], "c": ["a", "b", "a", "a"]})
    kinds = {"n": ColumnKind.FLOAT, "c": ColumnKind.CATEGORICAL}
    (cells,), _ = read_cells([table], given_columns(kinds))

    found = nearest(cells.rows(np.array([1, 3])), cells.rows(np.array([0, 2, 3])), ranges(cells))

    # From (5, b): half the range and another category; from (null, a): itself, then null beside a number.
    assert found.distances.tolist() == [1.5, 0.0]
    assert found.second_distances.tolist() == [1.5, 1.0]


def test_numbers_are_guessed_within_a_twentieth_and_categories_wholly():
    near = is_right(np.array([100.0, 100.0, 0.0, np.nan]), np.array([104.0, 106.0, 0.0, np.nan]))

    assert near.tolist() == [True, False, True, True]
    assert is_right(np.array([1, 2]), np.array([1, 3])).tolist() == [True, False]
    assert is_right(np.array([1000.0]), np.array([1004.0]), width=50.0).tolist() == [False]


def test_years_are_guessed_within_a_twentieth_of_their_range_and_those_who_remember_them_are_caught(tables):
    years = np.append(np.arange(1950.0, 2021.0), 9999.0)  # and one that is not known
    assert range_of_near(years) == 70.0
    assert range_of_near(np.where(years < 2015, 0.0, years)) is None  # 0 of most, as amounts are
    assert [range_of_near(column) for column in tables[0].columns.values()] == [None] * 5

    chance = np.random.default_rng(0)
    real, others, holdout = (
        Cells({"year": chance.choice(years[:-1], 300), "n": chance.normal(size=300)}) for _ in range(3)
    )
    caught, twin = (
        next(one for one in inference(real, synthetic, holdout, set(), 0, k=5) if one.by == "year")
        for synthetic in (real, others)
    )

    assert caught.control.value < 0.2
    assert caught.certain_risk > AT_RISK[1]
    assert twin.certain_risk == 0.0
