"""Copies of whole files on this machine, by their hash: what does not change is fetched once."""

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from synthgen_ray.artifacts.scratch import listed

MOST_BYTES = 2 << 30
IDLE_S = 600  # a file that was deleted must not live on in its copies


class Copies:
    """A folder that the processes of a machine share. What nobody used for a while goes, and what was used longest ago
    makes room for what is new.
    """

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._most_bytes = most_bytes

    def lend(self, sha256: str, target: Path) -> bool:
        """Put the file with that hash at `target`; False when there is none, or it was damaged.

        A name of its own: the file stays there, whatever happens to the copy.
        """
        self.drop_idle()
        copy = self._folder / sha256
        try:
            target.hardlink_to(copy)
            target.touch()  # the same file: of a copy that made room meanwhile it would make an empty one
        except FileNotFoundError:
            return False
        with target.open("rb") as file:
            is_sound = hashlib.file_digest(file, "sha256").hexdigest() == sha256
        if not is_sound:
            for damaged in (target, copy):
                damaged.unlink(missing_ok=True)
        return is_sound

    def drop_idle(self) -> None:
        """Forget what nobody used for a while, or was used by a clock that was ahead."""
        now = time.time()
        for copy, about in self._copies():
            if abs(now - about.st_mtime) > IDLE_S:
                copy.unlink(missing_ok=True)

    def keep(self, file: Path, sha256: str) -> None:
        """Remember a file that is known to have that hash, if the disk can. It must not change any more."""
        size = file.stat().st_size
        if size > self._most_bytes:
            return
        self._folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        self._make_room(size)
        with suppress(OSError):  # another process fetched it too, or a file has one name here
            (self._folder / sha256).hardlink_to(file)

    def _make_room(self, num_bytes: int) -> None:
        copies = sorted(self._copies(), key=lambda copy: copy[1].st_mtime)
        total = num_bytes + sum(about.st_size for _, about in copies)
        for copy, about in copies:
            if total <= self._most_bytes:
                return
            copy.unlink(missing_ok=True)
            total -= about.st_size

    def _copies(self) -> Iterator[tuple[Path, os.stat_result]]:
        for copy in listed(self._folder):
            with suppress(FileNotFoundError):  # others make room too
                yield copy, copy.stat()
