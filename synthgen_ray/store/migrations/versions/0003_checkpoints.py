"""Trainings that go on where a lost attempt was."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("checkpoint", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("jobs", sa.Column("seconds", sa.Double(), nullable=False, server_default="0"))
    with op.batch_alter_table("jobs") as jobs:
        jobs.alter_column("seconds", existing_type=sa.Double(), server_default=None)
