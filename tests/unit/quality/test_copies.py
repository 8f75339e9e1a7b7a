"""How many real rows other rows are like is told in steps of k; and which copies tell of somebody."""

import numpy as np
import pyarrow as pa
import pytest

from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.quality.assessing import assess
from synthgen_ray.quality.assessment import Level
from synthgen_ray.quality.cells import Cells
from synthgen_ray.quality.copies import near_copies
from synthgen_ray.quality.fidelity import Tables
from synthgen_ray.quality.privacy import copied, nearly_copied, rarely_copied, repeated_values
from synthgen_ray.quality.verdict import verdict
from tests.unit.quality.tables import NONE, UNKNOWN, a_scope, given_columns, only_copies

K, ROWS = 5, 1000


@pytest.mark.parametrize(("repeated", "told_share"), [(0, 0.0), (2, 0.0), (4, 0.005), (6, 0.005), (998, 1.0)])
def test_rows_in_common_are_told_in_steps(repeated, told_share):
    values = np.arange(ROWS) * 1.0
    values[:repeated] = 0.0
    real = Cells({"x": values})

    assert copied(Tables(real, real, None), K).ceiling == told_share
    holdout = Cells({"x": np.where(np.arange(ROWS) < repeated, 5000.0, -1.0 - np.arange(ROWS))})
    with_one = Cells({"x": np.append(values, 5000.0)})
    assert copied(Tables(with_one, real, holdout), K).ceiling == told_share


def test_texts_that_the_holdout_has_too_are_told_in_steps():
    real, holdout = (pa.table({"name": [f"{who} {place}" for place in range(40)]}) for who in ("Ann", "Bob"))
    three, ten = (
        pa.table({"name": real["name"].to_pylist()[:few] + holdout["name"].to_pylist()[few:]}) for few in (3, 10)
    )
    columns = given_columns({"name": ColumnKind.TEXT})

    found = [
        repeated_values(real, holdout, other, columns, K).fresh[0].copies.ceiling for other in (holdout, three, ten)
    ]

    assert found == [0.0, 0.125, 0.25]


@pytest.mark.parametrize("rows", range(1, 2 * K))
def test_nothing_is_told_of_rows_that_are_hardly_more_than_k(rows):
    real, holdout = Cells({"x": np.arange(90.0)}), Cells({"x": np.arange(rows) + 0.5})
    texts = pa.table({"name": [f"Ann {place}" for place in range(90)]})
    few = texts.slice(0, rows)

    assert copied(Tables(real, real, holdout), K).ceiling is None
    of_texts = repeated_values(texts, few, few, given_columns({"name": ColumnKind.TEXT}), K).fresh[0].copies
    assert (of_texts.value, of_texts.ceiling) == (1.0, 0.0)  # by the real column's own values, which repeat none


@pytest.mark.parametrize("held_out", [1, 4, 9, 30])
def test_a_short_holdout_of_other_people_makes_no_leak(held_out):
    """It had made a report fail, or a value of e-mail that hardly anybody has a leak."""
    chance = np.random.default_rng(held_out)
    columns = given_columns({"x": ColumnKind.FLOAT, "mail": ColumnKind.TEXT})

    def rows(count: int, who: str) -> pa.Table:
        mails = [f"{who}{place}@example.org" if place % 50 == 0 else None for place in range(count)]
        return pa.table({"x": chance.normal(size=count), "mail": mails})

    found = assess(rows(300, "a"), rows(300, "b"), rows(held_out, "c"), columns)

    assert not any(finding.area == "privacy" and finding.level is Level.BAD for finding in found.verdict)


def _people(seed: int, rows: int) -> Cells:
    chance = np.random.default_rng(seed)
    numbers = {f"n{place}": chance.normal(size=rows).round(2) for place in range(4)}
    return Cells(numbers | {f"c{place}": chance.integers(0, 9, rows).astype(np.int32) for place in range(4)})


def test_what_many_rows_have_in_common_is_no_copy_of_anybody():
    """Five columns of few values; the rows of a model that makes what is common commoner."""
    chance = np.random.default_rng(0)
    shares = np.array([0.5, 0.25, 0.15, 0.07, 0.03])
    sharper = shares**1.2 / (shares**1.2).sum()

    def rows(count: int, by: np.ndarray) -> Cells:
        return Cells({f"c{place}": chance.choice(5, count, p=by).astype(np.int32) for place in range(5)})

    tables = Tables(rows(900, shares), rows(900, sharper), rows(100, shares))
    found = rarely_copied(tables, K)

    assert copied(tables, K).value > copied(tables, K).ceiling + 0.05
    assert found.value < found.ceiling + 0.01


@pytest.mark.parametrize(("share", "level"), [(0.0, Level.GOOD), (0.05, Level.WARN), (0.3, Level.BAD)])
def test_rows_of_people_of_which_one_number_was_changed_are_found(share, level):
    real, others, holdout = _people(0, 900), _people(1, 900), _people(2, 100)
    leaked = np.arange(900) < share * 900
    changed = {name: np.where(leaked, real.columns[name], column) for name, column in others.columns.items()}
    changed["n0"] = changed["n0"] + 0.005
    tables = Tables(real, Cells(changed), holdout)

    near = nearly_copied(tables, tables, 0, K)

    assert rarely_copied(tables, K).value == 0
    assert near.value == pytest.approx(share, abs=0.01)
    assert near.ceiling == 0
    scope = a_scope(900, 100)
    found = verdict(UNKNOWN, (), (), None, only_copies(NONE).model_copy(update={"near_copies": near}), scope)
    said = [finding.level for finding in found if "but for one column" in finding.sentence]
    assert said == ([] if level is Level.GOOD else [level])


def test_rows_of_a_table_where_all_are_alike_but_for_a_column_are_no_near_copies():
    chance = np.random.default_rng(0)
    real, others = (
        Cells({f"c{place}": chance.integers(0, 3, 500).astype(np.int32) for place in range(5)}) for _ in range(2)
    )
    tables = Tables(real, others, None)

    near = nearly_copied(tables, tables, 0, K)

    assert near.value == pytest.approx(near.ceiling, abs=0.06)


def test_near_copies_of_wide_tables_are_looked_for_in_some_columns():
    chance = np.random.default_rng(0)
    wide = {f"c{place}": chance.normal(size=200) for place in range(80)}
    changed = wide | {name: column + 1 for name, column in wide.items() if name in ("c1", "c2")}
    real = Cells(wide)

    twice_changed, _ = near_copies(real, Cells(changed), real, K, chance)
    copies, among_each_other = near_copies(real, real, real, K, chance)
    assert twice_changed.sum() == 0
    assert copies.all()
    assert not among_each_other.any()


def test_ids_that_were_copied_are_told_of_unless_they_count_up():
    chance = np.random.default_rng(0)
    scattered = chance.choice(10**9, 300, replace=False)
    columns = [Column("key", ColumnKind.ID, unique=True), *given_columns({"x": ColumnKind.FLOAT})]

    def rows(keys: np.ndarray) -> pa.Table:
        return pa.table({"key": keys, "x": chance.normal(size=len(keys))})

    held_out = rows(chance.choice(10**9, 100, replace=False))
    copies, counted = (
        [
            finding.level
            for finding in assess(rows(keys), rows(keys), held_out, columns).verdict
            if "'key'" in finding.sentence
        ]
        for keys in (scattered, np.arange(300))
    )

    assert copies == [Level.BAD]
    assert counted == []
