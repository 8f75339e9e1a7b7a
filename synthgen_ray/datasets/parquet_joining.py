"""Parquet files of the same columns laid end to end are one file, without a look at any row.

A Parquet file is a mark, its row groups, and a footer that says where each column of each group stands. The groups stay
as they are; the footer of all is made of those of each, moved to where the groups are now.
Source: https://github.com/apache/parquet-format, README.md and src/main/thrift/parquet.thrift, whose names these are.
"""

from collections.abc import Iterable
from typing import NamedTuple

from synthgen_ray.datasets.thrift import I64, Field, Struct, read_struct, write_struct

MARK = b"PAR1"
LENGTH_BYTES = 4
# The numbers of fields, by the structure that has them.
SCHEMA, NUM_ROWS, ROW_GROUPS = 2, 3, 4  # FileMetaData
COLUMNS, GROUP_OFFSET, ORDINAL = 1, 5, 7  # RowGroup
CHUNK_OFFSETS, META_DATA = (2, 4, 6), 3  # ColumnChunk: file_offset, offset_index_offset, column_index_offset
META_DATA_OFFSETS = (9, 10, 11, 14)  # ColumnMetaData: of data, index and dictionary pages, and of the Bloom filter


class Split(NamedTuple):
    groups: bytes  # of the first file with the mark before them
    footer: bytes


def split(file: bytes, *, is_first: bool) -> Split:
    """What a file of several is made of. Raises: ValueError, for what is no Parquet file."""
    if len(file) < 2 * len(MARK) + LENGTH_BYTES or not file.startswith(MARK) or not file.endswith(MARK):
        raise ValueError("a Parquet file starts and ends with PAR1")
    end = len(file) - len(MARK) - LENGTH_BYTES
    start = end - int.from_bytes(file[end : end + LENGTH_BYTES], "little")
    return Split(file[0 if is_first else len(MARK) : start], file[start:end])


def joined_footer(parts: Iterable[tuple[bytes, int]]) -> bytes:
    """What comes after the groups of all parts, given each one's footer and how many bytes its groups take.

    Raises: ValueError, for parts of different columns.
    """
    whole: Struct | None = None
    start = 0
    for footer, size in parts:
        part = read_struct(footer)
        _move(part, start - len(MARK) if start else 0)
        start += size
        if whole is None:
            whole = part
            continue
        if part[SCHEMA] != whole[SCHEMA]:
            raise ValueError("the parts of a Parquet file have the same columns")
        whole[NUM_ROWS] = Field(I64, whole[NUM_ROWS].value + part[NUM_ROWS].value)
        whole[ROW_GROUPS].value.values.extend(part[ROW_GROUPS].value.values)
    if whole is None:
        raise ValueError("a Parquet file has parts")
    for place, group in enumerate(whole[ROW_GROUPS].value.values):
        if ORDINAL in group:
            group[ORDINAL] = group[ORDINAL]._replace(value=place)
    written = write_struct(whole)
    return written + len(written).to_bytes(LENGTH_BYTES, "little") + MARK


def _move(file: Struct, by: int) -> None:
    for group in file[ROW_GROUPS].value.values:
        _shift(group, (GROUP_OFFSET,), by)
        for chunk in group[COLUMNS].value.values:
            _shift(chunk, CHUNK_OFFSETS, by)
            if META_DATA in chunk:
                _shift(chunk[META_DATA].value, META_DATA_OFFSETS, by)


def _shift(struct: Struct, numbers: Iterable[int], by: int) -> None:
    for number in numbers:
        # Zero is no place in a file: it starts with the mark.
        if number in struct and struct[number].value:
            struct[number] = struct[number]._replace(value=struct[number].value + by)
