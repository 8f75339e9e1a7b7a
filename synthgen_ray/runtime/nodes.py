"""The death of nodes, for whoever waits for what runs there.

Ray tells at once of the loss of an actor. Whose task ran there hears nothing until the connection ends, and that of a
node whose network is cut does so after seven minutes (Ray's `grpc_client_keepalive_*`).
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

import ray
from ray.exceptions import RayError

from synthgen_ray.domain.errors import WorkerLost

T = TypeVar("T")
LOOK_S = 2.0


async def unless_it_dies(node_id: str, answer: Coroutine[Any, Any, T]) -> T:
    """Raises: WorkerLost, when Ray takes the node for dead before there is an answer; what the answer raises."""
    answered, gone = asyncio.ensure_future(answer), asyncio.ensure_future(_death_of(node_id))
    try:
        await asyncio.wait({answered, gone}, return_when=asyncio.FIRST_COMPLETED)
        if answered.done():
            return answered.result()
        gone.result()
        raise WorkerLost
    finally:
        answered.cancel()
        gone.cancel()


async def _death_of(node_id: str) -> None:
    while True:
        await asyncio.sleep(LOOK_S)
        with suppress(RayError):  # it cannot say now, which says nothing of the node
            if node_id in await asyncio.to_thread(_dead):
                return


def _dead() -> set[str]:
    return {node["NodeID"] for node in ray.nodes() if not node["Alive"]}
