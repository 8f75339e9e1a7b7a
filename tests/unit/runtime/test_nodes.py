"""What the cluster has, as those hear it who ask at the same time."""

import asyncio
import os
import threading
import time
from types import SimpleNamespace

import pytest
import ray
from ray.core.generated.common_pb2 import NodeDeathInfo
from ray.exceptions import RaySystemError

from synthgen_ray.runtime import nodes
from synthgen_ray.runtime.nodes import Cluster, KnownCluster, cpus_here, is_lost, look_at_cluster, unless_one_dies


def nodes_of(*cpus: float) -> list[dict[str, object]]:
    """As Ray tells of those that live, after one that has died."""
    dead = {"Alive": False, "Resources": {"CPU": 99.0}}
    return [dead, *({"Alive": True, "Resources": {"CPU": each}} for each in cpus)]


def test_what_a_node_that_died_had_does_not_count(monkeypatch):
    monkeypatch.setattr(ray, "nodes", lambda: nodes_of(2, 4))

    assert look_at_cluster() == Cluster(({"CPU": 2}, {"CPU": 4}))


@pytest.mark.parametrize(
    ("resources", "cpus"),
    [({"CPU": 3.0}, 3), ({"CPU": 0.5}, 1), ({"CPU": 64.0}, 8), ({}, 1)],
    ids=["as Ray counts them", "one at least", "no more than the machine has", "a head without any"],
)
def test_cpus_are_those_of_the_node_that_asks(monkeypatch, resources, cpus):
    others = [{"NodeID": "b", "Resources": {"CPU": 7.0}}, {"NodeID": "c", "Resources": {}}]
    monkeypatch.setattr(ray, "nodes", lambda: [others[0], {"NodeID": "a", "Resources": resources}, others[1]])
    monkeypatch.setattr(ray, "get_runtime_context", lambda: SimpleNamespace(get_node_id=lambda: "a"))
    monkeypatch.setattr(os, "cpu_count", lambda: 8)

    assert cpus_here() == cpus


async def test_there_is_one_look_at_a_time_however_many_ask(monkeypatch):
    looking, most = 0, 0

    def look() -> list[dict[str, object]]:
        nonlocal looking, most
        looking += 1
        most = max(most, looking)
        time.sleep(0.005)
        looking -= 1
        return nodes_of(4)

    monkeypatch.setattr(ray, "nodes", look)
    cluster = KnownCluster()

    async def ask_again_and_again() -> None:
        for _ in range(5):
            assert (await cluster.known()).total("CPU") == 4

    await asyncio.gather(*(ask_again_and_again() for _ in range(3)))

    assert most == 1


async def test_the_first_look_is_waited_for_and_a_later_one_that_hangs_is_not(monkeypatch):
    answers = iter([nodes_of(4), nodes_of(4, 4)])
    goes_on = threading.Event()

    def look() -> list[dict[str, object]]:
        goes_on.wait(20)
        return next(answers)

    monkeypatch.setattr(ray, "nodes", look)
    monkeypatch.setattr(nodes, "LOOK_S", 0.05)
    cluster = KnownCluster()

    first = asyncio.create_task(cluster.known())
    await asyncio.sleep(0.2)
    assert not first.done()
    goes_on.set()
    assert (await first).total("CPU") == 4

    goes_on.clear()
    assert (await cluster.known()).total("CPU") == 4  # of the look before: this one hangs
    goes_on.set()
    while (await cluster.known()).total("CPU") != 8:
        await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("reason", "lost"),
    [
        ("UNSPECIFIED", True),
        ("UNEXPECTED_TERMINATION", True),
        ("EXPECTED_TERMINATION", False),
        ("AUTOSCALER_DRAIN_PREEMPTED", False),
        ("AUTOSCALER_DRAIN_IDLE", False),
    ],
)
def test_a_node_is_lost_that_died_and_was_not_told_to(reason, lost):
    node = {"Alive": False, "DeathReason": NodeDeathInfo.Reason.Value(reason)}

    assert is_lost(node) == lost
    assert not is_lost({**node, "Alive": True})


async def test_what_died_before_is_no_death_though_rays_head_could_not_say_so_at_first(monkeypatch):
    died_before = {"NodeID": "a", "Alive": False}
    heard, is_up = asyncio.Event(), False

    def look() -> list[dict[str, object]]:
        if not is_up:
            raise RaySystemError("the head is silent")
        loop.call_soon_threadsafe(heard.set)
        return [died_before]

    async def start() -> str:
        nonlocal is_up
        await asyncio.sleep(0.02)
        is_up = True
        await heard.wait()
        heard.clear()
        await heard.wait()  # a second look has found nothing new
        return "it runs"

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(ray, "nodes", look)
    monkeypatch.setattr(nodes, "LOOK_S", 0.005)

    assert await unless_one_dies(start()) == "it runs"
