"""What an attempt at a job tells the store while it runs."""

import time
from dataclasses import replace

import ray
from ray.exceptions import GetTimeoutError, RayActorError, RayError

from synthgen_ray.domain.entities import Artifact, Job, Progress
from synthgen_ray.domain.errors import Cancelled, Unavailable
from synthgen_ray.domain.lifecycle import REPORT_EVERY_S
from synthgen_ray.domain.log_context import subject
from synthgen_ray.runtime.actors import WRITE_S
from synthgen_ray.runtime.names import METADATA, NAMESPACE


class Teller:
    """Raises: Unavailable, where the store is not found: Ray's head may be silent."""

    def __init__(self, job: Job) -> None:
        try:
            self._store = ray.get_actor(METADATA, NAMESPACE)
        except (ValueError, RayError) as error:
            raise _away() from error
        self._job = job
        self._began = time.monotonic()
        self._sent: ray.ObjectRef | None = None
        self._last = -REPORT_EVERY_S
        self._untold = self._told = 0  # epochs: that the store has to hear of, and that the last report told

    def progress(self, progress: Progress) -> None:
        """Progress into the job's row, at most every half second, and that the last epoch is over, by whose losses the
        training is known. Waits for nothing: the answer to a report is looked at by the next one.

        Raises: Cancelled, when this attempt is no longer wanted.
        """
        now = time.monotonic()
        self._untold += progress.epochs
        is_soon = now - self._last < REPORT_EVERY_S and progress.fraction < 1
        ends_epochs = progress.fraction == 1 and bool(progress.epochs or progress.losses)
        if is_soon or not (self._is_answered() or ends_epochs):
            return
        self._last = now
        seconds = progress.seconds or now - self._began  # a training counts those of all attempts
        self._told, self._untold = self._untold, 0
        self._sent = self._call("report_progress", replace(progress, seconds=seconds, epochs=self._told))

    def checkpoint(self, checkpoint: Artifact) -> bool:
        """Whether the job's row names it now. Raises: Unavailable, when that is not known."""
        try:
            named = self._call("name_checkpoint", checkpoint)
            return ray.get(named, timeout=WRITE_S)
        except (RayActorError, GetTimeoutError) as error:
            raise _away() from error

    def _call(self, method: str, what: Progress | Artifact) -> "ray.ObjectRef[bool]":
        return self._store.call.remote(method, subject(), self._job.id, self._job.attempt, what)

    def _is_answered(self) -> bool:
        if self._sent is None:
            return True
        if not ray.wait([self._sent], timeout=0)[0]:
            return False
        try:
            wanted = ray.get(self._sent)
        except RayError:  # the store is away for a moment, or has a bug: the work is not worth less for it
            self._untold += self._told
            return True
        if not wanted:
            raise Cancelled
        return True


def _away() -> Unavailable:
    return Unavailable("The metadata store is away, or does not answer.", "store_unavailable")
