"""Since when the clock is doubted that leapt ahead: a day of that may have several servers, one after the other."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("server", sa.Column("doubted_at", sa.DateTime(timezone=True), nullable=True))
