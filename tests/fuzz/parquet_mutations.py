"""Parquet files of all types and encodings, and what becomes of them when bytes are changed.

`python -m tests.fuzz.parquet_mutations [--url http://127.0.0.1:8888 --key KEY]`. Case `n` of a seed is always the same.
"""

from decimal import Decimal
from io import BytesIO
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

from tests.fuzz.bytes_changed import changed
from tests.fuzz.uploads import main

TYPES = (
    *(pa.int8(), pa.int32(), pa.int64(), pa.uint8(), pa.uint64(), pa.float16(), pa.float32(), pa.float64()),
    *(pa.bool_(), pa.date32(), pa.date64(), pa.timestamp("s"), pa.timestamp("us"), pa.timestamp("ns", "Asia/Kolkata")),
    *(pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string()), pa.decimal128(10, 2)),
    *(pa.decimal128(38, 10), pa.decimal256(76, 0), pa.binary(), pa.null(), pa.time64("us"), pa.duration("s")),
    *(pa.list_(pa.int64()), pa.struct([pa.field("a", pa.int64())]), pa.map_(pa.string(), pa.int64())),
)  # fmt: skip
PLAIN = TYPES[:20]
CODECS = ("none", "snappy", "gzip", "zstd", "lz4", "brotli")


def mutant(seed: int, number: int) -> tuple[bytes, str]:
    draw = Random(f"parquet {seed} {number}")
    content = _a_file(draw)
    footer = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    match draw.randrange(10):
        case 0:
            return content, "t.parquet"
        case 1:
            return content[: draw.randrange(len(content))], "t.parquet"
        case 2:
            return content[:footer] + changed(content[footer:], draw), "t.parquet"
        case 3 | 4 | 5:  # the length of the footer stays right, so that it is read
            middle = bytearray(changed(content[footer:-8], draw))
            return content[:footer] + middle + len(middle).to_bytes(4, "little") + content[-4:], "t.parquet"
        case _:
            return changed(content[:footer], draw, first=4) + content[footer:], draw.choice(["t.parquet", "t"])


def _a_file(draw: Random) -> bytes:
    num_rows = draw.choice([1, 20, 200])
    kinds = [draw.choice(PLAIN if draw.random() < 0.9 else TYPES) for _ in range(draw.randrange(1, 6))]
    table = pa.table({f"c{place}": _values(kind, num_rows, draw) for place, kind in enumerate(kinds)})
    sink = BytesIO()
    pq.write_table(
        table,
        sink,
        compression=draw.choice(CODECS),
        use_dictionary=draw.random() < 0.5,
        data_page_version=draw.choice(["1.0", "2.0"]),
        row_group_size=draw.choice([7, 1000]),
        write_statistics=draw.random() < 0.5,
        store_schema=draw.random() < 0.7,
    )
    return sink.getvalue()


def _values(kind: pa.DataType, num_rows: int, draw: Random) -> pa.Array:
    numbers = [None if draw.random() < 0.1 else draw.randrange(100) for _ in range(num_rows)]
    if pa.types.is_nested(kind) or pa.types.is_null(kind):
        return pa.nulls(num_rows, kind)
    if pa.types.is_boolean(kind):
        return pa.array([None if number is None else number % 2 == 0 for number in numbers])
    if pa.types.is_temporal(kind):
        day = 86_400_000 if pa.types.is_date64(kind) else 1
        width = pa.int32() if kind.bit_width == 32 else pa.int64()
        return pa.array([None if number is None else number * day for number in numbers], width).cast(kind)
    if pa.types.is_float16(kind):
        return pa.array(numbers, pa.float32()).cast(kind)
    if pa.types.is_decimal(kind):
        return pa.array([None if number is None else Decimal(number) for number in numbers], kind)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return pa.array(numbers, pa.int64()).cast(kind)
    texts = pa.array([None if number is None else f"text {number}" for number in numbers], pa.string())
    return texts.dictionary_encode() if pa.types.is_dictionary(kind) else texts.cast(kind)


if __name__ == "__main__":
    main("parquet_mutations", mutant, __doc__)
