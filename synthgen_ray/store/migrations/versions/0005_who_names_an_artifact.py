"""Who names an artifact is found by an index: without it, each one that is deleted reads all jobs."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    for table in ("dataset_versions", "models", "jobs"):
        op.create_index(op.f(f"ix_{table}_artifact_id"), table, ["artifact_id"])
