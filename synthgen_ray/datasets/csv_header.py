"""The beginning of a CSV file: whether it is one, its delimiter, its column names."""

import csv
import re
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from synthgen_ray.datasets.csv_scan import LINE_END, Text, malformed, records
from synthgen_ray.datasets.limits import MIB, UploadLimits, too_many_columns
from synthgen_ray.datasets.names import check_names
from synthgen_ray.domain.errors import InvalidTable

BOM = b"\xef\xbb\xbf"
UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
DELIMITERS = (b",", b";", b"\t", b"|")
MAX_HEADER_BYTES = 4 * MIB
SAMPLE_ROWS = 50
# Markup, and the first bytes of a JSON document; a header may well begin with a bracket.
NOT_CSV = re.compile(rb'\s*(<(!doctype|html|head|body|\?xml|table)\b|[\[{]\s*(["{\[\]}\d-]|$))', re.IGNORECASE)


@dataclass(frozen=True)
class Header:
    names: tuple[str, ...]
    delimiter: bytes
    start: int  # byte where the header line begins
    end: int  # byte where the first row begins
    line: int  # of the first row


def read_header(text: Text, limits: UploadLimits) -> Header:
    """The column names and the delimiter.

    Raises: InvalidTable for what is no CSV file, has no header, or has unusable names.
    """
    start = _header_start(text)
    header = text[start : start + MAX_HEADER_BYTES]
    newline = LINE_END.search(header)
    if not newline and start + len(header) < len(text):
        raise _endless_header(header, limits)
    stop, after = newline.span() if newline else (len(header), len(header))
    content, end = header[:stop], start + after
    delimiter = _delimiter(text, start, content)
    names = _names(text, start, content, delimiter)
    if len(names) > limits.max_columns:
        raise too_many_columns(len(names), limits)
    check_names(names)
    return Header(names, delimiter, start, end, line=1 + len(LINE_END.findall(text[:end])))


def _header_start(text: Text) -> int:
    """The beginning of the first line that is not blank, in a file that may be CSV."""
    if text[:2] in UTF16_BOMS:
        raise InvalidTable("The file is UTF-16; save it as UTF-8.", "unsupported_encoding")
    begin = len(BOM) if text[:3] == BOM else 0
    first = re.compile(rb"\S").search(text, begin)
    if not first:
        raise InvalidTable("The file is empty.", "empty_file")
    at = first.start()
    if NOT_CSV.match(text[at : at + 1024]):
        raise InvalidTable("The file is not CSV: it begins like HTML, XML or JSON.", "not_csv")
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
        raise InvalidTable(
            f"Byte {start + error.start:,} is not UTF-8; save the file as UTF-8.", "invalid_encoding"
        ) from None
    try:
        return tuple(next(csv.reader([line], delimiter=delimiter.decode(), strict=True)))
    except csv.Error:  # the limit of the csv module, 128 KiB a cell: quotes were checked above
        if first.longest_cell > csv.field_size_limit():
            raise InvalidTable("A column name is too long.", "column_name_too_long") from None
        raise malformed(1, "is no valid header") from None
