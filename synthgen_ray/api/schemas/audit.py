"""The audit trail."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, PlainSerializer

from synthgen_ray.api import examples
from synthgen_ray.api.schemas.common import Mirror
from synthgen_ray.domain.audit import Action, exact


class AuditEventSchema(Mirror):
    """`at` is exact: the hash is of all the other fields."""

    model_config = ConfigDict(json_schema_extra=examples.example(examples.AUDIT_EVENT))

    number: int
    at: Annotated[datetime, PlainSerializer(exact, return_type=str)]
    action: Action
    object_id: UUID
    project_id: UUID | None
    key_id: UUID
    request_id: str
    address: str
    previous: str
    hash: str
