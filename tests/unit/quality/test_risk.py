"""Of attacks that gain nothing hardly any is said to, however many are tried and however often they succeed."""

from math import comb

import numpy as np
import pytest

from synthgen_ray.quality.risk import Tries, certain_risk
from synthgen_ray.quality.verdict import AT_RISK


def _chances(attempts: int, rate: float) -> np.ndarray:
    """(attempts + 1,) of each number of successes."""
    return np.array(
        [comb(attempts, hits) * rate**hits * (1 - rate) ** (attempts - hits) for hits in range(attempts + 1)]
    )


@pytest.mark.parametrize("among", [1, 10, 30])
@pytest.mark.parametrize("attempts", [100, 300])
def test_of_attacks_that_gain_nothing_one_in_forty_tables_at_most_is_at_risk(attempts, among):
    least = attempts * 6 // 10  # below it lie a millionth of the successes at these rates
    numbers = range(least, attempts + 1)
    risks = np.array(
        [
            [certain_risk(Tries(seen, attempts), Tries(unseen, attempts), among) for unseen in numbers]
            for seen in numbers
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
