"""Servers that share a database go by its clock: their own may be wrong."""

from datetime import timedelta

import pytest

from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.store.store import Store
from synthgen_ray.store.tables import utc_now
from tests.databases import on_postgresql

pytestmark = on_postgresql


@pytest.fixture
async def elsewhere(store, database_url):
    other = Store(database_url)
    yield other
    await other.dispose()


@pytest.mark.parametrize("minutes", [10, -10])
async def test_one_whose_clock_is_wrong_takes_nobodys_lease_and_keeps_its_own(
    store, elsewhere, given_training, minutes
):
    elsewhere._sessions._wall = lambda: utc_now() + timedelta(minutes=minutes)
    await elsewhere.heartbeat(())
    for _ in range(2):
        await given_training()
    mine, theirs = [await one.claim_next(JobType, owner) for one, owner in ((store, "here"), (elsewhere, "there"))]
    held = [{(one.job.id, one.job.attempt)} for one in (mine, theirs)]

    assert await elsewhere.heartbeat(tuple(held[1])) == held[1]
    assert await store.heartbeat(tuple(held[0])) == held[0]

    assert await store.find_held((*held[0], *held[1])) == held[0] | held[1]
