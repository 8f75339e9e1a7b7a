"""What trainings count for their project: the seconds in which they learnt, however they ended."""

from datetime import timedelta

import pytest

from synthgen_ray.domain.entities import JobFailure, Progress
from synthgen_ray.domain.lifecycle import DEADLINES, JobType
from tests.databases import on_both_databases
from tests.given import ADMIN, a_trained_model

pytestmark = on_both_databases
SECONDS = 40.0


@pytest.fixture
async def training(store, given_training):
    """One that has learnt for a while."""
    await given_training()
    job = (await store.claim_next(JobType)).job
    assert await store.report_progress(job.id, job.attempt, Progress(0.5, "epoch 5 of 10", seconds=SECONDS))
    return job


async def seconds_of(store, project) -> float:
    return (await store.get_usage(ADMIN, project.id)).training_seconds


async def test_one_that_completes_counts_all_that_it_took_but_not_its_pauses(store, clock, project, training):
    clock.advance(timedelta(hours=1))

    trained = a_trained_model(seconds=SECONDS + 2)
    for _ in range(2):  # the first answer may have been lost
        await store.complete_training(training.id, training.attempt, trained)

    assert await seconds_of(store, project) == SECONDS + 2


async def test_one_that_is_cancelled_or_fails_counts_what_it_had_said(store, project, training, given_training):
    await store.cancel(ADMIN, training.id)
    await given_training("another")
    other = (await store.claim_next(JobType)).job
    await store.report_progress(other.id, other.attempt, Progress(0.1, seconds=2.0))
    await store.fail(other.id, other.attempt, JobFailure("broken", "It does not work."))

    assert await seconds_of(store, project) == SECONDS + 2


async def test_one_that_is_given_back_counts_when_it_ends(store, clock, project, training):
    await store.requeue(training.id, training.attempt, lost=True)
    waiting = await seconds_of(store, project)

    clock.advance(DEADLINES[JobType.TRAIN])
    await store.heartbeat(())

    assert (waiting, await seconds_of(store, project)) == (0.0, SECONDS)


async def test_one_that_is_deleted_counts_once(store, project, training, given_training):
    await store.delete_model(ADMIN, training.model_id)
    await given_training("another")
    ended = (await store.claim_next(JobType)).job
    await store.complete_training(ended.id, ended.attempt, a_trained_model(seconds=2.0))
    before = await seconds_of(store, project)

    await store.delete_model(ADMIN, ended.model_id)

    assert before == await seconds_of(store, project) == SECONDS + 2
