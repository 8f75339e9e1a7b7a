"""The SQL schema. Rows turn into entities before they leave the store."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    Enum,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, query_expression, relationship

from synthgen_ray.domain.access import Role
from synthgen_ray.domain.audit import Action
from synthgen_ray.domain.lifecycle import JobStatus, JobType, ModelStatus
from synthgen_ray.domain.params import ModelType

E = TypeVar("E", bound=StrEnum)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment. SQLite forgets time zones, so all are kept in UTC and come back as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


def text_enum(kind: type[E]) -> Enum:
    """An enumeration kept as its text, so that a row can be read without the code."""
    return Enum(kind, native_enum=False, length=32, values_callable=lambda members: [m.value for m in members])


def utc_now() -> datetime:
    return datetime.now(UTC)


class Row(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012
        datetime: UtcDateTime,
        str: Text,
        dict[str, Any]: JSON,
        list[Any]: JSON,
        JobStatus: text_enum(JobStatus),
        JobType: text_enum(JobType),
        ModelStatus: text_enum(ModelStatus),
        ModelType: text_enum(ModelType),
        Role: text_enum(Role),
        Action: text_enum(Action),
    }


class ServerRow(Row):
    """The one row by which this metadata is told from any other."""

    __tablename__ = "server"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    known_at: Mapped[datetime | None]  # the time, when it was looked at last
    doubted_at: Mapped[datetime | None]  # when it had leapt ahead of that, for as long as it may be wrong
    beat_at: Mapped[datetime | None]  # when a dispatcher said last that it lives


class ProjectRow(Row):
    __tablename__ = "projects"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)


class UsageRow(Row):
    """What a project has used so far, of all that was ever made in it."""

    __tablename__ = "usage"
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    generated_rows: Mapped[int] = mapped_column(BigInteger, default=0)
    training_seconds: Mapped[float] = mapped_column(default=0.0)


class ArtifactRow(Row):
    """A published file. Readers find files only through these rows."""

    __tablename__ = "artifacts"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    location: Mapped[str] = mapped_column(unique=True)
    # Of a generation perhaps thousands, for who reads the file; forgotten ones raise.
    parts: Mapped[list[Any]] = mapped_column(JSON, deferred=True, deferred_raiseload=True)
    sha256: Mapped[str]
    num_rows: Mapped[int] = mapped_column(BigInteger)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class DatasetRow(Row):
    __tablename__ = "datasets"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class DatasetVersionRow(Row):
    __tablename__ = "dataset_versions"
    __table_args__ = (UniqueConstraint("dataset_id", "version"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    dataset_id: Mapped[UUID] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
    version: Mapped[int]
    artifact_id: Mapped[UUID] = mapped_column(ForeignKey("artifacts.id"), index=True)
    num_rows: Mapped[int]
    columns: Mapped[list[Any]]
    warnings: Mapped[list[Any]]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    # A forgotten join raises instead of running a query per row.
    dataset: Mapped[DatasetRow] = relationship(lazy="raise")
    artifact: Mapped[ArtifactRow] = relationship(lazy="raise")


class ModelRow(Row):
    __tablename__ = "models"
    __table_args__ = (Index("ix_models_project_id_created_at", "project_id", "created_at"),)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    # None of a model that was imported.
    dataset_version_id: Mapped[UUID | None] = mapped_column(ForeignKey("dataset_versions.id"), index=True)
    name: Mapped[str]
    model_type: Mapped[ModelType]
    status: Mapped[ModelStatus] = mapped_column(default=ModelStatus.PENDING)
    config: Mapped[dict[str, Any]]
    resources: Mapped[dict[str, Any]]
    artifact_id: Mapped[UUID | None] = mapped_column(ForeignKey("artifacts.id"), index=True)
    learned_columns: Mapped[list[Any] | None] = mapped_column(JSON, deferred=True)
    chunk_rows: Mapped[int | None]
    quality: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    losses: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True), deferred=True)  # of its training
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    project: Mapped[ProjectRow] = relationship(lazy="raise")
    dataset_version: Mapped[DatasetVersionRow | None] = relationship(lazy="raise")
    artifact: Mapped[ArtifactRow | None] = relationship(lazy="raise")


KEPT = text("artifact_id IS NOT NULL")


class JobRow(Row):
    """One training, generation, batch or report. This table is the queue: `moves` alone changes a status."""

    __tablename__ = "jobs"
    __table_args__ = (
        Index("ix_jobs_status_created_at", "status", "created_at"),
        # All that a claim looks at of thousands that wait.
        Index("ix_jobs_waiting", "status", "job_type", "project_id", "created_at", "not_before", "id"),
        # The first page of a list, however many have ended: of a model, of a project, of all.
        Index("ix_jobs_model_id_created_at", "model_id", "created_at"),
        Index("ix_jobs_project_id_created_at", "project_id", "created_at"),
        Index("ix_jobs_created_at", "created_at"),
        # What a project keeps, however much it has let go of.
        Index("ix_jobs_kept", "project_id", "artifact_id", sqlite_where=KEPT, postgresql_where=KEPT),
        CheckConstraint("status IN ('pending', 'running', 'completed', 'failed')", name="status"),
        CheckConstraint("(status = 'running') = (lease_expires_at IS NOT NULL)", name="leased_while_running"),
        CheckConstraint("(status = 'running') = (lease_owner IS NOT NULL)", name="owned_while_running"),
        CheckConstraint("(status IN ('completed', 'failed')) = (finished_at IS NOT NULL)", name="finished_when_final"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    background_id: Mapped[UUID] = mapped_column(default=uuid4, unique=True)
    # Its model's, kept here too so that a claim need not look it up ten thousand times.
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    model_id: Mapped[UUID] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"))
    job_type: Mapped[JobType]
    status: Mapped[JobStatus] = mapped_column(default=JobStatus.PENDING)
    config: Mapped[dict[str, Any]]
    short_config: Mapped[dict[str, Any] | None] = query_expression()  # in lists, which do without a long one
    # That its config asks for. No query looks into that: PostgreSQL's `->>` raises where any text of it holds a NUL.
    num_rows: Mapped[int | None] = mapped_column(BigInteger)
    # The fencing token: each claim adds one, each later write names it. Never reset.
    attempt: Mapped[int] = mapped_column(default=0)
    failures: Mapped[int] = mapped_column(default=0)  # attempts that were lost, not those that were stopped
    not_before: Mapped[datetime] = mapped_column(default=utc_now)
    deadline_at: Mapped[datetime | None]  # None of jobs that are older than deadlines
    lease_owner: Mapped[str | None]  # the cluster whose dispatcher runs it
    lease_expires_at: Mapped[datetime | None]
    progress: Mapped[float] = mapped_column(default=0.0)
    message: Mapped[str] = mapped_column(default="")
    losses: Mapped[dict[str, Any]] = mapped_column(default=dict)
    seconds: Mapped[float] = mapped_column(default=0.0)  # at work in this attempt; of a training, in all
    seconds_lost: Mapped[float] = mapped_column(default=0.0)  # of a training's, in work that was done in vain
    # Of a training: an artifact that no other row names, from which its next attempt goes on.
    checkpoint: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    error_code: Mapped[str | None]
    error_message: Mapped[str | None]
    error_retryable: Mapped[bool | None]
    artifact_id: Mapped[UUID | None] = mapped_column(ForeignKey("artifacts.id"), index=True)
    scores: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))  # of a report
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    model: Mapped[ModelRow] = relationship(lazy="raise")
    artifact: Mapped[ArtifactRow | None] = relationship(lazy="raise")


class TurnRow(Row):
    """When a project was last given a job of a type. Of that job nothing need be left."""

    __tablename__ = "turns"
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)
    job_type: Mapped[JobType] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class JobEventRow(Row):
    """A move of a job from one status to another, written in the transaction that moved it."""

    __tablename__ = "job_events"
    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime]
    attempt: Mapped[int]
    from_status: Mapped[JobStatus | None]  # None when it was enqueued
    to_status: Mapped[JobStatus]
    error_code: Mapped[str | None]


class ErasureRow(Row):
    """A folder whose owner is gone. Written in the transaction that orphans it, erased later."""

    __tablename__ = "erasures"
    location: Mapped[str] = mapped_column(primary_key=True)
    not_before: Mapped[datetime] = mapped_column(default=utc_now)


class ApiKeyRow(Row):
    """A key, known by its hash alone. One that is bound sees the projects of `api_key_projects`, and no others."""

    __tablename__ = "api_keys"
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str]
    sha256: Mapped[str] = mapped_column(unique=True)
    role: Mapped[Role]
    is_bound: Mapped[bool] = mapped_column(default=False)
    is_bootstrap: Mapped[bool] = mapped_column(default=False)  # the one that comes with the server
    expires_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    bindings: Mapped[list["ApiKeyProjectRow"]] = relationship(lazy="raise", passive_deletes=True)


class ApiKeyProjectRow(Row):
    __tablename__ = "api_key_projects"
    api_key_id: Mapped[UUID] = mapped_column(ForeignKey("api_keys.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True)


class AuditRow(Row):
    """An event of the audit trail. It names what may be gone by now, so by ids that nothing holds."""

    __tablename__ = "audit_events"
    number: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False
    )
    at: Mapped[datetime] = mapped_column(index=True)
    action: Mapped[Action]
    object_id: Mapped[UUID]
    project_id: Mapped[UUID | None] = mapped_column(index=True)
    key_id: Mapped[UUID]
    request_id: Mapped[str]
    address: Mapped[str]
    previous: Mapped[str]
    hash: Mapped[str]


class OnceRow(Row):
    """A creating call that carried an Idempotency-Key, and what it answered."""

    __tablename__ = "idempotency_keys"
    api_key_id: Mapped[UUID] = mapped_column(ForeignKey("api_keys.id", ondelete="CASCADE"), primary_key=True)
    route: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    answer: Mapped[dict[str, Any]]
    made_id: Mapped[UUID]
    project_id: Mapped[UUID | None]  # of what was made, where it is in one
    created_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)
