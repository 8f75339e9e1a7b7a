"""A Parquet file as a table, without trusting it.

A footer can lie about sizes, and a column's type can name code to be run on conversion. So the
types are checked before any value is read, and sizes are counted again on what is really decoded.
"""

from base64 import b64encode
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from synthgen_ray.datasets.canonical import canonical, check_schema, is_text
from synthgen_ray.datasets.limits import (
    MIB,
    UploadLimits,
    cell_too_large,
    no_rows,
    too_large,
    too_many_columns,
    too_many_rows,
)
from synthgen_ray.domain.errors import InvalidTable, is_disk_away

BATCH_ROWS = 16_384
MAGIC = b"PAR1"
FOOTER_TAIL = 8  # length and magic
MAX_FOOTER_BYTES = 64 * MIB
EXTENSION_KEY = b"ARROW:extension:name"
# What pyarrow raises on bytes that are wrong, according to where they are.
DECODE_ERRORS = (pa.ArrowException, OSError, ValueError, KeyError, OverflowError, MemoryError)


def read_parquet(path: Path, limits: UploadLimits) -> tuple[pa.Table, tuple[str, ...]]:
    """The table in its canonical form, and warnings.

    Raises: InvalidTable; TooLarge; MemoryError. Messages are our own: those of pyarrow may repeat a value.
    """
    refuse_extensions(path)
    try:
        footer = pq.read_metadata(path)
    except DECODE_ERRORS as error:
        raise undecodable(error) from None
    _check_footer(footer, limits)
    try:
        schema = pq.read_schema(path)
        check_schema(schema)  # a damaged name or zone fails to decode here
    except DECODE_ERRORS as error:
        raise undecodable(error) from None
    return canonical(_read_batches(path, schema, footer.num_rows, limits))


def refuse_extensions(path: Path) -> None:
    """Refuse a file whose Arrow schema names an extension type, without opening it with pyarrow.

    The schema is stored in base64, so the name stands in one of three alignments. Even opening
    such a file hands its bytes to whatever library registered the type. Raises: InvalidTable.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        if size < FOOTER_TAIL + len(MAGIC):
            raise invalid_parquet()
        file.seek(size - FOOTER_TAIL)
        tail = file.read()
        length = int.from_bytes(tail[:4], "little")
        if tail[4:] != MAGIC or length > MAX_FOOTER_BYTES or length > size - FOOTER_TAIL - len(MAGIC):
            raise invalid_parquet()
        file.seek(size - FOOTER_TAIL - length)
        footer = file.read(length)
    if EXTENSION_KEY in footer or any(pattern in footer for pattern in _in_base64(EXTENSION_KEY)):
        detail = "The file has a column of an Arrow extension type; write it as numbers, text or dates."
        raise InvalidTable(detail, "unsupported_type")


def _in_base64(needle: bytes) -> list[bytes]:
    """The characters that `needle` is sure to leave in base64, for each of its three alignments."""
    return [
        b64encode(b"\0" * shift + needle)[-(-shift * 8 // 6) : (shift + len(needle)) * 8 // 6] for shift in range(3)
    ]


def _check_footer(footer: pq.FileMetaData, limits: UploadLimits) -> None:
    if footer.num_rows > limits.max_rows:
        raise too_many_rows(limits)
    if footer.num_columns > limits.max_columns:
        raise too_many_columns(footer.num_columns, limits)
    if footer.num_row_groups > limits.max_row_groups:
        detail = f"The file has {footer.num_row_groups:,} row groups; at most {limits.max_row_groups:,} are taken."
        raise InvalidTable(detail, "too_many_row_groups")
    if footer.num_columns and not footer.num_rows:
        raise no_rows()


def _read_batches(path: Path, schema: pa.Schema, num_rows: int, limits: UploadLimits) -> pa.Table:
    """All rows; strings are decoded only after their size is known."""
    strings = [field.name for field in schema if _is_text_or_dictionary(field.type)]
    # A dictionary cannot be cast to views.
    plain = pa.schema([f.with_type(pa.string()) if pa.types.is_string_view(f.type) else f for f in schema])
    batches, rows, size = [], 0, 0
    try:
        with pq.ParquetFile(path, read_dictionary=strings) as file:
            for batch in file.iter_batches(BATCH_ROWS):
                size += _checked_size(batch, schema.names, rows, limits)
                rows += batch.num_rows
                if rows > num_rows:
                    break
                if size > limits.max_decoded_bytes:
                    raise too_large(limits.max_decoded_bytes)
                batches.append(_as_declared(batch, plain))
    except MemoryError:  # a page tells its size in 32 bits: no lie takes all that a process may have
        raise
    except DECODE_ERRORS as error:
        raise undecodable(error) from None
    if rows != num_rows:  # the footer lies
        raise invalid_parquet()
    return pa.Table.from_batches(batches, plain)


def _checked_size(batch: pa.RecordBatch, names: list[str], first_row: int, limits: UploadLimits) -> int:
    """The bytes that a batch takes once decoded; all its values are sound. Raises: InvalidTable."""
    size = 0
    for name, column in zip(names, batch.columns, strict=True):
        if pa.types.is_dictionary(column.type):
            size += _checked_text_size(name, column, first_row, limits)
        else:
            column.validate(full=True)
            size += column.nbytes
    return size


def _is_text_or_dictionary(kind: pa.DataType) -> bool:
    value = kind.value_type if pa.types.is_dictionary(kind) else kind
    return is_text(value)


def _checked_text_size(name: str, column: pa.DictionaryArray, first_row: int, limits: UploadLimits) -> int:
    column.validate()  # indices inside the dictionary
    words = column.dictionary
    try:
        words.validate(full=True)
    except pa.ArrowInvalid:
        raise InvalidTable(f"Column '{name}' holds text that is not UTF-8.", "invalid_encoding") from None
    if pc.any(pc.match_substring(words, "\0")).as_py():
        raise InvalidTable(f"Column '{name}' holds a NUL character.", "nul_byte")
    lengths = pc.binary_length(words).take(column.indices)
    if (pc.max(lengths).as_py() or 0) > limits.max_cell_bytes:
        row = first_row + pc.index(pc.greater(lengths, limits.max_cell_bytes), True).as_py() + 1
        raise cell_too_large(row, limits, name)
    return int(column.indices.nbytes) + (pc.sum(lengths).as_py() or 0)


def _as_declared(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The batch with strings where it was read with dictionaries that the file does not declare."""
    columns = [
        column if column.type == field.type else column.cast(field.type)
        for column, field in zip(batch.columns, schema, strict=True)
    ]
    return pa.record_batch(columns, schema=schema)


def undecodable(error: Exception) -> Exception:
    """What one of these errors is to be raised as: a disk that fails, or is away, tells nothing of a file on it."""
    return error if is_disk_away(error) else invalid_parquet()


def invalid_parquet() -> InvalidTable:
    return InvalidTable("The file is not valid Parquet: it is damaged, cut off or of another kind.", "invalid_parquet")
