"""All rows of the metadata as lines of JSON, and back: from either database into either."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice
from typing import IO, Any
from uuid import UUID

from sqlalchemy import JSON, Connection, Enum, MetaData, Table, Uuid, func, insert, inspect, select

from synthgen_ray.domain.entities import Artifact
from synthgen_ray.store.engines import engine_at, is_sqlite, snapshots
from synthgen_ray.store.entities import CHECKPOINT, PARTS
from synthgen_ray.store.migrating import changing_schema, check_known, current_revision, upgrade
from synthgen_ray.store.outages import honest
from synthgen_ray.store.tables import Row, UtcDateTime

AT_ONCE = 50  # rows of one statement: each may be a table of a thousand columns


class Undumpable(Exception):
    """The database, or its dump, is none of ours, or of a release that gave it no id."""


class NotEmpty(Exception):
    """The database holds tables already."""


class Inconsistent(Exception):
    """Rows that point at rows which are not there."""


@dataclass(frozen=True)
class Named:
    """What the rows of a dump name. A lost checkpoint costs time, any other artifact what a user made."""

    server_id: UUID
    artifacts: tuple[Artifact, ...]
    checkpoints: tuple[Artifact, ...]
    to_erase: tuple[str, ...]  # folders


async def dump(url: str, sink: IO[str]) -> str:
    """Write all rows, of one state of the database, and answer of which revision of the schema they are.

    Others read and write meanwhile, and may have tables beside ours. Raises: Undumpable; SchemaTooNew; Unavailable.
    """
    engine = engine_at(url)
    try:
        async with honest(), snapshots(engine).begin() as connection:
            revision = await connection.run_sync(current_revision)
            if revision is None:
                raise Undumpable("The database has no tables of SynthGen.")
            check_known(revision)  # of which it would leave out the tables that are new
            if not is_sqlite(engine):  # rows may be large, and the sink slow; who only reads keeps no lock from others
                await connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
            for table in await connection.run_sync(_tables):
                rows = await connection.stream(select(table).execution_options(yield_per=AT_ONCE))
                async for row in rows.mappings():
                    sink.write(json.dumps([table.name, dict(row)], default=_plain) + "\n")
            return revision
    finally:
        await engine.dispose()


async def load(url: str, revision: str, lines: Iterable[str]) -> None:
    """Make the tables as they were, fill them with these lines, and migrate: in one transaction.

    Raises: NotEmpty; SchemaTooNew; Inconsistent; Unavailable.
    """
    async with changing_schema(url) as connection:
        await connection.run_sync(_load, revision, lines)


async def check_empty(url: str) -> None:
    """Raises: NotEmpty; Unavailable."""
    engine = engine_at(url)
    try:
        async with honest(), engine.connect() as connection:
            await connection.run_sync(_refuse_tables)
    finally:
        await engine.dispose()


def named_in(lines: Iterable[str]) -> Named:
    """Raises: Undumpable; ValueError, for a line that is none of a dump."""
    server_id: UUID | None = None
    artifacts: list[Artifact] = []
    checkpoints: list[Artifact] = []
    to_erase: list[str] = []
    for line in lines:
        name, row = json.loads(line)
        if name not in Row.metadata.tables:
            raise Undumpable(f"There are rows of {name!r}, which is no table of SynthGen.")
        if name == "server":
            server_id = UUID(row["id"])
        elif name == "artifacts":
            parts = PARTS.validate_python(row["parts"])
            artifacts.append(Artifact(UUID(row["id"]), row["location"], parts, row["sha256"]))
        elif name == "jobs" and row.get("checkpoint"):
            checkpoints.append(CHECKPOINT.validate_python(row["checkpoint"]))
        elif name == "erasures":
            to_erase.append(str(row["location"]))
    if server_id is None:
        raise Undumpable("The metadata has no id: start this version once, which migrates it.")
    return Named(server_id, tuple(artifacts), tuple(checkpoints), tuple(to_erase))


def _refuse_tables(connection: Connection) -> None:
    if inspect(connection).get_table_names():
        raise NotEmpty("The database holds tables already: restore into an empty one.")


def _load(connection: Connection, revision: str, lines: Iterable[str]) -> None:
    _refuse_tables(connection)
    upgrade(connection, revision)
    tables = _tables(connection)
    for table in reversed(tables):  # a migration writes a row too
        connection.execute(table.delete())
    by_name = {table.name: table for table in tables}
    for name, rows in groupby(map(json.loads, lines), key=lambda line: str(line[0])):
        table = by_name[name]
        while some := [_typed(table, row) for _, row in islice(rows, AT_ONCE)]:
            connection.execute(insert(table), some)
    if connection.dialect.name == "sqlite":
        if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
            raise Inconsistent("Rows of the backup point at rows that it does not have.")
    else:
        _count_on(connection, tables)
    upgrade(connection)


def _count_on(connection: Connection, tables: Iterable[Table]) -> None:
    """PostgreSQL's own counters know nothing of rows that came with their numbers."""
    for table in tables:
        for column in table.primary_key.columns:
            sequence = func.pg_get_serial_sequence(table.name, column.name)
            if connection.scalar(select(sequence)) is not None:
                last = connection.scalar(select(func.max(column)))
                connection.execute(select(func.setval(sequence, last or 1, last is not None)))


def _tables(connection: Connection) -> list[Table]:
    """Ours as they are there, which may be those of an older release, with the types that this one has for their
    columns. No migration has dropped one."""
    found = MetaData()
    found.reflect(connection, only=lambda name, _: name in Row.metadata.tables)
    for table in found.tables.values():
        types = {column.name: column.type for column in Row.metadata.tables[table.name].columns}
        for column in table.columns:
            if column.name in types:
                column.type = _exact(types[column.name], column.type)
    return found.sorted_tables


def _exact(ours: Any, theirs: Any) -> Any:
    if isinstance(ours, Enum):
        return theirs  # its text: a word that this release does not know passes through
    return JSON(none_as_null=True) if isinstance(ours, JSON) else ours


def _plain(value: UUID | datetime) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _typed(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    return dict(_typed_cells(table, row))


def _typed_cells(table: Table, row: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        kind = table.columns[name].type
        if value is not None and isinstance(kind, Uuid):
            yield name, UUID(value)
        elif value is not None and isinstance(kind, UtcDateTime):
            yield name, datetime.fromisoformat(value)
        else:
            yield name, value
