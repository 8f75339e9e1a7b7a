"""The first page of a list of jobs is found by an index, however many have ended."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    for columns in (["model_id", "created_at"], ["project_id", "created_at"], ["created_at"]):
        op.create_index(f"ix_jobs_{'_'.join(columns)}", "jobs", columns)
    op.drop_index("ix_jobs_model_id", "jobs")
