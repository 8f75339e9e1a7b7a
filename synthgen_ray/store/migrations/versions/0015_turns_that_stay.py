"""When a project was last given a job of a type stays, whatever becomes of that job."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "turns",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("job_type", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_turns_project_id_projects"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", "job_type", name=op.f("pk_turns")),
    )
    op.execute(
        "INSERT INTO turns (project_id, job_type, at) SELECT project_id, job_type, max(started_at) FROM jobs"
        " WHERE started_at IS NOT NULL GROUP BY project_id, job_type"
    )
    op.drop_index("ix_jobs_turns", "jobs")
