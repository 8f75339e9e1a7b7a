"""Which parts of generations are at the samplers at a time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import pytest

from synthgen_ray.runtime.places import Places


class Samplers:
    """Those that are up by what they draw at a time; a part is drawn when the test says so."""

    def __init__(self, *turns: int) -> None:
        self.turns: Sequence[int] | None = turns
        self.looks = 0
        self.answers = asyncio.Event()
        self.answers.set()
        self.at_work: dict[int, asyncio.Future[None]] = {}
        self.begun: list[int] = []

    async def look(self) -> Sequence[int] | None:
        self.looks += 1
        await self.answers.wait()
        return self.turns

    async def draw(self, part: int) -> None:
        self.begun.append(part)
        self.at_work[part] = asyncio.get_running_loop().create_future()
        try:
            await self.at_work[part]
        finally:
            del self.at_work[part]

    async def end(self, part: int) -> None:
        self.at_work[part].set_result(None)
        await settled()


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


Begin = Callable[[Places, Samplers, Sequence[int]], Awaitable["asyncio.Task[None]"]]


@pytest.fixture
async def begun() -> AsyncIterator[Begin]:
    """Begins a generation of such parts, which the end of the test ends."""
    generations: list[asyncio.Task[None]] = []

    async def begin(places: Places, samplers: Samplers, parts: Sequence[int]) -> "asyncio.Task[None]":
        generations.append(asyncio.create_task(places.each(parts, samplers.draw)))
        await settled()
        return generations[-1]

    yield begin
    for generation in generations:
        generation.cancel()
    await asyncio.gather(*generations, return_exceptions=True)


async def test_each_sampler_has_what_it_draws_at_once_and_one_more_in_their_order(begun):
    samplers = Samplers(2, 1)
    generation = await begun(Places(samplers.look), samplers, range(8))
    assert samplers.begun == [0, 1, 2, 3, 4]

    await samplers.end(1)
    await samplers.end(3)
    assert samplers.begun == [0, 1, 2, 3, 4, 5, 6]

    while samplers.at_work:
        await samplers.end(min(samplers.at_work))
    await asyncio.wait_for(generation, 1)
    assert samplers.begun == [*range(8)]


async def test_while_none_is_up_enough_are_asked_to_have_one_started(begun):
    samplers = Samplers()
    await begun(Places(samplers.look), samplers, range(8))

    assert samplers.begun == [0, 1]


async def test_samplers_that_come_up_get_their_share(monkeypatch, begun):
    samplers = Samplers(1)
    places = Places(samplers.look)
    await begun(places, samplers, range(20))
    assert samplers.begun == [0, 1]
    samplers.turns = (1, 4)

    await samplers.end(0)
    assert samplers.begun == [0, 1, 2]  # they are not asked about each part
    monkeypatch.setattr("synthgen_ray.runtime.places.LOOK_S", 0.0)
    await samplers.end(1)

    assert samplers.begun == [*range(9)]


async def test_a_sampler_that_is_silent_holds_up_no_part(monkeypatch, begun):
    samplers = Samplers(2, 1)
    places = Places(samplers.look)
    monkeypatch.setattr("synthgen_ray.runtime.places.LOOK_S", 0.0)
    await begun(places, samplers, range(20))
    samplers.answers.clear()

    looks = samplers.looks
    for part in range(5):
        await samplers.end(part)
    assert samplers.begun == [*range(10)]
    assert samplers.looks == looks + 1  # one at a time

    samplers.turns = None  # it was given up
    samplers.answers.set()
    await settled()
    await samplers.end(5)
    assert samplers.begun == [*range(11)]


@pytest.mark.parametrize("fails", [False, True], ids=["tells nothing", "fails"])
async def test_where_the_first_look_helps_nobody_parts_go_on(begun, fails):
    samplers = Samplers()
    samplers.turns = None

    async def look() -> Sequence[int] | None:
        await samplers.look()
        if fails:
            raise KeyError("a replica that Serve's router has just forgotten")
        return None

    await begun(Places(look), samplers, range(8))

    await samplers.end(0)

    assert samplers.begun == [0, 1, 2]


async def test_what_was_seen_long_ago_is_looked_at_anew_first(monkeypatch, begun):
    samplers = Samplers(4, 4)
    places = Places(samplers.look)
    before = await begun(places, samplers, range(10))
    before.cancel()
    await settled()
    samplers.turns = (1,)
    monkeypatch.setattr("synthgen_ray.runtime.places.LOOK_S", 0.0)
    monkeypatch.setattr("synthgen_ray.runtime.places.OLD_S", 0.0)

    await begun(places, samplers, range(100, 110))

    assert samplers.begun[10:] == [100, 101]


async def test_one_generation_leaves_room_for_another_and_all_for_who_waits_for_rows(begun):
    samplers = Samplers(1, 1)
    places = Places(samplers.look)
    for first in (0, 100, 200):
        await begun(places, samplers, range(first, first + 10))
    assert samplers.begun == [0, 1, 2, 3, 100, 101, 102, 103]

    for part in (0, 100):
        await samplers.end(part)
    assert samplers.begun[8:] == [200, 201]  # who has least is next
    for part in (1, 2, 3, 101, 102, 103):
        await samplers.end(part)

    held = [sum(part // 100 == number for part in samplers.at_work) for number in range(3)]
    assert sorted(held) == [2, 3, 3]


@pytest.mark.parametrize("most", [1, 3])
async def test_what_the_settings_say_holds_whatever_is_up(most, begun):
    samplers = Samplers(4, 4)
    await begun(Places(samplers.look, most), samplers, range(8))

    assert samplers.begun == [*range(most)]


async def test_a_limit_of_each_is_none_of_all(begun):
    samplers = Samplers(4, 4)
    places = Places(samplers.look, 2)
    for first in (0, 100, 200):
        await begun(places, samplers, range(first, first + 10))

    assert samplers.begun == [0, 1, 100, 101, 200, 201]


async def test_a_generation_that_has_begun_all_it_has_leaves_its_turn_to_who_holds_more(begun):
    samplers = Samplers(1)
    places = Places(samplers.look)
    for first in (0, 100):
        await begun(places, samplers, range(first, first + 10))
    assert samplers.begun == [0, 1, 100, 101]
    await begun(places, samplers, [200])

    await samplers.end(100)
    assert samplers.begun[4:] == [200]
    await samplers.end(200)

    assert samplers.begun[5:] == [102]


async def test_a_part_alone_asks_for_no_figures(begun):
    samplers = Samplers(1)
    generation = await begun(Places(samplers.look), samplers, range(1))
    await samplers.end(0)
    await generation

    assert samplers.looks == 0


async def test_the_first_to_fail_ends_the_others_and_leaves_their_places(begun):
    samplers = Samplers(1)
    places = Places(samplers.look)
    failing = await begun(places, samplers, range(5))
    samplers.at_work[1].set_exception(ValueError("no rows"))
    with pytest.raises(ValueError, match="no rows"):
        await failing
    assert not samplers.at_work

    cancelled = await begun(places, samplers, range(10, 15))
    cancelled.cancel()
    await settled()
    assert not samplers.at_work

    await begun(places, samplers, range(20, 25))
    assert samplers.begun == [0, 1, 10, 11, 20, 21]


@pytest.mark.parametrize("passes", range(5))
@pytest.mark.parametrize("answers_first", [True, False])
async def test_who_fails_while_it_is_looked_leaves_its_places(begun, passes, answers_first):
    samplers = Samplers(1)
    samplers.answers.clear()
    places = Places(lambda: asyncio.wait_for(samplers.look(), 10))
    failing = await begun(places, samplers, range(5))

    def fail() -> None:
        samplers.at_work[0].set_exception(ValueError("no rows"))

    first, second = (samplers.answers.set, fail) if answers_first else (fail, samplers.answers.set)
    first()
    for _ in range(passes):
        await asyncio.sleep(0)
    second()
    with pytest.raises(ValueError, match="no rows"):
        await asyncio.wait_for(failing, 10)

    samplers.begun.clear()
    await begun(places, samplers, range(10, 15))
    assert samplers.begun == [10, 11]
