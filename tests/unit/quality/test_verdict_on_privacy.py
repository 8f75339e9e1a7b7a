"""What is said of copies, and of hold-outs that tell nobody apart."""

import numpy as np
import pyarrow as pa
import pytest

from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.quality.assessing import assess
from synthgen_ray.quality.assessment import Level, Measure
from synthgen_ray.quality.cells import Cells
from synthgen_ray.quality.fidelity import (
    Tables,
)
from synthgen_ray.quality.privacy import copied
from synthgen_ray.quality.risk import Tries, attack
from synthgen_ray.quality.verdict import verdict
from tests.unit.quality.tables import (
    UNKNOWN,
    a_scope,
    only_copies,
)


def test_a_table_of_ids_with_a_holdout_is_not_told_to_hold_rows_out():
    table = pa.table({"key": [f"K-{place}" for place in range(60)]})
    columns = [Column("key", ColumnKind.ID, unique=True)]

    with_it, without = (
        next(finding for finding in assess(table, table, holdout, columns).verdict if finding.area == "privacy")
        for holdout in (table, None)
    )

    assert with_it.sentence.startswith("No column of these rows can be compared")
    assert "holdout_fraction" not in with_it.advice
    assert without.sentence.startswith("There is no hold-out")
    assert "holdout_fraction" in without.advice


def test_of_a_table_of_constants_each_attack_has_a_reason_of_its_own_not_to_be_tried():
    table, columns = (
        pa.table({"a": ["x"] * 100, "b": ["y"] * 100}),
        [Column(name, ColumnKind.CONSTANT) for name in "ab"],
    )

    sentences = [finding.sentence for finding in assess(table, table, table.slice(0, 50), columns).verdict]

    assert "Hardly a row of it stands out." in sentences
    assert any(sentence.endswith("there is nothing to guess.") for sentence in sentences)
    assert len(set(sentences)) == len(sentences)


def _verdict_on_copies(copies: int, expected: int) -> Level:
    """Of 900 rows each."""
    privacy = only_copies(Measure(value=copies / 900, ceiling=expected / 900))
    found = verdict(UNKNOWN, (), (), None, privacy, a_scope(900, 100))
    return next(finding.level for finding in found if "copies" in finding.sentence)


@pytest.mark.parametrize(
    ("copies", "told"), [(0.0, "0.0%"), (0.0003, "<0.1%"), (0.0006, "0.1%"), (0.9996, ">99%"), (1.0, "100%")]
)
def test_copies_that_there_are_are_not_told_to_be_none_and_most_not_to_be_all(copies, told):
    found = verdict(UNKNOWN, (), (), None, only_copies(Measure(value=copies, ceiling=0.0)), a_scope(90_000, 10_000))

    assert any(finding.sentence.removeprefix("It leaks: ").startswith(f"{told} of the synthetic") for finding in found)


@pytest.mark.parametrize("common", [0.01, 0.05, 0.3])
def test_copies_that_real_rows_have_as_often_are_no_leak(common):
    chance = np.random.default_rng(0)
    levels = [_verdict_on_copies(chance.binomial(900, common), 2 * chance.binomial(450, common)) for _ in range(500)]

    assert levels.count(Level.GOOD) >= 0.95 * len(levels)
    assert levels.count(Level.BAD) <= 0.02 * len(levels)


def test_a_holdout_of_the_same_people_as_the_training_table_is_said_to_tell_nobody_apart():
    """300 people with ten rows each that are alike; the synthetic rows are nothing but theirs."""
    chance = np.random.default_rng(0)
    salary, height = chance.normal(50_000, 10_000, 300).round(), chance.normal(170, 10, 300).round(1)
    rows = chance.permutation(np.repeat(np.arange(300), 10))
    cells = Cells({"salary": salary[rows], "height": height[rows]})
    tables = Tables(cells.rows(slice(300, None)), cells.rows(slice(300, 2300)), cells.rows(slice(0, 300)))

    found = verdict(UNKNOWN, (), (), None, only_copies(copied(tables)), a_scope(2700, 300, 2000))

    warning = next(finding for finding in found if "tell nobody apart" in finding.sentence)
    assert (warning.level, warning.area) == (Level.WARN, "privacy")
    assert "one row a person" in warning.advice


@pytest.mark.parametrize("common", [0.0, 0.01, 0.03])
def test_a_holdout_with_some_rows_in_common_by_chance_is_one_of_strangers(common):
    chance = np.random.default_rng(0)
    heard = 0
    for _ in range(500):
        privacy = only_copies(Measure(value=common, ceiling=chance.binomial(100, common) / 100))
        found = verdict(UNKNOWN, (), (), None, privacy, a_scope(900, 100))
        heard += any("tell nobody apart" in finding.sentence for finding in found)

    assert heard <= 10


def test_copies_that_other_real_rows_have_not_are_a_leak():
    assert _verdict_on_copies(90, 0) is Level.BAD
    assert _verdict_on_copies(450, 180) is Level.BAD


def test_of_attacks_that_are_not_certain_to_gain_it_is_told_how_much_they_may_gain():
    """Of 20 attempts seven succeed on rows that training saw, and three on others: a risk of anything up to a half."""
    seen, guessed, unseen = Tries(7, 20), Tries(1, 20), Tries(3, 20)
    tried = attack("inference", "a" * 50, seen, guessed, unseen, among=1)
    others = attack("inference", "b", unseen, guessed, unseen, among=1)
    more = {"remembered": Measure(value=0), "distance_share": Measure(value=0.5), "inference": (others, tried)}
    privacy = only_copies(Measure(value=0)).model_copy(update=more)

    found = verdict(UNKNOWN, (), (), None, privacy, a_scope(150, 50))

    told = next(finding for finding in found if finding.sentence.startswith("Who knows"))
    assert told.level is Level.GOOD
    assert told.sentence.endswith(f"as far as these rows tell: the risk is 50% at most ('{'a' * 39}…').")


def test_a_little_that_may_be_remembered_is_not_told_to_be_nothing():
    more = {"remembered": Measure(value=0, low=0, high=0.003), "distance_share": Measure(value=0.5)}
    privacy = only_copies(Measure(value=0)).model_copy(update=more)

    found = verdict(UNKNOWN, (), (), None, privacy, a_scope(900_000, 100_000))

    assert any("(0.3% of them at most)" in finding.sentence for finding in found)
