"""Dumps of databases that an older release made; `tests/api/test_backup.py` has those of this one."""

import io
import time

import pytest
from sqlalchemy import text

from synthgen_ray.store.dumping import Inconsistent, Undumpable, dump, load, named_in
from synthgen_ray.store.engines import SERVER_SETTINGS, engine_at
from synthgen_ray.store.migrating import SchemaTooNew, known_revisions, upgrade
from synthgen_ray.store.store import Store
from tests.databases import on_postgresql
from tests.given import ADMIN

NEWEST, *OLDER = known_revisions()
WITH_AN_ID = [revision for revision in OLDER if revision >= "0004"]
PROJECT = "INSERT INTO projects VALUES ('{id}', 'Bänk', '', '2026-01-02 03:04:05.678901')"
ID = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def an_old_database(tmp_path):
    async def given(revision: str) -> str:
        url = f"sqlite+aiosqlite:///{tmp_path}/{revision}.db"
        engine = engine_at(url, migrates=True)
        async with engine.begin() as connection:
            await connection.run_sync(upgrade, revision)
            await connection.execute(text(PROJECT.format(id=ID)))
        await engine.dispose()
        return url

    return given


async def execute(url: str, statement: str) -> None:
    engine = engine_at(url)
    async with engine.begin() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


async def dumped(url: str) -> tuple[str, list[str]]:
    rows = io.StringIO()
    revision = await dump(url, rows)
    return revision, rows.getvalue().splitlines()


# What each schema takes is shown on SQLite, and what PostgreSQL makes of it by the oldest, which all migrations follow.
@pytest.mark.parametrize(
    ("kind", "revision"),
    [
        *(("sqlite", revision) for revision in WITH_AN_ID),
        *(pytest.param("postgresql", revision, marks=pytest.mark.nightly) for revision in WITH_AN_ID[:-1]),
        ("postgresql", WITH_AN_ID[-1]),
    ],
)
async def test_rows_of_an_older_schema_are_migrated_when_they_are_loaded(
    kind, revision, an_old_database, tmp_path, request
):
    made_by, lines = await dumped(await an_old_database(revision))
    postgres = request.getfixturevalue("postgres") if kind == "postgresql" else None
    url = postgres.url(postgres.new_database()) if postgres else f"sqlite+aiosqlite:///{tmp_path}/new.db"

    await load(url, made_by, lines)

    store = Store(url)
    (project,) = (await store.list_projects(ADMIN, 10, 0)).items
    assert (project.id.hex, project.name) == (ID, "Bänk")
    assert project.created_at.isoformat() == "2026-01-02T03:04:05.678901+00:00"
    assert await store.get_server_id() == named_in(lines).server_id
    await store.dispose()
    assert made_by == revision
    assert (await dumped(url))[0] == NEWEST


@on_postgresql
async def test_where_rows_go_may_be_slower_than_a_writer_is_waited_for(store, database_url, monkeypatch):
    monkeypatch.setitem(SERVER_SETTINGS, "idle_in_transaction_session_timeout", "200ms")

    class Slow(io.StringIO):
        def write(self, line: str) -> int:
            time.sleep(0.5)
            return super().write(line)

    rows = Slow()
    await dump(database_url, rows)

    assert named_in(rows.getvalue().splitlines()).server_id == await store.get_server_id()


async def test_rows_of_a_schema_without_an_id_are_none_of_a_backup(an_old_database):
    _, lines = await dumped(await an_old_database("0003"))

    with pytest.raises(Undumpable, match="start this version once"):
        named_in(lines)


async def test_tables_of_others_in_the_same_database_are_left_to_them(an_old_database):
    url = await an_old_database(OLDER[0])
    before = await dumped(url)
    await execute(url, "CREATE TABLE strangers (project_id CHAR(32) REFERENCES projects, colour MOOD)")
    await execute(url, f"INSERT INTO strangers VALUES ('{ID}', 'blue')")

    assert await dumped(url) == before


async def test_a_dump_that_has_them_all_the_same_is_none_of_ours(an_old_database):
    _, lines = await dumped(await an_old_database(OLDER[0]))

    with pytest.raises(Undumpable, match="'strangers', which is no table of SynthGen"):
        named_in([*lines, '["strangers", {"colour": "blue"}]'])


async def test_a_schema_of_which_this_version_knows_no_tables_is_not_dumped(an_old_database):
    url = await an_old_database(OLDER[0])
    await execute(url, "UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(SchemaTooNew, match="start the newer version"):
        await dumped(url)


async def test_what_is_inconsistent_is_not_loaded_at_all(an_old_database, tmp_path):
    revision, lines = await dumped(await an_old_database(OLDER[0]))
    usage = f'["usage", {{"project_id": "{ID[::-1]}", "generated_rows": 1, "training_seconds": 0.0}}]'
    url = f"sqlite+aiosqlite:///{tmp_path}/new.db"

    with pytest.raises(Inconsistent):
        await load(url, revision, [*lines, usage])

    await load(url, revision, lines)
