"""Deadlines, owners of leases, a history of moves; what a job's status implies is checked by the database."""

import sqlalchemy as sa
from alembic import op

from synthgen_ray.store.final_rows import guard_final_rows

revision = "0006"
down_revision = "0005"

STATUS = sa.Enum("pending", "running", "completed", "failed", name="jobstatus", native_enum=False, length=32)
CHECKS = {
    "status": "status IN ('pending', 'running', 'completed', 'failed')",
    "leased_while_running": "(status = 'running') = (lease_expires_at IS NOT NULL)",
    "owned_while_running": "(status = 'running') = (lease_owner IS NOT NULL)",
    "finished_when_final": "(status IN ('completed', 'failed')) = (finished_at IS NOT NULL)",
}


def upgrade() -> None:
    _columns()
    _constraints()
    _events()
    guard_final_rows(op.get_bind())


def _columns() -> None:
    op.add_column("jobs", sa.Column("project_id", sa.Uuid(), nullable=True))
    op.add_column("jobs", sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("jobs", sa.Column("lease_owner", sa.Text(), nullable=True))
    op.execute("UPDATE jobs SET project_id = (SELECT project_id FROM models WHERE models.id = jobs.model_id)")
    # The one server that there was until now.
    op.execute("UPDATE jobs SET lease_owner = 'local' WHERE status = 'running'")
    op.execute("UPDATE jobs SET lease_expires_at = created_at WHERE status = 'running' AND lease_expires_at IS NULL")
    op.execute("UPDATE jobs SET lease_expires_at = NULL WHERE status <> 'running'")
    op.execute("UPDATE jobs SET finished_at = NULL WHERE status IN ('pending', 'running')")
    op.execute(
        "UPDATE jobs SET finished_at = created_at WHERE status IN ('completed', 'failed') AND finished_at IS NULL"
    )


def _constraints() -> None:
    with op.batch_alter_table("jobs") as jobs:
        jobs.alter_column("project_id", existing_type=sa.Uuid(), nullable=False)
        jobs.create_foreign_key(
            op.f("fk_jobs_project_id_projects"), "projects", ["project_id"], ["id"], ondelete="CASCADE"
        )
        jobs.create_index("ix_jobs_waiting", ["status", "job_type", "project_id", "created_at", "not_before", "id"])
        for name, condition in CHECKS.items():
            jobs.create_check_constraint(op.f(f"ck_jobs_{name}"), condition)


def _events() -> None:
    op.create_table(
        "job_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("from_status", STATUS, nullable=True),
        sa.Column("to_status", STATUS, nullable=False),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_job_events_job_id_jobs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job_events")),
    )
    op.create_index(op.f("ix_job_events_job_id"), "job_events", ["job_id"])
