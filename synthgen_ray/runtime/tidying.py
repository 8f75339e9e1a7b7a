"""Each machine drops what nobody on it will use again, as old copies of files that were erased: samplers look after
theirs, the dispatcher after its own, and now and then after all: where a training has ended nobody else would.
"""

import asyncio
import logging
import threading
import time

import ray

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.domain.errors import SynthGenError, frames_of
from synthgen_ray.runtime.nodes import living_nodes, on_node

log = logging.getLogger(__name__)
EVERY_S = 60.0
# With the ten minutes that copies stay, within the quarter of an hour in which erased bytes go. To an autoscaler it is
# work: `cluster/` has them let idle nodes go sooner than it comes again.
NODES_EVERY_S = 240.0
NODES_S = 60.0


def tidy(artifacts: Artifacts) -> None:
    """On this machine, now. Nothing that goes wrong here is the fault of who comes to work on it."""
    try:
        artifacts.tidy_machine()
    except (OSError, SynthGenError) as error:
        log.warning("this machine's copies and temporary files cannot be tidied: %s", frames_of(error))


def keep_tidy(artifacts: Artifacts) -> None:
    """On this machine, for as long as this process lives."""

    def rounds() -> None:
        while True:
            tidy(artifacts)
            time.sleep(EVERY_S)

    threading.Thread(target=rounds, name="tidying", daemon=True).start()


async def keep_nodes_tidy(artifacts: Artifacts) -> None:
    while True:
        await asyncio.sleep(NODES_EVERY_S)
        try:
            await tidy_nodes(artifacts)
        except Exception as error:  # noqa: BLE001 - no reason to end who runs the jobs; the next round may find them all
            log.warning("not all nodes can be tidied: %s", frames_of(error))


async def tidy_nodes(artifacts: Artifacts) -> set[str]:
    """Those that are alive, without this one. Answers which were tidied. Raises: TimeoutError; what Ray raises."""
    others = await living_nodes() - {ray.get_runtime_context().get_node_id()}
    asked = [on_node(node, _tidied, artifacts, name="tidy") for node in others]
    async with asyncio.timeout(NODES_S):
        ended = await asyncio.gather(*asked, return_exceptions=True)  # a node may end meanwhile
    return {node for node in ended if isinstance(node, str)}


def _tidied(artifacts: Artifacts) -> str:
    tidy(artifacts)
    return str(ray.get_runtime_context().get_node_id())
