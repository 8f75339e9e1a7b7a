"""Files: datasets, trained models, outputs. A file is whole or it is not there.

An artifact is a folder of parts. A part is written beside its name and renamed when it is on
disk; nobody sees the folder before a row in the store points at it.
"""

import errno
import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from synthgen_ray.domain.entities import Artifact, Part
from synthgen_ray.domain.errors import Gone, Unavailable, insufficient_storage

BLOCK = 1 << 20
SMALL = 64 << 20  # bytes that are hashed within a tenth of a second
ABANDONED_S = 3600  # no upload is silent for so long


class Artifacts:
    """Artifacts in a directory, which the process alone may read."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def prepare(self) -> None:
        """Make the directory, and clear what an earlier process left half written."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch.mkdir(parents=True, mode=0o700, exist_ok=True)

    @contextmanager
    def scratch_file(self) -> Iterator[Path]:
        """A path for a temporary file, on the same disk; gone afterwards."""
        path = self._scratch / uuid4().hex
        self._scratch.mkdir(parents=True, mode=0o700, exist_ok=True)
        try:
            with _space():
                yield path
        finally:
            path.unlink(missing_ok=True)

    @contextmanager
    def scratch_folder(self) -> Iterator[Path]:
        """A folder for temporary files, on the same disk; gone with all in it afterwards."""
        self._clear_abandoned()
        folder = self._scratch / uuid4().hex
        folder.mkdir(parents=True, mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def check_free(self, num_bytes: int, share: float) -> None:
        """Raises: InsufficientStorage, where less of the disk is free."""
        try:
            disk = shutil.disk_usage(self._root)
        except FileNotFoundError:
            return  # nothing was ever stored
        if disk.free < max(num_bytes, share * disk.total):
            raise insufficient_storage()

    @contextmanager
    def writing(self, location: str, name: str) -> Iterator[BinaryIO]:
        """A new part. It appears under its name, whole and on disk, when the block ends well."""
        folder = self._root / location
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        unfinished = folder / f".{name}.{uuid4().hex}"
        try:
            with _space(), unfinished.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            unfinished.rename(folder / name)
            _sync_folder(folder)
        finally:
            unfinished.unlink(missing_ok=True)

    def adopt(self, file: Path, location: str, name: str) -> None:
        """Make a finished scratch file a part."""
        folder = self._root / location
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        with file.open("rb") as written:
            os.fsync(written.fileno())
        file.rename(folder / name)
        _sync_folder(folder)

    def part(self, location: str, name: str, num_rows: int) -> Part:
        return Part(name, num_rows, (self._root / location / name).stat().st_size)

    def seal(self, location: str, parts: Sequence[Part]) -> Artifact:
        """The artifact that these parts make, in their order. The store's row makes it public."""
        digest = hashlib.sha256()
        artifact = Artifact(uuid4(), location, tuple(parts), "")
        for block in self.read(artifact):
            digest.update(block)
        return Artifact(artifact.id, location, artifact.parts, digest.hexdigest())

    def read(self, artifact: Artifact, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` to before `stop` of all parts end to end, in blocks.

        Raises: OSError, when a part is gone: `check` first.
        """
        stop = artifact.size_bytes if stop is None else stop
        offset = 0
        for part in artifact.parts:
            first, last = max(start - offset, 0), min(stop - offset, part.size_bytes)
            if first < last:
                yield from _blocks(self._root / artifact.location / part.name, first, last)
            offset += part.size_bytes

    def path(self, location: str, name: str) -> Path:
        return self._root / location / name

    def file(self, artifact: Artifact) -> Path:
        """The path of an artifact that is one part."""
        (part,) = artifact.parts
        return self.path(artifact.location, part.name)

    def verified_file(self, artifact: Artifact) -> Path:
        """The path of an artifact that is one part, after a look at each of its bytes.

        Raises: Gone, when the file is not the one that was published.
        """
        for _ in self.verified(artifact):
            pass
        return self.file(artifact)

    def reader(self, artifact: Artifact) -> Callable[[int, int], Iterator[bytes]]:
        """A reader of the bytes from a start to before a stop, which are those that were published.

        A small artifact is hashed here; a larger one while all of it is read. Of a part of a larger one only the
        sizes are known to be right.

        Raises: Gone.
        """
        if artifact.size_bytes <= SMALL:
            for _ in self.verified(artifact):
                pass
            return partial(self.read, artifact)
        self.check(artifact)

        def read(start: int, stop: int) -> Iterator[bytes]:
            is_all = (start, stop) == (0, artifact.size_bytes)
            return self.verified(artifact) if is_all else self.read(artifact, start, stop)

        return read

    def verified(self, artifact: Artifact) -> Iterator[bytes]:
        """All bytes in blocks, the last one only once all are found to be those that were published.

        Raises: Gone, in place of the last block.
        """
        self.check(artifact)
        digest, withheld = hashlib.sha256(), b""
        for block in self.read(artifact):
            digest.update(block)
            if withheld:
                yield withheld
            withheld = block
        if digest.hexdigest() != artifact.sha256:
            raise _corrupt()
        yield withheld

    def check(self, artifact: Artifact) -> None:
        """Raises: Gone, when a part is missing or has another size."""
        for part in artifact.parts:
            path = self.path(artifact.location, part.name)
            if not path.is_file():
                raise Gone("A stored file is missing; create it again.", "artifact_missing")
            if path.stat().st_size != part.size_bytes:
                raise _corrupt()

    def erase(self, location: str) -> None:
        """Remove a folder and all in it; no error when it is not there."""
        shutil.rmtree(self._root / location, ignore_errors=True)

    def check_writable(self) -> None:
        """Raises: Unavailable, when no file can be made."""
        try:
            with self.scratch_file() as file:
                file.touch()
        except OSError as error:
            raise Unavailable("The artifact store takes no files now.", "artifacts_unavailable") from error

    def _clear_abandoned(self) -> None:
        """Remove the folders of processes that were killed."""
        long_ago = time.time() - ABANDONED_S
        for folder in self._scratch.glob("*/"):
            with suppress(FileNotFoundError):  # its owner may remove it meanwhile
                if all(path.stat().st_mtime < long_ago for path in (folder, *folder.iterdir())):
                    shutil.rmtree(folder, ignore_errors=True)

    @property
    def _scratch(self) -> Path:
        return self._root / "scratch"


@contextmanager
def _space() -> Iterator[None]:
    """Raises: InsufficientStorage, when what writes in this block finds the disk full."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise insufficient_storage() from error


def _corrupt() -> Gone:
    return Gone("A stored file is damaged; create it again.", "artifact_corrupt")


def _blocks(path: Path, start: int, stop: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while start < stop and (block := file.read(min(BLOCK, stop - start))):
            start += len(block)
            yield block


def _sync_folder(folder: Path) -> None:
    # A rename is on disk once its folder is.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
