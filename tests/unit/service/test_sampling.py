"""Whoever leaves, at whatever moment, leaves nothing behind that draws, and no rows count of which none came."""

import asyncio
import gc
from collections.abc import Sequence
from uuid import UUID

import pytest

from synthgen_ray.domain.entities import Artifact, DrawRequest
from synthgen_ray.domain.params import SampleFormat, SampleParams
from synthgen_ray.runtime.samplers import AHEAD, OnlineDraws
from synthgen_ray.service.sampling import Sampling
from synthgen_ray.service.together import Together
from tests.given import ADMIN, an_artifact
from tests.unit.runtime.test_samplers import HeldSamplers

MODEL, SOURCE, CHUNK_ROWS, CHUNKS = UUID(int=1), an_artifact(), 10, 5


class HeldStore:
    """Admits everybody once it may."""

    def __init__(self) -> None:
        self.answers, self.counted = asyncio.Event(), 0

    async def admit(self, asked: Sequence[DrawRequest]) -> list[tuple[Artifact, int]]:
        await self.answers.wait()
        self.counted += sum(draw.params.num_rows for draw in asked)
        return [(SOURCE, CHUNK_ROWS)] * len(asked)

    async def give_back(self, asked: Sequence[DrawRequest]) -> list[None]:
        self.counted -= sum(draw.params.num_rows for draw in asked)
        return [None] * len(asked)


class Served(Sampling):
    def __init__(self, store: HeldStore, samplers: HeldSamplers, *, asked_before: bool) -> None:
        self.draws = OnlineDraws(samplers, most=100)
        self._draw = self.draws.chunks
        self._admissions, self._returns = Together(store.admit), Together(store.give_back)
        self._lately = {(ADMIN.key_id, MODEL): (SOURCE, CHUNK_ROWS)} if asked_before else {}
        self.max_sample_rows = 1000

    def ask(self) -> "asyncio.Task[object]":
        params = SampleParams(num_rows=CHUNK_ROWS * CHUNKS)
        return asyncio.create_task(self.sample(ADMIN, MODEL, params, SampleFormat.CSV))


async def leave(work: "asyncio.Task[object]") -> None:
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


async def settle() -> None:
    for _ in range(100):
        await asyncio.sleep(0)


@pytest.fixture
def store() -> HeldStore:
    return HeldStore()


@pytest.fixture
def samplers() -> HeldSamplers:
    return HeldSamplers()


@pytest.fixture(params=[False, True], ids=["asks first", "asked before"])
def served(request, store, samplers) -> Served:
    return Served(store, samplers, asked_before=request.param)


async def check_nothing_is_drawn(served: Served, samplers: HeldSamplers) -> None:
    await settle()
    assert served.draws._under_way.total() == 0
    assert all(call.cancelled() for call in samplers.waiting)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_while_the_store_is_asked(served, store, samplers):
    asked = served.ask()
    await settle()

    await leave(asked)
    store.answers.set()

    await check_nothing_is_drawn(served, samplers)
    assert store.counted == 0


async def test_before_the_first_rows(served, store, samplers):
    store.answers.set()
    asked = served.ask()
    await samplers.asked(AHEAD)

    await leave(asked)

    await check_nothing_is_drawn(served, samplers)
    assert store.counted == 0


async def test_between_rows(served, store, samplers):
    store.answers.set()
    asked = served.ask()
    await samplers.answer()
    _, rows = await asked
    assert await anext(rows) == b"rows"
    more = asyncio.create_task(anext(rows))
    await samplers.asked(AHEAD)

    await leave(more)

    await check_nothing_is_drawn(served, samplers)
    assert store.counted == CHUNK_ROWS * CHUNKS


async def test_before_the_answer_is_read(served, store, samplers):
    store.answers.set()
    asked = served.ask()
    await samplers.answer()
    await asked

    del asked
    gc.collect()

    await check_nothing_is_drawn(served, samplers)
