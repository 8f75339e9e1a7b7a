"""What is refused in a Parquet file, and that nothing in an upload is ever run."""

import random
import subprocess
import sys
import textwrap
from base64 import b64decode, b64encode
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthgen_ray.datasets.reading import read_table
from synthgen_ray.domain.errors import SynthGenError
from tests.parquet_cases import REFUSED, SMALL_LIMITS, column, extension_file, parquet, with_extension


@pytest.mark.parametrize(("content", "status", "code"), [pytest.param(*row[1:], id=row[0]) for row in REFUSED])
def test_refuses(upload, content: bytes, status: int, code: str):
    with pytest.raises(SynthGenError) as refusal:
        upload(content, "table.parquet", **SMALL_LIMITS)

    assert (refusal.value.status, refusal.value.code) == (status, code)


ACCEPTED = [
    ("decimals with places", pa.array(["1.50", "2.25"]).cast(pa.decimal128(38, 10)), pa.float64(), [1.5, 2.25]),
    ("integers of a database", pa.array([2**62 + 1, None]).cast(pa.decimal128(38)), pa.int64(), [2**62 + 1, None]),
    ("decimals without places", pa.array(["1e18", "1e20"]).cast(pa.decimal128(38)), pa.float64(), [1e18, 1e20]),
    (
        "nanoseconds of Kolkata",
        pa.array([1, 2], pa.timestamp("ns", "Asia/Kolkata")),
        pa.timestamp("ns", "Asia/Kolkata"),
        None,
    ),
    ("an integer that no float holds, beside a null", pa.array([2**53 + 1, None]), pa.int64(), [2**53 + 1, None]),
    ("half floats", pa.array([1.5, 2.5], pa.float16()), pa.float32(), [1.5, 2.5]),
    ("a dictionary", pa.array(["x", "y", "x"]).dictionary_encode(), pa.string(), ["x", "y", "x"]),
    (
        "a dictionary with a value twice",
        pa.DictionaryArray.from_arrays([0, 1], pa.array(["x", "x"])),
        pa.string(),
        ["x", "x"],
    ),
    ("uint64", pa.array([2**63 - 1], pa.uint64()), pa.int64(), [2**63 - 1]),
    ("large_string", pa.array(["x", None], pa.large_string()), pa.string(), ["x", None]),
    ("string_view", pa.array(["x", None], pa.string_view()), pa.string(), ["x", None]),
    ("date64", pa.array([86_400_000], pa.date64()), pa.date32(), None),
    ("nan", pa.array([1.0, float("nan")]), pa.float64(), [1.0, None]),
    ("small", pa.array([1, 2], pa.int8()), pa.int8(), [1, 2]),
]


@pytest.mark.parametrize(("values", "stored", "expected"), [pytest.param(*row[1:], id=row[0]) for row in ACCEPTED])
def test_accepts(table_of, values: pa.Array, stored: pa.DataType, expected: list | None):
    table = table_of(column(values), "table.parquet")

    assert table.schema.field("x").type == stored
    assert expected is None or table["x"].to_pylist() == expected


def test_nan_is_told_as_missing(upload):
    summary = upload(parquet(pa.table({"x": [1.0, float("nan")], "none": [float("nan")] * 2})), "table.parquet")

    assert [(column.nullable, column.cardinality) for column in summary.columns] == [(True, 1), (True, 0)]
    assert "column 'none' has no values" in summary.warnings[0]


@pytest.mark.parametrize("codec", ["none", "snappy", "gzip", "lz4", "brotli", "zstd"])
def test_reads_every_codec(table_of, codec: str):
    assert table_of(column(pa.array(["x", "y"]), compression=codec), "t.parquet")["x"].to_pylist() == ["x", "y"]


@pytest.mark.parametrize("metadata", [b"{bad json", b'{"index_columns": ["a"], "columns": []}'])
def test_ignores_the_metadata_of_pandas(table_of, metadata: bytes):
    table = pa.table({"a": [1], "b": ["x"]}).replace_schema_metadata({b"pandas": metadata})

    read_back = table_of(parquet(table), "table.parquet")

    assert read_back.column_names == ["a", "b"]
    assert read_back.schema.metadata is None


@pytest.mark.parametrize("zone", [b"Mars\xffPhobos", b"Asia/Kolkat\xe1"])
def test_refuses_a_zone_that_is_not_text(upload, zone: bytes):
    zoned = column(pa.array([1], pa.timestamp("us", "Z" * len(zone))))
    schema = pq.read_metadata(BytesIO(zoned)).metadata[b"ARROW:schema"]
    damaged = b64encode(b64decode(schema).replace(b"Z" * len(zone), zone))

    with pytest.raises(SynthGenError) as refusal:
        upload(zoned.replace(schema, damaged), "table.parquet")

    assert (refusal.value.status, refusal.value.code) == (422, "invalid_parquet")


def test_keeps_names_with_dots(table_of):
    assert table_of(parquet(pa.table({"a.b": ["x"]})), "t.parquet").column_names == ["a.b"]


def test_refuses_a_footer_that_understates_its_rows(upload):
    honest = parquet(pa.table({"x": ["a" * 100, None] * 500}))
    footer = len(honest) - 8 - int.from_bytes(honest[-8:-4], "little")
    # 1,000 as a number of Thrift; its first place in the footer is the total.
    lying = honest[:footer] + honest[footer:].replace(b"\xd0\x0f", b"\xd0\x0d", 1)

    with pytest.raises(SynthGenError) as refusal:
        upload(lying, "table.parquet")

    assert (refusal.value.status, refusal.value.code) == (422, "invalid_parquet")


def test_counts_the_bytes_that_a_small_file_decodes_to(upload):
    # Ten gigabytes of text in a few kilobytes.
    repeated = pa.DictionaryArray.from_arrays(pa.array([0] * 100_000, pa.int32()), pa.array(["x" * 100_000]))
    bomb = column(repeated)
    assert len(bomb) < 200_000

    with pytest.raises(SynthGenError) as refusal:
        upload(bomb, "table.parquet")

    assert (refusal.value.status, refusal.value.code) == (413, "payload_too_large")


@pytest.mark.parametrize("seed", range(3))
def test_flipped_bits_are_read_or_refused_but_never_crash(upload, seed: int):
    draw = random.Random(seed)
    table = pa.table(
        {"n": list(range(200)), "s": [f"text {i % 7}" for i in range(200)], "f": [i / 3 for i in range(200)]}
    )
    content = parquet(table)

    statuses = set()
    for _ in range(150):
        damaged = bytearray(content)
        damaged[draw.randrange(4, len(damaged) - 4)] ^= 1 << draw.randrange(8)
        try:
            upload(bytes(damaged), "table.parquet")
        except SynthGenError as error:
            statuses.add(error.status)

    assert statuses <= {413, 422}


class TestExtensionTypes:
    """A column typed `ray.data.arrow_pickled_object` runs its bytes when it is converted."""

    NAME = "ray.data.arrow_pickled_object"

    @pytest.mark.parametrize("prefix", ["", "b", "bc", "bcd"])
    def test_refuses_them_by_the_footer_alone(self, upload, prefix: str):
        with pytest.raises(SynthGenError) as refusal:
            upload(extension_file(self.NAME, pa.binary(), prefix=prefix), "table.parquet")

        assert (refusal.value.status, refusal.value.code) == (422, "unsupported_type")

    @pytest.mark.parametrize("inside", [lambda field: pa.struct([field]), lambda field: pa.list_(field)])
    def test_refuses_them_inside_other_types(self, upload, inside):
        kind = inside(with_extension(self.NAME, pa.binary()))

        with pytest.raises(SynthGenError) as refusal:
            upload(parquet(pa.table({"x": pa.nulls(1, kind)})), "table.parquet")

        assert refusal.value.code == "unsupported_type"

    def test_refuses_those_that_pyarrow_knows(self, upload):
        uuid = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([bytes(16)], pa.binary(16)))

        with pytest.raises(SynthGenError) as refusal:
            upload(column(uuid), "table.parquet")

        assert refusal.value.code == "unsupported_type"

    def test_read_table_refuses_them_too(self, tmp_path: Path):
        path = tmp_path / "planted.parquet"
        path.write_bytes(extension_file(self.NAME, pa.binary()))

        with pytest.raises(SynthGenError) as refusal:
            read_table(path)

        assert refusal.value.code == "unsupported_type"

    def test_nothing_runs_even_where_a_library_has_registered_the_type(self, tmp_path: Path):
        marker = tmp_path / "marker"
        (tmp_path / "evil.parquet").write_bytes(extension_file("test.evil", pa.binary()))
        # In a process of its own: a registration is for good. Merely opening the file would
        # call the type's `__arrow_ext_deserialize__`, as the control shows.
        script = f"""
            import sys
            from pathlib import Path
            import pyarrow as pa, pyarrow.parquet as pq
            from synthgen_ray.datasets.limits import UploadLimits
            from synthgen_ray.datasets.reading import convert, read_table
            from synthgen_ray.domain.errors import InvalidTable

            class Evil(pa.ExtensionType):
                def __init__(self):
                    super().__init__(pa.binary(), "test.evil")
                def __arrow_ext_serialize__(self):
                    return b""
                @classmethod
                def __arrow_ext_deserialize__(cls, storage, serialized):
                    Path({str(marker)!r}).touch()
                    return cls()

            pa.register_extension_type(Evil())
            path, marker = Path({str(tmp_path / "evil.parquet")!r}), Path({str(marker)!r})
            marker.unlink(missing_ok=True)
            for read in (read_table, lambda path: convert(path, "t.parquet", path.with_name("out"), UploadLimits())):
                try:
                    read(path)
                except InvalidTable as error:
                    assert error.code == "unsupported_type"
                else:
                    sys.exit("accepted")
            assert not marker.exists(), "code of the type ran"
            pq.read_schema(path)
            assert marker.exists(), "the control did not run"
        """

        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=60
        )

        assert done.returncode == 0, done.stderr
