"""The cells of tables that are compared: their categories share codes."""

import pyarrow as pa

from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.quality.cells import read_cells


def test_categories_may_be_more_text_than_one_array_holds():
    long = pa.array(["b" * 2**20, "a" * 2**20] * 32)
    tables = [pa.table({"c": pa.chunked_array([long] * 33)}), pa.table({"c": long[:3]})]

    (many, few), labels = read_cells(tables, [Column("c", ColumnKind.CATEGORICAL)])

    assert many.num_rows == 33 * 64
    assert few.columns["c"].tolist() == [1, 0, 1]
    assert [label[0] for label in labels["c"]] == ["a", "b"]
