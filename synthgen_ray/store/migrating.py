"""Bringing the schema to this version of the code, in one transaction."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select

from synthgen_ray.store.engines import engine_at, is_sqlite
from synthgen_ray.store.outages import honest
from synthgen_ray.store.sessions import WRITERS


class SchemaTooNew(Exception):
    """The database was migrated by a newer version of the code."""


async def migrate(url: str) -> None:
    """Does nothing when the schema is there. Servers that start at once wait for each other.

    Raises: SchemaTooNew; Unavailable, when the database does not answer.
    """
    engine = engine_at(url, migrates=True)
    try:
        async with honest(), engine.begin() as connection:
            if not is_sqlite(engine):
                await connection.execute(select(func.pg_advisory_xact_lock(WRITERS)))
            await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    _refuse_newer(connection, config)
    command.upgrade(config, "head")


def _refuse_newer(connection: Connection, config: Config) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in known:
        raise SchemaTooNew(
            f"The database has schema {current}, and this SynthGen knows none after {max(known)}: "
            "start the newer version that made it, or restore the backup from before."
        )
