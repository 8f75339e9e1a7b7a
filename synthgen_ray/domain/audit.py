"""Who did what, in a chain: each event holds a hash of itself and of the one before it, so that none can be changed,
left out or put in between without its being seen."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

NOTHING_BEFORE = ""


class Action(StrEnum):
    PROJECT_CREATE = "project.create"
    PROJECT_CHANGE = "project.change"
    PROJECT_DELETE = "project.delete"
    KEY_CREATE = "key.create"
    KEY_DELETE = "key.delete"
    DATASET_UPLOAD = "dataset.upload"
    DATASET_CORRECT = "dataset.correct"
    DATASET_DOWNLOAD = "dataset.download"
    DATASET_DELETE = "dataset.delete"
    MODEL_CREATE = "model.create"
    MODEL_IMPORT = "model.import"
    MODEL_EXPORT = "model.export"
    MODEL_SAMPLE = "model.sample"
    MODEL_DELETE = "model.delete"
    JOB_CREATE = "job.create"
    JOB_CANCEL = "job.cancel"
    JOB_DOWNLOAD = "job.download"
    REPORT_CREATE = "report.create"
    REPORT_DOWNLOAD = "report.download"


@dataclass(frozen=True)
class AuditEvent:
    """What was done, by which key, to what. It holds ids alone: nothing that a user has named or sent."""

    number: int
    at: datetime
    action: Action
    object_id: UUID
    project_id: UUID | None  # of a key the only one that it is bound to
    key_id: UUID
    request_id: str
    address: str  # of the client
    previous: str  # the hash of the event before
    hash: str


@dataclass(frozen=True)
class ShownEvent:
    """An event as a key that is bound to projects sees it."""

    number: int | None
    at: datetime
    action: Action
    object_id: UUID
    project_id: UUID | None
    key_id: UUID | None
    request_id: str
    address: str | None
    previous: str | None
    hash: str | None

    @classmethod
    def of(cls, event: AuditEvent, *, is_key_known: bool) -> Self:
        """Without its place in the chain, by whose gaps it would tell how much is done elsewhere, nor whose key it was
        and where, unless that is known to who asks."""
        hidden = ["number", "previous", "hash", *([] if is_key_known else ["key_id", "address"])]
        return cls(**(vars(event) | dict.fromkeys(hidden)))


def exact(moment: datetime) -> str:
    """As it goes into the hash."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def hash_of(event: AuditEvent) -> str:
    """SHA-256 of the hash of the event before it and of all that it says, as JSON."""
    ids = [str(one) if one else None for one in (event.object_id, event.project_id, event.key_id)]
    said = [event.previous, event.number, exact(event.at), event.action, *ids, event.request_id, event.address]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def find_break(newest_first: Iterable[AuditEvent]) -> AuditEvent | None:
    """The newest event that is not as it was written, or does not follow the one before it; `None` for a sound chain.

    The oldest event follows what is no longer kept. That none is missing behind the newest, only a hash that was noted
    elsewhere can tell.
    """
    after: AuditEvent | None = None
    for event in newest_first:
        if event.hash != hash_of(event):
            return event
        if after is not None and (after.previous != event.hash or after.number != event.number + 1):
            return after
        after = event
    return None
