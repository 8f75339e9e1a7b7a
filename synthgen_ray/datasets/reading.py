"""An upload becomes a canonical Parquet file and a summary of it: file in, file out.

Nothing here knows Ray or the service, so that it can run in a process with no rights of its own.
"""

import gzip
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from synthgen_ray.datasets.canonical import check_schema
from synthgen_ray.datasets.corrections import corrected
from synthgen_ray.datasets.csv_reading import read_csv
from synthgen_ray.datasets.formats import GZIP_MAGIC, PARQUET_MAGIC, FileKind, file_kind, has_magic, refuse_foreign
from synthgen_ray.datasets.inference import infer_columns
from synthgen_ray.datasets.limits import MIB, UploadLimits, too_large
from synthgen_ray.datasets.parquet_reading import DECODE_ERRORS, read_parquet, refuse_extensions, undecodable
from synthgen_ray.datasets.writing import write_parquet
from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.domain.corrections import SchemaCorrection
from synthgen_ray.domain.errors import InvalidTable, TooLarge, Unreadable, UnsupportedMedia

# Below this size a good compressor may have done its work: the ratio says nothing.
MIN_BYTES_FOR_RATIO = 16 * MIB
# Declared to be so, the cells of a CSV file are read as what they are, not as what they look like.
TYPED_BY_CORRECTION = (
    ColumnKind.INTEGER,
    ColumnKind.FLOAT,
    ColumnKind.BOOLEAN,
    ColumnKind.DATETIME,
    ColumnKind.TEXT,
)


@dataclass(frozen=True)
class TableSummary:
    """What is known of a converted upload. `size_bytes` is of the canonical file."""

    num_rows: int
    columns: tuple[Column, ...]
    warnings: tuple[str, ...]
    size_bytes: int


def convert(
    source: Path,
    filename: str,
    target: Path,
    limits: UploadLimits,
    correction: SchemaCorrection | None = None,
    formats: Mapping[str, str] | None = None,
) -> TableSummary:
    """Check the upload at `source` and write its table to `target` as canonical Parquet.

    `filename` is what the caller calls the file, and never used as a path. `correction` is what
    the caller knows of its columns, `formats` how they were written before they were Parquet. On an error
    `target` may be left behind unfinished; it is the caller's temporary file.

    Raises: Unreadable, InvalidTable, UnsupportedMedia, TooLarge.
    """
    if source.stat().st_size > limits.max_bytes:
        raise too_large(limits.max_bytes)
    kind = file_kind(source, filename)
    if kind is FileKind.PARQUET:
        table, warnings = read_parquet(source, limits)
    else:
        untyped = correction.names_of(*TYPED_BY_CORRECTION) if correction else frozenset()
        bare = correction.columns.keys() if correction else ()
        with _decoded(source, kind, target, limits) as path:
            table, formats, warnings = read_csv(path, limits, untyped, bare)
    columns = infer_columns(table, formats)
    if correction:
        table, columns, more = corrected(table, columns, correction)
        warnings += more
    if not any(column.cardinality for column in columns):
        raise InvalidTable("Every cell of the table is empty.", "no_usable_columns")
    warnings += tuple(
        f"all_null_column: column '{column.name}' has no values, and will have none in what is generated."
        for column in columns
        if not column.cardinality
    )
    with target.open("wb") as sink:
        write_parquet(table, sink)
    return TableSummary(table.num_rows, columns, warnings, target.stat().st_size)


def read_table(path: Path) -> pa.Table:
    """The table in a canonical Parquet file.

    Raises: InvalidTable for a file that is damaged or that `convert` cannot have written; MemoryError.
    """
    with _canonical(path) as file:
        return file.read()


def read_rows(path: Path, first: int, num_rows: int) -> pa.Table:
    """So many rows of a canonical Parquet file from the row `first` on; of the rest little is read.

    Raises: InvalidTable, as `read_table`.
    """
    with _canonical(path) as file:
        sizes = [file.metadata.row_group(group).num_rows for group in range(file.num_row_groups)]
        starts = [0, *accumulate(sizes)]
        groups = [
            group for group, (start, end) in enumerate(pairwise(starts)) if start < first + num_rows and end > first
        ]
        before = starts[groups[0]] if groups else 0
        return file.read_row_groups(groups).slice(first - before, num_rows)


@contextmanager
def _canonical(path: Path) -> Iterator[pq.ParquetFile]:
    refuse_extensions(path)
    try:
        with pq.ParquetFile(path) as file:
            check_schema(file.schema_arrow)
            yield file
    except MemoryError:  # of a sound file: nobody has touched its sizes
        raise
    except DECODE_ERRORS as error:
        raise undecodable(error) from None


@contextmanager
def _decoded(source: Path, kind: FileKind, target: Path, limits: UploadLimits) -> Iterator[Path]:
    """The path of the upload's plain text: a passing neighbour of `target` if it is compressed."""
    if kind is FileKind.CSV:
        yield source
        return
    plain = target.with_name(target.name + ".decoded")
    try:
        _decompress(source, plain, limits)
        with plain.open("rb") as file:
            head = file.read(512)
        if head.startswith(GZIP_MAGIC) or has_magic(head, PARQUET_MAGIC):
            raise UnsupportedMedia("Upload Parquet as it is, and text compressed once.", "unsupported_file_type")
        refuse_foreign(head)
        yield plain
    finally:
        plain.unlink(missing_ok=True)


def _decompress(source: Path, plain: Path, limits: UploadLimits) -> None:
    by_ratio = max(source.stat().st_size * limits.max_gzip_ratio, MIN_BYTES_FOR_RATIO)
    size = 0
    try:
        with gzip.open(source) as packed, plain.open("wb") as out:
            while chunk := packed.read(MIB):
                size += len(chunk)
                if size > limits.max_decoded_bytes:
                    raise too_large(limits.max_decoded_bytes)
                if size > by_ratio:
                    detail = f"The file unpacks to more than {limits.max_gzip_ratio} times its size."
                    raise TooLarge(detail, "payload_too_large")
                out.write(chunk)
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise Unreadable("The gzip file is damaged or cut off.", "invalid_gzip") from None
