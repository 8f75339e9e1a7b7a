"""Rows that are made, or changed where they are there, in one statement: of two who look first one would fail."""

from collections.abc import Callable

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

_INSERT: dict[str, Callable[[Table], sqlite.Insert | postgresql.Insert]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}


def insert_into(session: AsyncSession, table: Table) -> sqlite.Insert | postgresql.Insert:
    """One that knows `on_conflict_do_update`."""
    return _INSERT[session.get_bind().dialect.name](table)
