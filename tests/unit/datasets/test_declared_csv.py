"""What a schema says of a CSV file's columns before their cells are read."""

import pyarrow as pa
import pytest

from synthgen_ray.datasets.limits import UploadLimits
from synthgen_ray.datasets.reading import convert, read_table
from synthgen_ray.domain.corrections import SchemaCorrection
from synthgen_ray.domain.errors import InvalidTable


@pytest.fixture
def declared(tmp_path):
    def convert_declared(content: bytes, columns: dict) -> pa.Table:
        (tmp_path / "upload").write_bytes(content)
        schema = SchemaCorrection.model_validate({"columns": columns})
        convert(tmp_path / "upload", "table.csv", tmp_path / "table.parquet", UploadLimits(), schema)
        return read_table(tmp_path / "table.parquet")

    return convert_declared


@pytest.mark.parametrize("kind", ["text", "categorical"])
def test_numbers_that_are_declared_as_text_or_categories_stay_as_they_are_written(declared, kind):
    table = declared(b'rev,n\n"$1,234.50",1\n$2.00,2\n$2.00,3\n', {"rev": {"kind": kind}})

    assert table["rev"].to_pylist() == ["$1,234.50", "$2.00", "$2.00"]


def test_categories_that_are_plain_integers_stay_integers(declared):
    assert declared(b"a,b\n1,x\n2,y\n1,z\n", {"a": {"kind": "categorical"}})["a"].to_pylist() == [1, 2, 1]


def test_decimal_commas_are_read_where_a_float_is_declared(declared):
    assert declared(b"a;b\n1,5;x\n20;y\n", {"a": {"kind": "float"}})["a"].to_pylist() == [1.5, 20.0]


def test_all_columns_of_decimal_commas_are_named_at_once(declared):
    content = b"a;b;c;d\n1;2,5;1,25;x\n1,5;2;3,5;y\n"

    with pytest.raises(InvalidTable) as refusal:
        declared(content, {"b": {"kind": "categorical"}})

    assert "Row 2 has a decimal comma in column 'a'" in refusal.value.detail
    assert [error.field for error in refusal.value.errors] == ["a", "c"]
