"""What a launcher does beside the jobs."""

import asyncio

from synthgen_ray.runtime import launcher as launching
from synthgen_ray.runtime.launcher import RayLauncher
from synthgen_ray.settings import Settings


async def test_what_a_dispatcher_had_reserved_that_was_killed_is_freed_by_the_next_one(monkeypatch):
    freed = asyncio.Event()

    async def free() -> None:
        freed.set()

    monkeypatch.setattr(launching, "free_leftovers_soon", free)
    RayLauncher(Settings())

    await asyncio.wait_for(freed.wait(), 20)
