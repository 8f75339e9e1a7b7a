"""The dispatcher over a real store; where jobs run is a fake that does what the test says."""

import asyncio
from collections.abc import Callable
from uuid import UUID

import pytest

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.domain.entities import Artifact, Assignment, Progress, TrainedModel
from synthgen_ray.domain.errors import InvalidTable, Unavailable, WorkerLost
from synthgen_ray.domain.lifecycle import JobStatus, JobType, ModelStatus
from synthgen_ray.domain.params import GenerateParams
from synthgen_ray.jobs.dispatcher import Dispatcher, Report
from synthgen_ray.store.store import Store
from tests.given import ADMIN, a_trained_model, an_artifact


class FakeLauncher:
    """Ends each job as the test says; until then it runs."""

    def __init__(self) -> None:
        self.started: list[UUID] = []
        self.stopped: list[UUID] = []
        self.ending: Callable[[], object] | None = None

    async def train(self, assignment: Assignment) -> TrainedModel:
        await self._run(assignment)
        return a_trained_model()

    async def generate(self, assignment: Assignment, report: Report) -> Artifact:
        await report(Progress(0.5))
        await self._run(assignment)
        return an_artifact()

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


@pytest.fixture
async def dispatcher(store: Store, launcher: FakeLauncher, tmp_path):
    dispatcher = Dispatcher(store, Artifacts(tmp_path), launcher, {JobType.TRAIN: 1, JobType.GENERATE: 2})
    yield dispatcher
    await dispatcher.stop()


async def finish(dispatcher: Dispatcher) -> None:
    await asyncio.gather(*dispatcher.tasks, return_exceptions=True)


def raising(error: Exception) -> Callable[[], None]:
    def end() -> None:
        raise error

    return end


async def test_a_job_that_ends_well_is_completed(store, dispatcher, launcher, given_training):
    job = await given_training()
    launcher.ending = lambda: None

    await dispatcher.tick()
    await finish(dispatcher)

    assert (await store.get_job(ADMIN, job.id)).status is JobStatus.COMPLETED
    assert (await store.get_model(ADMIN, job.model_id))[0].status is ModelStatus.READY


async def test_jobs_beyond_the_slots_wait(store, dispatcher, launcher, given_training):
    first, second = await given_training("a"), await given_training("b")

    await dispatcher.tick()
    await asyncio.sleep(0.05)

    assert launcher.started == [first.id]
    assert (await store.get_job(ADMIN, second.id)).status is JobStatus.PENDING


async def test_an_error_of_ours_becomes_the_jobs_reason(store, dispatcher, launcher, given_training):
    job = await given_training()
    launcher.ending = raising(InvalidTable("The table has no columns to learn.", "no_usable_columns"))

    await dispatcher.tick()
    await finish(dispatcher)

    failure = (await store.get_job(ADMIN, job.id)).failure
    assert (failure.code, failure.message, failure.retryable) == (
        "no_usable_columns",
        "The table has no columns to learn.",
        False,
    )


async def test_a_strangers_words_are_neither_shown_nor_logged(store, dispatcher, launcher, given_training, caplog):
    job = await given_training()
    launcher.ending = raising(ValueError("could not convert 'secret-cell' to float"))

    await dispatcher.tick()
    await finish(dispatcher)

    failure = (await store.get_job(ADMIN, job.id)).failure
    assert failure.code == "internal_error"
    assert "secret-cell" not in failure.message
    assert "ValueError" in caplog.text
    assert "secret-cell" not in caplog.text


async def test_a_lost_worker_sends_the_job_back(store, dispatcher, launcher, given_training):
    job = await given_training()
    launcher.ending = raising(WorkerLost())

    await dispatcher.tick()
    await finish(dispatcher)

    assert (await store.get_job(ADMIN, job.id)).status is JobStatus.PENDING


async def test_a_result_waits_for_a_store_that_is_away(store, dispatcher, launcher, given_training, monkeypatch):
    job = await given_training()
    launcher.ending = lambda: None
    complete, refusals = store.complete_training, iter([True, False])

    async def complete_at_the_second_try(*args):
        if next(refusals):
            raise Unavailable("away", "store_unavailable")
        await complete(*args)

    monkeypatch.setattr(store, "complete_training", complete_at_the_second_try)
    await dispatcher.tick()
    await finish(dispatcher)

    assert (await store.get_job(ADMIN, job.id)).status is JobStatus.COMPLETED


async def test_a_deleted_models_jobs_are_stopped(store, dispatcher, launcher, given_ready_model):
    model_id = await given_ready_model()
    job = (await store.enqueue_generate(ADMIN, model_id, GenerateParams())).value
    await dispatcher.tick()
    await asyncio.sleep(0.1)

    await store.delete_model(ADMIN, model_id)
    await dispatcher.heartbeat()
    await finish(dispatcher)

    assert launcher.stopped == [job.id]


async def test_a_stop_gives_back_what_runs_and_counts_no_loss(store, dispatcher, launcher, given_training):
    job = await given_training()
    await dispatcher.tick()
    await asyncio.sleep(0.05)

    await dispatcher.stop()

    assert launcher.stopped == [job.id]
    assert (await store.get_job(ADMIN, job.id)).status is JobStatus.PENDING
    assert (await store.claim_next({JobType.TRAIN})).job.attempt == 2  # at once: no back-off


async def test_what_an_earlier_dispatcher_left_running_runs_again(store, dispatcher, launcher, given_training):
    job = await given_training()
    await store.claim_next({JobType.TRAIN})
    launcher.ending = lambda: None

    work = asyncio.create_task(dispatcher.run())
    async with asyncio.timeout(20):
        while (await store.get_job(ADMIN, job.id)).status is not JobStatus.COMPLETED:
            await asyncio.sleep(0.1)
    work.cancel()

    assert (await store.get_job(ADMIN, job.id)).attempt == 2
