"""Reports as rows: queued, claimed with all that they need, published, let go."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from synthgen_ray.domain.entities import Artifact, Job, JobFailure, MadeReport, Part, job_folder
from synthgen_ray.domain.errors import Cancelled, NotFound, TooMany
from synthgen_ray.domain.lifecycle import JobStatus, JobType
from synthgen_ray.domain.params import GenerateParams, OutputFormat
from synthgen_ray.domain.quotas import Quotas
from synthgen_ray.domain.reports import ReportParams
from synthgen_ray.store.store import Store
from tests.databases import on_both_databases
from tests.given import ADMIN, COLUMNS, SCORES, a_model_with_a_table

pytestmark = on_both_databases
REPORT = {JobType.REPORT}
LATER = datetime.now(UTC) + timedelta(days=1)


@pytest.fixture
async def model_id(store, project) -> UUID:
    return await a_model_with_a_table(store, project.id)


@pytest.fixture
def enqueue(store, project, model_id):
    async def enqueue(**options: object) -> Job:
        return (await store.enqueue_report(ADMIN, project.id, model_id, ReportParams(**options))).value

    return enqueue


def made(job: Job) -> MadeReport:
    parts = (Part("report.html", 0, 1000), Part("report.json", 0, 234))
    return MadeReport(Artifact(uuid4(), job.folder, parts, "ab" * 32), SCORES)


async def test_a_claim_brings_the_model_and_the_table_that_it_learnt(store, model_id, enqueue):
    job = await enqueue(seed=7)

    assert await store.claim_next({JobType.GENERATE, JobType.TRAIN}) is None
    claimed = await store.claim_next(REPORT)

    model = (await store.get_model(ADMIN, model_id))[0]
    assert (claimed.job.id, claimed.job.seed, claimed.columns, claimed.chunk_rows) == (job.id, 7, COLUMNS, 1000)
    assert (claimed.source.id, claimed.model, claimed.output) == (model.artifact_id, model, None)
    assert claimed.table.id not in (None, model.artifact_id)


async def test_a_claim_brings_the_rows_of_the_generation_that_is_to_be_judged(store, model_id, enqueue):
    params = GenerateParams(num_rows=100, csv_safe=True)
    generation = (await store.enqueue_generate(ADMIN, model_id, params)).value
    await store.claim_next({JobType.GENERATE})
    rows = Artifact(uuid4(), f"jobs/{generation.id}/1", (Part("part-0", 100, 1),), "ab" * 32)
    await store.complete_generation(generation.id, 1, rows)
    await enqueue(synthgen_job_id=generation.background_id)
    await enqueue(synthgen_job_id=generation.id)

    claimed = await store.claim_next(REPORT)
    await store.expire_outputs(LATER)

    assert (claimed.output.artifact, claimed.output.format, claimed.output.is_csv_safe) == (
        rows,
        OutputFormat.CSV,
        True,
    )
    assert await store.claim_next(REPORT) is None
    assert [job.failure.code for job in (await store.list_reports(ADMIN, None, None, 1, 0)).items] == [
        "artifact_expired"
    ]


async def test_a_completed_report_shows_its_scores_and_counts_as_storage_and_a_repeat_changes_nothing(
    store, project, enqueue
):
    await enqueue()
    job = (await store.claim_next(REPORT)).job
    before = (await store.get_usage(ADMIN, project.id)).storage_bytes
    report = made(job)

    for _ in range(2):
        await store.complete_report(job.id, job.attempt, report)

    shown = await store.get_job(ADMIN, job.id)
    assert (shown.status, shown.scores, shown.artifact) == (JobStatus.COMPLETED, SCORES, report.artifact)
    assert (await store.get_usage(ADMIN, project.id)).storage_bytes == before + 1234


async def test_an_attempt_that_is_superseded_publishes_nothing(store, enqueue):
    await enqueue()
    job = (await store.claim_next(REPORT)).job
    await store.requeue(job.id, job.attempt, lost=True)
    again = (await store.claim_next(REPORT)).job

    with pytest.raises(Cancelled):
        await store.complete_report(job.id, job.attempt, made(job))

    await store.complete_report(again.id, again.attempt, made(again))
    assert (await store.get_job(ADMIN, job.id)).artifact.location == f"jobs/{job.id}/2"


async def test_its_files_are_let_go_in_time_and_its_scores_stay(store, enqueue):
    await enqueue()
    job = (await store.claim_next(REPORT)).job
    await store.complete_report(job.id, job.attempt, made(job))

    assert await store.expire_outputs(LATER) == 0
    assert await store.expire_outputs(LATER, JobType.REPORT) == 1

    shown = await store.get_job(ADMIN, job.id)
    assert (shown.status, shown.artifact, shown.scores) == (JobStatus.COMPLETED, None, SCORES)
    assert await store.list_erasures() == (job_folder(job.id),)


async def test_one_that_failed_long_ago_is_deleted_as_generations_are(store, enqueue):
    await enqueue()
    job = (await store.claim_next(REPORT)).job
    await store.fail(job.id, job.attempt, JobFailure("internal_error", "It failed."))

    assert await store.delete_failed(LATER) == 1

    with pytest.raises(NotFound):
        await store.get_job(ADMIN, job.id)


async def test_a_deleted_models_reports_are_erased(store, model_id, enqueue):
    await enqueue()
    job = (await store.claim_next(REPORT)).job
    await store.complete_report(job.id, job.attempt, made(job))

    await store.delete_model(ADMIN, model_id)

    assert {job.folder, job_folder(job.id)} & {*await store.list_erasures()} == {job_folder(job.id)}  # and all in it
    assert (await store.list_reports(ADMIN, None, None, 10, 0)).total == 0


async def test_reports_count_in_the_queue_and_are_refused_when_it_is_full(database_url, project, enqueue, model_id):
    await enqueue()
    store = Store(database_url, Quotas(pending_jobs=1))

    with pytest.raises(TooMany):
        await store.enqueue_report(ADMIN, project.id, model_id, ReportParams())

    await store.dispose()
