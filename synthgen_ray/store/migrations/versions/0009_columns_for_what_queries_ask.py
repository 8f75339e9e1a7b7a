"""Columns for what queries ask of rows, which stood in their JSON alone."""

from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

# In the database, where there is no need to hold the parts of all.
COUNT_ROWS = {
    "sqlite": """
        UPDATE artifacts SET num_rows =
        (SELECT coalesce(sum(json_extract(value, '$.num_rows')), 0) FROM json_each(parts))
    """,
    "postgresql": """
        UPDATE artifacts SET num_rows =
        (SELECT coalesce(sum((value->>'num_rows')::bigint), 0) FROM json_array_elements(parts))
    """,
}


def upgrade() -> None:
    _artifacts()
    _jobs()
    _once()


def _artifacts() -> None:
    op.add_column("artifacts", sa.Column("num_rows", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute(COUNT_ROWS[op.get_bind().dialect.name])
    with op.batch_alter_table("artifacts") as artifacts:
        artifacts.alter_column("num_rows", existing_type=sa.BigInteger(), server_default=None)


def _jobs() -> None:
    op.add_column("jobs", sa.Column("num_rows", sa.BigInteger(), nullable=True))
    jobs = sa.table(
        "jobs",
        sa.column("id", sa.Uuid()),
        sa.column("job_type"),
        sa.column("status"),
        sa.column("config", sa.JSON()),
        sa.column("num_rows"),
    )
    # Only theirs are still to come. Read here: a text may hold a NUL.
    open_ones = jobs.c.job_type.in_(("generate", "batch")) & jobs.c.status.in_(("pending", "running"))
    connection = op.get_bind()
    for row in connection.execute(sa.select(jobs.c.id, jobs.c.config).where(open_ones)).all():
        if isinstance(row.config, dict):  # one that cannot be read fails when it is claimed
            num_rows = row.config.get("num_rows")
            connection.execute(jobs.update().where(jobs.c.id == row.id).values(num_rows=num_rows))


def _once() -> None:
    op.add_column("idempotency_keys", sa.Column("made_id", sa.Uuid(), nullable=True))
    op.add_column("idempotency_keys", sa.Column("project_id", sa.Uuid(), nullable=True))
    calls = sa.table(
        "idempotency_keys",
        sa.column("api_key_id", sa.Uuid()),
        sa.column("route"),
        sa.column("key"),
        sa.column("answer", sa.JSON()),
        sa.column("made_id", sa.Uuid()),
        sa.column("project_id", sa.Uuid()),
    )
    connection = op.get_bind()
    for row in connection.execute(sa.select(calls.c.api_key_id, calls.c.route, calls.c.key, calls.c.answer)).all():
        project_id = row.answer.get("project_id")
        of_it = {"made_id": UUID(row.answer["id"]), "project_id": UUID(project_id) if project_id else None}
        one = (calls.c.api_key_id == row.api_key_id) & (calls.c.route == row.route) & (calls.c.key == row.key)
        connection.execute(calls.update().where(one).values(of_it))
    with op.batch_alter_table("idempotency_keys") as altered:
        altered.alter_column("made_id", existing_type=sa.Uuid(), nullable=False)
