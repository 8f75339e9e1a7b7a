"""How long a training worked in vain: the time that is left goes by the work that it goes on with."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("seconds_lost", sa.Double(), nullable=False, server_default="0"))
