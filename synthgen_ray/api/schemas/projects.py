"""Projects, and what they use."""

from uuid import UUID

from pydantic import ConfigDict

from synthgen_ray.api import examples
from synthgen_ray.api.schemas.common import Answer, Description, Mirror, Moment, Name
from synthgen_ray.domain.params import Params


class ProjectCreate(Params):
    model_config = ConfigDict(json_schema_extra=examples.example({"name": "Bank", "description": "Card payments"}))

    name: Name
    description: Description = ""


class ProjectSchema(Mirror):
    model_config = ConfigDict(json_schema_extra=examples.example(examples.PROJECT))

    id: UUID
    name: str
    description: str
    created_at: Moment


class ProjectChange(Params):
    model_config = ConfigDict(json_schema_extra=examples.example({"name": "Bank of Kiel"}))

    name: Name | None = None
    description: Description | None = None


class ProjectDeleted(Answer):
    model_config = ConfigDict(json_schema_extra=examples.example({"ok": True, "project_id": examples.PROJECT_ID}))

    ok: bool
    project_id: UUID


class QuotasSchema(Mirror):
    pending_jobs: int | None
    storage_bytes: int | None
    generated_rows: int | None
    training_seconds: float | None


class UsageSchema(Mirror):
    """What was made so far; storage and waiting jobs as they are now."""

    model_config = ConfigDict(json_schema_extra=examples.example(examples.USAGE))

    generated_rows: int
    training_seconds: float
    storage_bytes: int
    pending_jobs: int
    quotas: QuotasSchema
