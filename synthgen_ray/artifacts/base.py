"""What a store of artifacts does, wherever its files are.

An artifact is a folder of parts. A part appears under its name when it is whole, and nobody sees the folder before a
row of the metadata store points at it.
"""

import hashlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import BinaryIO, NoReturn
from uuid import uuid4

from synthgen_ray.artifacts.scratch import Scratch
from synthgen_ray.domain.entities import FOLDERS, Artifact, Part
from synthgen_ray.domain.errors import Gone

log = logging.getLogger(__name__)
FEW = 8  # files that are looked for one by one: a folder may have a hundred thousand of them
SMALL = 64 << 20  # bytes that are hashed within a tenth of a second
CLAIM, OWNER = "server", "owner"  # a folder, and the file in it that says whose metadata names all this


# The bytes of the part with that name from a start to before a stop.
Blocks = Callable[[str, int, int], Iterator[bytes]]
# Told after each look that found a file damaged. Travels too, so it is a function of a module. Raises nothing.
OnDamage = Callable[[], None]


def not_counted() -> None:
    """An `OnDamage` of programs without metrics."""


class Artifacts(ABC):
    """Artifacts somewhere, and temporary files on this machine. Travels between processes as it is."""

    block_bytes: int  # that are read at a time

    def __init__(self, scratch: Scratch, on_damage: OnDamage) -> None:
        self.scratch = scratch
        self._on_damage = on_damage

    def prepare(self, *, is_shared: bool = False) -> None:
        """Clear what an earlier server left half written on this machine. Not while another process is at work; what
        `is_shared` with other servers is cleared of what is old alone."""
        self.scratch.clear(is_shared=is_shared)

    def tidy_machine(self) -> None:
        """Drop what nobody on this machine will use again."""
        self.scratch.clear_abandoned()

    @abstractmethod
    def check_writable(self) -> None:
        """Raises: Unavailable, when no file can be made."""

    @abstractmethod
    def writing(self, location: str, name: str) -> AbstractContextManager[BinaryIO]:
        """A new part. It appears under its name, whole and safe, when the block ends well.

        Raises: InsufficientStorage; Unavailable.
        """

    @abstractmethod
    def adopt(self, file: Path, location: str, name: str) -> None:
        """Make a finished scratch file a part. The file may be gone then.

        Raises: InsufficientStorage; Unavailable.
        """

    @abstractmethod
    def part_file(self, location: str, name: str) -> AbstractContextManager[Path]:
        """The path of a part, while the block runs. Its bytes are not checked.

        Raises: Gone; Unavailable, also when the block finds the disk away.
        """

    @abstractmethod
    def verified_file(self, artifact: Artifact) -> AbstractContextManager[Path]:
        """The path of an artifact that is one part, while the block runs, after a look at each of its bytes.

        Raises: Gone, when the file is not the one that was published; Unavailable, also when the block finds the disk
        away.
        """

    @abstractmethod
    def erase(self, location: str) -> None:
        """Remove a folder and all in it; no error when it is not there. Raises: Unavailable."""

    @abstractmethod
    def remove(self, location: str, name: str) -> None:
        """Remove a part; no error when it is not there. Raises: Unavailable."""

    @abstractmethod
    def rename(self, location: str, name: str, new: str) -> None:
        """Give a part another name in its folder, in place of the part that has it.

        Raises: Gone, when it is not there, and nothing is changed; Unavailable, when it may be either.
        """

    @abstractmethod
    def clear_unfinished(self, location: str, names: Collection[str]) -> None:
        """Drop what was written of parts of these names and never ended. Only once nobody writes them any more."""

    @abstractmethod
    def uri(self, location: str) -> str:
        """A path or a URL of a folder, as pyarrow understands it."""

    @abstractmethod
    def list_folders(self) -> tuple[str, ...]:
        """The folders of datasets, models and jobs, whoever made them. Raises: Unavailable."""

    @abstractmethod
    def _files(self, folder: str) -> Iterable[tuple[str, float]]:
        """The paths of the files of a folder, of its folders too where these can be empty, and when each changed."""

    @abstractmethod
    def sizes(self, location: str, names: Sequence[str]) -> Mapping[str, int]:
        """The sizes of those of these parts that are there. Raises: Unavailable."""

    @abstractmethod
    def _opened(self, artifact: Artifact) -> Blocks:
        """A reader of its parts. Raises: Gone, when one is missing; Unavailable."""

    def part(self, location: str, name: str, num_rows: int) -> Part:
        """Raises: Gone, when it is not there; Unavailable."""
        size = self.sizes(location, [name]).get(name)
        if size is None:
            raise missing()
        return Part(name, num_rows, size)

    def seal(self, location: str, parts: Sequence[Part]) -> Artifact:
        """The artifact that these parts make, in their order. The store's row makes it public."""
        digest = hashlib.sha256()
        artifact = Artifact(uuid4(), location, tuple(parts), "")
        for block in self.read(artifact):
            digest.update(block)
        return Artifact(artifact.id, location, artifact.parts, digest.hexdigest())

    def only(self, artifact: Artifact, name: str) -> Artifact:
        """One part of an artifact as an artifact of its own, after a look at each byte of all of them.

        Raises: Gone, when they are not those that were published; Unavailable.
        """
        for _ in self.verified(artifact):
            pass
        return self.seal(artifact.location, [part for part in artifact.parts if part.name == name])

    def read(self, artifact: Artifact, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` to before `stop` of all parts end to end, in blocks.

        Raises: Gone, when a part is gone; Unavailable.
        """
        return _joined(artifact, self._opened(artifact), start, artifact.size_bytes if stop is None else stop)

    def reader(self, artifact: Artifact) -> Callable[[int, int], Iterator[bytes]]:
        """A reader of the bytes from a start to before a stop, which are those that were published.

        A small artifact is hashed here; a larger one while all of it is read. Of a part of a larger one only the
        sizes are known to be right.

        Raises: Gone; Unavailable; InsufficientStorage, when this machine has no room for a copy.
        """
        blocks = self._opened(artifact)
        self.check(artifact)
        if artifact.size_bytes <= SMALL:
            return self._sound(artifact, blocks)

        def read(start: int, stop: int) -> Iterator[bytes]:
            is_all = (start, stop) == (0, artifact.size_bytes)
            return self._verified(artifact, blocks) if is_all else _joined(artifact, blocks, start, stop)

        return read

    def _sound(self, artifact: Artifact, blocks: Blocks) -> Callable[[int, int], Iterator[bytes]]:
        """A reader of bytes that were looked at. Raises: as `reader`."""
        for _ in self._verified(artifact, blocks):
            pass
        return partial(_joined, artifact, blocks)

    def verified(self, artifact: Artifact) -> Iterator[bytes]:
        """All bytes in blocks, the last one only once all are found to be those that were published.

        Raises: Gone, in place of the last block; Unavailable.
        """
        blocks = self._opened(artifact)
        self.check(artifact)
        yield from self._verified(artifact, blocks)

    def check(self, artifact: Artifact) -> None:
        """Raises: Gone, when a part is missing or has another size; Unavailable."""
        sizes = self.sizes(artifact.location, [part.name for part in artifact.parts])
        for part in artifact.parts:
            if part.name not in sizes:
                raise missing()
            if sizes[part.name] != part.size_bytes:
                self.refuse(artifact)

    def _verified(self, artifact: Artifact, blocks: Blocks) -> Iterator[bytes]:
        digest, withheld = hashlib.sha256(), b""
        for block in _joined(artifact, blocks, 0, artifact.size_bytes):
            digest.update(block)
            if withheld:
                yield withheld
            withheld = block
        if digest.hexdigest() != artifact.sha256:
            self.refuse(artifact)
        yield withheld

    def refuse(self, artifact: Artifact) -> NoReturn:
        """Of a file that is not the one that was published. The operator hears of it too. Raises: Gone."""
        log.error("the file in %s is not the one that was published", artifact.location)
        self._on_damage()
        raise Gone("A stored file is damaged; create it again.", "artifact_corrupt")

    def claim(self, owner: str) -> bool:
        """Whether all this is the owner's: it has this name, or had none until now. Raises: Unavailable."""
        if self.find_owner() is None:
            self.hand_over(owner)
        return self.find_owner() == owner

    def hand_over(self, owner: str) -> None:
        """Make all this the owner's, whoever's it was. Raises: Unavailable."""
        with self.writing(CLAIM, OWNER) as sink:
            sink.write(owner.encode())

    def find_owner(self) -> str | None:
        """Who claimed all this; `None` when nobody has. Raises: Unavailable."""
        if OWNER not in self.sizes(CLAIM, [OWNER]):
            return None
        with self.part_file(CLAIM, OWNER) as file:
            return file.read_text()

    def list_idle(self, folder: str, before: float) -> tuple[str, ...]:
        """The locations in a folder of `list_folders`, or in that of a backup's rows, in which nothing was written
        since. Raises: Unavailable."""
        newest: dict[str, float] = {}
        for path, changed_at in self._files(folder):
            location = _location_of(path)
            newest[location] = max(changed_at, newest.get(location, changed_at))
        return tuple(location for location, changed_at in newest.items() if changed_at < before)


def _joined(artifact: Artifact, blocks: Blocks, start: int, stop: int) -> Iterator[bytes]:
    offset = 0
    for part in artifact.parts:
        first, last = max(start - offset, 0), min(stop - offset, part.size_bytes)
        if first < last:
            yield from blocks(part.name, first, last)
        offset += part.size_bytes


def missing() -> Gone:
    return Gone("A stored file is missing; create it again.", "artifact_missing")


def _location_of(path: str) -> str:
    """The folder that a row may name: that of an attempt, a dataset's table or a model; or that of a backup's rows."""
    steps = path.split("/")
    return "/".join(steps[: FOLDERS.get(steps[0], 2)])
