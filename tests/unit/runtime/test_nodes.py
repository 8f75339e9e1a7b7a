"""What the cluster has, as those hear it who ask at the same time."""

import asyncio
import time

import ray

from synthgen_ray.runtime.nodes import ClusterResources


async def test_there_is_one_look_at_a_time_however_many_ask(monkeypatch):
    looking, most = 0, 0

    def look() -> dict[str, float]:
        nonlocal looking, most
        looking += 1
        most = max(most, looking)
        time.sleep(0.005)
        looking -= 1
        return {"CPU": 4}

    monkeypatch.setattr(ray, "cluster_resources", look)
    cluster = ClusterResources()

    async def ask_again_and_again() -> None:
        for _ in range(5):
            assert await cluster.known() == {"CPU": 4}

    await asyncio.gather(*(ask_again_and_again() for _ in range(3)))

    assert most == 1
