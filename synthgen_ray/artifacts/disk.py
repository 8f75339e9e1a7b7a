"""Artifacts in a directory, which all processes see."""

import os
import re
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from synthgen_ray.artifacts.base import FEW, Artifacts, Blocks, OnDamage, missing, not_counted
from synthgen_ray.artifacts.scratch import Scratch, listed, on_disk
from synthgen_ray.domain.entities import FOLDERS, Artifact
from synthgen_ray.domain.errors import Unavailable

UNFINISHED = re.compile(r"\.(.+)\.[0-9a-f]{32}")  # the name of a part that is being written, beside it


class DiskArtifacts(Artifacts):
    """A part is written beside its name and renamed when it is on disk. Its owner alone may read the directory."""

    block_bytes = 1 << 20

    def __init__(self, root: Path, on_damage: OnDamage = not_counted) -> None:
        super().__init__(Scratch(root / "scratch"), on_damage)  # on the same disk, where a rename is enough
        self._root = root

    def check_writable(self) -> None:
        try:
            with self.scratch.file() as file:
                file.touch()
        except OSError as error:
            raise Unavailable("The artifact store takes no files now.", "artifacts_unavailable") from error

    @contextmanager
    def writing(self, location: str, name: str) -> Iterator[BinaryIO]:
        with on_disk():
            folder = self._made(location)
            unfinished = folder / f".{name}.{uuid4().hex}"  # `UNFINISHED`
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
        with on_disk():
            folder = self._made(location)
            with file.open("rb") as written:
                os.fsync(written.fileno())
            file.rename(folder / name)
            _sync_folder(folder)

    @contextmanager
    def part_file(self, location: str, name: str) -> Iterator[Path]:
        with _there():
            self.path(location, name).stat()
        with on_disk():
            yield self.path(location, name)

    @contextmanager
    def verified_file(self, artifact: Artifact) -> Iterator[Path]:
        (part,) = artifact.parts
        with self.scratch.folder() as folder:
            file = _linked(self.path(artifact.location, part.name), folder / part.name)
            for _ in self.verified(artifact):
                pass
            with on_disk():
                yield file

    def path(self, location: str, name: str) -> Path:
        return self._root / location / name

    def erase(self, location: str) -> None:
        folder = self._root / location
        try:
            while folder.exists():
                with suppress(FileNotFoundError):  # others erase it too, or what is in it
                    shutil.rmtree(folder)
        except OSError as error:
            raise _erases_nothing() from error

    def remove(self, location: str, name: str) -> None:
        try:
            self.path(location, name).unlink(missing_ok=True)
        except OSError as error:
            raise _erases_nothing() from error

    def rename(self, location: str, name: str, new: str) -> None:
        with _there():
            self.path(location, name).rename(self.path(location, new))
            _sync_folder(self._root / location)

    def clear_unfinished(self, location: str, names: Collection[str]) -> None:
        for file in listed(self._root / location):
            found = UNFINISHED.fullmatch(file.name)
            if found and found[1] in names:
                self.remove(location, file.name)

    def uri(self, location: str) -> str:
        return str(self._root / location)

    def list_folders(self) -> tuple[str, ...]:
        return tuple(
            f"{kind}/{folder.name}" for kind in FOLDERS for folder in listed(self._root / kind) if folder.is_dir()
        )

    def _files(self, folder: str) -> Iterable[tuple[str, float]]:
        for place, _, names in os.walk(self._root / folder):
            for path in (Path(place), *(Path(place, name) for name in names)):
                with suppress(FileNotFoundError):  # erased meanwhile
                    yield path.relative_to(self._root).as_posix(), path.stat().st_mtime

    def sizes(self, location: str, names: Sequence[str]) -> Mapping[str, int]:
        with _there():
            there = None if len(names) <= FEW else {path.name for path in listed(self._root / location)}
            paths = {name: self.path(location, name) for name in names if there is None or name in there}
            return {name: path.stat().st_size for name, path in paths.items() if path.is_file()}

    def _opened(self, artifact: Artifact) -> Blocks:
        return Held({part.name: self.path(artifact.location, part.name) for part in artifact.parts}).blocks

    def _made(self, location: str) -> Path:
        folder = self._root / location
        new = [path for path in (folder, *folder.parents) if not path.exists()]
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        for path in new:
            _sync_folder(path.parent)
        return folder


def _erases_nothing() -> Unavailable:
    return Unavailable("The artifact store cannot erase now; try again.", "artifacts_unavailable")


class Held:
    """Files that stay as long as somebody may read them here, whoever erases them meanwhile."""

    def __init__(self, paths: Mapping[str, Path]) -> None:
        self._files: dict[str, int] = {}
        with _there():
            for name, path in paths.items():
                self._files[name] = os.open(path, os.O_RDONLY)

    def blocks(self, name: str, start: int, stop: int) -> Iterator[bytes]:
        size = DiskArtifacts.block_bytes
        with _there():
            while start < stop and (block := os.pread(self._files[name], min(size, stop - start), start)):
                start += len(block)
                yield block

    def __del__(self) -> None:
        # Not by a context: an answer that nobody began to read never ends either.
        for file in self._files.values():
            os.close(file)


@contextmanager
def _there() -> Iterator[None]:
    """Raises: Gone, for a file that is not there; Unavailable, when the disk is away."""
    try:
        with on_disk():
            yield
    except FileNotFoundError:
        raise missing() from None


def _linked(file: Path, name: Path) -> Path:
    """The file under a name of its own, by which it stays when it is erased; as it is where there are no such names."""
    with _there():
        try:
            name.hardlink_to(file)
        except FileNotFoundError:
            raise
        except OSError:
            return file
    return name


def _sync_folder(folder: Path) -> None:
    # A name in it is on disk once the folder is.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
