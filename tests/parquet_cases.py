"""Parquet files that are refused: one table for the conversion and for the API."""

import pickle
from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq

SMALL_LIMITS = {"max_rows": 1000, "max_row_groups": 100}


def parquet(table: pa.Table, **options) -> bytes:
    sink = BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def with_extension(name: str, storage: pa.DataType, metadata: bytes = b"") -> pa.Field:
    return pa.field("x", storage, metadata={b"ARROW:extension:name": name, b"ARROW:extension:metadata": metadata})


def extension_file(name: str, storage: pa.DataType, metadata: bytes = b"", prefix: str = "") -> bytes:
    field = with_extension(name, storage, metadata)
    # A column before it shifts the name to another alignment in base64.
    schema = pa.schema([pa.field("a" + prefix, pa.int64()), field])
    return parquet(pa.table([pa.array([1]), pa.nulls(1, storage)], schema=schema))


def column(values: pa.Array, **options) -> bytes:
    return parquet(pa.table({"x": values}), **options)


def with_footer(content: bytes, old: bytes, new: bytes) -> bytes:
    """The file with other bytes at the first place in its footer where `old` stands."""
    footer = content[: len(content) - 8 - int.from_bytes(content[-8:-4], "little")]
    changed = content[len(footer) :].replace(old, new, 1)
    assert changed != content[len(footer) :]
    length = len(changed) - 8
    return footer + changed[:-8] + length.to_bytes(4, "little") + changed[-4:]


def thrift(number: int) -> bytes:
    """A number as a footer writes it: zigzag, seven bits a byte."""
    number, written = number * 2, bytearray()
    while number > 127:
        written.append(number & 127 | 128)
        number >>= 7
    return bytes([*written, number])


GOOD = column(pa.array(range(900)))
# The total of rows is field 3 of the footer, a codec field 4 of a column's metadata.
TOTAL = b"\x16" + thrift(900) + b"\x19"
SNAPPY, LZO = (b"\x15" + thrift(codec) + b"\x16" for codec in (1, 3))
# Four places of two bits each in a dictionary of three: 0, 1, 2, 0, and then 3, 1, 2, 0.
PLACES, WRONG_PLACES = b"\x02\x03\x24\x00", b"\x02\x03\x27\x00"
OUTSIDE = column(pa.array(["aaaa", "bbbb", "cccc", "aaaa"]), compression="none").replace(PLACES, WRONG_PLACES)
FAR = pa.array([2**62], pa.int64())

REFUSED = [
    ("nothing at all", b"", 422, "invalid_parquet"),
    ("the magic bytes alone", b"PAR1PAR1", 422, "invalid_parquet"),
    ("CSV that is called Parquet", b"a,b\n1,2\n", 422, "invalid_parquet"),
    ("half a file", GOOD[: len(GOOD) // 2], 422, "invalid_parquet"),
    ("an encrypted footer", b"PARE" + bytes(40) + b"PARE", 422, "encrypted_parquet"),
    (
        "a tensor of Ray",
        extension_file("ray.data.arrow_tensor_v2", pa.list_(pa.int64()), pickle.dumps((2,))),
        422,
        "unsupported_type",
    ),
    (
        "an older tensor of Ray",
        extension_file("ray.data.arrow_tensor", pa.list_(pa.int64()), pickle.dumps((2,))),
        422,
        "unsupported_type",
    ),
    ("a type that is made of Python", extension_file("arrow.py_extension_type", pa.binary()), 422, "unsupported_type"),
    ("a row too many", column(pa.array([0] * 1001)), 413, "too_many_rows"),
    ("a column too many", parquet(pa.table({f"c{i}": [1] for i in range(1001)})), 422, "too_many_columns"),
    ("a name twice", parquet(pa.table([[1], [2]], names=["a", "a"])), 422, "duplicate_column"),
    ("no columns", parquet(pa.table({})), 422, "no_columns"),
    ("no rows", column(pa.array([], pa.int64())), 422, "no_rows"),
    ("lists", column(pa.array([[1]])), 422, "nested_type"),
    ("structs", column(pa.array([{"a": 1}])), 422, "nested_type"),
    ("maps", column(pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64()))), 422, "nested_type"),
    ("binary", column(pa.array([b"x"])), 422, "unsupported_type"),
    ("decimals of 256 bits", column(pa.array([1], pa.decimal256(76))), 422, "unsupported_type"),
    ("durations", column(pa.array([1], pa.duration("s"))), 422, "unsupported_type"),
    ("a time zone of Mars", column(pa.array([1], pa.timestamp("us", "Mars/Phobos"))), 422, "unknown_timezone"),
    (
        "a time zone that is a path",
        column(pa.array([1], pa.timestamp("us", "../../etc/passwd"))),
        422,
        "unknown_timezone",
    ),
    (
        "a date after the year 9999",
        column(pa.array([2**31 - 1], pa.int32()).cast(pa.date32())),
        422,
        "date_out_of_range",
    ),
    ("a time after the year 9999", column(FAR.cast(pa.timestamp("us"))), 422, "date_out_of_range"),
    ("times of day", column(pa.array([1], pa.time64("us"))), 422, "unsupported_type"),
    ("an integer of 2^64-1", column(pa.array([2**64 - 1], pa.uint64())), 422, "integer_out_of_range"),
    ("nothing but nulls", column(pa.nulls(3)), 422, "no_usable_columns"),
    ("text that is not UTF-8", column(pa.array([b"ok", b"\xff"]).view(pa.string())), 422, "invalid_encoding"),
    ("too many row groups", column(pa.array(range(101)), row_group_size=1), 422, "too_many_row_groups"),
    ("Arrow IPC", b"ARROW1\0\0" + bytes(300), 415, "unsupported_file_type"),
    ("Feather", b"FEA1" + bytes(300), 415, "unsupported_file_type"),
    ("ORC", b"ORC" + bytes(300), 415, "unsupported_file_type"),
    ("a tar archive", b"x" * 257 + b"ustar" + bytes(250), 415, "unsupported_file_type"),
    ("infinities", column(pa.array([1.0, float("inf")])), 422, "non_finite"),
    ("NUL in text", column(pa.array(["a\0b"])), 422, "nul_byte"),
    ("a blank name", parquet(pa.table({" ": [1]})), 422, "empty_column_name"),
    ("a cell that is too large", column(pa.array(["x" * (2**20 + 1)])), 422, "cell_too_large"),
    ("Python objects in pickle", extension_file("ray.data.arrow_pickled_object", pa.binary()), 422, "unsupported_type"),
    (
        "Python objects in a struct",
        column(pa.nulls(1, pa.struct([with_extension("ray.data.arrow_pickled_object", pa.binary())]))),
        422,
        "unsupported_type",
    ),
    ("a footer of 2^62 rows", with_footer(GOOD, TOTAL, b"\x16" + thrift(2**62) + b"\x19"), 413, "too_many_rows"),
    ("a footer with a row less", with_footer(GOOD, TOTAL, b"\x16" + thrift(899) + b"\x19"), 422, "invalid_parquet"),
    ("a footer with a row more", with_footer(GOOD, TOTAL, b"\x16" + thrift(901) + b"\x19"), 422, "invalid_parquet"),
    ("a codec that is not free", with_footer(GOOD, SNAPPY, LZO), 422, "invalid_parquet"),
    ("a place outside of the dictionary", OUTSIDE, 422, "invalid_parquet"),
]
