"""What meets a claim that has taken its job and not yet committed: on PostgreSQL a second writer may see such a one."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import select, text, update

from synthgen_ray.domain.entities import Job
from synthgen_ray.domain.lifecycle import LOCAL, JobStatus, ModelStatus
from synthgen_ray.store.store import Store
from synthgen_ray.store.tables import ErasureRow, JobRow, ModelRow, utc_now
from synthgen_ray.store.usage import add_usage
from tests.databases import on_postgresql
from tests.given import ADMIN

pytestmark = on_postgresql
WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()")


@asynccontextmanager
async def a_claim_under_way(store: Store, job: Job):
    """The statements of a claim: the job in the block's beginning, its model in its end."""
    async with store._sessions.updating() as session:
        claim = {"status": JobStatus.RUNNING, "attempt": JobRow.attempt + 1}
        lease = {"lease_owner": LOCAL, "lease_expires_at": utc_now()}
        await session.execute(update(JobRow).where(JobRow.id == job.id).values(claim | lease))
        yield
        follow = update(ModelRow).where(ModelRow.id == job.model_id)
        await session.execute(follow.values(status=ModelStatus.TRAINING))


async def until_it_waits(store: Store, task: asyncio.Task) -> None:
    async with asyncio.timeout(10):
        while not task.done():
            async with store._sessions.reading() as session:
                if await session.scalar(WAITING):
                    return


async def test_a_cancel_waits_and_erases_what_the_claimed_attempt_leaves(store, given_training):
    job = await given_training()

    async with a_claim_under_way(store, job):
        cancel = asyncio.create_task(store.cancel(ADMIN, job.id))
        await until_it_waits(store, cancel)

    assert (await cancel).failure.code == "cancelled"
    assert (await store.get_model(ADMIN, job.model_id))[0].status is ModelStatus.FAILED
    async with store._sessions.reading() as session:
        assert list(await session.scalars(select(ErasureRow.location))) == [f"jobs/{job.id}/1"]


@pytest.mark.parametrize("what", ["model", "project"])
async def test_a_deletion_waits_and_neither_waits_for_the_other(what, store, project, given_training):
    job = await given_training()

    async with a_claim_under_way(store, job):
        if what == "model":
            deletion = asyncio.create_task(store.delete_model(ADMIN, job.model_id))
        else:
            deletion = asyncio.create_task(store.delete_project(ADMIN, project.id, force=True))
        await until_it_waits(store, deletion)

    await deletion
    assert (await store.list_jobs(ADMIN, None, None, None, 10, 0)).total == 0


async def test_another_claimer_takes_the_next_job_meanwhile(store, given_training):
    first, second = await given_training("a"), await given_training("b")

    async with a_claim_under_way(store, first):
        claimed = await store.claim_next({first.job_type})

    assert claimed.job.id == second.id


async def test_what_two_of_them_are_the_first_to_count_for_a_project_is_counted_together(store, project):
    async def count_two() -> None:
        async with store._sessions.updating() as session:
            await add_usage(session, project.id, seconds=2.0)

    async with store._sessions.updating() as session:
        await add_usage(session, project.id, seconds=1.0)
        other = asyncio.create_task(count_two())
        await until_it_waits(store, other)

    await other
    assert (await store.get_usage(ADMIN, project.id)).training_seconds == 3.0
