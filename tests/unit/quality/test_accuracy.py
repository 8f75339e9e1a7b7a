"""Binned tables are whole tables: they are small, and still count right."""

import numpy as np
import pyarrow as pa
import pytest

from synthgen_ray.domain.columns import ColumnKind
from synthgen_ray.quality.accuracy import BINS, WIDTH, binned, shares, similarities
from synthgen_ray.quality.cells import read_cells
from tests.unit.quality.tables import given_columns


def test_a_cell_takes_a_byte_and_triples_of_the_last_bins_are_counted():
    given = [
        pa.table({name: pa.array(values, pa.float64()) for name in "abc"})
        for values in ([*range(40)], [None, 99, *range(38)])
    ]
    real, other = read_cells(given, given_columns(dict.fromkeys("abc", ColumnKind.FLOAT)))[0]

    codes = binned(real, other)

    assert codes.nbytes == 3 * 40
    assert codes[:, :2].tolist() == [[WIDTH - 1, BINS]] * 3
    for group in ((0,), (0, 1, 2)):
        ours, theirs = shares(binned(real, real), [group]), shares(codes, [group])
        assert similarities(ours, theirs) == pytest.approx([0.95])
    assert np.array_equal(codes[0], codes[2])
