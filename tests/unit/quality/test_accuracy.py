"""Binned tables are whole tables: they are small, and still count right."""

import numpy as np
import pyarrow as pa
import pytest

from synthgen_ray.domain.columns import ColumnKind
from synthgen_ray.quality.accuracy import BINS, WIDTH, associations, binned_tables, shares, similarities
from synthgen_ray.quality.cells import Cells, read_cells
from tests.unit.quality.tables import given_columns


def test_a_cell_takes_a_byte_and_triples_of_the_last_bins_are_counted():
    given = [
        pa.table({name: pa.array(values, pa.float64()) for name in "abc"})
        for values in ([*range(40)], [None, 99, *range(38)])
    ]
    real, other = read_cells(given, given_columns(dict.fromkeys("abc", ColumnKind.FLOAT)))[0]

    own, codes = binned_tables(real, [real, other], k=1)

    assert codes.nbytes == 3 * 40
    assert codes[:, :2].tolist() == [[WIDTH - 1, BINS]] * 3
    for group in ((0,), (0, 1, 2)):
        ours, theirs = (shares(table, [group]) for table in (own, codes))
        assert similarities(ours, theirs) == pytest.approx([0.95])
    assert np.array_equal(codes[0], codes[2])


def _accuracy(real: np.ndarray, synthetic: np.ndarray, k: int = 1) -> float:
    ours, theirs = Cells({"a": real * 1.0}), Cells({"a": synthetic * 1.0})
    return float(similarities(*(shares(codes, [(0,)]) for codes in binned_tables(ours, [ours, theirs], k)))[0])


@pytest.mark.parametrize("share", [0.03, 0.3, 0.97])
def test_a_column_of_zeros_and_ones_has_a_bin_for_each(share):
    flags = (np.arange(1000) < 1000 * share) * 1.0
    cells = Cells({"a": flags, "b": flags})
    (found,) = binned_tables(cells, [cells], k=1)

    assert _accuracy(flags, 1 - flags) == pytest.approx(1 - abs(1 - 2 * share))  # its shape too
    assert associations(found)[0, 1] == pytest.approx(1)


def test_values_near_to_one_of_few_are_in_its_bin_and_those_clearly_elsewhere_are_not():
    real = np.repeat([0.0, 1.0, 101.0], 100)

    assert _accuracy(real, real + 0.2) == 1
    assert _accuracy(real, np.repeat([0.0, 0.5, 101.0], 100)) == pytest.approx(2 / 3)
    assert _accuracy(real, np.repeat([0.0, 1.0, 60.0], 100)) == pytest.approx(2 / 3)
    assert _accuracy(np.full(9, 5.0), np.full(9, 5.1)) == 0


@pytest.mark.parametrize("zeros", [0.2, 0.93])
def test_a_number_that_many_rows_have_is_a_bin_and_the_others_fill_nine(zeros):
    chance = np.random.default_rng(0)
    real = np.where(np.arange(3000) < 3000 * zeros, 0.0, 1 + chance.exponential(1000, 3000))
    cells = Cells({"a": real})

    counts = np.bincount(binned_tables(cells, [cells], k=1)[0][0])

    assert counts[0] == 3000 * zeros
    assert np.allclose(counts[1:], 3000 * (1 - zeros) / 9, atol=1)
    assert _accuracy(real, np.where(real == 0, 0.5, real)) == pytest.approx(1 - zeros)


def test_the_lowest_value_has_a_bin_to_itself_where_it_fills_one():
    half_of_one_value = np.concatenate([np.repeat(0.0, 60), np.repeat(7.0, 500), 1 + np.arange(440)])
    cells = Cells({"a": half_of_one_value})

    counts = np.bincount(binned_tables(cells, [cells], k=1)[0][0])

    assert counts[:2].tolist() == [501, 60]
    assert len(counts) == BINS


def test_a_value_that_fewer_than_k_rows_have_moves_no_bins():
    few = np.repeat(np.arange(10.0), 100)
    real, synthetic = few.copy(), few.copy()
    real[:4], synthetic[:300] = 10, 10

    assert _accuracy(real, synthetic, k=5) == pytest.approx(_accuracy(few, synthetic, k=5), abs=0.0041)


def test_numbers_of_any_size_are_binned():
    real = np.repeat([-1e308, 0.0, 1e308], 10)

    assert _accuracy(real, real) == 1
    assert _accuracy(real, -real) == 1
    assert _accuracy(np.full(9, np.nan), real) == 0
