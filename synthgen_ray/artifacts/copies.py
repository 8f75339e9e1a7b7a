"""Copies of whole files on this machine, by their hash: what does not change is fetched once."""

import hashlib
from contextlib import suppress
from pathlib import Path

MOST_BYTES = 2 << 30


class Copies:
    """A folder that the processes of a machine share. What was used longest ago makes room for what is new."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._most_bytes = most_bytes

    def lend(self, sha256: str, target: Path) -> bool:
        """Put the file with that hash at `target`; False when there is none, or it was damaged.

        A name of its own: the file stays there, whatever happens to the copy.
        """
        copy = self._folder / sha256
        try:
            target.hardlink_to(copy)
            copy.touch()
        except FileNotFoundError:
            return False
        with target.open("rb") as file:
            is_sound = hashlib.file_digest(file, "sha256").hexdigest() == sha256
        if not is_sound:
            for damaged in (target, copy):
                damaged.unlink(missing_ok=True)
        return is_sound

    def keep(self, file: Path, sha256: str) -> None:
        """Remember a file that is known to have that hash. It must not change any more."""
        size = file.stat().st_size
        if size > self._most_bytes:
            return
        self._folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        self._make_room(size)
        with suppress(FileExistsError):  # another process fetched it too
            (self._folder / sha256).hardlink_to(file)

    def _make_room(self, num_bytes: int) -> None:
        copies = []
        for copy in self._folder.iterdir():
            with suppress(FileNotFoundError):  # others make room too
                about = copy.stat()
                copies.append((about.st_mtime, about.st_size, copy))
        total = num_bytes + sum(size for _, size, _ in copies)
        for _, size, copy in sorted(copies):
            if total <= self._most_bytes:
                return
            copy.unlink(missing_ok=True)
            total -= size
