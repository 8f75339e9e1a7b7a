"""How a database is, as seen by somebody who is about to use it."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, func, inspect, select
from sqlalchemy.exc import DatabaseError

from synthgen_ray.store.engines import engine_at, is_sqlite, snapshots
from synthgen_ray.store.migrating import current_revision
from synthgen_ray.store.outages import honest
from synthgen_ray.store.tables import ServerRow


@dataclass(frozen=True)
class DatabaseHealth:
    revision: str | None  # None without tables
    server_id: UUID | None
    ahead: timedelta  # of this machine's clock, known to half of `seconds`
    seconds: float  # that it took to tell
    damage: str | None  # what SQLite says of its file, where that is not sound
    takes_tables: bool = True  # from this user, as a first start, a restore and many a migration make them
    is_standby: bool = False  # a PostgreSQL that follows another, and is only read


async def look_at(url: str) -> DatabaseHealth:
    """Others write meanwhile, however large it is. Raises: Unavailable."""
    engine = engine_at(url)
    try:
        async with honest(), snapshots(engine).connect() as connection:
            may_create, is_standby = True, False
            damage, ahead, start = None, timedelta(0), time.monotonic()
            if is_sqlite(engine):
                (said,) = (await connection.exec_driver_sql("PRAGMA quick_check(1)")).one()
                damage = None if said == "ok" else str(said)
            else:
                before = datetime.now(UTC)
                theirs: datetime = (await connection.scalars(select(func.clock_timestamp()))).one()
                ahead = theirs - before - (datetime.now(UTC) - before) / 2
                may = func.has_schema_privilege(func.current_schema(), "CREATE")  # null where there is none
                may_create, is_standby = (await connection.execute(select(may, func.pg_is_in_recovery()))).one()
            seconds = time.monotonic() - start
            revision, server_id = await connection.run_sync(_identity)
            takes_tables = bool(may_create and not is_standby)
            return DatabaseHealth(revision, server_id, ahead, seconds, damage, takes_tables, is_standby)
    except DatabaseError as error:
        if not is_sqlite(engine):
            raise
        return DatabaseHealth(None, None, timedelta(0), 0.0, damage=str(error.orig))
    finally:
        await engine.dispose()


def _identity(connection: Connection) -> tuple[str | None, UUID | None]:
    has_id = inspect(connection).has_table(ServerRow.__tablename__)
    return current_revision(connection), connection.scalar(select(ServerRow.id)) if has_id else None
