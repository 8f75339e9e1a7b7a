"""The connection to SQL: one engine, two kinds of transaction, migrations."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from synthgen_ray.domain.errors import Unavailable, frames_of

log = logging.getLogger(__name__)
BUSY_TIMEOUT_MS = 5000


class Sessions:
    """`reading()` and `writing()`: each is one transaction, and what fails in it never happened."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.engine = _engine(url)
        # SQLite takes one writer at a time: here they wait in line, where some would time out before the file's lock.
        is_sqlite = self.engine.dialect.name == "sqlite"
        self._turn: AbstractAsyncContextManager[None] = asyncio.Lock() if is_sqlite else nullcontext()
        self._write = async_sessionmaker(self.engine, expire_on_commit=False)
        reads = self.engine.execution_options(reads=True)
        self._read = async_sessionmaker(reads, expire_on_commit=False)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        async with _honest(), self._read.begin() as session:
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        async with self._turn, _honest(), self._write.begin() as session:
            yield session

    async def migrate(self) -> None:
        """Bring the schema to this version of the code; does nothing when it is there.

        Raises: alembic's CommandError when the schema is newer than the code.
        """
        # SQLite changes a table by making it anew: with foreign keys on, what points at it would be deleted with it.
        engine = _engine(self._url, foreign_keys=False)
        try:
            async with engine.begin() as connection:
                await connection.run_sync(upgrade)
        finally:
            await engine.dispose()

    async def dispose(self) -> None:
        await self.engine.dispose()


def upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


@asynccontextmanager
async def _honest() -> AsyncIterator[None]:
    """A database that is locked, full or away is a 503 to try again, not a bug of the caller's."""
    try:
        yield
    except DBAPIError as error:
        if not error.connection_invalidated and type(error).__name__ != "OperationalError":
            raise
        log.error("the database refused a transaction: %s", frames_of(error))
        raise Unavailable("The metadata store cannot answer now; try again.", "store_unavailable") from error


def _engine(url: str, *, foreign_keys: bool = True) -> AsyncEngine:
    engine = create_async_engine(url, hide_parameters=True)  # they are our users' words
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", partial(_configure_sqlite, foreign_keys=foreign_keys))
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: Any, _record: Any, *, foreign_keys: bool) -> None:
    connection.isolation_level = None  # transactions begin below, not when the driver thinks so
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",  # what was acknowledged survives a power cut
        f"foreign_keys={int(foreign_keys)}",
        "secure_delete=ON",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A deferred BEGIN that turns into a write fails at once when another writes; IMMEDIATE waits.
    reads = connection.get_execution_options().get("reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
