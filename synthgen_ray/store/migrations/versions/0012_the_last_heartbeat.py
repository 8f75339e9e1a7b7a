"""When the last heartbeat of anybody was: by it a clock that was set is told, and deadlines move along."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("server", sa.Column("beat_at", sa.DateTime(timezone=True), nullable=True))
