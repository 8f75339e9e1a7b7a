"""Rows at once that are asked of samplers which have much to do."""

import asyncio
from uuid import UUID, uuid4

import pytest

from synthgen_ray.domain.entities import Artifact, Draw
from synthgen_ray.domain.errors import Unavailable
from synthgen_ray.domain.params import SampleFormat, SampleParams
from synthgen_ray.runtime.samplers import CROWD, OnlineDraws

CHUNKS = 4


class HeldSamplers:
    """Stands for Serve's handle: each call waits until it is answered, the first one first."""

    def __init__(self, calls: "list[asyncio.Future[bytes]] | None" = None, wanted: list[str] | None = None) -> None:
        self.waiting = [] if calls is None else calls
        self.wanted = [] if wanted is None else wanted  # of each call the model that its sampler is to have
        self._model = ""

    def options(self, multiplexed_model_id: str) -> "HeldSamplers":
        other = HeldSamplers(self.waiting, self.wanted)
        other._model = multiplexed_model_id
        return other

    @property
    def draw(self) -> "HeldSamplers":
        return self

    def remote(self, _draw: Draw, _index: int, _subject: object) -> "asyncio.Future[bytes]":
        self.wanted.append(self._model)
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


def a_draw(num_chunks: int = CHUNKS, model_id: UUID | None = None) -> Draw:
    source = Artifact(model_id or uuid4(), "models/m", (), "")
    return Draw(source, tuple((index, 10) for index in range(num_chunks)), 1, SampleParams(), SampleFormat.CSV)


async def all_of(draws: OnlineDraws, num_chunks: int = CHUNKS, model_id: UUID | None = None) -> int:
    return len([chunk async for chunk in draws.chunks(a_draw(num_chunks, model_id))])


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


async def test_a_sampler_that_has_the_model_is_asked_until_many_ask_then_whichever_has_least_to_do(samplers):
    draws, model, other = OnlineDraws(samplers, most=100), uuid4(), uuid4()
    asking = [asyncio.create_task(all_of(draws, 1, model)) for _ in range(CROWD + 2)]
    await samplers.asked(CROWD + 2)
    asking.append(asyncio.create_task(all_of(draws, 1, other)))
    await samplers.asked(CROWD + 3)

    assert samplers.wanted == [str(model)] * CROWD + ["", "", str(other)]

    for _ in asking:
        await samplers.answer()
    await asyncio.wait_for(asyncio.gather(*asking), 10)
    asking = [asyncio.create_task(all_of(draws, 1, model))]
    await samplers.answer()
    await asking[0]
    assert samplers.wanted[-1] == str(model)
