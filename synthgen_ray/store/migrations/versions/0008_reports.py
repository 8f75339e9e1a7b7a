"""What reports found, and what trainings tell for them."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("scores", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("models", sa.Column("quality", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("models", sa.Column("losses", sa.JSON(none_as_null=True), nullable=True))
