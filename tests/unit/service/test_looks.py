"""Jobs that many look at are found together, and nobody sees less than was true when he asked."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from synthgen_ray.domain.entities import Job
from synthgen_ray.domain.errors import NotFound, Unavailable
from synthgen_ray.service.looks import Looks
from tests.databases import on_both_databases
from tests.given import ADMIN


class Slow:
    """What finds jobs in a store, but waits before it begins and before it answers."""

    def __init__(self, store) -> None:
        self._store = store
        self.asked: list[Collection[UUID]] = []
        self.goes_on = asyncio.Event()

    async def find_jobs(self, principal, job_ids: Collection[UUID]) -> Mapping[UUID, Job]:
        self.asked.append(job_ids)
        found = await self._store.find_jobs(principal, job_ids)
        await self.goes_on.wait()
        return found


async def begun(looks: Looks, *job_ids: UUID, principal=ADMIN) -> list[asyncio.Task[Job]]:
    """Looks at these jobs, as far as they come by themselves."""
    asking = [asyncio.create_task(looks.job(principal, job_id)) for job_id in job_ids]
    await asyncio.sleep(0.1)
    return asking


@on_both_databases
async def test_a_job_is_found_by_either_id_where_it_is_seen(store, given_training):
    jobs = [await given_training(str(number)) for number in range(3)]
    looks = Looks(store.find_jobs)
    stranger = replace(ADMIN, projects=frozenset({uuid4()}))

    shown = await asyncio.gather(*(looks.job(ADMIN, id_) for job in jobs for id_ in (job.id, job.background_id)))

    assert shown == [job for job in jobs for _ in range(2)]
    for principal, job_id in ((ADMIN, uuid4()), (stranger, jobs[0].id), (stranger, jobs[0].background_id)):
        with pytest.raises(NotFound):
            await looks.job(principal, job_id)


async def test_who_asks_meanwhile_shares_the_next_look(store, given_training):
    jobs = [await given_training(str(number)) for number in range(3)]
    slow = Slow(store)
    looks = Looks(slow.find_jobs)

    first = await begun(looks, jobs[0].id)
    others = await begun(looks, *[job.id for job in jobs for _ in range(20)])
    slow.goes_on.set()

    assert await asyncio.gather(*first, *others) == [jobs[0], *(job for job in jobs for _ in range(20))]
    assert slow.asked == [{jobs[0].id}, {job.id for job in jobs}]


async def test_a_change_is_seen_by_who_asks_after_it(store, given_training):
    job = await given_training()
    slow = Slow(store)
    looks = Looks(slow.find_jobs)

    before = await begun(looks, job.id)
    await store.cancel(ADMIN, job.id)
    after = await begun(looks, job.id)
    slow.goes_on.set()

    assert not (await before[0]).is_cancelled
    assert (await after[0]).is_cancelled


async def test_those_who_see_other_projects_do_not_wait_for_one_another(store, given_training):
    job = await given_training()
    slow = Slow(store)
    looks = Looks(slow.find_jobs)

    held = await begun(looks, job.id)
    held += await begun(looks, job.id, principal=replace(ADMIN, projects=frozenset({job.project_id})))

    assert len(slow.asked) == 2
    slow.goes_on.set()
    assert await asyncio.gather(*held) == [job, job]


async def test_who_leaves_takes_nobody_along(store, given_training):
    job = await given_training()
    slow = Slow(store)
    looks = Looks(slow.find_jobs)

    leaving, staying = await begun(looks, job.id, job.id)
    leaving.cancel()
    slow.goes_on.set()

    assert await staying == job
    assert leaving.cancelled()


async def test_an_error_is_for_all_who_share_the_look_and_for_none_after(store, given_training):
    job = await given_training()
    is_away = True

    async def find_jobs(principal, job_ids: Collection[UUID]) -> Mapping[UUID, Job]:
        if is_away:
            raise Unavailable("The store is away.", "store_unavailable")
        return await store.find_jobs(principal, job_ids)

    looks = Looks(find_jobs)
    failed = await begun(looks, job.id, job.id)
    is_away = False

    for one in failed:
        with pytest.raises(Unavailable):
            await one
    assert await looks.job(ADMIN, job.id) == job


async def test_those_for_whom_nobody_looks_any_more_are_forgotten(store, given_training):
    job = await given_training()
    slow = Slow(store)
    looks = Looks(slow.find_jobs)

    leaving, staying = [
        (await begun(looks, job.id, principal=replace(ADMIN, projects=frozenset({job.project_id, uuid4()}))))[0]
        for _ in range(2)
    ]
    leaving.cancel()
    slow.goes_on.set()
    assert await staying == job
    await asyncio.sleep(0.1)

    assert not looks._of_scopes


async def test_a_record_that_cannot_be_read_is_a_fault_of_its_own_job_alone(store, given_training):
    damaged, *jobs = [await given_training(str(number)) for number in range(4)]
    async with store._sessions.writing() as session:
        await session.execute(
            text("UPDATE jobs SET losses = 'not json' WHERE id = (SELECT id FROM jobs ORDER BY created_at LIMIT 1)")
        )
    looks = Looks(store.find_jobs)

    found = await asyncio.gather(
        *(looks.job(ADMIN, job_id) for job_id in (damaged.id, *(job.id for job in jobs), uuid4())),
        return_exceptions=True,
    )

    assert isinstance(found[0], ValueError)
    assert found[1:4] == jobs
    assert isinstance(found[4], NotFound)
