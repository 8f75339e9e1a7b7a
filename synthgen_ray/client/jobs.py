"""Jobs: how trainings and generations stand, what they made, and waiting for them."""

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from synthgen_ray.client.answers import JSON
from synthgen_ray.client.connection import Connection, Id, path
from synthgen_ray.client.downloads import download
from synthgen_ray.client.errors import ClientError, JobFailed, WaitTimedOut
from synthgen_ray.client.events import events_of
from synthgen_ray.client.files import FilePath
from synthgen_ray.client.sending import OnBytes

OnProgress = Callable[[JSON], None]

POLL_S = 0.5
SHORTEST_POLL_S, SHARE = 0.05, 0.1  # of the time waited so far
OUTAGE_S = 60.0  # how long waiting for a job outlasts a server that restarts
OUTAGE_PAUSE_S = 1.0
SILENCE_S = 40.0  # a server that has nothing to tell says so every 15 s


class Jobs:
    _connection: Connection

    def list_jobs(
        self,
        project_id: Id | None = None,
        model_id: Id | None = None,
        status: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> JSON:
        filters = {"project_id": project_id, "model_id": model_id, "status": status}
        return self._connection.get("/api/synthgen/jobs", **filters, limit=limit, offset=offset)

    def get_job(self, job_id: Id) -> JSON:
        """A job, by its id or by its background job's id."""
        return self._connection.get(_job(job_id))

    def cancel_job(self, job_id: Id) -> JSON:
        """Cancel a job that waits or runs; it is `failed` then, and `cancelled`."""
        return self._connection.post(_job(job_id, "cancel"), repeatable=True)

    def download(self, job_id: Id, to: FilePath, on_bytes: OnBytes | None = None) -> Path:
        """The rows of a completed generation as the file `to`, which appears whole or not at all."""
        return download(self._connection, _job(job_id, "download"), to, on_bytes=on_bytes)

    def events(self, job_id: Id, poll_s: float = POLL_S) -> Iterator[JSON]:
        """The job as it is now and each time that it has changed, the last time when it has ended.

        The server tells; should it fall silent, it is asked every `poll_s` from there on.
        """
        told: JSON | None = None
        try:
            with self._connection.stream(_job(job_id, "events"), silence_s=SILENCE_S) as response:
                for told in events_of(response.iter_bytes()):
                    yield told
        except ClientError as error:
            if not error.may_pass:
                raise
        if told is None or not has_ended(told):
            for job in self._looks(job_id, poll_s, told):
                if job != told:
                    yield job
                told = job

    def wait_for_job(
        self,
        job_id: Id,
        on_progress: OnProgress | None = None,
        poll_s: float = POLL_S,
        timeout_s: float | None = None,
    ) -> JSON:
        """The job once it is completed. `on_progress` sees it each time that it has changed.

        Raises: JobFailed; WaitTimedOut, after which the job goes on.
        """
        give_up = math.inf if timeout_s is None else time.monotonic() + timeout_s
        # A stream may be silent for longer than the caller wants to wait.
        looks = self.events(job_id, poll_s) if timeout_s is None else self._looks(job_id, poll_s)
        for job in looks:
            if on_progress:
                on_progress(job)
            if not has_ended(job) and time.monotonic() >= give_up:
                raise WaitTimedOut(f"Job {job_id} is not done after {timeout_s:g} s; it goes on.")
        if job["status"] == "failed":
            raise JobFailed(job)
        return job

    def _looks(self, job_id: Id, poll_s: float, known: JSON | None = None) -> Iterator[JSON]:
        """The job at each look, until it has ended: soon at first, in the end every `poll_s`."""
        since = time.monotonic()
        job = self.get_job(job_id) if known is None else known
        while True:
            yield job
            if has_ended(job):
                return
            time.sleep(min(max(SHORTEST_POLL_S, SHARE * (time.monotonic() - since)), poll_s))
            job = self._get_job_despite_outages(job_id)

    def _get_job_despite_outages(self, job_id: Id) -> JSON:
        give_up = time.monotonic() + OUTAGE_S
        while True:
            try:
                return self.get_job(job_id)
            except ClientError as error:
                if not error.may_pass or time.monotonic() >= give_up:
                    raise
            time.sleep(OUTAGE_PAUSE_S)


def has_ended(job: JSON) -> bool:
    return job["status"] in ("completed", "failed")


def _job(job_id: Id, *more: str) -> str:
    return path("api", "synthgen", "jobs", job_id, *more)
