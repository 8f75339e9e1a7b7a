"""The disks that uploads are written to: of this machine, and of each node with one of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from synthgen_ray.artifacts import open_artifacts
from synthgen_ray.artifacts.scratch import Room, Scratch
from synthgen_ray.runtime.doctor.finding import Finding, Level, fail, ok, warn
from synthgen_ray.settings import Settings, UploadSettings


@dataclass(frozen=True)
class Disk:
    """As it is where this folder is, or will be."""

    folder: Path
    room: Room | None = None
    away: str = ""  # why nothing is known of its room


@dataclass(frozen=True)
class Look:
    """What a node is asked: travels there."""

    folder: Path
    upload: UploadSettings


def disk(settings: Settings) -> Iterator[Finding]:
    folders = [settings.data_dir]
    if settings.artifacts_url and settings.artifacts_url.startswith("file:"):  # where uploads are written then
        folders.append(Path(open_artifacts(settings.artifacts_url, settings.data_dir).uri("")))
    places = {place.stat().st_dev: place for place in map(_existing, reversed(folders))}
    for folder in reversed(places.values()):
        found = look_at(Look(folder, settings.upload))
        yield _finding(found, "", "Make room, or shorten retention.outputs_days:")


def of_each_node(settings: Settings) -> Look | None:
    """Uploads are written on the machine of the ingress that they reach; `None` where all write to one folder."""
    if settings.artifacts_url is None or settings.artifacts_url.startswith("file:"):
        return None
    return Look(settings.data_dir.absolute(), settings.upload)


def look_at(look: Look) -> Disk:
    """By the rule of uploads, on the machine where this runs."""
    try:
        folder = _existing(look.folder)
        return Disk(folder, Scratch(folder).find_room(look.upload.min_free_bytes, look.upload.min_free_share))
    except OSError as error:
        return Disk(look.folder, away=str(error))


def disk_of_node(address: str, disk: Disk) -> Iterator[Finding]:
    """Nothing of one that has room."""
    found = _finding(disk, f" of the node {address}", "Make room there, or give it a larger disk:")
    if found.level is not Level.OK:
        yield found


def _finding(disk: Disk, whose: str, advice: str) -> Finding:
    if disk.room is None:
        said = f"The disk{whose} cannot be looked at: {disk.away or disk.folder}"
        return fail("disk", said, "See its kernel's log: uploads that reach this disk fail.")
    free, total, needed = (
        f"{size / 2**30:.1f} GiB" for size in (disk.room.free_bytes, disk.room.total_bytes, disk.room.needed_bytes)
    )
    said = f"{free} of {total} are free at {disk.folder}{whose}."
    advice = f"{advice} below {needed} uploads answer 507."
    if disk.room.free_bytes < disk.room.needed_bytes:
        return fail("disk", said, advice)
    if disk.room.free_bytes < 2 * disk.room.needed_bytes:
        return warn("disk", said, advice)
    return ok("disk", said)


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.exists())
