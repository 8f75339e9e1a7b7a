"""Each statement is compiled once in a process. SQLAlchemy does it anew for each engine, which each test has, and that
takes a tenth of its time."""

from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite

_compiled: dict[Any, Any] = {}


class _Alike:
    """Equal to others of its class: what was compiled is looked up by its dialect too."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))


class Sqlite(_Alike, SQLiteDialect_aiosqlite):
    supports_statement_cache = True


class Postgres(_Alike, PGDialect_asyncpg):
    supports_statement_cache = True


def compile_once() -> None:
    registry.register("sqlite.aiosqlite", __name__, Sqlite.__name__)
    registry.register("postgresql.asyncpg", __name__, Postgres.__name__)
    event.listen(Engine, "engine_connect", _share)


def _share(connection: Connection) -> None:
    connection.execution_options(compiled_cache=_compiled)
