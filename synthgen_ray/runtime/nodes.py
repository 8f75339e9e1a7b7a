"""What the nodes have, and their death, for whoever waits for what runs there.

Ray tells at once of the loss of an actor. Whose task ran there hears nothing until the connection ends, and that of a
node whose network is cut does so after seven minutes (Ray's `grpc_client_keepalive_*`).
"""

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from synthgen_ray.domain.errors import Postponed, WorkerLost

T = TypeVar("T")
LOOK_S = 2.0
LOST = (0, 2)  # of Ray's NodeDeathInfo.Reason: UNSPECIFIED, UNEXPECTED_TERMINATION
FIRST_LOOK_S = 10.0  # before it nothing is known, and what is to begin would be put off


@dataclass(frozen=True)
class Cluster:
    """What each of its nodes has, by Ray's names of it."""

    nodes: tuple[Mapping[str, float], ...] = ()

    def total(self, name: str) -> float:
        return sum(node.get(name, 0.0) for node in self.nodes)

    def places(self, beside: Iterable[Mapping[str, float]], **each: float) -> int:
        """For how many that take so much each there is room: none is on two nodes. Of what is `beside` them each is
        where it costs most."""
        nodes = list(self.nodes)
        for one in beside:
            left = {place: _less(node, one) for place, node in enumerate(nodes)}
            able = [place for place, node in left.items() if min(node.values(), default=0) >= 0]
            if able:
                worst = max(able, key=lambda place: _places(nodes[place], each) - _places(left[place], each))
                nodes[worst] = left[worst]
        return sum(_places(node, each) for node in nodes)


def _less(node: Mapping[str, float], taken: Mapping[str, float]) -> Mapping[str, float]:
    return {**node, **{name: round(node.get(name, 0.0) - much, 4) for name, much in taken.items()}}  # as Ray reckons


def _places(node: Mapping[str, float], each: Mapping[str, float]) -> int:
    return int(min(node.get(name, 0.0) // much for name, much in each.items()))


def look_at_cluster() -> Cluster:
    return Cluster(tuple(node["Resources"] for node in ray.nodes() if node["Alive"]))


class KnownCluster:
    """What was seen last. A head that hangs keeps nobody waiting, who then hears what it was."""

    def __init__(self) -> None:
        self._known = Cluster()
        self._look: asyncio.Task[None] | None = None

    async def known(self) -> Cluster:
        """Without any node when none has been seen yet."""
        # One look at a time: else who asks again and again would leave more and more threads behind.
        look = self._look = self._look or asyncio.create_task(self._look_once())
        await asyncio.wait({look}, timeout=LOOK_S if self._known.nodes else FIRST_LOOK_S)
        if look.done():
            look.result()
        return self._known

    async def _look_once(self) -> None:
        try:
            with suppress(RayError):
                self._known = await asyncio.to_thread(look_at_cluster)
        finally:
            self._look = None  # also of a look that nobody waits for any more: the next to ask sees what is then


def cpus_here() -> int:
    """Those of this node, as Ray knows it: a container may use few of those of its machine."""
    here = ray.get_runtime_context().get_node_id()
    known = next((node["Resources"].get("CPU", 1) for node in ray.nodes() if node["NodeID"] == here), 1)
    return max(1, min(int(known), os.cpu_count() or 1))


async def unless_it_dies(node_id: str, answer: Coroutine[Any, Any, T]) -> T:
    """Raises: WorkerLost, when Ray takes the node for dead before there is an answer; what the answer raises."""
    return await _before(_death_of(node_id), answer, WorkerLost())


async def unless_one_dies(start: Coroutine[Any, Any, T]) -> T:
    """For what may have been sent to any node.

    Raises: Postponed, when Ray takes one for dead before the start is known; what the start raises.
    """
    return await _before(_any_death(), start, Postponed())


async def _before(death: Coroutine[Any, Any, None], answer: Coroutine[Any, Any, T], loss: Exception) -> T:
    answered, gone = asyncio.ensure_future(answer), asyncio.ensure_future(death)
    try:
        await asyncio.wait({answered, gone}, return_when=asyncio.FIRST_COMPLETED)
        if answered.done():
            return answered.result()
        gone.result()
        raise loss
    finally:
        answered.cancel()
        gone.cancel()


async def _death_of(node_id: str) -> None:
    await _until(lambda dead: node_id in dead)


async def _any_death() -> None:
    before = await _dead()
    await _until(lambda dead: not dead <= before)


async def _until(is_so: Callable[[set[str]], bool]) -> None:
    while True:
        if is_so(await _dead()):
            return
        await asyncio.sleep(LOOK_S)


@cache
def remote(function: Callable[..., Any]) -> Any:
    """`ray.remote` of a function or a class, of each once: what that answers is written to Ray's head with its first
    call, and stays there as long as the server."""
    return ray.remote(function)


def on_node(node_id: str, function: Callable[..., T], *given: object, name: str) -> "ray.ObjectRef[T]":
    """What a function answers on that node and no other, with no CPU of it. A first one starts a process there."""
    here = NodeAffinitySchedulingStrategy(node_id, soft=False)
    task = remote(function).options(name=name, num_cpus=0, max_retries=0, scheduling_strategy=here)
    return task.remote(*given)


async def idle_seconds() -> dict[str, float]:
    """For how long each of the living has had no work, as autoscalers reckon it."""
    return await asyncio.to_thread(_idle_seconds)


async def lost_nodes() -> set[str]:
    """Those that died and were not told to."""
    return await _nodes(is_lost)


def is_lost(node: Mapping[str, Any]) -> bool:
    """Of what `ray.nodes` says of one. An autoscaler, `ray stop` and `ray drain-node` tell those that they end."""
    return not node["Alive"] and node["DeathReason"] in LOST


def draining_nodes() -> set[str]:
    """Those that take no more work: hard affinity to one is refused, though `ray.nodes` has it among the living."""
    from ray.core.generated.autoscaler_pb2 import NodeStatus

    return {node.node_id.hex() for node in _states() if node.status == NodeStatus.DRAINING}


def _idle_seconds() -> dict[str, float]:
    from ray.core.generated.autoscaler_pb2 import NodeStatus

    return {node.node_id.hex(): node.idle_duration_ms / 1000 for node in _states() if node.status != NodeStatus.DEAD}


def _states() -> Iterable[Any]:
    # No public call tells of them.
    from ray.core.generated.autoscaler_pb2 import GetClusterResourceStateReply
    from ray.experimental.internal_kv import internal_kv_get_gcs_client

    said = GetClusterResourceStateReply.FromString(internal_kv_get_gcs_client().get_cluster_resource_state())
    states: Iterable[Any] = said.cluster_resource_state.node_states
    return states


async def _dead() -> set[str]:
    return await _nodes(lambda node: not node["Alive"])


async def _nodes(fits: Callable[[Mapping[str, Any]], bool]) -> set[str]:
    """As soon as Ray's head can say: while it cannot, nothing is known of any."""
    while True:
        with suppress(RayError):
            return await asyncio.to_thread(lambda: {node["NodeID"] for node in ray.nodes() if fits(node)})
        await asyncio.sleep(LOOK_S)
