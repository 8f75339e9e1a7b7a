"""Schemas that were not migrated to their end, rows of schemas from before, and what is wrong with one."""

import json
import subprocess
import sys
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy.ext.asyncio import AsyncConnection

from synthgen_ray.store.store import Store
from synthgen_ray.store.tables import Row

# A server that is killed when a statement of the migrations has taken effect, and nothing is committed.
KILLED = """
import asyncio, os, signal, sys
from sqlalchemy import Engine, event
from synthgen_ray.store.migrating import migrate

url, last = sys.argv[1:]

def end(connection, cursor, statement, *_):
    if last in statement:
        os.kill(os.getpid(), signal.SIGKILL)

event.listen(Engine, "after_cursor_execute", end)
asyncio.run(migrate(url))
"""


def migrate_and_be_killed(url: str, last: str) -> "subprocess.CompletedProcess[str]":
    """At the first statement that has the last words in it."""
    return subprocess.run([sys.executable, "-c", KILLED, url, last], capture_output=True, text=True)


async def differences(store: Store) -> list[Any]:
    """Of its tables to those that the code reads."""
    async with store._sessions.engine.connect() as connection:
        return await connection.run_sync(lambda c: compare_metadata(MigrationContext.configure(c), Row.metadata))


async def insert(connection: AsyncConnection, table: str, **row: object) -> None:
    """A row of any schema, on either database."""
    names, values = ", ".join(row), ", ".join(map(_literal, row.values()))
    await connection.exec_driver_sql(f"INSERT INTO {table} ({names}) VALUES ({values})")


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, dict | list):
        value = json.dumps(value)
    return str(value) if isinstance(value, int) else f"'{value}'"
