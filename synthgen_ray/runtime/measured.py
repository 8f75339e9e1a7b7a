"""A launcher whose jobs are counted and timed."""

import asyncio
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from synthgen_ray.domain.entities import Artifact, Assignment, Job, MadeReport, TrainedModel
from synthgen_ray.domain.errors import Cancelled, Postponed, Unavailable, WorkerLost
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.jobs.dispatcher import Launcher, OnProgress
from synthgen_ray.runtime.metrics import JobMetrics


class MeasuredLauncher:
    """Does what another one does, and raises what that raises."""

    def __init__(self, launcher: Launcher, metrics: JobMetrics) -> None:
        self._launcher = launcher
        self._metrics = metrics

    async def room(self, running: Collection[Assignment]) -> Collection[JobType]:
        return await self._launcher.room(running)

    async def train(self, assignment: Assignment) -> TrainedModel:
        with self._measured(assignment.job):
            return await self._launcher.train(assignment)

    async def generate(self, assignment: Assignment, report: OnProgress) -> Artifact:
        with self._measured(assignment.job):
            artifact = await self._launcher.generate(assignment, report)
        self._metrics.rows.add(artifact.num_rows, way="job")
        return artifact

    async def judge(self, assignment: Assignment) -> MadeReport:
        with self._measured(assignment.job):
            return await self._launcher.judge(assignment)

    async def forget(self, folders: tuple[str, ...]) -> None:
        await self._launcher.forget(folders)

    @contextmanager
    def _measured(self, job: Job) -> Iterator[None]:
        if job.attempt == 1 and job.started_at:
            self._metrics.waited(job.job_type, (job.started_at - job.created_at).total_seconds())
        began, outcome = time.monotonic(), "failed"
        try:
            yield
            outcome = "completed"
        except WorkerLost:
            outcome = "lost"
            raise
        except Unavailable:
            outcome = "unavailable"
            raise
        except Postponed:
            outcome = "postponed"
            raise
        except (Cancelled, asyncio.CancelledError):
            outcome = "cancelled"
            raise
        finally:
            self._metrics.ran(job.job_type, outcome, time.monotonic() - began)
