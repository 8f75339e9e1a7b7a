"""A CSV file as a typed table."""

import mmap
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from synthgen_ray.datasets.csv_header import Header, is_data, read_header
from synthgen_ray.datasets.csv_scan import Text, check_bytes, records
from synthgen_ray.datasets.limits import UploadLimits, cell_too_large, no_rows, too_many_rows
from synthgen_ray.datasets.text_typing import Typed, type_cells
from synthgen_ray.domain.errors import FieldError, InvalidTable

# A row must fit into one block of the parser; it also bounds the memory of a batch.
BLOCK_BYTES = 8 * 2**20
DECIMAL_COMMA = r"^\s*-?(\d+|\d{1,3}(\.\d{3})+)?,\d+\s*$"
NUMBER_OR_DECIMAL_COMMA = rf"{DECIMAL_COMMA}|^\s*-?\d*\s*$"


def read_csv(
    path: Path, limits: UploadLimits, untyped: Collection[str] = (), bare: Collection[str] = ()
) -> tuple[pa.Table, dict[str, str], tuple[str, ...]]:
    """The table, the formats in which its columns came as text, and warnings.

    Columns that are named as `untyped` stay text, those as `bare` where their numbers have currencies and the like.

    Raises: InvalidTable, TooLarge. Messages name rows, lines and columns, never a value.
    """
    text = _mapped(path)
    header = read_header(text, limits)
    check_bytes(text, header.start, header.delimiter)
    cells = _read_cells(text, header, limits)
    has_commas = header.delimiter != b","
    columns = [
        Typed(texts) if name in untyped else type_cells(name, texts, bare=name in bare, decimal_comma=has_commas)
        for name, texts in zip(header.names, cells, strict=True)
    ]
    if has_commas:
        given = zip(header.names, cells, columns, strict=True)
        _refuse_decimal_commas({name: (texts, typed) for name, texts, typed in given if name not in bare})
    formats = {name: typed.format for name, typed in zip(header.names, columns, strict=True) if typed.format}
    table = pa.table([typed.values for typed in columns], names=list(header.names))
    warnings = (*header.warnings, *_no_header_warning(table))
    return table, formats, warnings + tuple(warning for typed in columns for warning in typed.warnings)


def _mapped(path: Path) -> Text:
    """The file's bytes, mapped. Never closed by hand: the parser's threads may still read ahead."""
    if not path.stat().st_size:
        raise InvalidTable("The file is empty.", "empty_file")
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _read_cells(text: Text, header: Header, limits: UploadLimits) -> list[pa.ChunkedArray]:
    """All cells as text, column by column; an empty cell is null."""
    if header.end >= len(text):
        raise no_rows()
    batches, num_rows = [], 0
    try:
        for batch in _open(text, header):
            num_rows += batch.num_rows
            if num_rows > limits.max_rows:
                raise too_many_rows(limits)
            _check_cells(batch, header, num_rows - batch.num_rows, limits)
            batches.append(batch)
    except pa.ArrowInvalid:
        # Its message holds the text of the row.
        raise _first_fault(text, header, limits) from None
    if not num_rows:
        raise no_rows()
    table = pa.Table.from_batches(batches)
    return [table.column(place) for place in range(len(header.names))]


def _open(text: Text, header: Header) -> pyarrow.csv.CSVStreamingReader:
    names = [str(place) for place in range(len(header.names))]
    return pyarrow.csv.open_csv(
        pa.BufferReader(pa.py_buffer(text).slice(header.end)),
        read_options=pyarrow.csv.ReadOptions(column_names=names, block_size=BLOCK_BYTES),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=header.delimiter.decode(), newlines_in_values=text.find(b'"', header.end) >= 0
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            check_utf8=False,  # checked before
        ),
    )


def _check_cells(batch: pa.RecordBatch, header: Header, first_row: int, limits: UploadLimits) -> None:
    if batch.nbytes <= limits.max_cell_bytes:
        return
    for name, cells in zip(header.names, batch.columns, strict=True):
        if cells.nbytes > limits.max_cell_bytes:
            too_long = pc.greater(pc.binary_length(cells), limits.max_cell_bytes)
            if pc.any(too_long).as_py():
                raise cell_too_large(first_row + pc.index(too_long, True).as_py() + 1, limits, name)


def _first_fault(text: Text, header: Header, limits: UploadLimits) -> InvalidTable:
    """What is wrong with the first row that the parser could not take, and which one it is."""
    expected = len(header.names)
    for row, record in enumerate(records(text, header.end, header.delimiter, header.line), 1):
        if record.num_cells != expected:
            where = f"Row {row:,} (line {record.line:,})"
            # A title stands above what somebody exports to be read.
            hint = " The first line must be the header, the names of the columns." if row == expected == 1 else ""
            detail = f"{where} has {record.num_cells:,} cells; the header has {expected:,}.{hint}"
            return InvalidTable(detail, "ragged_row")
        if record.longest_cell > limits.max_cell_bytes:
            return cell_too_large(row, limits)
        if record.end - record.start > BLOCK_BYTES:
            return InvalidTable(f"Row {row:,} has over {BLOCK_BYTES:,} bytes; write fewer columns.", "row_too_large")
    if header.end >= len(text) or not text[header.end :].strip():
        return no_rows()
    return InvalidTable("The rows cannot be parsed as CSV.", "malformed_csv")


def _no_header_warning(table: pa.Table) -> Iterator[str]:
    """Where all names look like values, or those of the numbers and dates: their names are words, where there are."""
    valued = tuple(field.name for field in table.schema if not pa.types.is_string(field.type))
    if is_data(tuple(table.column_names)) or is_data(valued):
        yield (
            "no_header: the names of the columns, which are the first line, look like values; if they are, write the"
            " names above them."
        )


def _refuse_decimal_commas(columns: Mapping[str, tuple[pa.ChunkedArray, Typed]]) -> None:
    """Raises: InvalidTable, which names all that have them and that nobody has declared."""
    rows = {name: row for name, (cells, typed) in columns.items() if (row := _decimal_comma(cells, typed))}
    if not rows:
        return
    name, row = next(iter(rows.items()))
    detail = (
        f"Row {row:,} has a decimal comma in column '{name}'; write decimals with a point, or say of each column that"
        " has them that it is a float (`--kind`, over HTTP `schema`)."
    )
    raise InvalidTable(detail, "ragged_row", [FieldError(each, "Its numbers have decimal commas.") for each in rows])


def _decimal_comma(cells: pa.ChunkedArray, typed: Typed) -> int | None:
    """The first row that has one, counted from 1, of a column that is text and would be numbers but for them."""
    if not pa.types.is_string(typed.values.type) or typed.format:
        return None
    comma = pc.match_substring_regex(cells, DECIMAL_COMMA)
    numbers = pc.match_substring_regex(cells, NUMBER_OR_DECIMAL_COMMA)
    if not (pc.all(numbers).as_py() and pc.any(comma).as_py()):
        return None
    return int(pc.index(comma, True).as_py()) + 1
