"""How long a process that leads others is kept for the next job."""

import asyncio
from typing import Any

from synthgen_ray.runtime.processes import STAYS_S, Leaders


class IdleLeader:
    """Stands for Ray's handle of one that answers."""

    @property
    def node_id(self) -> "IdleLeader":
        return self

    async def remote(self) -> str:
        return "its node"


async def test_one_that_has_led_again_stays_as_long_as_after_the_first_time(monkeypatch):
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def after(seconds: float) -> None:
        monkeypatch.setattr(loop, "time", lambda: began + seconds)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    leaders: Any = Leaders()
    leader = IdleLeader()
    leaders._keep(leader)
    await after(0.7 * STAYS_S)
    assert await leaders._free_one() is leader
    leaders._keep(leader)

    await after(1.4 * STAYS_S)
    assert list(leaders._idle) == [leader]
    await after(1.8 * STAYS_S)
    assert not leaders._idle
