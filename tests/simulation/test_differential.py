"""The model is no fiction: on the same calls the store answers and holds the same."""

import os

import pytest

from tests.simulation.model import QueueModel
from tests.simulation.replay import Replay
from tests.simulation.world import World

SEEDS = int(os.environ.get("SYNTHGEN_REPLAYS", "2"))
STEPS = 40


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_the_store_does_what_the_model_does(tmp_path, seed):
    world = World(seed, QueueModel())
    world.run(STEPS)
    world.quiesce()
    replay = Replay(f"sqlite+aiosqlite:///{tmp_path}/synthgen.db")
    await replay.prepare()

    await replay.check(world.calls)

    await replay.store.dispose()
