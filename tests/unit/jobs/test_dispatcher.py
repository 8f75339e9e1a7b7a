"""The dispatcher over a real store: what the end of a job's work becomes."""

import asyncio
import errno
import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.domain.errors import InvalidTable, Postponed, Unavailable, WorkerLost
from synthgen_ray.domain.lifecycle import AWAY_RESTS, DEADLINES, JobStatus, JobType, ModelStatus
from synthgen_ray.domain.params import GenerateParams
from synthgen_ray.domain.reports import ReportParams
from synthgen_ray.jobs import dispatcher as dispatching
from synthgen_ray.jobs.dispatcher import Dispatcher
from synthgen_ray.runtime.capacity import types_with_room
from synthgen_ray.runtime.nodes import Cluster
from synthgen_ray.settings import Settings
from synthgen_ray.store.queue import NO_ROOM, STORE_AWAY
from synthgen_ray.store.reaper import BACKOFF, LOST, MAX_FAILURES, NO_ROOM_REST, OVERDUE, UNREADABLE
from synthgen_ray.store.tables import JobRow
from tests.given import ADMIN, SCORES, a_model_with_a_table
from tests.unit.jobs.conftest import finish, raising, until_started


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


async def test_a_long_queue_of_jobs_that_end_at_once_does_not_keep_those_that_run_from_a_heartbeat(
    store, dispatcher, launcher, project, monkeypatch
):
    monkeypatch.setattr(dispatching, "POLL_S", 0.0)
    model_id = await a_model_with_a_table(store, project.id)
    for _ in range(3):
        await store.enqueue_generate(ADMIN, model_id, GenerateParams(num_rows=1))
    launcher.ending = lambda: None

    await dispatcher.tick()
    assert dispatcher._nudged.is_set()  # the next look follows at once
    await finish(dispatcher)
    assert len(launcher.started) == 1
    await dispatcher.tick()
    await finish(dispatcher)
    assert len(launcher.started) == 2


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


@pytest.mark.parametrize(
    "ago", [timedelta(hours=1), timedelta(hours=-1)], ids=["long ago", "by a clock that was wrong"]
)
async def test_the_time_left_of_a_generation_follows_from_the_clock_of_its_attempt(
    store, clock, dispatcher, launcher, given_ready_model, ago
):
    model_id = await given_ready_model()
    clock.advance(-ago)
    job = (await store.enqueue_generate(ADMIN, model_id, GenerateParams())).value
    first = (await store.claim_next({JobType.GENERATE})).job
    await store.requeue(first.id, first.attempt, lost=False)
    clock.advance(ago)

    await dispatcher.tick()
    await until_started(launcher, job.id)  # it has told that it is half way

    assert 0 <= (await store.get_job(ADMIN, job.id)).seconds_left < 60


async def test_a_lost_worker_sends_the_job_back(store, dispatcher, launcher, given_training):
    job = await given_training()
    launcher.ending = raising(WorkerLost())

    await dispatcher.tick()
    await finish(dispatcher)

    assert (await store.get_job(ADMIN, job.id)).status is JobStatus.PENDING


async def test_a_job_that_ends_its_worker_each_time_fails_after_three_and_keeps_no_other_from_its_turn(
    store, clock, dispatcher, launcher, given_ready_model
):
    model_id = await given_ready_model()
    poison, other = [(await store.enqueue_generate(ADMIN, model_id, GenerateParams())).value.id for _ in range(2)]

    def end() -> None:
        if launcher.started[-1] == poison:
            raise WorkerLost

    launcher.ending = end
    for _ in range(MAX_FAILURES + 1):
        await dispatcher.tick()
        await finish(dispatcher)
        clock.advance(BACKOFF[-1])

    assert (launcher.started.count(poison), launcher.started.count(other)) == (MAX_FAILURES, 1)
    assert (await store.get_job(ADMIN, poison)).failure == LOST
    assert (await store.get_job(ADMIN, other)).status is JobStatus.COMPLETED


async def test_a_job_for_which_there_is_no_room_waits_and_loses_nothing(
    store, clock, dispatcher, launcher, given_training
):
    job = await given_training("large")
    launcher.ending = raising(Postponed())

    for _ in range(MAX_FAILURES + 1):
        clock.advance(NO_ROOM_REST)
        await dispatcher.tick()
        await finish(dispatcher)
    waiting = await store.get_job(ADMIN, job.id)
    launcher.ending = lambda: None
    small = await given_training("small")
    await dispatcher.tick()
    await finish(dispatcher)

    assert (waiting.status, waiting.progress.message) == (JobStatus.PENDING, NO_ROOM)
    assert (await store.get_job(ADMIN, small.id)).status is JobStatus.COMPLETED
    clock.advance(NO_ROOM_REST)
    await dispatcher.tick()
    await finish(dispatcher)
    assert (await store.get_job(ADMIN, job.id)).status is JobStatus.COMPLETED


async def test_no_job_is_claimed_of_a_kind_for_which_there_is_no_room_beside_those_that_run(
    store, dispatcher, launcher, given_training
):
    first, second = await given_training("first"), await given_training("second")
    dispatcher._slots = {JobType.TRAIN: 5}
    launcher.has_room = lambda running: () if running else (JobType.TRAIN,)

    await dispatcher.tick()
    waiting = await store.get_job(ADMIN, second.id)
    launcher.ending = lambda: None
    await finish(dispatcher)
    await dispatcher.tick()
    await finish(dispatcher)

    assert (waiting.status, waiting.attempt) == (JobStatus.PENDING, 0)
    assert launcher.started == [first.id, second.id]


async def test_a_job_that_cannot_be_read_keeps_no_other_from_its_turn(
    store, dispatcher, launcher, given_ready_model, given_training
):
    broken = (await store.enqueue_generate(ADMIN, await given_ready_model(), GenerateParams())).value
    async with store._sessions.writing() as session:
        await session.execute(update(JobRow).where(JobRow.id == broken.id).values(config={}))
    launcher.has_room = lambda running: types_with_room(running, Cluster(({"CPU": 4},)), Settings())
    launcher.ending = lambda: None
    sound = await given_training()

    for _ in range(2):
        await dispatcher.tick()
        await finish(dispatcher)

    assert (await store.get_job(ADMIN, sound.id)).status is JobStatus.COMPLETED
    assert (await store.get_job(ADMIN, broken.id)).failure == UNREADABLE


async def test_a_job_that_finds_a_store_away_rests_longer_each_time_and_loses_nothing(
    store, clock, dispatcher, launcher, given_training
):
    job = await given_training()
    launcher.ending = raising(Unavailable("The artifact store cannot be reached now.", "artifacts_unavailable"))

    for rest in (*AWAY_RESTS, AWAY_RESTS[-1]):
        await dispatcher.tick()
        await finish(dispatcher)
        waiting = await store.get_job(ADMIN, job.id)
        assert (waiting.status, waiting.progress.message) == (JobStatus.PENDING, STORE_AWAY)
        clock.advance(rest - timedelta(seconds=1))
        assert await store.claim_next(JobType) is None
        clock.advance(timedelta(seconds=1))
    launcher.ending = lambda: None
    await dispatcher.tick()
    await finish(dispatcher)

    assert (await store.get_job(ADMIN, job.id)).status is JobStatus.COMPLETED


async def test_a_store_that_stays_away_is_waited_for_until_the_deadline(
    store, clock, dispatcher, launcher, given_training
):
    job = await given_training()
    launcher.ending = raising(Unavailable("The artifact store cannot be reached now.", "artifacts_unavailable"))
    await dispatcher.tick()
    await finish(dispatcher)

    clock.advance(DEADLINES[JobType.TRAIN])
    await store.heartbeat(())

    assert (await store.get_job(ADMIN, job.id)).failure == OVERDUE


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


async def test_a_claim_whose_answer_is_lost_is_given_back_at_once_and_was_no_loss(
    store, dispatcher, launcher, given_ready_model, monkeypatch
):
    model_id = await given_ready_model()
    heard, unheard = [(await store.enqueue_generate(ADMIN, model_id, GenerateParams())).value for _ in range(2)]
    claim, answers = store.claim_next, iter([True, False])

    async def claim_and_be_heard_once(*args):
        claimed = await claim(*args)
        if next(answers, True):
            return claimed
        raise Unavailable("away", "store_unavailable")

    monkeypatch.setattr(store, "claim_next", claim_and_be_heard_once)
    with pytest.raises(Unavailable):
        await dispatcher.tick()
    assert (await store.get_job(ADMIN, unheard.id)).status is JobStatus.RUNNING

    await dispatcher.tick()
    launcher.ending = lambda: None
    await finish(dispatcher)

    assert launcher.started == [heard.id, unheard.id]
    async with store._sessions.reading() as session:
        assert await session.scalar(select(JobRow.failures).where(JobRow.id == unheard.id)) == 0


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


async def test_a_look_that_found_the_store_away_counts_for_none(store, dispatcher, monkeypatch):
    dispatcher._last_tick -= 60  # the last one was a minute ago

    async def claim_nothing(*args):
        raise Unavailable("away", "store_unavailable")

    with monkeypatch.context() as patch:
        patch.setattr(store, "claim_next", claim_nothing)
        with pytest.raises(Unavailable):
            await dispatcher.tick()
    assert dispatcher.seconds_since_tick >= 60

    await dispatcher.tick()
    assert dispatcher.seconds_since_tick < 60
