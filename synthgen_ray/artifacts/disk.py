"""Artifacts in a directory, which all processes see."""

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from synthgen_ray.artifacts.base import Artifacts
from synthgen_ray.artifacts.scratch import Scratch, space
from synthgen_ray.domain.entities import FOLDERS, Artifact
from synthgen_ray.domain.errors import Unavailable


class DiskArtifacts(Artifacts):
    """A part is written beside its name and renamed when it is on disk. Its owner alone may read the directory."""

    block_bytes = 1 << 20

    def __init__(self, root: Path) -> None:
        super().__init__(Scratch(root / "scratch"))  # on the same disk, where a rename is enough
        self._root = root

    def check_writable(self) -> None:
        try:
            with self.scratch.file() as file:
                file.touch()
        except OSError as error:
            raise Unavailable("The artifact store takes no files now.", "artifacts_unavailable") from error

    @contextmanager
    def writing(self, location: str, name: str) -> Iterator[BinaryIO]:
        with space():
            folder = self._made(location)
            unfinished = folder / f".{name}.{uuid4().hex}"
            try:
                with unfinished.open("xb") as file:
                    yield file
                    file.flush()
                    os.fsync(file.fileno())
                unfinished.rename(folder / name)
                _sync_folder(folder)
            finally:
                unfinished.unlink(missing_ok=True)

    def adopt(self, file: Path, location: str, name: str) -> None:
        with space():
            folder = self._made(location)
            with file.open("rb") as written:
                os.fsync(written.fileno())
            file.rename(folder / name)
            _sync_folder(folder)

    @contextmanager
    def part_file(self, location: str, name: str) -> Iterator[Path]:
        yield self.path(location, name)

    @contextmanager
    def verified_file(self, artifact: Artifact) -> Iterator[Path]:
        (part,) = artifact.parts
        for _ in self.verified(artifact):
            pass
        yield self.path(artifact.location, part.name)

    def path(self, location: str, name: str) -> Path:
        return self._root / location / name

    def erase(self, location: str) -> None:
        shutil.rmtree(self._root / location, ignore_errors=True)

    def uri(self, location: str) -> str:
        return str(self._root / location)

    def list_folders(self) -> tuple[str, ...]:
        return tuple(f"{kind}/{folder.name}" for kind in FOLDERS for folder in (self._root / kind).glob("*/"))

    def _files(self, folder: str) -> Iterable[tuple[str, float]]:
        for place, _, names in os.walk(self._root / folder):
            for path in (Path(place), *(Path(place, name) for name in names)):
                with suppress(FileNotFoundError):  # erased meanwhile
                    yield path.relative_to(self._root).as_posix(), path.stat().st_mtime

    def sizes(self, location: str, names: Sequence[str]) -> Mapping[str, int]:
        paths = {name: self.path(location, name) for name in names}
        return {name: path.stat().st_size for name, path in paths.items() if path.is_file()}

    def _blocks(self, location: str, name: str, start: int, stop: int) -> Iterator[bytes]:
        with self.path(location, name).open("rb") as file:
            file.seek(start)
            while start < stop and (block := file.read(min(self.block_bytes, stop - start))):
                start += len(block)
                yield block

    def _made(self, location: str) -> Path:
        folder = self._root / location
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        return folder


def _sync_folder(folder: Path) -> None:
    # A rename is on disk once its folder is.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
