"""The beginning of a CSV file: whether it is one, its delimiter, its column names."""

import csv
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from synthgen_ray.datasets.csv_scan import LINE_END, SAVE_AS_UTF8, Text, malformed, not_utf8, records
from synthgen_ray.datasets.date_guessing import DATE
from synthgen_ray.datasets.limits import MIB, UploadLimits, too_many_columns
from synthgen_ray.datasets.names import check_names
from synthgen_ray.datasets.text_typing import FLOAT
from synthgen_ray.domain.errors import InvalidTable

BOM = b"\xef\xbb\xbf"
UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
DELIMITERS = (b",", b";", b"\t", b"|")
MAX_HEADER_BYTES = 4 * MIB
SAMPLE_ROWS = 50
MARKUP = re.compile(rb"\s*<(!doctype|html|head|body|\?xml|table)\b", re.IGNORECASE)
# The first bytes of a JSON document; a header may well begin with a bracket.
JSON = re.compile(rb'\s*[\[{]\s*(["{\[\]}\d-]|$)')
# Excel's own first line, which no other program takes for what it is.
SEPARATOR_LINE = re.compile(rb'"?sep=([^\r\n])"?(?:\r\n|\n|\r)', re.IGNORECASE)
TAKEN = "Upload a CSV, a gzipped CSV or a Parquet file."
CONVERT_JSON = "pandas makes one: pandas.read_json(file).to_parquet(to); with lines=True, of JSON lines."
VALUE = rf"{FLOAT}|{DATE}"
YEAR = r"(?:1[89]|2[01])[0-9]{2}"
UNKNOWN_DELIMITERS = "^~:"


@dataclass(frozen=True)
class Header:
    names: tuple[str, ...]
    delimiter: bytes
    start: int  # byte where the header line begins
    end: int  # byte where the first row begins
    line: int  # of the first row
    warnings: tuple[str, ...] = ()


def read_header(text: Text, limits: UploadLimits) -> Header:
    """The column names and the delimiter.

    Raises: InvalidTable for what is no CSV file, has no header, or has unusable names.
    """
    start, separator = _after_separator_line(text, _header_start(text))
    header = text[start : start + MAX_HEADER_BYTES]
    newline = LINE_END.search(header)
    if not newline and start + len(header) < len(text):
        raise _endless_header(header, limits)
    stop, after = newline.span() if newline else (len(header), len(header))
    content, end = header[:stop], start + after
    delimiter = separator or _delimiter(text, start, content)
    names = _names(text, start, content, delimiter)
    if len(names) > limits.max_columns:
        raise too_many_columns(len(names), limits)
    _check_names(names)
    line = 1 + len(LINE_END.findall(text[:end]))
    return Header(names, delimiter, start, end, line, tuple(_header_warnings(names)))


def _after_separator_line(text: Text, start: int) -> tuple[int, bytes | None]:
    """Where the header begins, behind a line that says `sep=;`, and what that names."""
    line = SEPARATOR_LINE.match(text, start)
    if not line:
        return start, None
    if line[1] not in DELIMITERS:
        raise InvalidTable("The line `sep=` names a delimiter that is not one of , ; | and tab.", "unknown_delimiter")
    return _first_line(text, line.end()), line[1]


def _check_names(names: tuple[str, ...]) -> None:
    """Raises: InvalidTable, as `check_names`, which says where there is no header at all."""
    try:
        check_names(names)
    except InvalidTable as refusal:
        if not is_data(names):
            raise
        detail = f"{refusal.detail} They look like values: the first line must be the header, the names of the columns."
        raise InvalidTable(detail, refusal.code) from None


def _header_warnings(names: tuple[str, ...]) -> Iterator[str]:
    if len(names) == 1 and (found := [sign for sign in UNKNOWN_DELIMITERS if sign in names[0]]):
        yield (
            f"one_column: the file was read as one column, whose name holds `{found[0]}`; if that is its delimiter,"
            " write the file with a comma, a semicolon, a tab or a bar."
        )


def is_data(names: tuple[str, ...]) -> bool:
    """Whether all names are numbers or dates, and neither years nor the places of the columns, as tables have them."""
    names = tuple(name.strip() for name in names)
    if names in (tuple(map(str, range(len(names)))), tuple(map(str, range(1, len(names) + 1)))):
        return False
    return all(re.fullmatch(VALUE, name) for name in names) and not all(re.fullmatch(YEAR, name) for name in names)


def _header_start(text: Text) -> int:
    """The beginning of the first line that is not blank, in a file that may be CSV."""
    if text[:2] in UTF16_BOMS:
        raise InvalidTable(f"The file is UTF-16; {SAVE_AS_UTF8}", "unsupported_encoding")
    at = _first_line(text, len(BOM) if text[:3] == BOM else 0)
    if MARKUP.match(text[at : at + 1024]):
        raise InvalidTable(f"The file is not CSV: it begins like HTML or XML. {TAKEN}", "not_csv")
    if JSON.match(text[at : at + 1024]):
        raise InvalidTable(f"The file is not CSV: it begins like JSON. {TAKEN} {CONVERT_JSON}", "not_csv")
    return at


def _first_line(text: Text, begin: int) -> int:
    """The beginning of the first line that is not blank."""
    first = re.compile(rb"\S").search(text, begin)
    if not first:
        raise InvalidTable("The file is empty.", "empty_file")
    at = first.start()
    return max(text.rfind(b"\n", begin, at) + 1, text.rfind(b"\r", begin, at) + 1, begin)


def _endless_header(header: bytes, limits: UploadLimits) -> InvalidTable:
    columns = max(map(header.count, DELIMITERS)) + 1
    if columns > limits.max_columns:
        return too_many_columns(columns, limits)
    return InvalidTable(f"The header line is longer than {MAX_HEADER_BYTES:,} bytes.", "column_name_too_long")


def _delimiter(text: Text, start: int, header: bytes) -> bytes:
    """The candidate by which most of the first rows have as many cells as the header."""

    def score(delimiter: bytes) -> tuple[int, int]:
        counts = []
        # A wrong delimiter makes nonsense of quotes; the right one may come upon a malformed row.
        with suppress(InvalidTable):
            for record in islice(records(text, start, delimiter), SAMPLE_ROWS + 1):
                counts.append(record.num_cells)
        return counts.count(counts[0]) if counts else 0, header.count(delimiter)

    return max((d for d in DELIMITERS if d in header), key=score, default=b",")


def _names(text: Text, start: int, content: bytes, delimiter: bytes) -> tuple[str, ...]:
    first = next(records(text, start, delimiter))  # raises where a quote is never closed
    if first.end > start + len(content):
        raise InvalidTable("A column name holds a line break.", "invalid_column_name")
    if b"\0" in content:
        raise InvalidTable("The header holds a NUL byte; is the file UTF-8 text?", "nul_byte")
    try:
        line = content.decode()
    except UnicodeDecodeError as error:
        raise not_utf8(start + error.start) from None
    try:
        return tuple(next(csv.reader([line], delimiter=delimiter.decode(), strict=True)))
    except csv.Error:  # the limit of the csv module, 128 KiB a cell: quotes were checked above
        if first.longest_cell > csv.field_size_limit():
            raise InvalidTable("A column name is too long.", "column_name_too_long") from None
        raise malformed(1, "is no valid header") from None
