"""What the schema refuses, and the history that each job leaves."""

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from synthgen_ray.domain.entities import JobFailure, Progress
from synthgen_ray.domain.lifecycle import AWAY_RESTS, JobStatus, JobType
from synthgen_ray.domain.params import GenerateParams
from synthgen_ray.store.moves import TOLD_ATTEMPTS, move
from synthgen_ray.store.store import Store
from synthgen_ray.store.tables import JobEventRow, JobRow, utc_now
from tests.databases import on_both_databases
from tests.given import ADMIN, an_artifact
from tests.history import check_history, events_of, moves_of

pytestmark = on_both_databases

BROKEN = JobFailure("out_of_memory", "Too wide.")


async def change(store: Store, **values: object) -> None:
    """As a stranger's SQL does it."""
    async with store._sessions.writing() as session:
        await session.execute(update(JobRow).values(**values))


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": JobStatus.RUNNING},
        {"lease_expires_at": utc_now()},
        {"lease_owner": "somebody"},
        {"finished_at": utc_now()},
        {"status": JobStatus.FAILED},
        {"status": JobStatus.COMPLETED},
        {"status": text("'lost'")},
    ],
    ids=lambda values: "-".join(values),
)
async def test_a_status_and_what_it_implies_cannot_be_torn_apart(store, given_training, wrong):
    job = await given_training()

    with pytest.raises(IntegrityError):
        await change(store, **wrong)

    assert (await store.get_job(ADMIN, job.id)).status is JobStatus.PENDING


@pytest.mark.parametrize("after", [JobStatus.PENDING, JobStatus.FAILED])
async def test_the_database_keeps_a_final_status(store, given_ready_model, after):
    await store.enqueue_generate(ADMIN, await given_ready_model(), GenerateParams())
    job = (await store.claim_next(JobType)).job
    await store.complete_generation(job.id, job.attempt, an_artifact())

    with pytest.raises(IntegrityError):
        await change(store, status=after, finished_at=None if after is JobStatus.PENDING else utc_now())

    await change(store, artifact_id=None, message="its output has expired")  # the rest of a final row may change
    assert (await store.get_job(ADMIN, job.id)).status is JobStatus.COMPLETED


async def test_a_move_that_the_lifecycle_does_not_know_is_refused(store):
    async with store._sessions.writing() as session:
        with pytest.raises(ValueError, match="completed"):
            await move(session, JobStatus.COMPLETED, JobStatus.PENDING, JobRow.attempt >= 0, utc_now())


async def test_who_waits_again_says_no_longer_how_far_he_was(store, given_training):
    job = await given_training()
    await store.claim_next(JobType)
    await store.report_progress(job.id, 1, Progress(0.4, "epoch 4 of 10"))

    await store.requeue(job.id, 1, lost=True)

    assert (await store.get_job(ADMIN, job.id)).progress == Progress(0.4)


async def test_each_move_is_remembered_with_its_attempt_and_reason(store, given_training):
    job = await given_training()
    await store.claim_next(JobType)
    await store.requeue(job.id, 1, lost=False)
    await store.claim_next(JobType)
    await store.fail(job.id, 2, BROKEN)

    events = await events_of(store, job.id)

    assert [(e.from_status, e.to_status, e.attempt, e.error_code) for e in events] == [
        (None, "pending", 0, None),
        ("pending", "running", 1, None),
        ("running", "pending", 1, None),
        ("pending", "running", 2, None),
        ("running", "failed", 2, "out_of_memory"),
    ]
    check_history(events, JobStatus.FAILED)
    assert [e.at for e in events] == sorted(e.at for e in events)


async def test_of_a_job_that_rests_again_and_again_its_beginning_and_its_last_attempts_are_told(
    store, clock, given_training
):
    job = await given_training()
    for attempt in range(1, 3 * TOLD_ATTEMPTS + 1):
        await store.claim_next(JobType)
        await store.postpone(job.id, attempt, is_away=True)
        clock.advance(max(AWAY_RESTS))

    events = await events_of(store, job.id)

    check_history(events, JobStatus.PENDING)
    told = range(2 * TOLD_ATTEMPTS + 1, 3 * TOLD_ATTEMPTS + 1)
    assert [event.attempt for event in events] == [0, *(attempt for attempt in told for _ in range(2))]


async def test_what_changes_nothing_leaves_no_trace(store, given_training):
    job = await given_training()
    await store.claim_next(JobType)
    await store.cancel(ADMIN, job.id)

    await store.cancel(ADMIN, job.id)
    await store.fail(job.id, 1, BROKEN)
    await store.requeue(job.id, 1, lost=True)

    assert await moves_of(store, job.id) == ["pending", "running", "failed"]


async def test_a_history_goes_with_its_job(store, given_ready_model):
    model_id = await given_ready_model()

    await store.delete_model(ADMIN, model_id)

    async with store._sessions.reading() as session:
        assert list(await session.scalars(select(JobEventRow))) == []
