"""Which cells of ids and texts are missing: that alone is learnt of them."""

import numpy as np
import pyarrow as pa
import pytest

from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.synthesizers import GaussianCopula, load
from synthgen_ray.synthesizers.columns.category import GapCodec

ROWS = 1000
IS_GUEST = np.random.default_rng(1).random(ROWS) < 0.4
FRESH = {
    "text": ([f"someone{n}@example.org" for n in range(ROWS)], ColumnKind.TEXT),
    "codes": ([f"C-{n:05}" for n in range(ROWS)], ColumnKind.ID),
    "numbers": (np.arange(ROWS), ColumnKind.ID),
    "scattered": (np.random.default_rng(2).permutation(10**6)[:ROWS], ColumnKind.ID),
}


def test_ids_and_texts_are_missing_where_other_columns_say_so(tmp_path):
    fresh = {name: pa.array(values, mask=IS_GUEST) for name, (values, _) in FRESH.items()}
    table = pa.table({**fresh, "guest": np.where(IS_GUEST, "yes", "no")})
    columns = [Column(name, kind, nullable=True) for name, (_, kind) in FRESH.items()]
    GaussianCopula(seed=1).fit(table, [*columns, Column("guest", ColumnKind.CATEGORICAL)]).save(tmp_path / "model")

    rows = load(tmp_path / "model").sample(2000, seed=2)

    is_guest = np.array(rows["guest"].to_pylist()) == "yes"
    assert is_guest.mean() == pytest.approx(IS_GUEST.mean(), abs=0.05)
    for name in FRESH:
        assert (rows[name].is_null().to_numpy() == is_guest).mean() > 0.99, name


@pytest.mark.parametrize("missing", [0, 4, 997, 1000])
def test_that_fewer_than_k_are_missing_or_are_there_is_not_learnt(missing: int):
    column = pa.chunked_array([pa.array(["a"] * ROWS, mask=np.arange(ROWS) < missing)])

    assert GapCodec.of("x", column, 5) is None


def test_a_missing_text_of_a_table_to_be_filled_is_no_sign_of_anything():
    column = pa.chunked_array([pa.array(["a", None] * 10)])
    codec = GapCodec.of("x", column, 5)

    assert codec.is_unknown(column).tolist() == [False, True] * 10


@pytest.mark.parametrize("refine", [False, True])
def test_as_many_are_missing_as_in_the_table_where_many_values_are_rare(refine):
    rng = np.random.default_rng(4)
    values = np.where(rng.random(4000) < 0.5, "No comment", [f"I like item {n}" for n in rng.integers(1000, size=4000)])
    is_missing = rng.random(4000) < 0.6
    table = pa.table({"comment": pa.array(values, mask=is_missing), "x": rng.normal(size=4000)})

    rows = (
        GaussianCopula(seed=1, refine=refine)
        .fit(table, [Column("comment", ColumnKind.CATEGORICAL, nullable=True)])
        .sample(8000, seed=2)
    )

    assert rows["comment"].null_count / 8000 == pytest.approx(is_missing.mean(), abs=0.02)
