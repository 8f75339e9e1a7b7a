"""What kind of file an upload is, by its first bytes and its name."""

import re
from enum import Enum, auto
from pathlib import Path, PurePath

from synthgen_ray.domain.errors import InvalidTable, UnsupportedMedia


class FileKind(Enum):
    CSV = auto()  # whatever is not known to be something else
    GZIP = auto()
    PARQUET = auto()


GZIP_MAGIC = b"\x1f\x8b"
PARQUET_MAGIC = b"PAR1"
ENCRYPTED_PARQUET_MAGIC = b"PARE"
PARQUET_SUFFIXES = (".parquet", ".pq")
TEXT_SUFFIXES = (".csv", ".tsv", ".txt", ".gz")
TAR_MAGIC, TAR_MAGIC_AT = b"ustar", 257
FOREIGN = (
    b"PK\x03\x04",  # ZIP, and so XLSX and ODS
    b"PK\x05\x06",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",  # XLS
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",  # JPEG
    b"%PDF-",
    b"Obj\x01",  # Avro
    b"\xfd7zXZ\x00",
    b"7z\xbc\xaf\x27\x1c",
    b"\x28\xb5\x2f\xfd",  # Zstandard
    b"\x04\x22\x4d\x18",  # LZ4
    b"Rar!\x1a",
    b"SQLite format 3\x00",
    b"\x89HDF\r\n\x1a\n",
    b"\x7fELF",
    b"\x80\x04\x95",  # pickle
)
# Of letters, with which a table may begin as well: `has_magic`.
LETTERS = (
    b"GIF8",
    b"ARROW1",  # Feather, Arrow IPC
    b"FEA1",
    b"ORC",
    b"BZh",
)
NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1f]")


def file_kind(path: Path, filename: str) -> FileKind:
    """The kind of file at `path`, which its owner calls `filename`.

    Raises: UnsupportedMedia for another kind, InvalidTable where name and content disagree.
    """
    with path.open("rb") as file:
        head = file.read(TAR_MAGIC_AT + len(TAR_MAGIC))
    suffix = PurePath(filename.lower()).suffix
    if has_magic(head, ENCRYPTED_PARQUET_MAGIC):
        raise InvalidTable("The Parquet file is encrypted; upload it decrypted.", "encrypted_parquet")
    if has_magic(head, PARQUET_MAGIC):
        if suffix in TEXT_SUFFIXES:
            raise InvalidTable(f"The file is Parquet, but its name ends in {suffix}.", "format_mismatch")
        return FileKind.PARQUET
    refuse_foreign(head)
    if suffix in PARQUET_SUFFIXES:
        raise InvalidTable("The name says Parquet, but the file is something else.", "invalid_parquet")
    return FileKind.GZIP if head.startswith(GZIP_MAGIC) else FileKind.CSV


def refuse_foreign(head: bytes) -> None:
    """Refuse the first bytes of a file that is certainly not a table of ours. Raises: UnsupportedMedia."""
    if head.startswith(FOREIGN) or has_magic(head, LETTERS) or head[TAR_MAGIC_AT:].startswith(TAR_MAGIC):
        raise UnsupportedMedia("Upload a CSV, a gzipped CSV or a Parquet file.", "unsupported_file_type")


def has_magic(head: bytes, magic: bytes | tuple[bytes, ...]) -> bool:
    """Whether a file begins with letters that no text goes on from: a table may begin with PARENT or ORCID."""
    return head.startswith(magic) and NO_TEXT.search(head) is not None
