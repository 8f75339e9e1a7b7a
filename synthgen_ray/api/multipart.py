"""A multipart form with one file, taken in as it streams: the file to disk, the texts to memory.

Limits hold while bytes arrive: what is over one is refused at once, and never stored whole.
"""

import hashlib
from dataclasses import dataclass, field
from typing import BinaryIO

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from synthgen_ray.datasets.limits import too_large
from synthgen_ray.domain.errors import FieldError, InvalidRequest, Unreadable, UnsupportedMedia

MAX_PARTS = 20
MAX_TEXT_BYTES = 64 * 2**10
# What may stand around a file of the maximal size: texts, headers and boundaries.
MAX_OVERHEAD_BYTES = MAX_PARTS * (MAX_TEXT_BYTES + 2**14)
FILE = "file"


@dataclass
class _Part:
    headers: dict[bytes, bytes] = field(default_factory=dict)
    name: str = ""
    is_file: bool = False
    text: bytearray = field(default_factory=bytearray)


class FormReader:
    """Feed it a body in blocks, then `finish`. `texts`, `filename` and `file_digest` are what it found."""

    def __init__(self, content_type: str, file: BinaryIO, max_file_bytes: int) -> None:
        """Raises: UnsupportedMedia, Unreadable."""
        self.texts: dict[str, str] = {}
        self.filename: str | None = None
        self._file = file
        self._max_file_bytes = max_file_bytes
        self._file_bytes = 0
        self.file_digest = hashlib.sha256()
        self._num_parts = 0
        self._part = _Part()
        self._header_name = b""
        self._header_value = b""
        self._is_whole = False
        self._parser = self._parser_of(content_type)

    def feed(self, block: bytes) -> None:
        """Raises: Unreadable, InvalidRequest, TooLarge; OSError, where the file cannot be written."""
        try:
            self._parser.write(block)
        except FormParserError:
            raise invalid_multipart("The multipart body is malformed.") from None

    def finish(self) -> None:
        """Raises: Unreadable, for a body that ends too early; InvalidRequest, for one without a file."""
        if not self._is_whole:
            raise invalid_multipart("The body ends before its last boundary: it was cut off.")
        if self.filename is None:
            raise missing_file()

    def _parser_of(self, content_type: str) -> MultipartParser:
        kind, options = parse_options_header(content_type)
        if kind != b"multipart/form-data":
            detail = "Send the table as a form: Content-Type multipart/form-data, with the part 'file'."
            raise UnsupportedMedia(detail, "unsupported_media_type")
        boundary = options.get(b"boundary")
        if not boundary:
            raise invalid_multipart("The Content-Type header names no boundary.")
        try:
            return MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": self._add_to_header_name,
                    "on_header_value": self._add_to_header_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._end_headers,
                    "on_part_data": self._add_data,
                    "on_part_end": self._end_part,
                    "on_end": self._end,
                },
            )
        except FormParserError:
            raise invalid_multipart("The boundary in the Content-Type header is no boundary.") from None

    def _begin_part(self) -> None:
        self._num_parts += 1
        if self._num_parts > MAX_PARTS:
            raise Unreadable(f"The form has more than {MAX_PARTS} parts.", "too_many_parts")
        self._part = _Part()

    def _add_to_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _add_to_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _end_header(self) -> None:
        self._part.headers[self._header_name.lower()] = self._header_value
        self._header_name = self._header_value = b""

    def _end_headers(self) -> None:
        _, options = parse_options_header(self._part.headers.get(b"content-disposition", b""))
        name = options.get(b"name")
        if name is None:
            raise invalid_multipart("A part of the form has no name.")
        self._part.name = _as_text(name)
        filename = options.get(b"filename")
        if self._part.name == FILE:
            self._begin_file(filename)
        elif filename is not None:
            raise _one_fault("unknown_field", "The only file is the part 'file'.", self._part.name)

    def _begin_file(self, filename: bytes | None) -> None:
        if not filename:
            raise missing_file()
        if self.filename is not None:
            raise _one_fault("duplicate_field", "The form has two files; send one.", FILE)
        self.filename = _as_text(filename)
        self._part.is_file = True

    def _add_data(self, data: bytes, start: int, end: int) -> None:
        if not self._part.is_file:
            self._part.text += data[start:end]
            if len(self._part.text) > MAX_TEXT_BYTES:
                raise Unreadable(f"A text of the form is longer than {MAX_TEXT_BYTES:,} bytes.", "field_too_large")
            return
        self._file_bytes += end - start
        if self._file_bytes > self._max_file_bytes:
            raise too_large(self._max_file_bytes)
        self.file_digest.update(data[start:end])
        self._file.write(data[start:end])

    def _end_part(self) -> None:
        part = self._part
        if part.is_file:
            return
        if part.name in self.texts:
            raise _one_fault("duplicate_field", "The form has a field twice.", part.name)
        try:
            self.texts[part.name] = part.text.decode()
        except UnicodeDecodeError:
            raise invalid_multipart("A text of the form is not UTF-8.") from None

    def _end(self) -> None:
        self._is_whole = True


def invalid_multipart(detail: str) -> Unreadable:
    return Unreadable(detail, "invalid_multipart")


def missing_file() -> InvalidRequest:
    return _one_fault("missing_file", "The form has no file: send the table as the part 'file', with a filename.", FILE)


def _one_fault(code: str, detail: str, name: str) -> InvalidRequest:
    return InvalidRequest(detail, code, [FieldError(name, detail)])


def _as_text(header: bytes) -> str:
    return header.decode(errors="replace")
