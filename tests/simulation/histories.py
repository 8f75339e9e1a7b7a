"""Histories by their seeds: checked on the model, and made again on a store."""

from collections.abc import Iterable
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


async def replayed(folder: Path, seeds: Iterable[int], steps: int) -> str:
    """Raises: AssertionError, at the first call after which store and model differ."""
    histories = calls = 0
    for seed in seeds:
        world = lived(seed, QueueModel(), steps=steps)
        replay = Replay(f"sqlite+aiosqlite:///{folder}/{seed}.db")
        await replay.prepare()
        await replay.check(world.calls)
        await replay.store.dispose()
        histories, calls = histories + 1, calls + len(world.calls)
    return f"{histories} histories on a store, {calls:,} calls, 0 differences from the model"
