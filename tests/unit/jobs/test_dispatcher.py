"""The dispatcher over a real store; where jobs run is a fake that does what the test says."""

import asyncio
import errno
import threading
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.domain.entities import Artifact, Assignment, MadeReport, Progress, TrainedModel
from synthgen_ray.domain.errors import InvalidTable, Postponed, Unavailable, WorkerLost
from synthgen_ray.domain.lifecycle import DEADLINES, JobStatus, JobType, ModelStatus
from synthgen_ray.domain.params import GenerateParams
from synthgen_ray.domain.reports import ReportParams
from synthgen_ray.jobs import dispatcher as dispatching
from synthgen_ray.jobs.clock_watch import ClockWatch
from synthgen_ray.jobs.dispatcher import Dispatcher, OnProgress
from synthgen_ray.store import reaper
from synthgen_ray.store.queue import NO_ROOM
from synthgen_ray.store.reaper import BACKOFF, MAX_FAILURES, OVERDUE
from synthgen_ray.store.store import Store
from tests.beside import beside
from tests.fakes import KeepsNothing
from tests.given import ADMIN, SCORES, a_model_with_a_table, a_trained_model, an_artifact
from tests.history import moves_of


class FakeLauncher(KeepsNothing):
    """Ends each job as the test says; until then it runs."""

    def __init__(self) -> None:
        self.started: list[UUID] = []
        self.stopped: list[UUID] = []
        self.ending: Callable[[], object] | None = None

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


async def test_a_job_that_ends_well_is_completed(store, dispatcher, launcher, given_training):
    job = await given_training()
    launcher.ending = lambda: None

    await dispatcher.tick()
    await finish(dispatcher)

    assert (await store.get_job(ADMIN, job.id)).status is JobStatus.COMPLETED
    assert (await store.get_model(ADMIN, job.model_id))[0].status is ModelStatus.READY


async def test_a_report_that_ends_well_is_completed_and_its_row_shows_its_scores(store, dispatcher, launcher, project):
    model_id = await a_model_with_a_table(store, project.id)
    job = (await store.enqueue_report(ADMIN, project.id, model_id, ReportParams())).value
    launcher.ending = lambda: None

    await dispatcher.tick()
    await finish(dispatcher)

    ended = await store.get_job(ADMIN, job.id)
    assert (ended.status, ended.scores) == (JobStatus.COMPLETED, SCORES)
    assert (await store.get_model(ADMIN, model_id))[0].status is ModelStatus.READY


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


async def test_a_job_for_which_there_is_no_room_waits_and_loses_nothing(
    store, clock, dispatcher, launcher, given_training
):
    job = await given_training("large")
    launcher.ending = raising(Postponed())

    for _ in range(MAX_FAILURES + 1):
        clock.advance(BACKOFF[-1])
        await dispatcher.tick()
        await finish(dispatcher)
    waiting = await store.get_job(ADMIN, job.id)
    launcher.ending = lambda: None
    small = await given_training("small")
    await dispatcher.tick()
    await finish(dispatcher)

    assert (waiting.status, waiting.progress.message) == (JobStatus.PENDING, NO_ROOM)
    assert (await store.get_job(ADMIN, small.id)).status is JobStatus.COMPLETED
    clock.advance(BACKOFF[-1])
    await dispatcher.tick()
    await finish(dispatcher)
    assert (await store.get_job(ADMIN, job.id)).status is JobStatus.COMPLETED


async def test_a_store_that_is_away_sends_the_job_back_until_its_budget_is_spent(
    store, dispatcher, launcher, given_training, monkeypatch
):
    monkeypatch.setattr(reaper, "BACKOFF", (timedelta(0),) * 2)
    job = await given_training()
    launcher.ending = raising(Unavailable("The artifact store cannot be reached now.", "artifacts_unavailable"))

    seen = []
    for _ in range(3):
        await dispatcher.tick()
        await finish(dispatcher)
        seen.append((await store.get_job(ADMIN, job.id)).status)

    failure = (await store.get_job(ADMIN, job.id)).failure
    assert seen == [JobStatus.PENDING, JobStatus.PENDING, JobStatus.FAILED]
    assert (failure.code, failure.retryable) == ("artifacts_unavailable", True)


async def test_tidying_that_takes_its_time_delays_no_job(store, launcher, given_training, tmp_path):
    gate = threading.Event()

    class SlowArtifacts(DiskArtifacts):
        def list_folders(self):
            gate.wait(30)
            return ()

    dispatcher = Dispatcher(store, SlowArtifacts(tmp_path), launcher, dict.fromkeys(JobType, 1))
    job = await given_training()
    launcher.ending = lambda: None

    await dispatcher.tick()
    await finish(dispatcher)

    assert (await store.get_job(ADMIN, job.id)).status is JobStatus.COMPLETED
    gate.set()
    await dispatcher.stop()


async def test_tidying_that_fails_ends_no_job_and_is_tried_again(
    store, launcher, given_training, tmp_path, caplog, monkeypatch
):
    class FailingArtifacts(DiskArtifacts):
        looks = 0

        def list_folders(self):
            self.looks += 1
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(dispatching, "HEARTBEAT_S", 0.0)
    artifacts = FailingArtifacts(tmp_path)
    dispatcher = Dispatcher(store, artifacts, launcher, dict.fromkeys(JobType, 1))
    job = await given_training()

    async with asyncio.timeout(20):
        while artifacts.looks < 2:
            await dispatcher.tick()
            await asyncio.sleep(0.01)
    launcher.ending = lambda: None
    await finish(dispatcher)

    assert (await store.get_job(ADMIN, job.id)).status is JobStatus.COMPLETED
    assert "tidying failed" in caplog.text
    await dispatcher.stop()


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


async def test_a_generation_goes_on_while_the_store_is_away(
    store, dispatcher, launcher, given_ready_model, monkeypatch
):
    job = (await store.enqueue_generate(ADMIN, await given_ready_model(), GenerateParams())).value
    launcher.ending = lambda: None

    async def report_to_nobody(*args):
        raise Unavailable("away", "store_unavailable")

    monkeypatch.setattr(store, "report_progress", report_to_nobody)
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


async def test_a_cancelled_job_is_stopped_at_the_next_look(store, dispatcher, launcher, given_ready_model):
    job = (await store.enqueue_generate(ADMIN, await given_ready_model(), GenerateParams())).value
    await dispatcher.tick()
    await until_started(launcher, job.id)

    await store.cancel(ADMIN, job.id)
    await dispatcher.tick()  # not a heartbeat: the last one was just now
    await finish(dispatcher)

    assert launcher.stopped == [job.id]
    assert await moves_of(store, job.id) == [JobStatus.PENDING, JobStatus.RUNNING, JobStatus.FAILED]


async def test_a_job_past_its_deadline_is_stopped_by_the_heartbeat(
    store, clock, dispatcher, launcher, given_training, watch
):
    job = await given_training()
    await dispatcher.tick()
    await until_started(launcher, job.id)

    clock.advance(DEADLINES[JobType.TRAIN])
    watch.steady = True
    await dispatcher.heartbeat()
    await finish(dispatcher)

    assert launcher.stopped == [job.id]
    assert (await store.get_job(ADMIN, job.id)).failure == OVERDUE


async def test_attempts_of_a_job_that_overlap_here_do_not_take_each_others_place(
    store, clock, dispatcher, launcher, given_training
):
    job = await given_training()
    await dispatcher.tick()
    await until_started(launcher, job.id)
    await store.requeue(job.id, 1, lost=False)  # as another dispatcher does that takes us for dead

    await dispatcher.tick()
    launcher.ending = lambda: None
    await dispatcher.tick()
    await finish(dispatcher)

    assert await moves_of(store, job.id) == [*["pending", "running"] * 2, "completed"]
    assert dispatcher.tasks == ()


async def test_a_stop_gives_back_what_runs_and_counts_no_loss(store, dispatcher, launcher, given_training):
    job = await given_training()
    await dispatcher.tick()
    await asyncio.sleep(0.05)

    await dispatcher.stop()

    assert launcher.stopped == [job.id]
    assert (await store.get_job(ADMIN, job.id)).status is JobStatus.PENDING
    assert (await store.claim_next({JobType.TRAIN})).job.attempt == 2  # at once: no back-off


class OneIsStuck(Store):
    """Takes back all jobs but one."""

    stuck: UUID | None = None

    async def requeue(self, job_id, *args, **kwargs):
        if job_id == self.stuck:
            raise Unavailable("away", "store_unavailable")
        await super().requeue(job_id, *args, **kwargs)


class TestStopWhileTheStoreIsAwayForOne:
    @pytest.fixture
    async def store(self, database_url, clock):
        store = OneIsStuck(database_url, clock=clock)
        yield store
        await store.dispose()

    async def test_the_others_are_given_back(self, store, dispatcher, launcher, given_ready_model, caplog):
        model_id = await given_ready_model()
        jobs = [(await store.enqueue_generate(ADMIN, model_id, GenerateParams())).value for _ in range(2)]
        await dispatcher.tick()
        for job in jobs:
            await until_started(launcher, job.id)
        store.stuck, other = launcher.started

        await dispatcher.stop()

        assert (await store.get_job(ADMIN, other)).status is JobStatus.PENDING
        assert f"job {store.stuck} cannot be given back" in caplog.text


async def test_what_an_earlier_dispatcher_left_running_runs_again(store, clock, dispatcher, launcher, given_training):
    job = await given_training()
    await store.claim_next({JobType.TRAIN})
    launcher.ending = lambda: None

    async with beside(dispatcher.run()), asyncio.timeout(20):
        while (await store.get_job(ADMIN, job.id)).status is not JobStatus.COMPLETED:
            clock.advance(timedelta(seconds=1))
            await asyncio.sleep(0.1)

    assert (await store.get_job(ADMIN, job.id)).attempt == 2
