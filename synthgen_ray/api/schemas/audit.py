"""The audit trail."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, PlainSerializer

from synthgen_ray.api import examples
from synthgen_ray.api.schemas.common import Mirror
from synthgen_ray.domain.audit import Action, exact


class AuditEventSchema(Mirror):
    """`at` is exact: the hash is of all the other fields. To a key that is bound to projects `number`, `previous` and
    `hash` are null, and `key_id` and `address` too where a key that is not bound to these alone did it."""

    model_config = ConfigDict(json_schema_extra=examples.example(examples.AUDIT_EVENT))

    number: int | None
    at: Annotated[datetime, PlainSerializer(exact, return_type=str)]
    action: Action
    object_id: UUID
    project_id: UUID | None
    key_id: UUID | None
    request_id: str
    address: str | None
    previous: str | None
    hash: str | None
