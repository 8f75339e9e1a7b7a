"""What lists and looks read of wide tables and of outputs of many parts: no more than they show."""

from dataclasses import replace
from uuid import UUID

import pytest

from synthgen_ray.domain.entities import Artifact, ArtifactSummary, Job, Part
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.domain.outputs import rows_of
from synthgen_ray.domain.params import GenerateParams
from tests.databases import on_both_databases
from tests.given import ADMIN, an_artifact
from tests.unit.store.plans import statements

pytestmark = on_both_databases
PARTS = tuple(Part(f"part-{place:05}", 5, 250) for place in range(4))


@pytest.fixture
def given_output(store, given_ready_model):
    async def given() -> tuple[Job, Artifact]:
        await store.enqueue_generate(ADMIN, await given_ready_model(), GenerateParams(num_rows=20))
        job = (await store.claim_next({JobType.GENERATE})).job
        artifact = replace(an_artifact(), parts=PARTS)
        await store.complete_generation(job.id, job.attempt, artifact)
        return job, artifact

    return given


async def test_models_are_shown_without_the_columns_of_their_tables(store, given_training):
    model_id = (await given_training()).model_id

    with statements() as seen:
        (listed,) = (await store.list_models(ADMIN, None, 10, 0)).items
        shown, _ = await store.get_model(ADMIN, model_id)

    assert listed == shown
    assert (shown.dataset_name, shown.dataset_version) == ("adult", 0)
    assert not [one for one, _ in seen for name in ("columns", "warnings") if f".{name}" in one]


async def test_jobs_are_listed_and_looked_at_without_the_parts_of_their_files(store, project, given_output):
    job, artifact = await given_output()
    summary = ArtifactSummary(artifact.id, num_rows=20, size_bytes=1000, sha256=artifact.sha256)

    with statements() as seen:
        (listed, _) = (await store.list_jobs(ADMIN, project.id, None, None, 10, 0)).items
        looked_at = (await store.find_jobs(ADMIN, [job.id]))[job.id]
        _, (of_model, _) = await store.get_model(ADMIN, job.model_id)

    assert [one.artifact for one in (listed, looked_at, of_model)] == [summary] * 3
    assert not [one for one, _ in seen if ".parts" in one]


async def test_who_reads_a_file_is_told_of_its_parts(store, given_output):
    job, artifact = await given_output()

    found = [rows_of(await store.get_job(ADMIN, job_id)) for job_id in (job.id, job.background_id)]

    assert found == [artifact] * 2


async def test_a_job_that_was_looked_at_is_nothing_to_read_by(store, given_output):
    job, _ = await given_output()
    looked_at: dict[UUID, Job] = await store.find_jobs(ADMIN, [job.id])

    with pytest.raises(TypeError):
        rows_of(looked_at[job.id])
