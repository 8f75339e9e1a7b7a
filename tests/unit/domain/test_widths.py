"""How many rows there is room for."""

import pytest

from synthgen_ray.domain.columns import ColumnKind, LearnedColumn
from synthgen_ray.domain.errors import TooLarge
from synthgen_ray.domain.widths import MAX_BYTES, MAX_CHUNK_BYTES, MAX_CHUNKS, check_room

NUMBER = LearnedColumn("n", ColumnKind.INTEGER, nullable=False)
LONG = LearnedColumn("text", ColumnKind.TEXT, nullable=False, widest=2**20)


@pytest.mark.parametrize(
    ("most", "chunk_rows", "column"),
    [
        (10_000_000, 10_000, NUMBER),
        (MAX_CHUNKS, 1, NUMBER),
        (MAX_CHUNK_BYTES >> 20, 10_000, LONG),
        (MAX_BYTES >> 20, 100, LONG),
    ],
    ids=["all that may be asked for", "chunks", "bytes of a chunk", "bytes of all"],
)
def test_so_many_rows_may_be_asked_for_and_no_more(most, chunk_rows, column):
    check_room(most, chunk_rows, [column])

    if most < 10_000_000:
        with pytest.raises(TooLarge) as refused:
            check_room(most + 1, chunk_rows, [column])
        assert f"{most:,} rows" in refused.value.detail
