"""Servers that share a database go by its clock: their own may be wrong."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from synthgen_ray.domain.entities import Progress
from synthgen_ray.domain.lifecycle import LEASE, JobType
from synthgen_ray.domain.params import DrawParams
from synthgen_ray.store import tables
from synthgen_ray.store.store import Store
from synthgen_ray.store.tables import JobRow, utc_now
from tests.databases import on_postgresql
from tests.given import ADMIN

pytestmark = on_postgresql


@pytest.fixture
async def elsewhere(store, database_url):
    other = Store(database_url)
    yield other
    await other.dispose()


def set_by(by: timedelta) -> type[datetime]:
    """A machine's clock that somebody has set."""

    class Set(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + by

    return Set


@pytest.mark.parametrize("minutes", [10, -10])
async def test_nobodys_lease_is_taken_while_the_databases_clock_was_set_lately(elsewhere, given_training, minutes):
    await given_training()
    await elsewhere.heartbeat(())
    held = (await elsewhere.claim_next(JobType, "there")).job
    async with elsewhere._sessions.writing() as session:
        set_before = utc_now() - timedelta(minutes=minutes) + LEASE
        await session.execute(update(JobRow).values(lease_expires_at=set_before))
    elsewhere._sessions._own = lambda: utc_now() - timedelta(minutes=minutes)

    await elsewhere.heartbeat(())
    kept = await elsewhere.find_held([(held.id, held.attempt)])
    elsewhere._sessions._steady_from = 0.0
    await elsewhere.heartbeat(())

    assert kept == {(held.id, held.attempt)}
    assert await elsewhere.find_held([(held.id, held.attempt)]) == set()


@pytest.mark.parametrize("minutes", [10, -10])
async def test_one_whose_clock_is_wrong_takes_nobodys_lease_and_keeps_its_own(
    store, elsewhere, given_training, minutes
):
    elsewhere._sessions._own = lambda: utc_now() + timedelta(minutes=minutes)
    await elsewhere.heartbeat(())
    for _ in range(2):
        await given_training()
    mine, theirs = [await one.claim_next(JobType, owner) for one, owner in ((store, "here"), (elsewhere, "there"))]
    held = [{(one.job.id, one.job.attempt)} for one in (mine, theirs)]

    assert await elsewhere.heartbeat(tuple(held[1])) == held[1]
    assert await store.heartbeat(tuple(held[0])) == held[0]

    assert await store.find_held((*held[0], *held[1])) == held[0] | held[1]


@pytest.mark.parametrize("hours", [1, -1])
async def test_one_whose_clock_is_set_between_two_looks_keeps_what_it_claims_meanwhile(
    elsewhere, database_url, given_training, monkeypatch, hours
):
    another = Store(database_url)
    job = await given_training()
    for one in (elsewhere, another):
        await one.heartbeat(())

    with monkeypatch.context() as machine:
        machine.setattr(tables, "datetime", set_by(timedelta(hours=hours)))
        claimed = (await elsewhere.claim_next(JobType, "there")).job
    await another.heartbeat(())

    assert (claimed.id, await elsewhere.find_held([(job.id, 1)])) == (job.id, {(job.id, 1)})
    await another.dispose()


@pytest.mark.parametrize("minutes", [10, -10])
async def test_the_first_call_of_a_process_goes_by_the_databases_clock_too(elsewhere, given_training, minutes):
    job = await given_training()
    elsewhere._sessions._own = lambda: utc_now() + timedelta(minutes=minutes)

    claimed = (await elsewhere.claim_next(JobType, "there")).job

    assert abs(claimed.started_at - job.created_at) < timedelta(minutes=5)


@pytest.mark.parametrize("minutes", [10, -10])
async def test_so_does_the_first_sign_of_life_of_a_batch(store, elsewhere, given_ready_model, minutes):
    config = {"num_rows": 50, "seed": 3, "format": "parquet"}
    batch = await store.begin_batch(ADMIN, await given_ready_model(), DrawParams(), config)
    elsewhere._sessions._own = lambda: utc_now() + timedelta(minutes=minutes)

    assert await elsewhere.renew_batch(batch.id, batch.attempt, Progress(0.5))
    await store.heartbeat(())

    assert await store.find_held([(batch.id, batch.attempt)]) == {(batch.id, batch.attempt)}


@pytest.mark.parametrize("minutes", [10, -10])
async def test_what_one_whose_clock_is_wrong_deletes_is_erased_by_the_others(
    store, clock, elsewhere, given_ready_model, minutes
):
    model_id = await given_ready_model()
    (training,) = (await store.get_model(ADMIN, model_id))[1]
    elsewhere._sessions._own = lambda: utc_now() + timedelta(minutes=minutes)

    await elsewhere.delete_model(ADMIN, model_id)
    clock.advance(timedelta(minutes=1))  # this store's, which stood still

    assert f"jobs/{training.id}" in await store.list_erasures()
