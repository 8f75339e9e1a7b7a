"""Weak relations are told from chance, and columns that have none from those that lost them."""

import numpy as np
import pytest

from synthgen_ray.quality.fidelity import association_matrices, without_rare_bins
from synthgen_ray.quality.relations import Kept, kept_relations
from synthgen_ray.quality.verdict import KEPT

K = 5


def _kept(
    seed: int, strength: float, mixed: float, *, rows: int = 900, drawn: int = 900, columns: int = 5
) -> Kept | None:
    """Of columns of ten bins that share a part; a share of the synthetic rows are shuffled."""
    chance = np.random.default_rng(seed)

    def table(count: int) -> np.ndarray:
        values = strength * chance.normal(size=count) + chance.normal(size=(columns, count))
        return np.array([np.searchsorted(np.quantile(column, np.linspace(0.1, 0.9, 9)), column) for column in values])

    real, synthetic = without_rare_bins(table(rows), K), table(drawn)
    lost = chance.random(drawn) < mixed
    synthetic[:, lost] = [chance.permutation(column) for column in synthetic[:, lost]]
    return kept_relations(association_matrices([f"c{i}" for i in range(columns)], real, synthetic, K), real, synthetic)


@pytest.mark.parametrize(("rows", "drawn"), [(300, 300), (900, 300), (900, 3000)])
def test_what_nobody_lost_is_hardly_ever_missed(rows, drawn):
    found = [_kept(seed, 0.5, 0.0, rows=rows, drawn=drawn) for seed in range(60)]

    assert sum(kept is not None and kept.most < KEPT[0] for kept in found) <= 1


def test_what_is_lost_is_noticed_in_part_and_as_a_whole():
    half, all_ = ([_kept(seed, 0.5, mixed, rows=3000, drawn=3000) for seed in range(10)] for mixed in (0.5, 1.0))

    assert np.median([kept.value for kept in half]) == pytest.approx(0.5, abs=0.1)
    assert all(kept.most < KEPT[0] for kept in [*half, *all_])
    assert all(kept.value < 0.3 for kept in all_)


def test_columns_that_have_nothing_to_do_with_each_other_have_nothing_to_keep():
    found = [_kept(seed, 0.0, 0.0) for seed in range(60)]

    assert sum(kept is not None for kept in found) <= 3
    assert _kept(0, 0.5, 0.0, columns=1) is None
