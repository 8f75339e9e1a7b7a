"""Means over groups that were drawn from more have the error that this leaves."""

import numpy as np
import pytest

from synthgen_ray.quality.cells import Cells
from synthgen_ray.quality.counting import drawn_ratio_error
from synthgen_ray.quality.fidelity import Tables, Trends, rows_for_trends
from synthgen_ray.quality.groups import column_groups
from synthgen_ray.quality.trends import Trend


def test_the_error_of_drawn_pairs_of_which_some_count_is_that_of_their_mean_over_many_draws():
    chance = np.random.default_rng(0)
    scores, counts = chance.beta(8, 2, 7000), chance.random(7000) < 0.3

    drawn = [chance.choice(7000, 3600, replace=False) for _ in range(300)]
    means = [scores[places][counts[places]].mean() for places in drawn]
    errors = [drawn_ratio_error(scores[places][counts[places]], 3600, 7000) for places in drawn]

    assert np.mean(errors) == pytest.approx(np.std(means), rel=0.1)


def test_pair_trends_have_an_interval_where_pairs_were_drawn_and_none_where_all_were_looked_at():
    pairs = [Trend(("a", "b"), "correlation_similarity", 0.9 + place / 100, place % 2 == 0) for place in range(9)]
    trends = Trends(pairs, None, [])

    some, every = trends.total(40), trends.total(9)

    assert some.low < some.value == every.value < some.high
    assert (every.low, every.high) == (None, None)


def test_trends_are_of_a_million_rows_of_fifteen_columns_and_of_fewer_of_more():
    cells = Cells({"a": np.arange(1_000_000.0)})
    tables = Tables(cells, cells, cells.rows(slice(0, 5_000)))

    fifteen, hundred = (rows_for_trends(tables, column_groups(columns, 2), 0) for columns in (15, 100))

    assert fifteen == tables
    assert [part.num_rows for part in hundred] == [24_242, 24_242, 5_000]
