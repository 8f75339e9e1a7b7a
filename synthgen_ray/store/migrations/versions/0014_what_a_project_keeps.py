"""What a project keeps is summed up by an index of that alone, however much it has let go of."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"

KEPT = sa.text("artifact_id IS NOT NULL")


def upgrade() -> None:
    op.create_index("ix_jobs_kept", "jobs", ["project_id", "artifact_id"], sqlite_where=KEPT, postgresql_where=KEPT)
