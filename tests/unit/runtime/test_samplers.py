"""Rows at once that are asked of samplers which have much to do."""

import asyncio
from uuid import uuid4

import pytest

from synthgen_ray.domain.entities import Artifact, Draw
from synthgen_ray.domain.errors import Unavailable
from synthgen_ray.domain.params import SampleFormat, SampleParams
from synthgen_ray.runtime.samplers import OnlineDraws

CHUNKS = 4


class HeldSamplers:
    """Stands for Serve's handle: each call waits until it is answered, the first one first."""

    def __init__(self) -> None:
        self.waiting: list[asyncio.Future[bytes]] = []

    def options(self, **_options: str) -> "HeldSamplers":
        return self

    @property
    def draw(self) -> "HeldSamplers":
        return self

    def remote(self, _draw: Draw, _index: int, _subject: object) -> "asyncio.Future[bytes]":
        self.waiting.append(asyncio.get_running_loop().create_future())
        return self.waiting[-1]

    async def answer(self) -> None:
        await self.asked(1)
        call = self.waiting.pop(0)
        if not call.cancelled():
            call.set_result(b"rows")

    async def asked(self, calls: int) -> None:
        async with asyncio.timeout(10):
            while len(self.waiting) < calls:
                await asyncio.sleep(0)


@pytest.fixture
def samplers() -> HeldSamplers:
    return HeldSamplers()


def a_draw(num_chunks: int = CHUNKS) -> Draw:
    source = Artifact(uuid4(), "models/m", (), "")
    return Draw(source, tuple((index, 10) for index in range(num_chunks)), 1, SampleParams(), SampleFormat.CSV)


async def all_of(draws: OnlineDraws, num_chunks: int = CHUNKS) -> int:
    return len([chunk async for chunk in draws.chunks(a_draw(num_chunks))])


async def test_an_answer_that_has_begun_goes_on_when_others_are_refused(samplers):
    draws = OnlineDraws(samplers, most=3)
    first, second = [asyncio.create_task(all_of(draws)) for _ in range(2)]
    await samplers.asked(4)

    with pytest.raises(Unavailable) as refused:
        await all_of(draws)
    for _ in range(2 * CHUNKS):
        await samplers.answer()

    assert refused.value.code == "busy"
    assert await asyncio.wait_for(asyncio.gather(first, second), 10) == [CHUNKS, CHUNKS]


async def test_whoever_leaves_makes_room_for_the_next(samplers):
    draws = OnlineDraws(samplers, most=1)
    leaving = asyncio.create_task(all_of(draws, 1))
    await samplers.asked(1)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)

    coming = asyncio.create_task(all_of(draws, 1))
    for _ in ("the one that was left", "the new one"):
        await samplers.answer()

    assert await asyncio.wait_for(coming, 10) == 1
