"""What an operator watches is what the database holds, and the store tells of trouble when it meets it."""

from datetime import timedelta

import pytest

from synthgen_ray.domain.entities import Progress
from synthgen_ray.domain.errors import Cancelled
from synthgen_ray.domain.lifecycle import DEADLINES, LEASE, JobStatus, JobType
from synthgen_ray.store.store import Store
from tests.databases import on_both_databases
from tests.given import a_trained_model

MOMENT = timedelta(seconds=1)


class Counting:
    """An `Observer` that remembers."""

    def __init__(self) -> None:
        self.expired, self.interrupted, self.overdue, self.fenced, self.epochs = 0, 0, 0, 0, 0

    def leases_expired(self, jobs: int) -> None:
        self.expired += jobs

    def attempts_interrupted(self, jobs: int) -> None:
        self.interrupted += jobs

    def deadlines_exceeded(self, jobs: int) -> None:
        self.overdue += jobs

    def write_fenced(self) -> None:
        self.fenced += 1

    def epochs_ended(self, epochs: int) -> None:
        self.epochs += epochs


@pytest.fixture
async def observer(store, monkeypatch) -> Counting:
    counting = Counting()
    monkeypatch.setattr(store, "_observer", counting)
    return counting


@on_both_databases
async def test_jobs_are_counted_by_kind_and_status_and_the_oldest_is_timed(store: Store, clock, given_training):
    empty = await store.get_queue_figures()
    await given_training("first")
    clock.advance(5 * MOMENT)
    for name in ("second", "third"):
        await given_training(name)
    await store.claim_next(JobType)
    clock.advance(MOMENT)

    figures = await store.get_queue_figures()

    assert set(empty.jobs.values()) == {0}
    assert len(empty.jobs) == len(JobType) * len(JobStatus)
    assert figures.jobs[JobType.TRAIN, JobStatus.PENDING] == 2
    assert figures.jobs[JobType.TRAIN, JobStatus.RUNNING] == 1
    assert sum(figures.jobs.values()) == 3
    assert figures.oldest_pending[JobType.TRAIN] == pytest.approx(MOMENT, abs=timedelta(milliseconds=100))
    assert figures.oldest_pending[JobType.GENERATE] == timedelta(0)


async def test_a_clock_that_is_set_back_makes_no_negative_age(store, clock, given_training):
    await given_training()

    clock.advance(timedelta(hours=-1))

    assert (await store.get_queue_figures()).oldest_pending[JobType.TRAIN] == timedelta(0)


async def test_an_expired_lease_is_told_once(store, clock, given_training, observer):
    await given_training()
    await store.claim_next(JobType)
    clock.advance(LEASE + MOMENT)

    for _ in range(2):
        await store.heartbeat(())

    assert (observer.expired, observer.overdue, observer.fenced) == (1, 0, 0)


async def test_what_ran_when_its_dispatcher_ended_is_told_once(store, given_training, observer):
    for name in ("first", "second"):
        await given_training(name)
    await store.claim_next(JobType)

    for _ in range(2):
        await store.requeue_running()

    assert (observer.interrupted, observer.expired) == (1, 0)


async def test_jobs_whose_time_is_over_are_told_once_whether_they_run_or_wait(store, clock, given_training, observer):
    for name in ("first", "second"):
        await given_training(name)
    await store.claim_next(JobType)
    clock.advance(DEADLINES[JobType.TRAIN] + MOMENT)

    for _ in range(2):
        await store.heartbeat(())

    assert (observer.overdue, observer.expired) == (2, 0)


async def test_a_fenced_write_is_told_and_one_that_is_held_is_not(store, clock, given_training, observer):
    job = await given_training()
    await store.claim_next(JobType)
    assert await store.report_progress(job.id, 1, Progress(0.5, epochs=3))
    clock.advance(LEASE + MOMENT)
    await store.heartbeat(())

    assert not await store.report_progress(job.id, 1, Progress(0.6))
    with pytest.raises(Cancelled):
        await store.complete_training(job.id, 1, a_trained_model())

    assert observer.fenced == 2
    assert observer.epochs == 3
