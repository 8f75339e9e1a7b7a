"""Tables from storage that the operator allows: `s3://…`, `gs://…`, `file://…`."""

import errno
import re
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

import pyarrow as pa
from pyarrow.fs import FileType

from synthgen_ray.datasets.limits import MIB, too_large
from synthgen_ray.datasets.storage import connect_plain
from synthgen_ray.domain.errors import InvalidRequest, Unavailable, insufficient_storage, is_disk_full

# No query, no credentials, no escapes, no way up.
FILE = "file://"
LONGEST_KEY = 1024  # characters that an object store takes, and more of a path than any disk has use for
PLAIN = re.compile(r"[a-z][a-z0-9]*://[A-Za-z0-9._/=+ -]*")


def check_allowed(uri: str, prefixes: Sequence[str]) -> None:
    """Raises: InvalidRequest, for a URI under none of the prefixes."""
    steps = uri.split("/")
    is_plain = PLAIN.fullmatch(uri) and ".." not in steps and "." not in steps
    if not is_plain or not any(_is_under(uri, prefix) for prefix in prefixes):
        detail = "The server reads tables only from the places that its operator allows; this is none of them."
        raise InvalidRequest(detail, "uri_not_allowed")


def _is_under(uri: str, prefix: str) -> bool:
    if not uri.startswith(prefix.rstrip("/") + "/"):
        return False
    # A link on this machine may lead out of the place.
    return not uri.startswith(FILE) or _resolved(uri).is_relative_to(_resolved(prefix))


def _resolved(uri: str) -> Path:
    return Path(uri.removeprefix(FILE)).resolve()


def fetch(uri: str, target: Path, max_bytes: int, before_each: Callable[[], None]) -> str:
    """Copy a file to `target`, a block at a time; answers its name.

    Raises: InvalidRequest, when there is no such file; TooLarge; InsufficientStorage; Unavailable, when the
    storage cannot be read now; what `before_each` raises.
    """
    try:
        filesystem, path = connect_plain(uri)
        if len(path) > LONGEST_KEY:
            raise _not_found()
        info = filesystem.get_file_info(path)
        if info.type is not FileType.File:
            raise _not_found()
        if info.size > max_bytes:
            raise too_large(max_bytes)
        # Compressed as it is: the conversion unpacks it, within its limits.
        with filesystem.open_input_stream(path, compression=None) as source, target.open("wb") as sink:
            left = max_bytes
            while block := source.read(MIB):
                left -= len(block)
                if left < 0:
                    raise too_large(max_bytes)
                before_each()
                sink.write(block)
    except (OSError, pa.ArrowException) as error:
        if is_disk_full(error):  # this disk: who reads fills none
            raise insufficient_storage() from error
        if getattr(error, "errno", None) == errno.ENAMETOOLONG:
            raise _not_found() from error
        raise Unavailable("The storage of this URI cannot be read now; try again.", "storage_unavailable") from error
    return PurePosixPath(path).name


def _not_found() -> InvalidRequest:
    return InvalidRequest("There is no file at this URI.", "uri_not_found")
