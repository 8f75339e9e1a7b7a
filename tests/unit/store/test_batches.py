"""Batches: shown as jobs, held by the process that makes them, and by no dispatcher."""

from datetime import timedelta
from uuid import uuid4

import pytest

from synthgen_ray.domain.access import Principal, Role
from synthgen_ray.domain.entities import Progress
from synthgen_ray.domain.errors import Cancelled, Conflict, Forbidden, InvalidRequest, NotFound, TooMany
from synthgen_ray.domain.lifecycle import LEASE, JobStatus, JobType
from synthgen_ray.domain.params import DrawParams, GenerateParams
from synthgen_ray.domain.quotas import Quotas
from tests.databases import on_both_databases
from tests.given import ADMIN
from tests.history import moves_of

pytestmark = on_both_databases

CONFIG = {"num_rows": 50_000_000, "seed": 3, "format": "parquet", "output": "s3://bucket/rows"}
MOMENT = timedelta(seconds=1)


@pytest.fixture
def given_batch(store, given_ready_model):
    async def given():
        return await store.begin_batch(ADMIN, await given_ready_model(), DrawParams(), CONFIG)

    return given


async def check_it_must_stop(store, batch) -> None:
    assert not await store.renew_batch(batch.id, 1, Progress(0.5))
    with pytest.raises(Cancelled):
        await store.complete_batch(batch.id, 1)


async def test_one_runs_from_its_beginning_and_is_a_job_like_others(store, project, given_batch):
    batch = await given_batch()

    assert (batch.job_type, batch.status, batch.attempt) == (JobType.BATCH, JobStatus.RUNNING, 1)
    assert batch.config["output"] == "s3://bucket/rows"
    assert batch in (await store.list_jobs(ADMIN, project.id, None, JobStatus.RUNNING, 10, 0)).items


async def test_no_dispatcher_takes_it(store, given_batch):
    await given_batch()

    assert await store.claim_next(JobType) is None
    assert await store.requeue_running() == 0


async def test_its_signs_of_life_keep_it_and_show_how_far_it_is(store, clock, given_batch):
    batch = await given_batch()

    for tenth in range(1, 4):
        clock.advance(LEASE - MOMENT)
        assert await store.renew_batch(batch.id, 1, Progress(tenth / 10, f"{tenth} of 10", seconds=60.0 * tenth))
        await store.heartbeat(())

    shown = await store.get_job(ADMIN, batch.id)
    assert (shown.status, shown.progress) == (JobStatus.RUNNING, Progress(0.3, "3 of 10", seconds=180.0))


async def test_one_without_signs_of_life_fails_and_is_not_taken_up_again(store, clock, given_batch):
    batch = await given_batch()

    clock.advance(LEASE + MOMENT)
    await store.heartbeat(())

    ended = await store.get_job(ADMIN, batch.id)
    assert (ended.status, ended.failure.code, ended.failure.retryable) == (JobStatus.FAILED, "batch_stopped", True)
    assert await store.claim_next(JobType) is None
    await check_it_must_stop(store, batch)


async def test_its_end_counts_its_rows_once(store, project, given_batch):
    batch = await given_batch()

    await store.complete_batch(batch.id, 1)
    await store.complete_batch(batch.id, 1)

    ended = await store.get_job(ADMIN, batch.id)
    assert (ended.status, ended.progress.fraction, ended.artifact) == (JobStatus.COMPLETED, 1.0, None)
    assert (await store.get_usage(ADMIN, project.id)).generated_rows == CONFIG["num_rows"]
    assert await moves_of(store, batch.id) == ["pending", "running", "completed"]


async def test_a_cancelled_one_is_told_so_and_cannot_complete(store, given_batch):
    batch = await given_batch()

    await store.cancel(ADMIN, batch.id)

    await check_it_must_stop(store, batch)
    assert (await store.get_job(ADMIN, batch.id)).is_cancelled


async def test_one_whose_model_is_deleted_is_told_so(store, given_batch):
    batch = await given_batch()

    await store.delete_model(ADMIN, batch.model_id)

    await check_it_must_stop(store, batch)


class TestRefusals:
    async def test_of_a_viewer(self, store, given_ready_model):
        viewer = Principal(uuid4(), Role.VIEWER)

        with pytest.raises(Forbidden):
            await store.begin_batch(viewer, await given_ready_model(), DrawParams(), CONFIG)

    async def test_of_a_key_of_another_project(self, store, given_ready_model):
        stranger = Principal(uuid4(), Role.EDITOR, frozenset({uuid4()}))

        with pytest.raises(NotFound):
            await store.begin_batch(stranger, await given_ready_model(), DrawParams(), CONFIG)

    async def test_of_a_model_that_is_not_ready(self, store, given_training):
        with pytest.raises(Conflict):
            await store.begin_batch(ADMIN, (await given_training()).model_id, DrawParams(), CONFIG)

    async def test_of_conditions_that_it_cannot_meet(self, store, given_ready_model):
        with pytest.raises(InvalidRequest):
            await store.begin_batch(ADMIN, await given_ready_model(), DrawParams(conditions={"no": 1}), CONFIG)

    async def test_over_the_projects_quota(self, store, given_ready_model, monkeypatch):
        monkeypatch.setattr(store, "_quotas", Quotas(generated_rows=CONFIG["num_rows"] - 1))

        with pytest.raises(TooMany):
            await store.begin_batch(ADMIN, await given_ready_model(), DrawParams(), CONFIG)


async def test_rows_by_the_billion_that_are_to_come_count_too(store, given_ready_model):
    store._quotas = Quotas(generated_rows=3_000_000_010)
    model_id = await given_ready_model()
    await store.begin_batch(ADMIN, model_id, DrawParams(), {**CONFIG, "num_rows": 3_000_000_000})

    job = (await store.enqueue_generate(ADMIN, model_id, GenerateParams(num_rows=10))).value
    with pytest.raises(TooMany) as refused:
        await store.enqueue_generate(ADMIN, model_id, GenerateParams(num_rows=1))

    assert (job.status, refused.value.code) == (JobStatus.PENDING, "quota_exceeded")
