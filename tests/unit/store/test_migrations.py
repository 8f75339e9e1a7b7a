import asyncio
import signal
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Inspector, func, inspect, select, text

from synthgen_ray.store import engines
from synthgen_ray.store.engines import engine_at, is_sqlite
from synthgen_ray.store.migrating import SchemaTooNew
from synthgen_ray.store.sessions import WRITERS
from synthgen_ray.store.store import Store
from synthgen_ray.store.tables import Row
from tests.databases import on_both_databases
from tests.given import ADMIN
from tests.migrations import differences, migrate_and_be_killed

pytestmark = on_both_databases


@pytest.fixture
async def empty_url(database_url, tmp_path):
    """Of a database without any table."""
    if database_url.startswith("sqlite"):
        (tmp_path / "synthgen.db").unlink()
    else:
        await _execute(database_url, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    return database_url


@pytest.fixture
async def stores(empty_url):
    stores = [Store(empty_url) for _ in range(4)]
    yield stores
    for store in stores:
        await store.dispose()


async def test_they_make_the_tables_that_the_code_reads(store):
    assert await differences(store) == []


async def test_indexes_have_the_same_names_on_both_databases(database_url, store):
    named = {index.name for table in Row.metadata.tables.values() for index in table.indexes}

    assert await _inspected(database_url, _indexes) == named


async def test_again_they_change_nothing(store, project):
    await store.migrate()

    assert (await store.list_projects(ADMIN, 10, 0)).items == (project,)


async def test_servers_that_start_at_once_wait_for_each_other(stores):
    await asyncio.gather(*(store.migrate() for store in stores))

    assert (await stores[0].list_projects(ADMIN, 10, 0)).total == 0


async def test_one_waits_for_another_for_as_long_as_it_takes(monkeypatch, empty_url):
    monkeypatch.setattr(engines, "BUSY_TIMEOUT_MS", 50)
    monkeypatch.setitem(engines.SERVER_SETTINGS, "lock_timeout", "50ms")
    first = engine_at(empty_url)
    store = Store(empty_url)
    async with first.begin() as connection:
        if not is_sqlite(first):
            await connection.execute(select(func.pg_advisory_xact_lock(WRITERS)))
        migrated = asyncio.create_task(store.migrate())
        await asyncio.wait([migrated], timeout=0.5)
        assert not migrated.done()
    await migrated

    assert await differences(store) == []
    await store.dispose()
    await first.dispose()


async def test_a_schema_of_a_newer_version_is_refused_by_name(store, database_url, project):
    await _execute(database_url, "UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(SchemaTooNew, match="has schema 9999"):
        await store.migrate()

    assert (await store.list_projects(ADMIN, 10, 0)).items == (project,)


@pytest.mark.parametrize("last", ["CREATE TABLE jobs", "DROP TABLE api_keys", "UPDATE alembic_version"])
async def test_one_that_was_killed_leaves_nothing_half_done_and_the_next_ends_it(last, stores, empty_url):
    killed = await asyncio.to_thread(migrate_and_be_killed, empty_url, last)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert await _inspected(empty_url, Inspector.get_table_names) == []

    await stores[0].migrate()

    assert await differences(stores[0]) == []


async def _inspected(url: str, look: Callable[[Inspector], Any]) -> Any:
    engine = engine_at(url)
    async with engine.connect() as connection:
        seen = await connection.run_sync(lambda c: look(inspect(c)))
    await engine.dispose()
    return seen


def _indexes(inspector: Inspector) -> set[str]:
    """But for those that PostgreSQL makes of a constraint."""
    indexes = [index for table in inspector.get_table_names() for index in inspector.get_indexes(table)]
    return {index["name"] for index in indexes if "duplicates_constraint" not in index}


async def _execute(url: str, *statements: str) -> None:
    engine = engine_at(url)
    async with engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))
    await engine.dispose()
