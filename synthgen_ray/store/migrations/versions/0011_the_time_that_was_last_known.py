"""When the time was last known to be right: retention lets nothing go by a clock that leaps ahead of it."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("server", sa.Column("known_at", sa.DateTime(timezone=True), nullable=True))
