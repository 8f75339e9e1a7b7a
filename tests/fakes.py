"""Fakes: small classes with the methods of what they stand for."""

import asyncio
from datetime import UTC, datetime, timedelta

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.domain.entities import Artifact, Assignment, Progress, TrainedModel
from synthgen_ray.jobs.dispatcher import Report
from synthgen_ray.jobs.generate import publish, write_part
from synthgen_ray.jobs.parts import plan_parts
from synthgen_ray.jobs.train import keep, learn
from synthgen_ray.synthesizers.base import load


class FakeClock:
    """A wall clock that moves on by a microsecond at each look, and otherwise when it is set."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(microseconds=1)
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


class ThreadLauncher:
    """Runs the real work of a job in a thread of this process, where the cluster would be."""

    def __init__(self, artifacts: Artifacts) -> None:
        self._artifacts = artifacts

    async def train(self, assignment: Assignment) -> TrainedModel:
        model = await asyncio.to_thread(learn, assignment, self._artifacts, lambda progress: None)
        return keep(model, assignment.job, self._artifacts)

    async def generate(self, assignment: Assignment, report: Report) -> Artifact:
        with self._artifacts.verified_file(assignment.source) as file:
            model = load(file)
        plans = plan_parts(assignment.job.config["num_rows"], assignment.chunk_rows)
        parts = []
        for plan in plans:
            parts.append(await asyncio.to_thread(write_part, model, assignment.job, plan, self._artifacts))
            await report(Progress(len(parts) / len(plans)))
        return publish(assignment.job, parts, self._artifacts)
