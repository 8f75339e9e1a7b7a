"""The service does what its OpenAPI page says; `make fuzz` asks forty times as much, of a whole server."""

import asyncio
from contextlib import suppress

from synthgen_ray.domain.errors import Conflict, NotFound
from synthgen_ray.domain.lifecycle import JobStatus
from synthgen_ray.store.store import Store
from tests.beside import beside
from tests.fuzz.openapi import a_world, fuzz
from tests.given import ADMIN


async def test_no_request_of_the_page_breaks_it_or_its_answers(server, url):
    async with beside(server.dispatcher.run()):
        world = await asyncio.to_thread(a_world, url, server.key)

    async with beside(cancel_what_waits(server.store)):  # it is answers that are tried, not learning
        fuzzed = await asyncio.to_thread(fuzz, url, server.key, world, examples=2, seed=1)

    assert fuzzed.exit_code == 0
    assert fuzzed.num_cases >= 700


async def cancel_what_waits(store: Store) -> None:
    while True:
        for job in (await store.list_jobs(ADMIN, None, None, JobStatus.PENDING, 100, 0)).items:
            with suppress(Conflict, NotFound):  # it was cancelled or deleted meanwhile
                await store.cancel(ADMIN, job.id)
        await asyncio.sleep(0.2)
