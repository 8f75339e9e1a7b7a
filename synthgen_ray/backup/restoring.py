"""A server from a backup: nothing runs meanwhile, and the next `synthgen up` finds what the backup has."""

import asyncio
import re
from collections.abc import Iterable

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.artifacts.copying import copy
from synthgen_ray.backup.manifest import BackupFailed, Manifest, claim_of, open_rows, read_manifest
from synthgen_ray.domain.entities import Artifact
from synthgen_ray.domain.errors import Gone
from synthgen_ray.store.dumping import Inconsistent, Named, NotEmpty, Undumpable, check_empty, load, named_in
from synthgen_ray.store.health import look_at
from synthgen_ray.store.migrating import SchemaTooNew, known_revisions

# As our own are; a backup that a stranger made must not have anything written, read or erased anywhere else.
_LOCATION = re.compile(r"(datasets|models|jobs)(/[A-Za-z0-9-]+){1,3}")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


def restore(place: Artifacts, database_url: str, artifacts: Artifacts) -> Manifest:
    """Fill an empty database and the artifacts beside it. One that was cut off is begun again.

    What ran when the backup was made is pending or lost to the server that starts, as after a crash.

    Raises: BackupFailed, and the database is as it was; Unavailable; InsufficientStorage.
    """
    manifest = read_manifest(place)
    if manifest.revision not in known_revisions():
        raise BackupFailed(f"The backup is of schema {manifest.revision}: it takes SynthGen {manifest.made_by}.")
    try:
        with open_rows(place, manifest) as lines:
            named = named_in(lines)
    except Undumpable as error:
        raise BackupFailed(f"The backup is none that this SynthGen makes. {error}") from error
    _check_places(named)
    if not _is_filled(database_url, artifacts, manifest):
        _check_empty(database_url)
        _claim(place, artifacts, manifest)
        lost = set(manifest.lost)
        for artifact in (*named.artifacts, *named.checkpoints):
            if artifact.id not in lost:
                _bring(artifact, place, artifacts)
        with open_rows(place, manifest) as lines:
            _fill(database_url, manifest, lines)
    artifacts.hand_over(str(manifest.server_id))
    return manifest


def _restorer(manifest: Manifest) -> str:
    """The owner of artifacts that are on their way: of this backup, and no other."""
    return f"restoring {manifest.rows_sha256}"


def _is_filled(database_url: str, artifacts: Artifacts, manifest: Manifest) -> bool:
    """Whether a restore of this backup was cut off at its last step: its rows come all at once, after its files."""
    if artifacts.find_owner() != _restorer(manifest):
        return False
    return asyncio.run(look_at(database_url)).server_id == manifest.server_id


def _check_places(named: Named) -> None:
    """Of what is not copied too: the server that starts reads it, and erases it."""
    artifacts = (*named.artifacts, *named.checkpoints)
    locations = (*(artifact.location for artifact in artifacts), *named.to_erase)
    names = (part.name for artifact in artifacts for part in artifact.parts)
    if not all(map(_LOCATION.fullmatch, locations)) or not all(map(_NAME.fullmatch, names)):
        raise BackupFailed("The backup names files that no server of ours writes: it was tampered with.")


def _check_empty(database_url: str) -> None:
    """Before hours of copying; `_fill` looks again."""
    try:
        asyncio.run(check_empty(database_url))
    except NotEmpty as error:
        raise BackupFailed(str(error)) from error
    if not asyncio.run(look_at(database_url)).takes_tables:
        raise BackupFailed("The database takes no tables from its user: synthgen doctor says why.")


def _claim(place: Artifacts, artifacts: Artifacts, manifest: Manifest) -> None:
    if place.find_owner() != claim_of(manifest.server_id):
        raise BackupFailed("The place does not say that it is a backup of this server.")
    # Not of the server itself, which may be alive: what this one does not know it would erase.
    is_taken = artifacts.find_owner() is None and artifacts.list_folders()
    if is_taken or not artifacts.claim(_restorer(manifest)):
        raise BackupFailed("There are artifacts where these would go: name an empty place.")


def _bring(artifact: Artifact, place: Artifacts, artifacts: Artifacts) -> None:
    try:
        copy(artifact, place, artifacts)
    except Gone:
        raise BackupFailed(
            f"{artifact.location} of the backup is missing or damaged, and nothing was put into the database: "
            "use another backup."
        ) from None


def _fill(database_url: str, manifest: Manifest, lines: Iterable[str]) -> None:
    try:
        asyncio.run(load(database_url, manifest.revision, lines))
    except (NotEmpty, Inconsistent, SchemaTooNew) as error:
        raise BackupFailed(str(error)) from error
