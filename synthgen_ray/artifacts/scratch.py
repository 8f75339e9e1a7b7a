"""Temporary files on this machine's disk, which its processes share."""

import fcntl
import math
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from synthgen_ray.domain.errors import artifacts_away, insufficient_storage, is_disk_away, is_disk_full

ABANDONED_S = 3600  # no upload is silent for so long


@dataclass(frozen=True)
class Room:
    """On a disk. Uploads are refused while less is free than is needed."""

    free_bytes: int
    total_bytes: int
    needed_bytes: int


class Scratch:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def clear(self, *, is_shared: bool = False) -> None:
        """Make the folder, without what an earlier server left in it; of one that `is_shared` others may be at work."""
        if is_shared:
            self.clear_abandoned()
        else:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._make()

    @contextmanager
    def file(self) -> Iterator[Path]:
        """A path for a temporary file; gone afterwards.

        Raises: InsufficientStorage and Unavailable, when what the block does finds the disk full, or away.
        """
        path = self._folder / uuid4().hex
        try:
            with on_disk():
                self._make()
                yield path
        finally:
            path.unlink(missing_ok=True)

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """A folder for temporary files; gone with all in it afterwards. Nobody takes it for abandoned before, though a
        clock is set."""
        folder = self._folder / uuid4().hex
        with on_disk():
            self.clear_abandoned()
            self._make()
            folder.mkdir(mode=0o700)
            lock = _locked(folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)

    def check_free(self, num_bytes: int, share: float) -> None:
        """Raises: InsufficientStorage, where less of the disk is free; Unavailable."""
        with on_disk():
            room = self.find_room(num_bytes, share)
        if room is not None and room.free_bytes < room.needed_bytes:
            raise insufficient_storage()

    def find_room(self, num_bytes: int, share: float) -> Room | None:
        """Of the disk, where so many bytes and such a share must stay free; `None` where nothing was ever stored."""
        try:
            disk = shutil.disk_usage(self._folder)
        except FileNotFoundError:
            return None
        return Room(disk.free, disk.total, max(num_bytes, math.ceil(share * disk.total)))

    def _make(self) -> None:
        self._folder.mkdir(parents=True, mode=0o700, exist_ok=True)

    def clear_abandoned(self) -> None:
        """Remove what processes left that were killed."""
        long_ago = time.time() - ABANDONED_S
        for entry in listed(self._folder):
            with suppress(FileNotFoundError):  # its owner may remove it meanwhile
                inside = entry.iterdir() if entry.is_dir() else ()
                if all(path.stat().st_mtime < long_ago for path in (entry, *inside)) and not _is_locked(entry):
                    _remove(entry)


def listed(folder: Path) -> list[Path]:
    """What is in a folder, if it is there. Not by `glob`, which takes a disk that is away for an empty one from Python
    3.13 on."""
    try:
        with os.scandir(folder) as entries:
            return [Path(entry.path) for entry in entries]
    except FileNotFoundError:
        return []


@contextmanager
def on_disk() -> Iterator[None]:
    """Raises: InsufficientStorage, when what writes in this block finds the disk full; Unavailable, when it finds it
    away."""
    try:
        yield
    except OSError as error:
        if is_disk_full(error):
            raise insufficient_storage() from error
        if is_disk_away(error):
            raise artifacts_away() from error
        raise


def _locked(folder: Path) -> int:
    """An open file that has it locked until it is closed, or its process ends; not on disks that know no such locks."""
    opened = os.open(folder, os.O_RDONLY)
    with suppress(OSError):
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return opened


def _is_locked(entry: Path) -> bool:
    opened = os.open(entry, os.O_RDONLY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(opened)
    return False


def _remove(entry: Path) -> None:
    if entry.is_dir():
        shutil.rmtree(entry, ignore_errors=True)
    else:
        entry.unlink(missing_ok=True)
