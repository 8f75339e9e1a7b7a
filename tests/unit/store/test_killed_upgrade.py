"""A server of the first schema with all that it had, whose upgrade is killed again and again."""

import asyncio
import signal
from uuid import uuid4

import pytest
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from synthgen_ray.domain.lifecycle import JobStatus, JobType
from synthgen_ray.store.engines import engine_at
from synthgen_ray.store.migrating import current_revision, known_revisions, upgrade
from synthgen_ray.store.store import Store
from tests.databases import on_both_databases
from tests.given import ADMIN
from tests.migrations import differences, insert, migrate_and_be_killed

Columns = dict[str, list[str]]  # of each table

pytestmark = on_both_databases
NEWEST, FIRST = known_revisions()[0], known_revisions()[-1]
NOW = "2026-01-01 00:00:00+00:00"
# In the order of the migrations: tables that go and come, such as are written anew, rows that are read and changed.
STATEMENTS = (
    "DROP TABLE api_keys",
    "CREATE TABLE job_events",
    "SET num_rows",
    "INSERT INTO turns",
    f"SET version_num='{NEWEST}'",
)


@pytest.fixture
async def old_url(postgres, database_url, tmp_path) -> str:
    url = f"sqlite+aiosqlite:///{tmp_path}/old.db"
    if not database_url.startswith("sqlite"):
        url = postgres.url(postgres.new_database())
    engine = engine_at(url, migrates=True)
    async with engine.begin() as connection:
        await connection.run_sync(upgrade, FIRST)
        await fill(connection)
    await engine.dispose()
    return url


async def fill(connection: AsyncConnection) -> None:
    """Rows of all tables: a project with a table, a model, and a job of each type at each status."""
    project, dataset, version, model = (uuid4().hex for _ in range(4))
    files = [uuid4().hex for _ in range(4)]
    table, trained, *outputs = files
    for number, file in enumerate(files):
        parts = [{"name": "part-00000", "num_rows": 7, "size_bytes": 100 + number}]
        await insert(
            connection, "artifacts", id=file, location=f"jobs/{number}", parts=parts, sha256="ab", created_at=NOW
        )
    await insert(connection, "api_keys", id=uuid4().hex, name="admin", sha256="ab", role="admin", created_at=NOW)
    await insert(connection, "erasures", location="jobs/9", not_before=NOW)
    await insert(connection, "projects", id=project, name="Bank", description="", created_at=NOW)
    its = {"project_id": project, "created_at": NOW}
    await insert(connection, "datasets", id=dataset, name="t", description="", **its)
    of_it = {"dataset_id": dataset, "version": 1, "artifact_id": table, "num_rows": 7, "columns": [], "warnings": []}
    await insert(connection, "dataset_versions", id=version, created_at=NOW, **of_it)
    kind = {"name": "m", "model_type": "tvae", "status": "ready", "config": {}, "resources": {}}
    of_it = {"dataset_version_id": version, "artifact_id": trained, "learned_columns": [], "chunk_rows": 1000}
    await insert(connection, "models", id=model, **kind, **of_it, **its)
    for job_type in (JobType.TRAIN, JobType.GENERATE):
        for status in JobStatus:
            has_begun, is_done = status is not JobStatus.PENDING, status is JobStatus.COMPLETED
            await insert(
                connection,
                "jobs",
                id=uuid4().hex,
                background_id=uuid4().hex,
                model_id=model,
                job_type=job_type,
                status=status,
                config={"num_rows": 7},
                attempt=int(has_begun),
                failures=0,
                not_before=NOW,
                lease_expires_at=NOW if status is JobStatus.RUNNING else None,
                progress=1 if is_done else 0,
                message="",
                losses={},
                artifact_id=outputs.pop() if is_done else None,
                created_at=NOW,
                started_at=NOW if has_begun else None,
                finished_at=NOW if status.is_final else None,
            )


def columns_of(connection: Connection) -> Columns:
    seen = inspect(connection)
    tables = set(seen.get_table_names()) - {"alembic_version"}
    return {table: [column["name"] for column in seen.get_columns(table)] for table in sorted(tables)}


async def rows_of(url: str, columns: Columns) -> dict[str, list[str]]:
    engine = engine_at(url)
    async with engine.connect() as connection:
        rows = {
            table: sorted(map(repr, await connection.execute(text(f"SELECT {', '.join(names)} FROM {table}"))))
            for table, names in columns.items()
        }
    await engine.dispose()
    return rows


async def look(url: str) -> tuple[str | None, Columns]:
    """Its revision, and its tables."""
    engine = engine_at(url)
    async with engine.connect() as connection:
        seen = await connection.run_sync(current_revision), await connection.run_sync(columns_of)
    await engine.dispose()
    return seen


async def test_wherever_it_is_killed_all_is_as_it_was_and_the_next_start_has_every_row(old_url):
    revision, columns = before = await look(old_url)
    rows = await rows_of(old_url, columns)
    assert revision == FIRST
    assert len(rows) == 8
    assert all(rows.values())

    for statement in STATEMENTS:
        killed = await asyncio.to_thread(migrate_and_be_killed, old_url, statement)
        assert killed.returncode == -signal.SIGKILL, (statement, killed.stderr)
        assert await look(old_url) == before, statement
        assert await rows_of(old_url, columns) == rows, statement
    store = Store(old_url)
    await store.migrate()

    assert await differences(store) == []
    assert (await look(old_url))[0] == NEWEST
    # The one key that there was comes with the server, and is set again when it starts.
    del columns["api_keys"], rows["api_keys"]
    assert await rows_of(old_url, columns) == rows
    assert (await store.list_jobs(ADMIN, None, None, None, 10, 0)).total == 8
    await store.dispose()
