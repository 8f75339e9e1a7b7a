"""A distribution holds over a whole job, however its rows are cut."""

import numpy as np
import pyarrow as pa
import pytest

from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers.sampling.shares import rows_between
from tests.unit.synthesizers.conftest import given_model

RNG = np.random.default_rng(4)
CHUNK = 10_000
UNEVEN = (RNG.dirichlet(np.full(50, 0.1))).tolist()
SHARES = {
    "a rare one": [2e-5, 0.99998],
    "many rare ones": [*[1e-5] * 100, 0.999],
    "thirds": [1 / 3, 1 / 3, 1 / 3],
    "with none": [0.0, 0.25, 0.0, 0.75],
    "one": [1.0],
    "uneven": UNEVEN,
}


def cut(total: int, chunk: int) -> list[tuple[int, int]]:
    return [(start, min(start + chunk, total)) for start in range(0, total, chunk)]


def test_a_rare_share_has_its_rows_in_a_large_job():
    counts = np.sum([rows_between(start, end, [2e-5, 0.99998]) for start, end in cut(10_000_000, CHUNK)], axis=0)

    assert counts.tolist() == [200, 9_999_800]


@pytest.mark.parametrize("shares", SHARES.values(), ids=SHARES)
@pytest.mark.parametrize("chunk", [1, 7, 400])
def test_the_chunks_of_a_job_add_up_to_the_job(shares, chunk):
    chunks = [rows_between(start, end, shares) for start, end in cut(2500, chunk)]

    assert np.sum(chunks, axis=0).tolist() == rows_between(0, 2500, shares)
    assert np.min(chunks) >= 0
    assert [sum(counts) for counts in chunks] == [end - start for start, end in cut(2500, chunk)]


@pytest.mark.parametrize("shares", SHARES.values(), ids=SHARES)
@pytest.mark.parametrize("rows", [0, 1, 100, 12_345, 100_000])
def test_each_share_has_its_rows_but_for_rounding(shares, rows):
    exact = np.array(shares) / sum(shares) * rows

    off = np.array(rows_between(0, rows, shares)) - exact

    assert np.abs(off).max() < 1.5
    assert not off[np.array(shares) == 0].any()


def test_a_job_of_several_chunks_has_the_shares_that_one_chunk_cannot_have():
    model = given_model(ModelType.GAUSSIAN_COPULA)
    model.chunk_rows = 100

    rows = model.sample(1000, seed=1, distribution={"city": {"Lima": 0.003, "Rome": 0.997}})

    cities = rows["city"].to_pylist()
    assert (cities.count("Lima"), cities.count("Rome")) == (3, 997)


@pytest.mark.parametrize("name", ["2", "2.0", "0.00001", "1e-05", "1e+15", "1000000000000000"])
def test_a_number_with_a_point_is_named_however_it_is_written(name):
    table = pa.table({"step": [2.0, 1e-5, 1e15, 2.5] * 30})
    model = given_model(ModelType.GAUSSIAN_COPULA, table, [Column("step", ColumnKind.CATEGORICAL)])

    rows = model.sample(100, distribution={"step": {name: 0.7, "2.5": 0.3}})

    assert rows["step"].to_pylist().count(float(name)) == 70
