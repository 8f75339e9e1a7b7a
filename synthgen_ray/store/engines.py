"""The engine of either database: how its connections are made, and how long they may keep a caller waiting.

SQLite and PostgreSQL hold the same tables, by the same migrations. What differs between them is here, and in the two
kinds of locks of `sessions`.
"""

import asyncio
import sqlite3
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

if TYPE_CHECKING:
    import aiosqlite
    import asyncpg

BUSY_TIMEOUT_MS = 5000
CONNECT_S = 5.0
# Of one statement: a server that fell silent without a word is given up then.
COMMAND_S = 10.0
SERVER_SETTINGS = {
    "application_name": "synthgen",
    # Whoever waited for the writers' lock must see what those before it did, whatever level an operator's is.
    "default_transaction_isolation": "read committed",
    "lock_timeout": f"{BUSY_TIMEOUT_MS}ms",
    # A writer whose machine fell silent must not keep its locks.
    "idle_in_transaction_session_timeout": "10s",
}
# What migrates waits as long as it takes: a table may be large, and another server may be migrating it.
PATIENT_MS = 3_600_000
PATIENT_SETTINGS = {**SERVER_SETTINGS, "lock_timeout": "0", "idle_in_transaction_session_timeout": "0"}


def engine_at(url: str, *, migrates: bool = False) -> AsyncEngine:
    return _sqlite(url, migrates=migrates) if url.startswith("sqlite") else _postgres(url, migrates=migrates)


def is_sqlite(engine: AsyncEngine) -> bool:
    return engine.dialect.name == "sqlite"


def snapshots(engine: AsyncEngine) -> AsyncEngine:
    """The same engine for readers: all queries of a transaction see one state, and none may write."""
    if is_sqlite(engine):
        return engine.execution_options(reads=True)
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def _sqlite(url: str, *, migrates: bool) -> AsyncEngine:
    engine = create_async_engine(url, hide_parameters=True)  # they are our users' words
    # SQLite changes a table by making it anew: with foreign keys on, what points at it would be deleted with it.
    event.listen(engine.sync_engine, "connect", partial(_configure_sqlite, migrates=migrates))
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    event.listen(engine.sync_engine, "invalidate", _end_what_was_cancelled)
    return engine


def _configure_sqlite(connection: Any, _record: Any, *, migrates: bool) -> None:
    connection.isolation_level = None  # transactions begin below, not when the driver thinks so
    patience_ms = PATIENT_MS if migrates else BUSY_TIMEOUT_MS
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={patience_ms}")
    connection.run_async(partial(_write_ahead, patience_ms=patience_ms))
    for pragma in (
        "synchronous=FULL",  # what was acknowledged survives a power cut
        f"foreign_keys={int(not migrates)}",
        "secure_delete=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


async def _write_ahead(connection: "aiosqlite.Connection", patience_ms: int) -> None:
    # Of two who change a new file's mode at once, SQLite refuses one without waiting for its time-out.
    give_up = time.monotonic() + patience_ms / 1000
    while True:
        try:
            async with connection.execute("PRAGMA journal_mode=WAL"):
                return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= give_up:
                raise
        await asyncio.sleep(0.02)


def _begin_sqlite(connection: Connection) -> None:
    # A deferred BEGIN that turns into a write fails at once when another writes; IMMEDIATE waits.
    reads = connection.get_execution_options().get("reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _end_what_was_cancelled(connection: Any, _record: Any, _error: BaseException | None) -> None:
    # SQLite closes a connection when its last cursor is gone. Who was cancelled leaves one behind, and until Python
    # collects that, what was begun would keep everybody else from writing.
    connection.rollback()


def _postgres(url: str, *, migrates: bool) -> AsyncEngine:
    # asyncpg reads the URL itself: it knows what libpq does, such as sslmode and several hosts.
    dsn = url.replace("postgresql+asyncpg:", "postgresql:", 1)

    async def connect() -> "asyncpg.Connection[asyncpg.Record]":
        import asyncpg
        from asyncpg.exceptions import ClientConfigurationError, TargetServerAttributeNotMatched

        settings = PATIENT_SETTINGS if migrates else SERVER_SETTINGS
        patience = None if migrates else COMMAND_S
        try:
            return await asyncpg.connect(dsn, timeout=CONNECT_S, command_timeout=patience, server_settings=settings)
        except (TargetServerAttributeNotMatched, ClientConfigurationError) as error:
            # The driver takes them for bugs, its own or ours. While two servers change places none is the primary one,
            # and the URL may want a certificate that is not there.
            raise ConnectionError(str(error)) from error

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, hide_parameters=True)
    event.listen(engine.sync_engine, "checkout", _replace_closed)
    event.listen(engine.sync_engine, "handle_error", _drop_silent)
    return engine


def _replace_closed(connection: Any, _record: Any, _proxy: Any) -> None:
    # The driver has seen it close, as when the server was restarted: the pool makes another, and nobody notices.
    if connection.driver_connection.is_closed():
        raise DisconnectionError


def _drop_silent(context: ExceptionContext) -> None:
    # A time-out or a reset is not an error of the driver's: without this the pool would hand out the connection again,
    # or all others, which are as dead.
    if isinstance(context.original_exception, OSError):
        context.is_disconnect = context.invalidate_pool_on_disconnect = True
