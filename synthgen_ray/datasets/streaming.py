"""Tables one after the other become one stream of bytes.

Whoever makes a table encodes it beside others who do the same with the next ones; whoever sends the stream joins them.
Text and Parquet are joined by laying them end to end, Parquet with a footer for all. Arrow's tables are written again
where they are joined: each brings its dictionaries, of which a stream has one.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa

from synthgen_ray.datasets.parquet_joining import joined_footer, split
from synthgen_ray.datasets.writing import write_csv, write_jsonl, write_parquet
from synthgen_ray.domain.columns import Column
from synthgen_ray.domain.params import SampleFormat
from synthgen_ray.domain.widths import MAX_CHUNK_BYTES, rows_too_large

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


def encoded(
    table: pa.Table,
    columns: Sequence[Column],
    form: SampleFormat,
    *,
    is_first: bool,
    is_last: bool,
    csv_safe: bool = False,
) -> bytes:
    """One table of a stream, as `Joined` takes it. Raises: JobError, for one that is too large."""
    buffer = _Bounded()
    if form is SampleFormat.CSV:
        write_csv(table, columns, buffer, header=is_first, safe=csv_safe)
    elif form is SampleFormat.JSONL:
        write_jsonl(table, columns, buffer)
    elif form is SampleFormat.JSON:
        lines = _Bounded()
        write_jsonl(table, columns, lines)
        # A text in a line holds no line feed, so that each one ends an object.
        objects = lines.getvalue().removesuffix(b"\n").replace(b"\n", b",\n")
        buffer.write((b"[" if is_first else b",\n") + objects + (b"]\n" if is_last else b""))
    elif form is SampleFormat.PARQUET:
        write_parquet(table, buffer)
    else:
        plain = table.replace_schema_metadata(None)
        with pa.ipc.new_stream(buffer, plain.schema) as writer:
            writer.write_table(plain)
    return buffer.getvalue()


class _Bounded(BytesIO):
    """For rows whose cells grow by escapes, and for those that are drawn while the store is asked whether they may."""

    def write(self, block: "ReadableBuffer", /) -> int:
        if self.tell() + memoryview(block).nbytes > MAX_CHUNK_BYTES:
            raise rows_too_large()
        return super().write(block)


class Joined(ABC):
    """The encoded tables of one stream, in their order."""

    computes: ClassVar[bool]  # so much that others should not wait for it

    @classmethod
    def of(cls, form: SampleFormat) -> "Joined":
        if form is SampleFormat.PARQUET:
            return _Parquet()
        return _Arrow() if form is SampleFormat.ARROW else _Text()

    @abstractmethod
    def add(self, table: bytes) -> bytes:
        """What the stream goes on with."""

    @abstractmethod
    def end(self) -> bytes:
        """What comes after the last table."""


class _Text(Joined):
    computes = False

    def add(self, table: bytes) -> bytes:
        return table

    def end(self) -> bytes:
        return b""


class _Parquet(Joined):
    computes = True

    def __init__(self) -> None:
        self._parts: list[tuple[bytes, int]] = []

    def add(self, table: bytes) -> bytes:
        groups, footer = split(table, is_first=not self._parts)
        self._parts.append((footer, len(groups)))
        return groups

    def end(self) -> bytes:
        return joined_footer(self._parts)


class _Arrow(Joined):
    computes = True

    def __init__(self) -> None:
        self._tape = _Tape()
        self._writer: pa.ipc.RecordBatchStreamWriter | None = None

    def add(self, table: bytes) -> bytes:
        read = pa.ipc.open_stream(table).read_all()
        if self._writer is None:
            self._writer = pa.ipc.new_stream(pa.PythonFile(self._tape, mode="w"), read.schema)
        self._writer.write_table(read)
        return self._tape.taken()

    def end(self) -> bytes:
        if self._writer is not None:
            self._writer.close()
        return self._tape.taken()


class _Tape:
    """What pyarrow takes for a file: it only grows, and is held only until it is taken."""

    closed = False

    def __init__(self) -> None:
        self._held = bytearray()
        self._length = 0

    def taken(self) -> bytes:
        held, self._held = bytes(self._held), bytearray()
        return held

    def write(self, block: bytes) -> int:
        self._held += block
        self._length += len(block)
        return len(block)

    def tell(self) -> int:
        return self._length

    def flush(self) -> None: ...

    def close(self) -> None: ...
