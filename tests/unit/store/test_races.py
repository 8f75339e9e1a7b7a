"""Many servers on one database: each of these stores has its own connections, and its own line of writers."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Iterable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select

from synthgen_ray.domain.errors import Cancelled, Conflict, NotFound, TooMany
from synthgen_ray.domain.lifecycle import JobStatus, JobType
from synthgen_ray.domain.once import Once
from synthgen_ray.domain.params import GaussianCopulaParams, GenerateParams, ModelType, Resources
from synthgen_ray.domain.quotas import Quotas
from synthgen_ray.store.store import Store
from synthgen_ray.store.tables import ApiKeyRow, ErasureRow, JobRow, ProjectRow
from tests.databases import on_both_databases
from tests.given import ADMIN, COLUMNS, an_artifact

pytestmark = on_both_databases
GENERATE, ALL = frozenset({JobType.GENERATE}), frozenset(JobType)
SERVERS = 4


@pytest.fixture
async def stores(store, database_url):
    stores = [Store(database_url, Quotas(pending_jobs=10)) for _ in range(SERVERS)]
    yield stores
    for one in stores:
        await one.dispose()


@pytest.fixture
def given_jobs(store, project, given_ready_model):
    """Generations that wait, written at once."""

    async def given(count: int) -> list[UUID]:
        model_id = await given_ready_model()
        now = store._clock()
        config = GenerateParams(num_rows=10, seed=1).model_dump(mode="json")
        row = {"model_id": model_id, "project_id": project.id, "job_type": JobType.GENERATE, "config": config}
        row |= {"created_at": now, "not_before": now}
        async with store._sessions.writing() as session:
            return list(await session.scalars(insert(JobRow).returning(JobRow.id), [row] * count))

    return given


async def outcomes(calls: Iterable[Awaitable[Any]]) -> Counter[Any]:
    """How many calls ended in each way."""
    answers = await asyncio.gather(*calls, return_exceptions=True)
    return Counter(type(one) if isinstance(one, Exception) else "done" for one in answers)


async def count(store: Store, statement: Any) -> int:
    async with store._sessions.reading() as session:
        return await session.scalar(statement)


async def test_fifty_creators_make_as_many_jobs_as_the_quota_allows(stores, given_ready_model):
    model_id = await given_ready_model()

    made = await outcomes(stores[i % SERVERS].enqueue_generate(ADMIN, model_id, GenerateParams()) for i in range(50))

    assert made == {"done": 10, TooMany: 40}


async def test_eight_claimers_take_each_of_two_hundred_jobs_once(stores, given_jobs):
    jobs = await given_jobs(200)

    async def claim_all(store: Store) -> list[UUID]:
        claimed = []
        while assignment := await store.claim_next(GENERATE):
            claimed.append(assignment.job.id)
        return claimed

    claims = await asyncio.gather(*(claim_all(store) for store in stores * 2))

    assert sorted(job for claimed in claims for job in claimed) == sorted(jobs)


async def test_a_call_with_an_idempotency_key_is_made_once_whichever_server_it_reaches(
    store, stores, given_ready_model
):
    model_id = await given_ready_model()
    await store.set_admin_key("a" * 64)
    admin = await store.find_admission("a" * 64)
    once = Once(route="generate", key="a", fingerprint="b")

    made = await asyncio.gather(
        *(stores[i % SERVERS].enqueue_generate(admin, model_id, GenerateParams(), once) for i in range(20))
    )

    assert len({one.value.id for one in made}) == 1
    assert [one.replayed for one in made].count(False) == 1


async def test_versions_are_numbered_without_gaps(store, stores, project):
    first = (await store.add_dataset_version(ADMIN, project.id, "adult", "", an_artifact(), COLUMNS, ())).value

    made = await asyncio.gather(
        *(
            stores[i % SERVERS].add_dataset_version(
                ADMIN, project.id, "", "", an_artifact(), COLUMNS, (), dataset_id=first.dataset_id
            )
            for i in range(20)
        )
    )

    assert sorted(one.value.version for one in made) == list(range(1, 21))


async def test_each_generation_is_added_to_what_the_project_used(store, stores, project, given_jobs):
    await given_jobs(20)
    jobs = [(await store.claim_next(GENERATE)).job for _ in range(20)]

    await asyncio.gather(
        *(stores[i % SERVERS].complete_generation(job.id, 1, an_artifact(7)) for i, job in enumerate(jobs))
    )

    assert (await store.get_usage(ADMIN, project.id)).generated_rows == 20 * 7


async def test_servers_that_start_together_agree_on_the_admin_key(store, stores):
    ended = await outcomes(stores[i % SERVERS].set_admin_key(f"{i % 2}" * 64) for i in range(20))

    assert ended == {"done": 20}
    assert await count(store, select(func.count()).where(ApiKeyRow.is_bootstrap)) == 1


async def test_a_model_is_made_or_its_dataset_deleted_never_both(stores, project):
    store, other, *_ = stores
    for _ in range(10):
        version = (await store.add_dataset_version(ADMIN, project.id, "d", "", an_artifact(), COLUMNS, ())).value
        order = (ModelType.GAUSSIAN_COPULA, GaussianCopulaParams(), Resources())

        ended = await outcomes(
            [
                store.create_model(ADMIN, project.id, version.id, "m", *order),
                other.delete_dataset(ADMIN, version.dataset_id),
            ]
        )

        assert ended in ({"done": 1, NotFound: 1}, {"done": 1, Conflict: 1})
        await _cancel_all(store, project.id)


@pytest.mark.parametrize("what", ["model", "project"])
async def test_no_job_or_file_outlives_the_deleted(what, store, stores, project, given_ready_model):
    model_id = await given_ready_model()
    delete = {
        "model": lambda: store.delete_model(ADMIN, model_id),
        "project": lambda: store.delete_project(ADMIN, project.id, force=True),
    }[what]

    calls = [stores[i % SERVERS].enqueue_generate(ADMIN, model_id, GenerateParams()) for i in range(8)]
    answers = await asyncio.gather(*calls, delete(), *(one.claim_next(ALL) for one in stores), return_exceptions=True)

    made = [one.value for one in answers[:8] if not isinstance(one, Exception)]
    assert all(isinstance(one, NotFound) for one in answers if isinstance(one, Exception))
    assert await count(store, select(func.count()).select_from(JobRow)) == 0
    folders = {f"jobs/{job.id}" for job in made}
    assert await count(store, select(func.count()).where(ErasureRow.location.in_(folders))) == len(made)


async def test_a_cancel_meets_a_claim_before_or_after_it_never_meanwhile(store, stores, given_jobs):
    jobs = await given_jobs(40)
    canceller, *claimers = stores

    await asyncio.gather(
        *(canceller.cancel(ADMIN, job_id) for job_id in jobs),
        *(claimers[i % len(claimers)].claim_next(GENERATE) for i in range(40)),
    )

    ended = [await store.get_job(ADMIN, job_id) for job_id in jobs]
    assert {job.failure.code for job in ended} == {"cancelled"}
    # What a claimed attempt leaves behind is erased.
    folders = {f"jobs/{job.id}/{job.attempt}" for job in ended if job.attempt}
    assert await count(store, select(func.count()).where(ErasureRow.location.in_(folders))) == len(folders)


async def test_a_cancel_or_a_result_wins_never_both(store, stores, given_jobs):
    await given_jobs(20)
    jobs = [(await store.claim_next(GENERATE)).job for _ in range(20)]
    canceller, finisher, *_ = stores

    cancelled = asyncio.gather(*(canceller.cancel(ADMIN, job.id) for job in jobs), return_exceptions=True)
    finished = asyncio.gather(
        *(finisher.complete_generation(job.id, job.attempt, an_artifact()) for job in jobs), return_exceptions=True
    )
    for job, cancel, result in zip(jobs, await cancelled, await finished, strict=True):
        ended = await store.get_job(ADMIN, job.id)
        if ended.status is JobStatus.COMPLETED:
            assert (type(cancel), result, ended.artifact is None) == (Conflict, None, False)
        else:
            assert (cancel.failure.code, type(result), ended.artifact) == ("cancelled", Cancelled, None)


async def test_a_reader_sees_one_state_to_its_end(store, stores):
    projects = select(func.count()).select_from(ProjectRow)

    async with store._sessions.reading() as session:
        before = await session.scalar(projects)
        await stores[0].create_project(ADMIN, "Made meanwhile")
        after = await session.scalar(projects)

    assert before == after
    assert await count(store, projects) == before + 1


async def _cancel_all(store: Store, project_id: UUID) -> None:
    """Keeps the project below its quota."""
    for job in (await store.list_jobs(ADMIN, project_id, None, JobStatus.PENDING, 100, 0)).items:
        await store.cancel(ADMIN, job.id)
