"""Keys with roles, bound to projects; calls made once only; what a project uses; models without a dataset."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    _keys()
    _once()
    _usage()
    with op.batch_alter_table("models") as models:
        models.alter_column("dataset_version_id", existing_type=sa.Uuid(), nullable=True)


def _keys() -> None:
    # The one key that there was comes with the server, and is set again when it starts.
    op.drop_table("api_keys")
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("is_bound", sa.Boolean(), nullable=False),
        sa.Column("is_bootstrap", sa.Boolean(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("sha256", name=op.f("uq_api_keys_sha256")),
    )
    op.create_table(
        "api_key_projects",
        sa.Column("api_key_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["api_key_id"], ["api_keys.id"], name=op.f("fk_api_key_projects_api_key_id_api_keys"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_api_key_projects_project_id_projects"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("api_key_id", "project_id", name=op.f("pk_api_key_projects")),
    )


def _once() -> None:
    op.create_table(
        "idempotency_keys",
        sa.Column("api_key_id", sa.Uuid(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["api_key_id"], ["api_keys.id"], name=op.f("fk_idempotency_keys_api_key_id_api_keys"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("api_key_id", "route", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(op.f("ix_idempotency_keys_created_at"), "idempotency_keys", ["created_at"])


def _usage() -> None:
    op.create_table(
        "usage",
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("generated_rows", sa.BigInteger(), nullable=False),
        sa.Column("training_seconds", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_usage_project_id_projects"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_usage")),
    )
    op.add_column("artifacts", sa.Column("size_bytes", sa.BigInteger(), nullable=False, server_default="0"))
    artifacts = sa.table(
        "artifacts", sa.column("id", sa.Uuid()), sa.column("parts", sa.JSON()), sa.column("size_bytes")
    )
    connection = op.get_bind()
    for row in connection.execute(sa.select(artifacts.c.id, artifacts.c.parts)).all():
        size = sum(part["size_bytes"] for part in row.parts)
        connection.execute(artifacts.update().where(artifacts.c.id == row.id).values(size_bytes=size))
    with op.batch_alter_table("artifacts") as altered:
        altered.alter_column("size_bytes", existing_type=sa.BigInteger(), server_default=None)
