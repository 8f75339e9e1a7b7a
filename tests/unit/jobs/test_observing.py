"""Each attempt is told of once, by what became of it in the end."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.domain.entities import Artifact, Job
from synthgen_ray.domain.errors import InvalidTable, Postponed, Unavailable, WorkerLost
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.domain.params import GenerateParams
from synthgen_ray.domain.quotas import Quotas
from synthgen_ray.jobs.dispatcher import Dispatcher
from synthgen_ray.jobs.observing import Outcome
from tests.given import ADMIN, a_model_with_a_table, an_artifact
from tests.unit.jobs.conftest import FakeLauncher, finish, raising, until_started


class Remembering:
    """An `AttemptObserver` that keeps what it is told."""

    def __init__(self) -> None:
        self.begun: list[Job] = []
        self.outcomes: list[tuple[JobType, Outcome]] = []
        self.rows: list[int] = []

    def began(self, job: Job) -> None:
        self.begun.append(job)

    def ended(self, job: Job, outcome: Outcome, seconds: float) -> None:
        assert seconds >= 0
        self.outcomes.append((job.job_type, outcome))

    def generated(self, rows: int) -> None:
        self.rows.append(rows)


@pytest.fixture
def observer() -> Remembering:
    return Remembering()


@pytest.fixture
async def observed(store, launcher: FakeLauncher, observer: Remembering, tmp_path):
    slots = dict.fromkeys(JobType, 1)
    dispatcher = Dispatcher(store, DiskArtifacts(tmp_path), launcher, slots, observer=observer)
    yield dispatcher
    await dispatcher.stop()


async def test_what_completes_is_told_with_the_moment_of_its_claim(observed, launcher, given_training, observer):
    job = await given_training()
    launcher.ending = lambda: None

    await observed.tick()
    await finish(observed)

    assert observer.outcomes == [(JobType.TRAIN, Outcome.COMPLETED)]
    (begun,) = observer.begun
    assert (begun.id, begun.attempt) == (job.id, 1)
    assert begun.started_at >= begun.created_at


async def test_rows_are_told_once_they_are_published(store, observed, launcher, project, observer):
    model_id = await a_model_with_a_table(store, project.id)
    await store.enqueue_generate(ADMIN, model_id, GenerateParams(num_rows=1))
    launcher.ending = lambda: None

    await observed.tick()
    await finish(observed)

    assert observer.outcomes == [(JobType.GENERATE, Outcome.COMPLETED)]
    assert observer.rows == [an_artifact().num_rows]


async def test_a_result_that_the_store_refuses_is_none(store, observed, launcher, project, observer, monkeypatch):
    model_id = await a_model_with_a_table(store, project.id)
    await store.enqueue_generate(ADMIN, model_id, GenerateParams(num_rows=1))
    launcher.ending = lambda: None
    monkeypatch.setattr(store, "_quotas", Quotas(storage_bytes=1))

    async def large(assignment, report) -> Artifact:
        return replace(an_artifact(), parts=tuple(replace(part, size_bytes=100) for part in an_artifact().parts))

    monkeypatch.setattr(launcher, "generate", large)
    await observed.tick()
    await finish(observed)

    assert observer.outcomes == [(JobType.GENERATE, Outcome.FAILED)]
    assert observer.rows == []


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (WorkerLost(), Outcome.LOST),
        (Unavailable("away", "store_unavailable"), Outcome.UNAVAILABLE),
        (Postponed(), Outcome.POSTPONED),
        (InvalidTable("no", "no_usable_columns"), Outcome.FAILED),
        (ZeroDivisionError(), Outcome.FAILED),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else value,
)
async def test_what_ends_otherwise_is_told_by_why(observed, launcher, given_training, observer, error, outcome):
    await given_training()
    launcher.ending = raising(error)

    await observed.tick()
    await finish(observed)

    assert observer.outcomes == [(JobType.TRAIN, outcome)]


@pytest.mark.parametrize("way", ["cancelled", "superseded", "given back"])
async def test_what_is_stopped_is_told_as_cancelled(store, clock, observed, launcher, given_training, observer, way):
    job = await given_training()
    await observed.tick()
    await until_started(launcher, job.id)

    if way == "cancelled":
        await store.cancel(ADMIN, job.id)
        await observed.tick()
    elif way == "superseded":
        clock.advance(timedelta(hours=1))
        await store.heartbeat(())
        launcher.ending = lambda: None
    else:
        await observed.stop()
    await asyncio.gather(*observed.tasks, return_exceptions=True)

    assert observer.outcomes == [(JobType.TRAIN, Outcome.CANCELLED)]
