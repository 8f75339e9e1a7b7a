"""Histories by their seeds: checked on the model, and made again on a store."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.simulation.invariants import check
from tests.simulation.model import QueueModel
from tests.simulation.replay import Replay
from tests.simulation.world import World

STEPS = 200


def lived(seed: int, queue: QueueModel, world: type[World] = World, steps: int = STEPS) -> World:
    lived = world(seed, queue)
    lived.run(steps)
    lived.quiesce()
    return lived


def simulated(seeds: Iterable[int]) -> int:
    """How many calls these histories made.

    Raises: AssertionError, with the seed of the one that broke a promise.
    """
    calls = 0
    for seed in seeds:
        world = lived(seed, QueueModel())
        try:
            check(world)
        except AssertionError as broken:
            raise AssertionError(f"seed {seed}: {broken}") from broken
        calls += len(world.calls)
    return calls


async def replayed(url: str, seed: int, steps: int) -> int:
    """How many calls this history made on a store at that database.

    Raises: AssertionError, at the first call after which store and model differ.
    """
    world = lived(seed, QueueModel(), steps=steps)
    replay = Replay(url)
    await replay.prepare()
    await replay.check(world.calls)
    await replay.store.dispose()
    return len(world.calls)


async def all_replayed(folder: Path, seeds: Sequence[int], steps: int) -> str:
    calls = sum([await replayed(f"sqlite+aiosqlite:///{folder}/{seed}.db", seed, steps) for seed in seeds])
    return f"{len(seeds)} histories on a store, {calls:,} calls, 0 differences from the model"
