"""The dispatcher over a real store: attempts that are no longer wanted, and its own end."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from synthgen_ray.domain.entities import Job
from synthgen_ray.domain.errors import Unavailable
from synthgen_ray.domain.lifecycle import DEADLINES, LEASE, JobStatus, JobType
from synthgen_ray.domain.params import GenerateParams
from synthgen_ray.jobs import dispatcher as dispatching
from synthgen_ray.jobs.clock_watch import ClockWatch
from synthgen_ray.jobs.dispatcher import HEARTBEAT_S
from synthgen_ray.store.reaper import OVERDUE
from synthgen_ray.store.store import Store
from synthgen_ray.store.tables import JobRow
from tests.beside import beside
from tests.given import ADMIN
from tests.history import every_erasure, moves_of
from tests.unit.jobs.conftest import finish, until_started

TICK = timedelta(seconds=HEARTBEAT_S)


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


@pytest.fixture
async def cancelled(store, dispatcher, launcher, given_training) -> Job:
    """A job that was cancelled, and whose attempt still runs here."""
    job = await given_training()
    await dispatcher.tick()
    await until_started(launcher, job.id)
    await store.cancel(ADMIN, job.id)
    return job


async def test_a_superseded_attempt_whose_discarding_is_not_heard_is_discarded_at_the_next_look(
    store, clock, dispatcher, launcher, cancelled, monkeypatch
):
    clock.advance(LEASE)
    await store.erased((f"jobs/{cancelled.id}/1",))  # which its end brought
    assert await every_erasure(store) == ()

    async def discard_unheard(_attempts):
        raise Unavailable("away", "store_unavailable")

    with monkeypatch.context() as patch:
        patch.setattr(store, "discard", discard_unheard)
        with pytest.raises(Unavailable):
            await dispatcher.tick()
    await dispatcher.tick()
    await finish(dispatcher)

    assert launcher.stopped == [cancelled.id]
    assert await every_erasure(store) == (f"jobs/{cancelled.id}/1",)


async def test_a_superseded_attempt_may_end_while_it_is_discarded(store, dispatcher, launcher, cancelled, monkeypatch):
    discard = store.discard

    async def discard_after_the_end(attempts):
        monkeypatch.undo()
        launcher.ending = lambda: None
        await finish(dispatcher)
        await discard(attempts)

    monkeypatch.setattr(store, "discard", discard_after_the_end)
    await dispatcher.tick()

    assert await every_erasure(store) == (f"jobs/{cancelled.id}/1",)


async def test_a_job_past_its_deadline_is_stopped_by_the_second_heartbeat_after_a_start_or_an_outage(
    store, clock, dispatcher, launcher, given_training
):
    job = await given_training()
    await dispatcher.tick()
    await until_started(launcher, job.id)

    for passed in (DEADLINES[JobType.TRAIN], TICK):
        assert launcher.stopped == []  # what ended while the store was away is written first
        clock.advance(passed)
        dispatcher._last_heartbeat -= passed.total_seconds()  # its own clock runs too
        await dispatcher.heartbeat()
    await finish(dispatcher)

    assert launcher.stopped == [job.id]
    assert (await store.get_job(ADMIN, job.id)).failure == OVERDUE


async def test_a_job_is_not_past_its_deadline_since_a_clock_was_set(
    store, clock, dispatcher, launcher, given_training, watch
):
    job = await given_training()
    await dispatcher.tick()
    await until_started(launcher, job.id)

    clock.advance(DEADLINES[JobType.TRAIN])
    watch.steady = True
    await dispatcher.heartbeat()

    assert launcher.stopped == []
    assert (await store.get_job(ADMIN, job.id)).status is JobStatus.RUNNING


async def test_after_a_store_was_away_others_have_time_to_renew_what_they_hold(
    store, clock, dispatcher, given_training
):
    runs = [1e9]
    dispatcher._clock = ClockWatch(LEASE.total_seconds(), lambda: runs[0], lambda: runs[0])

    def pass_time(by: timedelta) -> None:
        clock.advance(by)
        runs[0] += by.total_seconds()
        dispatcher._last_heartbeat -= by.total_seconds()

    await dispatcher.heartbeat()
    for _ in range(LEASE // TICK):
        pass_time(TICK)
        await dispatcher.heartbeat()
    renewing, silent = [await given_training(name) for name in ("renewing", "silent")]
    held = [(claimed.job.id, 1) for _ in range(2) if (claimed := await store.claim_next(JobType, "another"))]

    pass_time(LEASE + TICK)  # nobody reached the store
    await dispatcher.heartbeat()
    waited = timedelta(0)
    while (await store.get_job(ADMIN, silent.id)).status is JobStatus.RUNNING:
        assert await store.heartbeat(held[:1], reaps=False) == {*held[:1]}
        pass_time(TICK)
        await dispatcher.heartbeat()
        waited += TICK

    assert waited >= LEASE
    assert (await store.get_job(ADMIN, renewing.id)).status is JobStatus.RUNNING


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

    async def test_the_others_are_given_back(self, store, dispatcher, launcher, given_ready_model, our_lines):
        model_id = await given_ready_model()
        jobs = [(await store.enqueue_generate(ADMIN, model_id, GenerateParams())).value for _ in range(2)]
        await dispatcher.tick()
        for job in jobs:
            await until_started(launcher, job.id)
        store.stuck, other = launcher.started

        await dispatcher.stop()

        assert (await store.get_job(ADMIN, other)).status is JobStatus.PENDING
        (line,) = [line for line in our_lines() if "cannot be given back" in line["message"]]
        assert (line["job_id"], line["model_id"]) == (str(store.stuck), str(model_id))


async def test_what_an_earlier_dispatcher_left_running_runs_again(store, clock, dispatcher, launcher, given_training):
    job = await given_training()
    await store.claim_next({JobType.TRAIN})
    launcher.ending = lambda: None

    async with beside(dispatcher.run()), asyncio.timeout(20):
        while (await store.get_job(ADMIN, job.id)).status is not JobStatus.COMPLETED:
            clock.advance(timedelta(seconds=1))
            await asyncio.sleep(0.1)

    assert (await store.get_job(ADMIN, job.id)).attempt == 2


async def test_a_look_that_fails_unexpectedly_ends_neither_the_dispatcher_nor_what_runs(
    store, dispatcher, launcher, given_training, monkeypatch, caplog
):
    monkeypatch.setattr(dispatching, "POLL_S", 0.01)
    looks: list[object] = []

    async def fail(attempts: object) -> None:
        looks.append(attempts)
        raise LookupError("secret-cell")

    async with beside(dispatcher.run()), asyncio.timeout(20):
        job = await given_training()
        await until_started(launcher, job.id)
        with monkeypatch.context() as patch:
            patch.setattr(store, "find_held", fail)
            while len(looks) < 2:
                await asyncio.sleep(0.01)
        launcher.ending = lambda: None
        while (await store.get_job(ADMIN, job.id)).status is not JobStatus.COMPLETED:
            await asyncio.sleep(0.01)

    assert await moves_of(store, job.id) == [JobStatus.PENDING, JobStatus.RUNNING, JobStatus.COMPLETED]
    assert "LookupError" in caplog.text
    assert "secret-cell" not in caplog.text


async def test_what_is_claimed_while_the_server_stops_is_given_back_and_nothing_more_is_claimed(
    store, dispatcher, launcher, given_ready_model, monkeypatch
):
    model_id = await given_ready_model()
    first, second = [(await store.enqueue_generate(ADMIN, model_id, GenerateParams())).value for _ in range(2)]
    claim, claimed, is_answered = store.claim_next, asyncio.Event(), asyncio.Event()

    async def claim_and_answer_late(*args):
        assignment = await claim(*args)
        claimed.set()
        await is_answered.wait()
        return assignment

    monkeypatch.setattr(store, "claim_next", claim_and_answer_late)
    work = asyncio.create_task(dispatcher.run())
    await claimed.wait()

    halting = asyncio.create_task(dispatcher.halt())
    await asyncio.sleep(0)
    is_answered.set()
    await halting
    work.cancel()
    await dispatcher.stop()

    assert await moves_of(store, first.id) == [JobStatus.PENDING, JobStatus.RUNNING, JobStatus.PENDING]
    assert await moves_of(store, second.id) == [JobStatus.PENDING]
    async with store._sessions.reading() as session:
        assert list(await session.scalars(select(JobRow.failures).where(JobRow.id == first.id))) == [0]
