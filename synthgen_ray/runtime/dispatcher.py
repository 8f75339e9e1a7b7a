"""The dispatcher as a named actor."""

import asyncio
import logging
import os
from datetime import timedelta
from typing import TYPE_CHECKING

from ray.exceptions import RayError

from synthgen_ray.domain.errors import Unavailable, frames_of
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.domain.retention import Retention
from synthgen_ray.jobs.dispatcher import Dispatcher
from synthgen_ray.runtime.actors import metadata_store
from synthgen_ray.runtime.launcher import RayLauncher
from synthgen_ray.runtime.logs import write_logs
from synthgen_ray.runtime.metrics import JobMetrics, NodeMetrics, QueueMetrics
from synthgen_ray.runtime.nodes import lost_nodes
from synthgen_ray.runtime.stored import artifacts_of
from synthgen_ray.runtime.tidying import keep_nodes_tidy
from synthgen_ray.settings import Settings

if TYPE_CHECKING:
    from synthgen_ray.store.store import Store

log = logging.getLogger(__name__)
LOOK_S = 10.0  # as often as Ray passes on what there is to see


class DispatcherActor:
    """It starts to work with its process, so one that Ray had to restart goes on by itself."""

    def __init__(self, settings: Settings, owner: str) -> None:
        write_logs(settings.log_format)
        slots = {
            JobType.TRAIN: settings.training.max_running,
            JobType.GENERATE: settings.generation.max_running,
            JobType.REPORT: settings.reports.max_running,
        }
        artifacts = artifacts_of(settings)
        keep = settings.retention
        retention = Retention(
            _days(keep.outputs_days), _days(keep.reports_days), _days(keep.failed_jobs_days), _days(keep.audit_days)
        )
        try:
            store = metadata_store()
        except (ValueError, RayError) as error:  # Ray's head may be silent
            # To Ray an actor whose constructor raises is dead for good; one whose process ends starts again.
            log.critical("the dispatcher finds no store: %s", frames_of(error))
            os._exit(1)
        launcher = RayLauncher(settings)
        self._dispatcher = Dispatcher(store, artifacts, launcher, slots, owner, retention, observer=JobMetrics())
        loop = asyncio.get_running_loop()
        works = (
            self._dispatcher.run(),
            _watch_queue(store, QueueMetrics()),
            _watch_nodes(),
            keep_nodes_tidy(artifacts, settings.log_format),
        )
        self._tasks = [loop.create_task(work) for work in works]
        for task in self._tasks:
            task.add_done_callback(_end_process)

    async def nudge(self) -> None:
        self._dispatcher.nudge()

    async def seconds_since_tick(self) -> float:
        return self._dispatcher.seconds_since_tick

    async def stop(self) -> None:
        """Give back what runs, before the cluster stops."""
        for task in self._tasks:
            task.remove_done_callback(_end_process)
        await self._dispatcher.halt()
        for task in self._tasks:
            task.cancel()
        await self._dispatcher.stop()


async def _watch_queue(store: "Store", metrics: QueueMetrics) -> None:
    while True:
        try:
            metrics.show(await store.get_queue_figures())
        except Unavailable:
            pass  # the dispatcher's own look says so
        except Exception as error:  # noqa: BLE001 - figures are not worth the process of what runs
            log.error("the figures of the queue cannot be shown: %s", frames_of(error))
        await asyncio.sleep(LOOK_S)


async def _watch_nodes() -> None:
    """What was lost before this process began, the one before it has counted."""
    metrics, known = NodeMetrics(), await lost_nodes()
    while True:
        await asyncio.sleep(LOOK_S)
        lost = await lost_nodes() - known
        metrics.lost(len(lost))
        known |= lost


def _days(number: float | None) -> timedelta | None:
    return None if number is None else timedelta(days=number)


def _end_process(work: "asyncio.Task[None]") -> None:
    # A dispatcher that no longer dispatches must not look alive: Ray starts a new one.
    error = None if work.cancelled() else work.exception()
    log.critical("the dispatcher ended: %s", frames_of(error) if error else "cancelled")
    os._exit(1)
