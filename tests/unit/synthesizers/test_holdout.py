"""Rows that training never sees: how many, and which."""

import numpy as np
import pyarrow as pa
import pytest

from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.domain.errors import InvalidTable
from synthgen_ray.synthesizers.base import load
from synthgen_ray.synthesizers.columns.personal import personal_texts
from synthgen_ray.synthesizers.gaussian_copula import GaussianCopula
from synthgen_ray.synthesizers.holdout import learnt_and_held_out
from synthgen_ray.synthesizers.numerics.streams import holdout_mask


def given_rows(num_rows: int) -> pa.Table:
    chance = np.random.default_rng(1)
    return pa.table({"number": chance.permutation(num_rows), "half": chance.normal(size=num_rows)})


@pytest.mark.parametrize(
    ("num_rows", "options", "learnt"),
    [
        (999, {}, 999),
        (1000, {}, 900),
        (1000, {"holdout_fraction": None}, 900),
        (1000, {"holdout_fraction": 0.0}, 1000),
        (100, {"holdout_fraction": 0.25}, 75),
    ],
)
def test_a_tenth_is_held_out_of_a_table_that_is_large_enough_unless_a_share_is_asked_for(num_rows, options, learnt):
    model = GaussianCopula(seed=1, **options).fit(given_rows(num_rows))

    assert model._trained_rows == learnt


def test_the_models_file_tells_which_rows_were_held_out(tmp_path):
    table = given_rows(1200)
    model = GaussianCopula(seed=5).fit(table)
    model.save(tmp_path / "model")

    learnt, held_out = learnt_and_held_out(table, load(tmp_path / "model").params)

    assert (learnt.num_rows, held_out.num_rows) == (1080, 120)
    assert sorted([*learnt["number"].to_pylist(), *held_out["number"].to_pylist()]) == list(range(1200))
    assert learnt.equals(learnt_and_held_out(table, model.params)[0])


def test_nothing_is_held_out_of_a_table_of_which_training_sees_all():
    table = given_rows(50)

    learnt, held_out = learnt_and_held_out(table, GaussianCopula(seed=1).fit(table).params)

    assert learnt.equals(table)
    assert held_out is None


def test_a_second_table_is_agreed_on_anew():
    model = GaussianCopula(seed=1).fit(given_rows(100))

    assert model.fit(given_rows(1000))._trained_rows == 900


def test_what_is_left_of_a_table_must_be_enough_to_learn():
    with pytest.raises(InvalidTable, match="has 30 rows, of which 15 are not held out; training needs at least 20"):
        GaussianCopula(seed=1, holdout_fraction=0.5).fit(given_rows(30))


def given_people(num_rows: int, held_out: np.ndarray) -> tuple[pa.Table, tuple[Column, ...]]:
    """Ids, e-mails and names of which there are so few that one drawn blindly is often taken; the last of the ids that
    run up are held out."""
    chance = np.random.default_rng(2)
    running = np.empty(num_rows, dtype=np.int64)
    running[np.argsort(held_out, kind="stable")] = np.arange(num_rows) + 1
    columns = [
        (Column("code", ColumnKind.ID), [f"{n:04}" for n in chance.permutation(2 * num_rows)[:num_rows]]),
        (Column("running", ColumnKind.ID), running),
        (Column("scattered", ColumnKind.ID), chance.permutation(5 * num_rows)[:num_rows]),
        (Column("mail", ColumnKind.TEXT, pii="email"), personal_texts("email", num_rows, chance)),
        (Column("name", ColumnKind.TEXT, pii="name"), personal_texts("name", num_rows, chance)),
        (Column("first", ColumnKind.TEXT, pii="first_name"), personal_texts("first_name", num_rows, chance)),
        (Column("half", ColumnKind.FLOAT), chance.normal(size=num_rows)),
    ]
    table = pa.table({column.name: values for column, values in columns})
    return table, tuple(column for column, _ in columns)


def test_what_is_made_up_is_nobodys_also_of_those_held_out():
    table, columns = given_people(5000, holdout_mask(5000, 0.1, 1))
    model = GaussianCopula(seed=1).fit(table, columns)

    rows = model.sample(5000, seed=1)

    assert model._trained_rows == 4500
    for name in ("code", "running", "scattered", "mail", "name", "first"):
        assert not set(rows[name].to_pylist()) & set(table[name].to_pylist()), name
    for name in ("code", "running", "scattered"):
        assert len(rows[name].unique()) == 5000
