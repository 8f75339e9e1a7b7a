"""A backup of a server, which may be at work meanwhile."""

import asyncio
import gzip
import hashlib
import shutil
import tempfile
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from uuid import UUID

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.artifacts.copying import copy
from synthgen_ray.artifacts.scratch import on_disk
from synthgen_ray.backup.manifest import (
    FOLDER,
    IS_ROWS,
    ROWS,
    BackupFailed,
    Manifest,
    claim_of,
    find_manifest,
)
from synthgen_ray.backup.replacing import replace_manifest
from synthgen_ray.domain.entities import Artifact
from synthgen_ray.domain.errors import Gone
from synthgen_ray.store.dumping import Named, Undumpable, dump, named_in
from synthgen_ray.store.migrating import SchemaTooNew


@dataclass(frozen=True)
class Snapshot:
    """The rows of one moment, in a file, and what they name."""

    file: Path
    revision: str
    named: Named


@dataclass
class Copied:
    """What of a server's artifacts is in the backup by now."""

    whole: set[UUID] = field(default_factory=set)
    num_bytes: int = 0

    def take_all(self, named: Named, source: Artifacts, place: Artifacts) -> tuple[frozenset[UUID], frozenset[UUID]]:
        """The checkpoints first: a training at work drops one soon after it has made the next, and without it, it
        starts anew. Answers of which checkpoints and of which artifacts the server has no longer all.

        Raises: Unavailable.
        """
        return self._take(named.checkpoints, source, place), self._take(named.artifacts, source, place)

    def _take(self, artifacts: Iterable[Artifact], source: Artifacts, place: Artifacts) -> frozenset[UUID]:
        """Copy what is not there yet."""
        lost = set()
        for artifact in artifacts:
            if artifact.id in self.whole:
                continue
            try:
                self.num_bytes += copy(artifact, source, place)
                self.whole.add(artifact.id)
            except Gone:
                lost.add(artifact.id)
        return frozenset(lost)


@dataclass(frozen=True)
class BackupMade:
    manifest: Manifest
    num_bytes: int  # that were not there before
    lost: frozenset[UUID]  # artifacts that the server should have and has not


def back_up(database_url: str, artifacts: Artifacts, place: Artifacts) -> BackupMade:
    """Copy all rows and what they name to a place that is empty, or has an earlier backup of the same server.

    Artifacts never change, but they are erased. What went between the look at the rows and the copy may be gone by
    right: then the rows are looked at again, until what is missing stays missing.

    Raises: BackupFailed; Unavailable; InsufficientStorage.
    """
    began = time.time()
    former = find_manifest(place)  # before the look at the rows: whoever made it may still let go of what is older
    with tempfile.TemporaryDirectory(prefix="synthgen-backup-") as folder:
        file, copied = Path(folder) / "rows.jsonl.gz", Copied()
        snapshot = _look(database_url, file)
        _claim(place, artifacts, snapshot.named.server_id)
        dropped, lost = copied.take_all(snapshot.named, artifacts, place)
        while lost:
            snapshot, before = _look(database_url, file), lost
            dropped, lost = copied.take_all(snapshot.named, artifacts, place)
            if lost == before:
                break
        manifest = _publish(place, snapshot, dropped | lost, former)
    _drop_rows(place, former, manifest)
    _prune(place, manifest, snapshot.named, began)
    return BackupMade(manifest, copied.num_bytes, lost)


def _look(database_url: str, file: Path) -> Snapshot:
    try:
        with on_disk(), gzip.open(file, "wt", encoding="utf-8") as sink:
            revision = asyncio.run(dump(database_url, sink))
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            return Snapshot(file, revision, named_in(lines))
    except (Undumpable, SchemaTooNew) as error:
        raise BackupFailed(str(error)) from error


def _claim(place: Artifacts, artifacts: Artifacts, server_id: UUID) -> None:
    is_another = place.find_owner() is None and (place.list_folders() or place.uri("") == artifacts.uri(""))
    if is_another or not place.claim(claim_of(server_id)):
        raise BackupFailed("The place holds something else than backups of this server: name one that is empty.")


def _publish(place: Artifacts, snapshot: Snapshot, lost: Collection[UUID], former: Manifest | None) -> Manifest:
    with snapshot.file.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    manifest = Manifest(
        made_at=datetime.now(UTC),
        made_by=version("synthgen-ray"),
        server_id=snapshot.named.server_id,
        revision=snapshot.revision,
        rows_sha256=sha256,
        rows_bytes=snapshot.file.stat().st_size,
        num_artifacts=len(snapshot.named.artifacts),
        lost=tuple(sorted(lost)),
    )
    with place.writing(manifest.rows.location, ROWS) as sink, snapshot.file.open("rb") as file:
        shutil.copyfileobj(file, sink)
    there = replace_manifest(place, former, manifest)
    if there != manifest:  # it lets go of what it does not name and this one does
        _drop_rows(place, manifest, there)
        raise BackupFailed("Another backup was made at the place meanwhile, and is the one there: make this one again.")
    return manifest


def _drop_rows(place: Artifacts, gone: Manifest | None, kept: Manifest) -> None:
    if gone is not None and gone.rows_sha256 != kept.rows_sha256:
        place.erase(gone.rows.location)


def _prune(place: Artifacts, manifest: Manifest, named: Named, began: float) -> None:
    """Let go of what only the backup before named, or one that was killed has left. What is younger may be the next
    one's."""
    parts = {one.location: [part.name for part in one.parts] for one in (*named.artifacts, *named.checkpoints)}
    above = {str(folder) for location in parts for folder in PurePosixPath(location).parents}
    for folder in place.list_folders():
        for location in place.list_idle(folder, before=began):
            if location in parts:
                place.clear_unfinished(location, parts[location])
            elif location not in above:
                place.erase(location)
    for location in place.list_idle(FOLDER, before=began):
        if IS_ROWS.fullmatch(location) and location != manifest.rows.location:
            place.erase(location)
