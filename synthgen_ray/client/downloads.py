"""A file on its way from the server: picked up where the line dropped, checked, and there whole or not at all."""

import hashlib
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import httpx

from synthgen_ray.client.answers import JSON
from synthgen_ray.client.connection import Connection
from synthgen_ray.client.errors import ClientError, DownloadDamaged
from synthgen_ray.client.files import FilePath, path_of
from synthgen_ray.client.patience import Patience
from synthgen_ray.client.sending import OnBytes

_SHA256 = re.compile(r'"([0-9a-f]{64})"')


def download(
    connection: Connection, path: str, to: FilePath, query: JSON | None = None, on_bytes: OnBytes | None = None
) -> Path:
    """Write what a GET answers to the file `to`.

    Raises: DownloadDamaged, when its bytes are not those whose hash the server names.
    """
    place = path_of(to)
    with whole(place) as target:
        _Download(connection, path, query, target, on_bytes).run()
    return place


@contextmanager
def whole(to: Path) -> Iterator[BinaryIO]:
    """What is written appears as the file `to` when the block ends well, and otherwise not at all.

    Raises: ClientError, for what is no file: a rename would take the place of a pipe, or of /dev/null.
    """
    if to.exists() and not to.is_file():
        raise ClientError(f"{to} is no file: name one that is to be written.")
    part = to.with_name(f".{to.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as target:
            yield target
        part.replace(to)
    finally:
        part.unlink(missing_ok=True)


class _Download:
    def __init__(
        self, connection: Connection, path: str, query: JSON | None, target: BinaryIO, on_bytes: OnBytes | None
    ) -> None:
        self._connection = connection
        self._path = path
        self._query = query
        self._target = target
        self._on_bytes = on_bytes
        self._patience = Patience()
        self._etag = ""  # by which the server knows whether the rest is of the same file
        self._size: int | None = None
        self._done = 0
        self._furthest = 0
        self._hash = hashlib.sha256()

    def run(self) -> None:
        self._connection.patiently(self._receive, self._patience)
        promised = _SHA256.fullmatch(self._etag)
        if promised and promised[1] != self._hash.hexdigest():
            raise DownloadDamaged("The file arrived damaged, and was not kept: download it again.")

    def _receive(self) -> None:
        headers = {"Accept-Encoding": "identity"}  # a range is one of the bytes as they are kept
        if self._done and self._etag:
            headers |= {"Range": f"bytes={self._done}-", "If-Range": self._etag}
        with self._connection.stream(self._path, self._query, headers) as response:
            if response.status_code != httpx.codes.PARTIAL_CONTENT:
                self._start_over(response)
            for block in response.iter_bytes():
                self._keep(block)

    def _start_over(self, response: httpx.Response) -> None:
        etag, size = response.headers.get("etag", ""), response.headers.get("content-length")
        self._etag = "" if etag.startswith("W/") else etag
        self._size = int(size) if size else None
        self._done = 0
        self._hash = hashlib.sha256()
        self._target.seek(0)
        self._target.truncate()

    def _keep(self, block: bytes) -> None:
        self._target.write(block)
        self._hash.update(block)
        self._done += len(block)
        if self._done > self._furthest:
            self._furthest = self._done
            self._patience.renew()
        if self._on_bytes:
            self._on_bytes(self._done, self._size)
