"""Artifacts in an object store: S3 and what speaks like it, or GCS. Credentials come from the environment."""

import logging
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property, partial
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
from pyarrow.fs import FileInfo, FileSelector, FileSystem, FileType

from synthgen_ray.artifacts.base import FEW, Artifacts, Blocks, OnDamage, missing, not_counted
from synthgen_ray.artifacts.copies import Copies
from synthgen_ray.artifacts.disk import Held
from synthgen_ray.artifacts.scratch import Scratch, on_disk
from synthgen_ray.datasets.storage import connect
from synthgen_ray.domain.entities import FOLDERS, Artifact
from synthgen_ray.domain.errors import Gone, Unavailable, artifacts_away

log = logging.getLogger(__name__)

PROBE = "writable"
_CODE = re.compile(r"AWS Error ([A-Z_]+)|HTTP status [0-9]{3}")


class ObjectStoreArtifacts(Artifacts):
    """There is no rename: a part is made on this machine, then uploaded under its name, which shows it when all of it
    has arrived. Who needs a path gets a copy.
    """

    block_bytes = 4 << 20  # each is a request

    def __init__(self, url: str, scratch: Scratch, copies: Copies, on_damage: OnDamage = not_counted) -> None:
        super().__init__(scratch, on_damage)
        self._url = url
        self._copies = copies

    def tidy_machine(self) -> None:
        super().tidy_machine()
        self._copies.drop_idle()

    def check_writable(self) -> None:
        probe = self._key(PROBE)
        with _answering():
            with self._sink(probe) as sink:
                sink.write(b"\n")
            with suppress(FileNotFoundError):  # another process looks too
                self._filesystem.delete_file(probe)

    @contextmanager
    def writing(self, location: str, name: str) -> Iterator[BinaryIO]:
        # Through a file: a stream of pyarrow that is left half way would publish what it has.
        with self.scratch.file() as path:
            with path.open("xb") as sink:
                yield sink
            self.adopt(path, location, name)

    def adopt(self, file: Path, location: str, name: str) -> None:
        key, size, sent = self._key(location, name), file.stat().st_size, 0
        try:
            with file.open("rb") as source, _answering(), self._sink(key) as sink:
                while block := source.read(self.block_bytes):
                    sink.write(block)
                    sent += len(block)
        except BaseException:
            # A stream of pyarrow cannot be aborted: closed, it has published what it had. An object of another length
            # is what was there before, or what another has made who was asked for the same.
            with suppress(Unavailable, Gone), _answering():
                if sent != size and self._filesystem.get_file_info(key).size == sent:
                    self._filesystem.delete_file(key)
            raise

    @contextmanager
    def part_file(self, location: str, name: str) -> Iterator[Path]:
        size = self.sizes(location, [name]).get(name)
        if size is None:
            raise missing()
        with self.scratch.file() as path:
            _write(path, self._blocks(location, name, 0, size))
            yield path

    @contextmanager
    def verified_file(self, artifact: Artifact) -> Iterator[Path]:
        with self.scratch.file() as path:
            if not self._copies.lend(artifact.sha256, path):
                _write(path, self.verified(artifact))
                self._copies.keep(path, artifact.sha256)
            yield path

    def erase(self, location: str) -> None:
        with _answering(), suppress(FileNotFoundError):
            self._filesystem.delete_dir(self._key(location))

    def remove(self, location: str, name: str) -> None:
        with _answering(), suppress(FileNotFoundError):
            self._filesystem.delete_file(self._key(location, name))

    def rename(self, location: str, name: str, new: str) -> None:
        old = self._key(location, name)
        with _answering():
            try:
                self._filesystem.copy_file(old, self._key(location, new))
            except OSError:
                if self._filesystem.get_file_info(old).type is FileType.NotFound:
                    raise FileNotFoundError from None
                raise
        self.remove(location, name)

    def clear_unfinished(self, location: str, names: Collection[str]) -> None:
        """Nothing: what was not uploaded to its end is no object."""

    def uri(self, location: str) -> str:
        address, question_mark, options = self._url.partition("?")
        return f"{address.rstrip('/')}/{location}{question_mark}{options}"

    def list_folders(self) -> tuple[str, ...]:
        return tuple(
            f"{kind}/{entry.base_name}"
            for kind in FOLDERS
            for entry in self._list(kind, recursive=False)
            if entry.type is FileType.Directory
        )

    def _files(self, folder: str) -> Iterable[tuple[str, float]]:
        for entry in self._list(folder, recursive=True):
            if entry.type is FileType.File:
                yield entry.path.removeprefix(f"{self._root}/"), entry.mtime_ns / 1e9

    def sizes(self, location: str, names: Sequence[str]) -> Mapping[str, int]:
        entries = self._some(location, names) if len(names) <= FEW else self._list(location, recursive=False)
        sizes = {entry.base_name: entry.size for entry in entries}
        return {name: sizes[name] for name in names if name in sizes}

    def _opened(self, artifact: Artifact) -> Blocks:
        return partial(self._blocks, artifact.location)

    def _sound(self, artifact: Artifact, _blocks: Blocks) -> Callable[[int, int], Iterator[bytes]]:
        # From a copy: whoever reads Parquet over HTTP asks for dozens of ranges, and each would fetch all of it.
        with self.verified_file(artifact) as file:
            return partial(Held({"": file}).blocks, "")

    def _blocks(self, location: str, name: str, start: int, stop: int) -> Iterator[bytes]:
        with _answering(), self._filesystem.open_input_file(self._key(location, name)) as file:
            file.seek(start)
            while start < stop and (block := file.read(min(self.block_bytes, stop - start))):
                start += len(block)
                yield block

    def _some(self, location: str, names: Sequence[str]) -> list[FileInfo]:
        with _answering():
            found = self._filesystem.get_file_info([self._key(location, name) for name in names])
            files = [entry for entry in found if entry.type is FileType.File]
            if not files:
                self._check_bucket()
            return files

    def _list(self, folder: str, *, recursive: bool) -> list[FileInfo]:
        with _answering():
            selector = FileSelector(self._key(folder), recursive=recursive, allow_not_found=True)
            entries: list[FileInfo] = self._filesystem.get_file_info(selector)
            if not entries:
                self._check_bucket()
            return entries

    def _check_bucket(self) -> None:
        """A bucket that is not there looks like an empty one; files that are asked for there are not lost."""
        bucket = self._root.split("/")[0]
        if self._filesystem.get_file_info(bucket).type is FileType.NotFound:
            raise OSError("HTTP status 404 for the bucket")

    def _sink(self, key: str) -> pa.NativeFile:
        return self._filesystem.open_output_stream(key, compression=None)  # else by its ending: a .gz twice

    def _key(self, *steps: str) -> str:
        return "/".join((self._root, *steps))

    @property
    def _filesystem(self) -> FileSystem:
        return self._place[0]

    @property
    def _root(self) -> str:
        return self._place[1]

    @cached_property
    def _place(self) -> tuple[FileSystem, str]:
        with _answering():
            return connect(self._url)

    def __getstate__(self) -> dict[str, object]:
        # A connection does not travel.
        return {name: value for name, value in self.__dict__.items() if name != "_place"}


@contextmanager
def _answering() -> Iterator[None]:
    """Raises: Unavailable, when the object store does not do what this block asks; Gone, for a file that it has not."""
    try:
        yield
    except FileNotFoundError:
        raise missing() from None
    except (OSError, pa.ArrowException) as error:
        code = _CODE.search(str(error))  # the rest may name what is not ours to log
        log.warning("the artifact store refused a request: %s", code.group() if code else type(error).__name__)
        raise artifacts_away() from error


def _write(path: Path, blocks: Iterable[bytes]) -> None:
    with on_disk(), path.open("xb") as file:
        file.writelines(blocks)
