import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from synthgen_ray.domain.entities import JobFailure, Progress
from synthgen_ray.domain.errors import Cancelled
from synthgen_ray.domain.lifecycle import LEASE, JobStatus, JobType, ModelStatus
from synthgen_ray.domain.params import GenerateParams
from synthgen_ray.store.reaper import BACKOFF, LOST, MAX_FAILURES, NO_ROOM_REST
from tests.databases import on_both_databases
from tests.given import ADMIN, COLUMNS, a_trained_model, an_artifact
from tests.history import every_erasure

pytestmark = on_both_databases
ALL = frozenset(JobType)
OUT_OF_MEMORY = JobFailure("out_of_memory", "The table is too wide.", retryable=False)


async def test_a_claim_moves_the_oldest_job_and_its_model(store, given_training):
    first, second = await given_training("a"), await given_training("b")

    claimed = await store.claim_next(ALL)

    assert claimed.job.id == first.id
    assert (claimed.job.status, claimed.job.attempt) == (JobStatus.RUNNING, 1)
    assert claimed.columns == COLUMNS
    assert (await store.get_model(ADMIN, first.model_id))[0].status is ModelStatus.TRAINING
    assert (await store.claim_next(ALL)).job.id == second.id
    assert await store.claim_next(ALL) is None


async def test_many_dispatchers_claim_each_job_once(store, given_training):
    jobs = [await given_training(str(i)) for i in range(10)]

    claims = await asyncio.gather(*(store.claim_next(ALL) for _ in range(15)))

    claimed = [claim.job.id for claim in claims if claim]
    assert sorted(claimed) == sorted(job.id for job in jobs)


async def test_only_asked_for_types_are_claimed(store, given_ready_model):
    job = (await store.enqueue_generate(ADMIN, await given_ready_model(), GenerateParams())).value

    assert await store.claim_next({JobType.TRAIN}) is None
    claimed = await store.claim_next({JobType.GENERATE})
    assert claimed.job.id == job.id
    assert claimed.chunk_rows == 1000


async def test_progress_is_seen_while_the_attempt_is_current(store, given_training):
    await given_training()
    job = (await store.claim_next(ALL)).job

    assert await store.report_progress(job.id, 1, Progress(0.5, "epoch 1 of 2", {"critic": 0.1}))
    assert not await store.report_progress(job.id, 0, Progress(0.9))

    assert (await store.get_job(ADMIN, job.id)).progress == Progress(0.5, "epoch 1 of 2", {"critic": 0.1})


async def test_the_latest_losses_stay_when_a_later_step_has_none(store, given_training):
    await given_training()
    job = (await store.claim_next(ALL)).job

    await store.report_progress(job.id, 1, Progress(0.5, "epoch 1 of 2", {"critic": 0.1}))
    await store.report_progress(job.id, 1, Progress(1.0, "calibrating"))

    assert (await store.get_job(ADMIN, job.id)).progress == Progress(1.0, "calibrating", {"critic": 0.1})


async def test_a_completed_training_makes_its_model_ready(store, given_training):
    await given_training()
    job = (await store.claim_next(ALL)).job

    trained = a_trained_model()
    await store.complete_training(job.id, job.attempt, trained)

    done = await store.get_job(ADMIN, job.id)
    assert (done.status, done.artifact, done.progress.fraction) == (JobStatus.COMPLETED, trained.artifact, 1.0)
    assert (await store.get_model(ADMIN, job.model_id))[0].status is ModelStatus.READY


async def test_a_failed_training_says_why_and_fails_its_model(store, given_training):
    await given_training()
    job = (await store.claim_next(ALL)).job

    await store.fail(job.id, job.attempt, OUT_OF_MEMORY)

    assert (await store.get_job(ADMIN, job.id)).failure == OUT_OF_MEMORY
    assert (await store.get_model(ADMIN, job.model_id))[0].status is ModelStatus.FAILED


class TestSupersededAttempt:
    @pytest.fixture
    async def superseded(self, store, given_ready_model):
        await store.enqueue_generate(ADMIN, await given_ready_model(), GenerateParams())
        old = (await store.claim_next(ALL)).job
        await store.requeue(old.id, old.attempt, lost=False)
        new = (await store.claim_next(ALL)).job
        assert new.attempt == old.attempt + 1
        return old

    async def test_cannot_publish(self, store, superseded):
        with pytest.raises(Cancelled):
            await store.complete_generation(superseded.id, superseded.attempt, an_artifact())

        assert (await store.get_job(ADMIN, superseded.id)).artifact is None

    async def test_cannot_fail_the_job(self, store, superseded):
        await store.fail(superseded.id, superseded.attempt, OUT_OF_MEMORY)

        assert (await store.get_job(ADMIN, superseded.id)).status is JobStatus.RUNNING

    async def test_is_told_so_by_its_heartbeat(self, store, superseded):
        old, new = (superseded.id, superseded.attempt), (superseded.id, superseded.attempt + 1)

        assert await store.heartbeat({old, new}) == {new}
        assert await store.find_held({old, new}) == {new}

    @pytest.mark.parametrize(
        "ended",
        [
            lambda store, *attempt: store.discard([attempt]),
            lambda store, *attempt: store.fail(*attempt, OUT_OF_MEMORY),
            lambda store, *attempt: store.requeue(*attempt, lost=True),
            lambda store, *attempt: store.requeue(*attempt, lost=False),
            lambda store, *attempt: store.postpone(*attempt),
        ],
        ids=["is discarded", "fails", "is lost", "is given back", "is postponed"],
    )
    async def test_leaves_no_file_behind_that_it_wrote_late(self, store, clock, superseded, ended):
        clock.advance(LEASE)
        await store.erased(await store.list_erasures())
        assert await every_erasure(store) == ()

        await ended(store, superseded.id, superseded.attempt)

        assert await every_erasure(store) == (superseded.folder,)

    async def test_leaves_none_behind_that_it_wrote_while_its_folder_was_erased(self, store, clock, superseded):
        clock.advance(LEASE)
        due = await store.list_erasures()

        await store.discard([(superseded.id, superseded.attempt)])
        await store.erased(due)

        assert due == await every_erasure(store) == (superseded.folder,)


async def test_what_is_published_is_not_discarded(store, given_ready_model):
    await store.enqueue_generate(ADMIN, await given_ready_model(), GenerateParams())
    job = (await store.claim_next(ALL)).job
    artifact = replace(an_artifact(), location=job.folder)
    await store.complete_generation(job.id, job.attempt, artifact)

    await store.discard([(job.id, job.attempt)])

    assert await every_erasure(store) == ()


async def test_a_dispatcher_without_jobs_renews_none(store, given_training):
    await given_training()
    await store.claim_next(ALL)

    assert await store.heartbeat(()) == set()


async def test_of_thousands_of_attempts_those_that_are_held_are_kept(store, given_training):
    await given_training()
    job = (await store.claim_next(ALL)).job
    many = {(job.id, job.attempt), *((uuid4(), 1) for _ in range(2000))}

    assert await store.heartbeat(many) == await store.find_held(many) == {(job.id, job.attempt)}


async def test_a_publication_whose_answer_was_lost_can_be_repeated(store, given_ready_model):
    await store.enqueue_generate(ADMIN, await given_ready_model(), GenerateParams())
    job, artifact = (await store.claim_next(ALL)).job, an_artifact()

    for _ in range(2):
        await store.complete_generation(job.id, job.attempt, artifact)

    assert (await store.get_job(ADMIN, job.id)).artifact == artifact
    assert await every_erasure(store) == ()


async def test_a_final_job_stays_as_it_is(store, given_ready_model):
    await store.enqueue_generate(ADMIN, await given_ready_model(), GenerateParams())
    job = (await store.claim_next(ALL)).job
    await store.complete_generation(job.id, job.attempt, an_artifact())

    await store.fail(job.id, job.attempt, OUT_OF_MEMORY)
    await store.requeue(job.id, job.attempt, lost=True)

    assert (await store.get_job(ADMIN, job.id)).status is JobStatus.COMPLETED


async def test_a_job_that_loses_its_worker_three_times_fails(store, clock, given_training):
    job = await given_training()

    for _ in range(MAX_FAILURES):
        clock.advance(BACKOFF[-1])
        assert (await store.claim_next(ALL)) is not None
        assert await store.requeue_running() == 1

    lost = await store.get_job(ADMIN, job.id)
    assert (lost.status, lost.failure) == (JobStatus.FAILED, LOST)
    assert (await store.get_model(ADMIN, job.model_id))[0].status is ModelStatus.FAILED


async def test_a_job_that_was_lost_once_runs_again_at_once_and_one_that_was_lost_twice_rests(
    store, clock, given_training
):
    await given_training()
    job = (await store.claim_next(ALL)).job

    await store.requeue(job.id, job.attempt, lost=True)
    assert (await store.get_job(ADMIN, job.id)).status is JobStatus.PENDING
    again = (await store.claim_next(ALL)).job
    await store.requeue(again.id, again.attempt, lost=True)

    assert await store.claim_next(ALL) is None
    clock.advance(BACKOFF[-1])
    assert (await store.claim_next(ALL)).job.attempt == 3


async def test_a_job_that_waited_for_room_does_not_say_so_once_it_runs_and_began_when_it_was_first_claimed(
    store, clock, given_training
):
    await given_training()
    first = (await store.claim_next(ALL)).job
    await store.postpone(first.id, first.attempt)
    clock.advance(NO_ROOM_REST)

    again = (await store.claim_next(ALL)).job

    assert (again.attempt, again.progress.message, again.started_at) == (2, "", first.started_at)


async def test_what_a_cluster_held_goes_back_to_the_queue_and_what_another_holds_does_not(
    store, given_training, our_lines
):
    ours, theirs = await given_training("a"), await given_training("b")
    await store.claim_next(ALL, "ours")
    await store.claim_next(ALL, "theirs")

    assert await store.requeue_running("ours") == 1

    assert [line["job_id"] for line in our_lines()] == [str(ours.id)]
    assert (await store.get_job(ADMIN, ours.id)).status is JobStatus.PENDING
    assert (await store.get_job(ADMIN, theirs.id)).status is JobStatus.RUNNING


async def test_what_a_dispatcher_has_claimed_and_does_not_know_of_goes_back_and_nothing_else(store, given_training):
    unheard, heard, theirs = [await given_training(name) for name in "abc"]
    for owner in ("ours", "ours", "theirs"):
        await store.claim_next(ALL, owner)

    await store.requeue_unheard("ours", [(heard.id, 1)])

    statuses = [(await store.get_job(ADMIN, job.id)).status for job in (unheard, heard, theirs)]
    assert statuses == [JobStatus.PENDING, JobStatus.RUNNING, JobStatus.RUNNING]
    await store.requeue_unheard("ours", [])
    assert (await store.get_job(ADMIN, heard.id)).status is JobStatus.PENDING
