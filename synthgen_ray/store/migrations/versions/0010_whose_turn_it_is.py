"""When a project was last given a job of a type is found by an index, however many have ended."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_index("ix_jobs_turns", "jobs", ["project_id", "job_type", "started_at"])
