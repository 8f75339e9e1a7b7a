"""A dispatcher over a real store; where jobs run is a fake that does what the test says."""

import asyncio
from collections.abc import Callable, Collection
from uuid import UUID

import pytest

from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.domain.entities import Artifact, Assignment, MadeReport, Progress, TrainedModel
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.jobs.clock_watch import ClockWatch
from synthgen_ray.jobs.dispatcher import Dispatcher, OnProgress
from synthgen_ray.store.store import Store
from tests.fakes import RoomForAll
from tests.given import SCORES, a_trained_model, an_artifact


class FakeLauncher(RoomForAll):
    """Ends each job as the test says; until then it runs."""

    def __init__(self) -> None:
        self.has_room: Callable[[Collection[Assignment]], Collection[JobType]] = lambda running: tuple(JobType)
        self.started: list[UUID] = []
        self.stopped: list[UUID] = []
        self.ending: Callable[[], object] | None = None

    async def room(self, running: Collection[Assignment]) -> Collection[JobType]:
        return self.has_room(running)

    async def train(self, assignment: Assignment) -> TrainedModel:
        await self._run(assignment)
        return a_trained_model()

    async def generate(self, assignment: Assignment, report: OnProgress) -> Artifact:
        await report(Progress(0.5))
        await self._run(assignment)
        return an_artifact()

    async def judge(self, assignment: Assignment) -> MadeReport:
        await self._run(assignment)
        return MadeReport(an_artifact(), SCORES)

    async def _run(self, assignment: Assignment) -> None:
        self.started.append(assignment.job.id)
        try:
            while self.ending is None:
                await asyncio.sleep(0.01)
        except asyncio.CancelledError:
            self.stopped.append(assignment.job.id)
            raise
        self.ending()


@pytest.fixture
def launcher() -> FakeLauncher:
    return FakeLauncher()


class FakeWatch(ClockWatch):
    """Says of the clock what the test says."""

    steady = False

    def is_steady(self) -> bool:
        return self.steady


@pytest.fixture
def watch() -> FakeWatch:
    return FakeWatch(0)


@pytest.fixture
async def dispatcher(store: Store, launcher: FakeLauncher, watch: FakeWatch, tmp_path):
    slots = {JobType.TRAIN: 1, JobType.GENERATE: 2, JobType.REPORT: 1}
    dispatcher = Dispatcher(store, DiskArtifacts(tmp_path), launcher, slots, clock=watch)
    yield dispatcher
    await dispatcher.stop()


async def until_started(launcher: FakeLauncher, job_id: UUID) -> None:
    async with asyncio.timeout(20):
        while job_id not in launcher.started:
            await asyncio.sleep(0.01)


async def finish(dispatcher: Dispatcher) -> None:
    await asyncio.gather(*dispatcher.tasks, return_exceptions=True)


def raising(error: Exception) -> Callable[[], None]:
    def end() -> None:
        raise error

    return end
