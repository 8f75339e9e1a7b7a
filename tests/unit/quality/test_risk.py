"""Of attacks that gain nothing hardly any is said to, however many are tried and however often they succeed."""

from math import comb

import numpy as np
import pyarrow as pa
import pytest

from synthgen_ray.domain.columns import ColumnKind
from synthgen_ray.quality.assessing import assess
from synthgen_ray.quality.assessment import Attack, Level
from synthgen_ray.quality.cells import Cells
from synthgen_ray.quality.inference import inference
from synthgen_ray.quality.numbers import Z
from synthgen_ray.quality.risk import Tries, attack, certain_risk, untold
from synthgen_ray.quality.singling_out import singling_out
from synthgen_ray.quality.verdict.privacy import AT_RISK
from tests.unit.quality.tables import given_columns


def _chances(attempts: int, rate: float) -> np.ndarray:
    """(attempts + 1,) of each number of successes."""
    return np.array(
        [comb(attempts, hits) * rate**hits * (1 - rate) ** (attempts - hits) for hits in range(attempts + 1)]
    )


@pytest.mark.parametrize("k", [1, 5])
@pytest.mark.parametrize("among", [1, 10, 30])
@pytest.mark.parametrize("attempts", [100, 200])
def test_of_attacks_that_gain_nothing_one_in_forty_tables_at_most_is_at_risk(attempts, among, k):
    least = attempts * 6 // 10  # below it lie hardly any successes at these rates
    tries = [Tries(successes, attempts) for successes in range(least, attempts + 1)]
    risks = np.array(
        [
            [attack("inference", "c", seen, seen, unseen, among=among, k=k).certain_risk for unseen in tries]
            for seen in tries
        ]
    )

    for rate in (0.8, 0.9, 0.95, 0.97, 0.99):
        chances = _chances(attempts, rate)[least:]
        alarm = chances @ (risks > AT_RISK[0]) @ chances
        assert 1 - (1 - alarm) ** among < 0.025


def test_a_leak_is_at_risk_though_a_hundred_columns_were_tried():
    for seen, unseen in ((95, 50), (100, 80)):
        assert certain_risk(Tries(seen, 100), Tries(unseen, 100), 100) > AT_RISK[0]
    for seen, unseen in ((475, 300), (500, 460)):
        assert certain_risk(Tries(seen, 500), Tries(unseen, 500), 100) > AT_RISK[1]


def test_nothing_is_at_risk_where_others_would_all_have_succeeded_in_as_long_a_table():
    for unseen in (55, 60, 250, 450):
        assert certain_risk(Tries(25, 500), Tries(unseen, 500), 2, lengths=9) == 0.0


def test_what_one_attack_alone_proves_ten_may_have_by_chance():
    seen, unseen = Tries(99, 100), Tries(90, 100)

    alone, among_ten = (certain_risk(seen, unseen, among) for among in (1, 10))

    assert alone > AT_RISK[1]
    assert among_ten == 0.0


def test_a_longer_table_and_statements_that_come_in_clusters_are_less_certain():
    seen, unseen = Tries(400, 500), Tries(12, 500)

    risks = [
        certain_risk(seen, unseen, 2, lengths, crowding) for lengths, crowding in ((1, 1), (9, 1), (9, 3), (9, 12))
    ]

    assert risks == sorted(risks, reverse=True)
    assert risks[-2] > AT_RISK[1]
    assert risks[-1] == 0.0


def _counts(told: Attack) -> list[float]:
    """As whoever has the report would compute them."""
    rates = (told.success, told.baseline, told.control)
    return [rate.value * (told.attempts + Z**2) - Z**2 / 2 for rate in rates]


def _with_rare_ones(rare: int, seed: int = 0) -> Cells:
    codes = np.arange(400) < rare
    return Cells({"c": codes.astype(np.int32), "n": np.random.default_rng(seed).normal(size=400)})


def test_no_count_of_fewer_than_k_rows_follows_from_what_is_guessed():
    synthetic, holdout = _with_rare_ones(0, 1), _with_rare_ones(3, 2)

    exact, told = (inference(_with_rare_ones(7), synthetic, holdout, set(), 0, k=k) for k in (1, 5))

    assert _counts(next(one for one in exact if one.by == "c")) == pytest.approx([393, 393, 397])
    assert _counts(next(one for one in told if one.by == "c")) == pytest.approx([395, 395, 395])
    # That there is a secret would tell that there are some.
    assert [one.by for one in inference(_with_rare_ones(3), synthetic, holdout, set(), 0, k=5)] == ["n"]


def test_whether_a_few_statements_fit_a_real_row_is_not_told():
    chance = np.random.default_rng(0)
    real, synthetic, holdout = (Cells({name: chance.integers(0, 5, 300) * 1.0 for name in "abcd"}) for _ in range(3))
    synthetic.columns["a"][0] = 97.0
    without = singling_out(real, synthetic, holdout, 0, k=5)
    real.columns["a"][0] = 97.0

    found = singling_out(real, synthetic, holdout, 0, k=5)

    assert [one.by for one in found] == ["3 attributes"]  # of one there are two statements, `a` is 97 or more
    assert found[0].success.value == without[0].success.value
    seen, _, unseen = _counts(found[0])
    assert [seen, unseen] == pytest.approx([20, 25])
    assert singling_out(real, synthetic, holdout, 0, k=50) == (untold("singling_out", "3 attributes", 93),)


def test_where_few_rows_were_held_out_nothing_is_told_of_guesses_and_that_is_said():
    tables = [pa.table(_with_rare_ones(200, seed).columns) for seed in range(3)]
    columns = given_columns({"c": ColumnKind.CATEGORICAL, "n": ColumnKind.FLOAT})

    found = assess(tables[0], tables[1], tables[2].slice(195, 9), columns)

    assert all(attack.attempts == 5 and attack.risk.value is None for attack in found.privacy.inference)
    said = next(finding for finding in found.verdict if finding.sentence.startswith("Whether who knows the rest"))
    assert said.level is Level.WARN
    assert said.sentence.endswith("so few rows cannot tell.")
