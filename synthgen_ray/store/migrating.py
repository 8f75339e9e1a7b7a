"""Bringing the schema to this version of the code, in one transaction."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from synthgen_ray.store.engines import engine_at, is_sqlite
from synthgen_ray.store.outages import honest
from synthgen_ray.store.sessions import WRITERS


class SchemaTooNew(Exception):
    """The database was migrated by a newer version of the code."""


async def migrate(url: str) -> None:
    """Does nothing when the schema is there. Servers that start at once wait for each other.

    Raises: SchemaTooNew; Unavailable, when the database does not answer.
    """
    async with changing_schema(url) as connection:
        await connection.run_sync(upgrade)


@asynccontextmanager
async def changing_schema(url: str) -> AsyncIterator[AsyncConnection]:
    """A transaction beside which nobody writes; it waits for its turn as long as it takes. Raises: Unavailable."""
    engine = engine_at(url, migrates=True)
    try:
        async with honest(), engine.begin() as connection:
            if not is_sqlite(engine):
                await connection.execute(select(func.pg_advisory_xact_lock(WRITERS)))
            yield connection
    finally:
        await engine.dispose()


def upgrade(connection: Connection, to: str = "head") -> None:
    """Raises: SchemaTooNew, for a schema, or one that is asked for, which this version does not know."""
    config = _config()
    config.attributes["connection"] = connection
    check_known(current_revision(connection))
    if to != "head":
        check_known(to)
    command.upgrade(config, to)


def check_known(revision: str | None) -> None:
    """Raises: SchemaTooNew."""
    known = known_revisions()
    if revision not in (None, *known):
        raise SchemaTooNew(
            f"The database has schema {revision}, and this SynthGen knows none after {known[0]}: "
            "start the newer version that made it, or restore the backup from before."
        )


def current_revision(connection: Connection) -> str | None:
    """`None` of a database without tables."""
    return MigrationContext.configure(connection).get_current_revision()


def known_revisions() -> list[str]:
    """The newest first."""
    return [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
