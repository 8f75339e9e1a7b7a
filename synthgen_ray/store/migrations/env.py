"""Alembic's entry: migrates over the connection that the store hands in."""

from alembic import context

from synthgen_ray.store.tables import Row

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Row.metadata,
    render_as_batch=True,  # SQLite alters a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
