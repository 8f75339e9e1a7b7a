"""What an operator wants to see at a glance, of all projects."""

import asyncio
from collections.abc import Sequence
from contextvars import Context
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synthgen_ray.artifacts.scratch import Room
from synthgen_ray.domain.access import Principal
from synthgen_ray.domain.entities import Job
from synthgen_ray.domain.lifecycle import JobStatus
from synthgen_ray.service.files import Files

if TYPE_CHECKING:
    from synthgen_ray.store.figures import QueueFigures
    from synthgen_ray.store.store import Store

MOST_RUNNING = 50
LAST_FAILED = 10
PATIENCE_S = 5.0  # with the disk


@dataclass(frozen=True)
class Activity:
    """How many jobs there are, those that run, and those that failed last, newest first."""

    queue: "QueueFigures"
    running: Sequence[Job]
    failed: Sequence[Job]


class Statuses(Files):
    _store: "Store"
    _room: asyncio.Task[Room | None] | None = None

    async def get_activity(self, principal: Principal) -> Activity:
        """Raises: Forbidden, for a key that is bound to projects; Unavailable."""
        principal.require_unbound()
        queue, running, failed = await asyncio.gather(
            self._store.get_queue_figures(),
            self._store.list_jobs(principal, None, None, JobStatus.RUNNING, MOST_RUNNING, 0),
            self._store.list_failures(principal, LAST_FAILED),
        )
        return Activity(queue, running.items, failed)

    async def find_room(self) -> Room | None:
        """On the disk that takes the uploads of this process; `None` where there is no such folder, or no answer."""
        if self._room is None or self._room.done():  # one look at a time, and nobody's: as of `api/checks.py`
            self._room = asyncio.create_task(self.aside(self._look_for_room), context=Context())
        room = self._room
        await asyncio.wait([room], timeout=PATIENCE_S)
        return room.result() if room.done() else None

    def _look_for_room(self) -> Room | None:
        limits = self.upload_limits
        try:
            return self._artifacts.scratch.find_room(limits.min_free_bytes, limits.min_free_share)
        except OSError:  # the check of the artifacts tells of it
            return None
