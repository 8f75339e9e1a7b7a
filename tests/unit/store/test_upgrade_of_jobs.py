"""Jobs of a server of before deadlines, owners and checks, whatever they were doing."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from synthgen_ray.domain.lifecycle import JobStatus
from synthgen_ray.store.sessions import Sessions
from synthgen_ray.store.store import Store
from tests.given import ADMIN

OLD = datetime(2026, 1, 1, tzinfo=UTC).isoformat(" ")


def at_revision_2(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", "synthgen_ray:store/migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "0002")


@pytest.fixture
async def old_url(tmp_path) -> str:
    """A database of before, with a job at each status."""
    url = f"sqlite+aiosqlite:///{tmp_path}/old.db"
    sessions = Sessions(url)
    project, model = uuid4().hex, uuid4().hex
    async with sessions.engine.begin() as connection:
        await connection.run_sync(at_revision_2)
        await connection.execute(text(f"INSERT INTO projects VALUES ('{project}', 'Bank', '', '{OLD}')"))
        await connection.execute(
            text(
                "INSERT INTO models (id, project_id, name, model_type, status, config, resources, created_at)"
                f" VALUES ('{model}', '{project}', 'm', 'tvae', 'training', '{{}}', '{{}}', '{OLD}')"
            )
        )
        for status in JobStatus:
            lease = f"'{OLD}'" if status is JobStatus.RUNNING else "NULL"
            await connection.execute(
                text(
                    "INSERT INTO jobs (id, background_id, model_id, job_type, status, config, attempt, failures,"
                    " not_before, lease_expires_at, progress, message, losses, created_at)"
                    f" VALUES ('{uuid4().hex}', '{uuid4().hex}', '{model}', 'train', '{status}', '{{}}', 1, 0,"
                    f" '{OLD}', {lease}, 0, '', '{{}}', '{OLD}')"
                )
            )
    await sessions.dispose()
    return url


async def test_they_are_all_there_and_what_ran_runs_again(old_url):
    store = Store(old_url)
    await store.migrate()

    await store.heartbeat((), reaps=False)
    requeued = await store.requeue_running()

    jobs = (await store.list_jobs(ADMIN, None, None, None, 10, 0)).items
    assert requeued == 1
    assert sorted(job.status for job in jobs) == ["completed", "failed", "pending", "pending"]
    assert all((job.finished_at is not None) == job.status.is_final for job in jobs)
    assert {job.project_name for job in jobs} == {"Bank"}
    await store.dispose()


async def test_none_is_past_a_deadline_that_it_never_had(old_url):
    store = Store(old_url)
    await store.migrate()
    await store.requeue_running()

    await store.heartbeat(())

    assert (await store.list_jobs(ADMIN, None, None, JobStatus.PENDING, 10, 0)).total == 2
    await store.dispose()
