"""The models that a sampler keeps: loaded once, let go in time, and never for one that cannot be loaded."""

import asyncio
import threading
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from synthgen_ray.domain.entities import Artifact, Part
from synthgen_ray.domain.errors import Gone
from synthgen_ray.jobs.model_cache import ModelCache
from synthgen_ray.synthesizers import GaussianCopula

MOST_BYTES = 100


class Loader:
    """Loads when the test lets it, and counts."""

    def __init__(self) -> None:
        self.loaded: list[UUID] = []
        self.broken: set[UUID] = set()
        self.open = threading.Event()
        self.open.set()

    def __call__(self, source: Artifact) -> GaussianCopula:
        self.open.wait(10)
        self.loaded.append(source.id)
        if source.id in self.broken:
            raise Gone("The file is damaged.", "artifact_corrupt")
        return GaussianCopula()


@pytest.fixture
def loader() -> Loader:
    return Loader()


@pytest.fixture
def cache(loader: Loader) -> ModelCache:
    return ModelCache(loader, MOST_BYTES)


def a_source(size_bytes: int = 40) -> Artifact:
    return Artifact(uuid4(), f"models/{uuid4()}", (Part("model.synthgen", 0, size_bytes),), "ab" * 32)


async def test_a_model_is_loaded_once_however_many_ask_at_once(cache, loader):
    source = a_source()
    loader.open.clear()
    asked = [asyncio.create_task(cache.get(source)) for _ in range(20)]
    await asyncio.sleep(0)
    loader.open.set()

    models = await asyncio.gather(*asked)

    assert loader.loaded == [source.id]
    assert {id(model) for model in [*models, await cache.get(source)]} == {id(models[0])}


async def test_those_that_nobody_asked_for_longest_make_room(cache):
    first, second, third = a_source(), a_source(), a_source()
    await cache.get(first)
    await cache.get(second)
    await cache.get(first)

    await cache.get(third)

    assert [one in cache for one in (first, second, third)] == [True, False, True]
    assert cache.num_bytes == 80


async def test_a_load_that_fails_lets_none_go_and_is_tried_again(cache, loader):
    kept, broken = [a_source(), a_source()], a_source(size_bytes=90)
    for source in kept:
        await cache.get(source)
    loader.broken.add(broken.id)

    for _ in range(2):
        with pytest.raises(Gone):
            await cache.get(broken)

    assert loader.loaded.count(broken.id) == 2
    assert all(source in cache for source in kept)


async def test_everyone_who_waited_hears_of_a_failure(cache, loader):
    source = a_source()
    loader.broken.add(source.id)

    outcomes = await asyncio.gather(*(cache.get(source) for _ in range(5)), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [Gone] * 5
    assert loader.loaded == [source.id]


async def test_one_larger_than_the_budget_is_handed_out_and_not_kept(cache):
    small, large = a_source(), a_source(size_bytes=MOST_BYTES + 1)
    await cache.get(small)

    await cache.get(large)

    assert large not in cache
    assert small in cache


async def test_one_who_gives_up_does_not_take_the_load_from_the_others(cache, loader):
    source = a_source()
    loader.open.clear()
    impatient, patient = (asyncio.create_task(cache.get(source)) for _ in range(2))
    await asyncio.sleep(0)

    impatient.cancel()
    loader.open.set()

    assert isinstance(await patient, GaussianCopula)
    assert loader.loaded == [source.id]


async def test_a_forgotten_model_is_gone_also_when_it_was_being_loaded(cache, loader):
    here, coming = a_source(), a_source()
    await cache.get(here)
    loader.open.clear()
    waiting = asyncio.create_task(cache.get(coming))
    await asyncio.sleep(0)

    cache.forget((here.location, coming.location))
    loader.open.set()

    assert isinstance(await waiting, GaussianCopula)
    assert here not in cache
    assert coming not in cache


async def test_a_forgotten_model_that_somebody_still_asks_for_is_not_kept(cache, loader):
    """Its file may be here yet, as a copy of what was in an object store."""
    source = a_source()
    cache.forget((source.location,))

    assert isinstance(await cache.get(source), GaussianCopula)

    assert source not in cache
    assert cache.num_bytes == 0


async def test_of_a_folder_all_models_are_forgotten_and_no_others(cache):
    within = replace(a_source(10), location="jobs/7/2")
    beside = [replace(a_source(10), location=location) for location in ("jobs/71/2", "models/7")]
    for source in (within, *beside):
        await cache.get(source)

    cache.forget(("jobs/7",))

    assert within not in cache
    assert all(source in cache for source in beside)
