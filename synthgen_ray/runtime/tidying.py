"""Each machine drops what nobody on it will use again, as old copies of files that were erased: samplers look after
theirs, the dispatcher after its own, and now and then after all: where a training has ended nobody else would.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Mapping

import ray

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.artifacts.scratch import ABANDONED_S
from synthgen_ray.domain.errors import SynthGenError, frames_of
from synthgen_ray.runtime.logs import write_logs
from synthgen_ray.runtime.nodes import idle_seconds, on_node
from synthgen_ray.settings import LogFormat

log = logging.getLogger(__name__)
EVERY_S = 60.0
NODES_EVERY_S = 240.0  # with the ten minutes that copies stay, within the quarter of an hour in which erased bytes go
NODES_S = 60.0
SOON_S = 1.0  # after a round Ray knows that it is over


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


class Rounds:
    """On which nodes there may be something to drop. To look is work as Ray sees it: of nodes that are tidied again and
    again an autoscaler finds none idle for long, and keeps all."""

    def __init__(self) -> None:
        self._idle: dict[str, int] = {}  # for how many rounds each node has had no other work

    def due(self, idle_s: Mapping[str, float]) -> set[str]:
        """Of these nodes, by how long each has had no work: those on which something may be old enough only now."""
        self._idle = {
            node: self._idle.get(node, 0) + 1 if seconds > NODES_EVERY_S - SOON_S else 0
            for node, seconds in idle_s.items()
        }
        return {node for node, rounds in self._idle.items() if (rounds - 1) * NODES_EVERY_S <= ABANDONED_S}


async def keep_nodes_tidy(artifacts: Artifacts, log_format: LogFormat) -> None:
    rounds = Rounds()
    while True:
        await asyncio.sleep(NODES_EVERY_S)
        try:
            await tidy_nodes(artifacts, rounds, log_format)
        except Exception as error:  # noqa: BLE001 - no reason to end who runs the jobs; the next round may find them all
            log.warning("not all nodes can be tidied: %s", frames_of(error))


async def tidy_nodes(artifacts: Artifacts, rounds: Rounds, log_format: LogFormat) -> set[str]:
    """Those that are due, without this one. Answers which were tidied. Raises: TimeoutError; what Ray raises."""
    others = rounds.due(await idle_seconds()) - {ray.get_runtime_context().get_node_id()}
    asked = [on_node(node, _tidied, artifacts, log_format, name="tidy") for node in others]
    async with asyncio.timeout(NODES_S):
        ended = await asyncio.gather(*asked, return_exceptions=True)  # a node may end meanwhile
    return {node for node in ended if isinstance(node, str)}


def _tidied(artifacts: Artifacts, log_format: LogFormat) -> str:
    write_logs(log_format)
    tidy(artifacts)
    return str(ray.get_runtime_context().get_node_id())
