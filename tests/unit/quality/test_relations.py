"""Weak relations are told from chance, and columns that have none from those that lost them."""

import numpy as np
import pytest

from synthgen_ray.quality.accuracy import Associated
from synthgen_ray.quality.cells import Cells
from synthgen_ray.quality.fidelity import Tables, associated, without_rare_bins
from synthgen_ray.quality.groups import column_groups
from synthgen_ray.quality.relations import Kept, kept_relations
from synthgen_ray.quality.verdict.fidelity import KEPT

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
    return kept_relations(Associated.of(real), Associated.of(synthetic), column_groups(columns, 2), K)


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


def _of_rows(seed: int, rows: int, columns: int, levels: int, strength: float) -> Kept | None:
    """Of numbers, or of categories of so many `levels`, and as many rows of the same source."""

    def table(chance: np.random.Generator) -> Cells:
        values = (strength * chance.normal(size=rows) + chance.normal(size=(columns, rows))) / np.hypot(strength, 1)
        if levels:
            values = np.clip(np.floor(levels * (values + 2) / 4), 0, levels - 1).astype(np.int32)
        return Cells({f"c{place}": column for place, column in enumerate(values)})

    real, synthetic = (table(np.random.default_rng([seed, part])) for part in range(2))
    return kept_relations(*associated(Tables(real, synthetic, None), K), column_groups(columns, 2), K)


@pytest.mark.parametrize("rows", [50, 100, 300])
@pytest.mark.parametrize("columns", [6, 15])
@pytest.mark.parametrize("levels", [0, 4])
@pytest.mark.parametrize("strength", [0.0, 0.6])
def test_short_tables_of_one_source_keep_what_relations_there_are(rows, columns, levels, strength):
    found = [_of_rows(seed, rows, columns, levels, strength) for seed in range(12)]

    assert sum(kept is not None and kept.most < KEPT[0] for kept in found) <= 1
    assert strength or sum(kept is not None for kept in found) <= 2


def test_what_is_kept_is_told_in_steps_that_k_rows_make():
    by_rows = {rows: _kept(0, 0.8, 0.5, rows=rows, drawn=rows, columns=3) for rows in (150, 3000)}

    assert by_rows[150].step > by_rows[3000].step == 0.05
    assert str(Kept(0.47, 1.0, 0.05)) == "45% to 50%"
    assert str(Kept(1.02, 1.2, 0.05)) == "all"
