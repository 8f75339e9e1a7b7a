"""The row of a training names the checkpoint that its next attempt goes on from."""

from datetime import timedelta

import pytest

from synthgen_ray.domain.entities import JobFailure, Progress, checkpoints_folder
from synthgen_ray.domain.lifecycle import JobType
from tests.databases import on_both_databases
from tests.given import ADMIN, a_trained_model, an_artifact

pytestmark = on_both_databases

TRAIN = {JobType.TRAIN}


@pytest.fixture
async def job(store, given_training):
    await given_training()
    return (await store.claim_next(TRAIN)).job


async def erasures(store, clock) -> tuple[str, ...]:
    """All that is due to be erased, tomorrow."""
    clock.advance(timedelta(days=1))
    return await store.list_erasures()


async def test_the_next_attempt_finds_it_and_where_it_was(store, job):
    checkpoint = an_artifact()
    await store.report_progress(job.id, 1, Progress(0.4, "epoch 4 of 10", seconds=12.5))

    assert await store.name_checkpoint(job.id, 1, checkpoint)
    await store.requeue(job.id, 1, lost=False)

    claimed = await store.claim_next(TRAIN)
    assert claimed.checkpoint == checkpoint
    assert claimed.job.attempt == 2
    assert (claimed.job.progress.fraction, claimed.job.progress.seconds) == (0.4, 12.5)


async def test_without_one_the_next_attempt_starts_anew_and_its_time_counts_on(store, job):
    await store.report_progress(job.id, 1, Progress(0.4, seconds=12.5))
    await store.requeue(job.id, 1, lost=False)

    claimed = await store.claim_next(TRAIN)

    assert claimed.checkpoint is None
    assert (claimed.job.progress.fraction, claimed.job.progress.seconds) == (0.0, 12.5)


async def test_a_superseded_attempt_cannot_name_its_own(store, job):
    mine, its = an_artifact(), an_artifact()
    await store.requeue(job.id, 1, lost=False)
    await store.claim_next(TRAIN)
    assert await store.name_checkpoint(job.id, 2, mine)

    assert not await store.name_checkpoint(job.id, 1, its)

    await store.requeue(job.id, 2, lost=False)
    assert (await store.claim_next(TRAIN)).checkpoint == mine


@pytest.mark.parametrize("ending", ["completed", "failed", "cancelled"])
async def test_they_are_erased_once_the_job_has_ended_and_those_of_others_are_not(
    store, clock, job, given_training, ending
):
    other = await given_training()
    await store.claim_next(TRAIN)
    for training in (job, other):
        assert await store.name_checkpoint(training.id, 1, an_artifact())

    if ending == "completed":
        await store.complete_training(job.id, 1, a_trained_model())
    elif ending == "failed":
        await store.fail(job.id, 1, JobFailure("internal_error", "It failed."))
    else:
        await store.cancel(ADMIN, job.id)

    due = await erasures(store, clock)
    assert checkpoints_folder(job.id) in due
    assert checkpoints_folder(other.id) not in due


async def test_they_stay_while_a_lost_job_waits_for_its_next_attempt(store, clock, job):
    await store.name_checkpoint(job.id, 1, an_artifact())

    await store.requeue(job.id, 1, lost=True)

    assert checkpoints_folder(job.id) not in await erasures(store, clock)
