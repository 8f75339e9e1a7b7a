"""What queries ask of rows stood in their JSON alone before revision 0009, and of turns in jobs before 0015."""

from uuid import uuid4

import pytest
from sqlalchemy import text

from synthgen_ray.domain.lifecycle import JobStatus
from synthgen_ray.store.engines import engine_at
from synthgen_ray.store.migrating import upgrade
from tests.databases import on_both_databases
from tests.migrations import insert

pytestmark = on_both_databases
NOW = "2026-01-01 00:00:00+00:00"
NUL = {"city": "a\x00b"}
PARTS = [{"name": f"part-{place}", "num_rows": 2_000_000_000, "size_bytes": 1} for place in range(2)]


@pytest.fixture
async def old(postgres, database_url, tmp_path):
    """A connection to a database of before, in the transaction that migrates it."""
    url = f"sqlite+aiosqlite:///{tmp_path}/old.db"
    if not database_url.startswith("sqlite"):
        url = postgres.url(postgres.new_database())
    engine = engine_at(url, migrates=True)
    async with engine.begin() as connection:
        await connection.run_sync(upgrade, "0008")
        yield connection
    await engine.dispose()


async def test_the_rows_of_a_file_are_those_of_its_parts(old):
    for parts in (PARTS, []):
        row = {"id": uuid4().hex, "location": f"jobs/{len(parts)}", "parts": parts, "sha256": "ab", "size_bytes": 2}
        await insert(old, "artifacts", **row, created_at=NOW)

    await old.run_sync(upgrade)

    rows = await old.execute(text("SELECT num_rows FROM artifacts ORDER BY location"))
    assert list(rows.scalars()) == [0, 4_000_000_000]


async def insert_jobs(old, asked: dict[str, object], **more: object) -> None:
    """One of each of these types, that waits."""
    project_id, model_id = uuid4().hex, uuid4().hex
    await insert(old, "projects", id=project_id, name="Bank", description="", created_at=NOW)
    model = {"name": "m", "model_type": "tvae", "status": "ready", "config": {}, "resources": {}, "created_at": NOW}
    await insert(old, "models", id=model_id, project_id=project_id, **model)
    job = {"project_id": project_id, "model_id": model_id, "attempt": 0, "failures": 0, "not_before": NOW}
    job |= {"progress": 0, "message": "", "losses": {}, "seconds": 0, "created_at": NOW, **more}
    for job_type, config in asked.items():
        ids = {"id": uuid4().hex, "background_id": uuid4().hex}
        await insert(old, "jobs", **ids, job_type=job_type, status=JobStatus.PENDING, config=config, **job)


async def test_what_is_to_come_is_known_also_beside_a_nul(old):
    asked = {"generate": {"num_rows": 7, "conditions": NUL}, "batch": {"num_rows": 3_000_000_000}, "train": {}}
    await insert_jobs(old, asked)

    await old.run_sync(upgrade)

    rows = await old.execute(text("SELECT job_type, num_rows FROM jobs"))
    assert dict(rows.all()) == {"generate": 7, "batch": 3_000_000_000, "train": None}


async def test_when_projects_had_their_turns_is_still_known(old):
    await insert_jobs(old, {"generate": {}, "train": {}}, started_at=NOW)
    await insert_jobs(old, {"train": {}})

    await old.run_sync(upgrade)

    rows = await old.execute(text(f"SELECT job_type FROM turns WHERE at = '{NOW}' ORDER BY job_type"))
    assert list(rows.scalars()) == ["generate", "train"]


async def test_calls_are_still_those_of_their_projects(old):
    key_id, project_id, made_id = uuid4(), uuid4(), uuid4()
    key = {"name": "k", "sha256": "ab", "role": "admin", "created_at": NOW}
    await insert(old, "api_keys", id=key_id.hex, is_bound=False, is_bootstrap=False, **key)
    for route, answer in {
        "POST /generate": {"id": str(made_id), "project_id": str(project_id), "config": NUL},
        "POST /projects": {"id": str(project_id)},
    }.items():
        call = {"api_key_id": key_id.hex, "route": route, "key": "a", "fingerprint": "ab", "created_at": NOW}
        await insert(old, "idempotency_keys", **call, answer=answer)

    await old.run_sync(upgrade)

    rows = await old.execute(text("SELECT made_id, project_id FROM idempotency_keys ORDER BY route"))
    found = [tuple(str(one).replace("-", "") for one in row) for row in rows]
    assert found == [(made_id.hex, project_id.hex), (project_id.hex, "None")]
