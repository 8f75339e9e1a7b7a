"""A CSV file as bytes: what must be refused before it is parsed, and where exactly a fault is.

`pyarrow.csv` swallows an unclosed quote and repeats the text of a row in its messages. So quotes,
encoding and NUL are checked here first, in one vectorised pass; the walk record by record, which
knows lines and rows, is taken only where that pass or the parser found something wrong.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import mmap

import numpy as np

from synthgen_ray.domain.errors import InvalidTable

CHUNK = 2**20
QUOTE, LINE_FEED, CARRIAGE_RETURN = b'"\n\r'
LINE_END = re.compile(rb"\r\n|\n|\r")
LINE_ENDS = re.compile(rb"[\r\n]+")
SAVE_AS_UTF8 = "save it as UTF-8 (in Excel as a file of type `CSV UTF-8`)."

Text = bytes | mmap


@dataclass(frozen=True)
class Record:
    """One row as it stands in the file, `line` counted from 1. Blank lines are no records."""

    line: int
    start: int
    end: int
    num_cells: int
    longest_cell: int  # bytes, quotes counted


def check_bytes(text: Text, start: int, delimiter: bytes) -> None:
    """Refuse NUL bytes, bytes that are not UTF-8, and quotes that do not pair.

    Raises: InvalidTable, with the byte, the line or the row.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    for offset in range(start, len(text), CHUNK):
        chunk = text[offset : offset + CHUNK]
        if (at := chunk.find(0)) >= 0:
            raise _nul_byte(text, start, delimiter, offset + at)
        pending = len(decoder.getstate()[0])
        if pending or not chunk.isascii():
            try:
                decoder.decode(chunk, final=offset + CHUNK >= len(text))
            except UnicodeDecodeError as error:
                raise not_utf8(offset - pending + error.start) from None
    if not _quotes_pair(text, start, delimiter):
        # Quotes inside unquoted cells are harmless but rare: the exact walk tells them apart.
        for _ in records(text, start, delimiter):
            pass


def records(text: Text, start: int, delimiter: bytes, line: int = 1) -> Iterator[Record]:
    """Each record from the byte `start`, which is the beginning of line `line`.

    Raises: InvalidTable for a quote that is never closed, or text after a closing quote.
    """
    position, end = start, len(text)
    while position < end:
        if blank := LINE_ENDS.match(text, position):  # all at once: there may be millions
            position, line = blank.end(), line + _count_line_ends(blank.group())
            continue
        newline = LINE_END.search(text, position)
        stop, after = newline.span() if newline else (end, end)
        content = text[position:stop]
        if QUOTE in content:
            record, after = _quoted_record(text, position, delimiter, line)
            yield record
            line += 1 + _count_line_ends(text[position : record.end])
        else:
            cells = content.split(delimiter)
            yield Record(line, position, stop, len(cells), max(map(len, cells)))
            line += 1
        position = after


def _quoted_record(text: Text, start: int, delimiter: bytes, line: int) -> tuple[Record, int]:
    """The record that begins at `start` and holds quotes, and where the next one begins."""
    cell_end = re.compile(rb"\r\n|[\n\r" + re.escape(delimiter) + rb"]")
    position, cells, longest = start, 0, 0
    while True:
        begin = position
        if text[position : position + 1] == b'"':
            position = _closing_quote(text, start, position, line) + 1
        found = cell_end.search(text, position)
        stop, after = found.span() if found else (len(text), len(text))
        if position > begin and stop > position:
            at = line + _count_line_ends(text[start:position])
            raise malformed(at, "has text after a closing quote; a quote inside a quoted cell is written twice")
        cells, longest, position = cells + 1, max(longest, stop - begin), after
        if text[stop:after] != delimiter:
            return Record(line, start, stop, cells, longest), after


def _count_line_ends(text: bytes) -> int:
    return text.count(b"\n") + text.count(b"\r") - text.count(b"\r\n")


def _closing_quote(text: Text, record_start: int, opening: int, line: int) -> int:
    closing = text.find(b'"', opening + 1)
    while closing >= 0 and text[closing + 1 : closing + 2] == b'"':
        closing = text.find(b'"', closing + 2)
    if closing < 0:
        at = line + _count_line_ends(text[record_start:opening])
        raise malformed(at, "opens a quote that is never closed")
    return closing


def _quotes_pair(text: Text, start: int, delimiter: bytes) -> bool:
    """Whether every quote opens or closes a whole cell, or is written twice inside one."""
    before_opening = np.zeros(256, dtype=bool)
    before_opening[[QUOTE, LINE_FEED, CARRIAGE_RETURN, delimiter[0]]] = True
    after_closing = before_opening
    num_quotes = 0
    for offset in range(start, len(text), CHUNK):
        if text.find(b'"', offset, offset + CHUNK) < 0:
            continue
        # One byte more on either side: the neighbours of a quote at the edge. The edges of the
        # file count as line ends.
        left = text[offset - 1 : offset] if offset > start else b"\n"
        window = left + text[offset : offset + CHUNK + 1] + b"\n"
        bytes_ = np.frombuffer(window, dtype=np.uint8)
        at = np.flatnonzero(bytes_[1 : min(CHUNK, len(text) - offset) + 1] == QUOTE) + 1
        opening, closing = at[num_quotes % 2 :: 2], at[1 - num_quotes % 2 :: 2]
        if not (before_opening[bytes_[opening - 1]].all() and after_closing[bytes_[closing + 1]].all()):
            return False
        num_quotes += len(at)
    return num_quotes % 2 == 0


def malformed(line: int, what: str) -> InvalidTable:
    return InvalidTable(f"Line {line:,} {what}.", "malformed_csv")


def not_utf8(offset: int) -> InvalidTable:
    return InvalidTable(f"Byte {offset:,} is not UTF-8; {SAVE_AS_UTF8}", "invalid_encoding")


def _nul_byte(text: Text, start: int, delimiter: bytes, offset: int) -> InvalidTable:
    where = f"Byte {offset:,}"
    try:
        for row, record in enumerate(records(text, start, delimiter)):
            if offset <= record.end:
                where = f"Row {row:,}" if row else "The header"
                break
    except InvalidTable:
        pass  # quotes do not pair either; the byte says enough
    return InvalidTable(f"{where} holds a NUL byte; is the file UTF-8 text?", "nul_byte")
