"""What a backup is: a place of artifacts like a server's own, with the rows that name them beside.

    server/owner                     whose backup it is
    datasets, models, jobs           the artifacts, under the names that they have in the server
    backup/<sha256>/rows.jsonl.gz    all rows of the metadata, of one moment
    backup/manifest.json             which of these files counts
    backup/manifest-<id>.json        one that is about to take its place (`replacing`)

The manifest is the last to be written and replaced at once, so a place holds the backup before or the one after.
API keys are in it as hashes; the admin key, Ray's token and the settings are not in it.
"""

import gzip
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.artifacts.scratch import on_disk
from synthgen_ray.domain.entities import Artifact, Part
from synthgen_ray.domain.errors import Gone

FOLDER, MANIFEST, ROWS = "backup", "manifest.json", "rows.jsonl.gz"
IS_ROWS = re.compile(f"{FOLDER}/[0-9a-f]{{64}}")
MOST_BYTES = 64 << 20  # of a manifest: what is larger is none


class BackupFailed(Exception):
    """There is no backup, or it cannot be restored here; the message says why, and what would be right."""


class Manifest(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    made_at: datetime
    made_by: str = Field(description="The version of SynthGen.")
    server_id: UUID
    revision: str = Field(description="Of the schema of the rows.")
    rows_sha256: str = Field(pattern="^[0-9a-f]{64}$")
    rows_bytes: int = Field(ge=0)
    num_artifacts: int = Field(ge=0)
    lost: tuple[UUID, ...] = Field(description="Artifacts, or checkpoints, that the server itself no longer had whole.")

    @property
    def rows(self) -> Artifact:
        part = Part(ROWS, num_rows=0, size_bytes=self.rows_bytes)
        return Artifact(self.server_id, f"{FOLDER}/{self.rows_sha256}", (part,), self.rows_sha256)


def claim_of(server_id: UUID) -> str:
    """The owner of a place of backups: never that of a server's own artifacts."""
    return f"backup of {server_id}"


def read_manifest(place: Artifacts) -> Manifest:
    """Raises: BackupFailed; Unavailable."""
    manifest = find_manifest(place)
    if manifest is None:
        raise BackupFailed("There is no backup at this place.")
    return manifest


def find_manifest(place: Artifacts) -> Manifest | None:
    """`None` where there is no backup. Raises: BackupFailed; Unavailable."""
    size = place.sizes(FOLDER, [MANIFEST]).get(MANIFEST)
    if size is None:
        return None
    with place.part_file(FOLDER, MANIFEST) as file:
        try:
            return Manifest.model_validate_json(file.read_bytes() if size <= MOST_BYTES else b"")
        except ValidationError:
            raise BackupFailed("The backup's manifest is damaged, or of a newer version of SynthGen.") from None


@contextmanager
def open_rows(place: Artifacts, manifest: Manifest) -> Iterator[Iterator[str]]:
    """The lines of its rows, after a look at each byte of the file. A copy is read: the place may take no files.

    Raises: BackupFailed; Unavailable; InsufficientStorage.
    """
    try:
        with tempfile.TemporaryFile() as file:
            with on_disk():
                file.writelines(place.verified(manifest.rows))
            file.seek(0)
            with gzip.open(file, "rt", encoding="utf-8") as lines:
                yield lines
    except Gone:
        raise BackupFailed("The backup's rows are not those that its manifest names: use another backup.") from None
