from uuid import uuid4

import pytest

from synthgen_ray.domain.access import Role
from synthgen_ray.domain.errors import Conflict, InvalidRequest, NotFound
from synthgen_ray.domain.lifecycle import JobStatus, JobType, ModelStatus
from synthgen_ray.domain.params import GenerateParams, ImputeParams
from synthgen_ray.domain.quotas import Quotas
from synthgen_ray.domain.reports import ReportParams
from synthgen_ray.store import erasures
from tests.databases import on_both_databases
from tests.given import ADMIN, COLUMNS, an_artifact

pytestmark = on_both_databases


async def test_projects_come_newest_first_a_page_at_a_time(store):
    made = [(await store.create_project(ADMIN, f"p{i}")).value for i in range(3)]

    page = await store.list_projects(ADMIN, limit=2, offset=1)

    assert page.total == 3
    assert page.items == (made[1], made[0])


async def test_a_second_upload_to_a_dataset_is_its_next_version(store, project):
    first = (await store.add_dataset_version(ADMIN, project.id, "adult", "census", an_artifact(), COLUMNS, ())).value
    second = (
        await store.add_dataset_version(
            ADMIN, project.id, "ignored", "", an_artifact(7), COLUMNS, ("odd",), dataset_id=first.dataset_id
        )
    ).value

    assert (first.version, second.version) == (0, 1)
    (dataset,) = (await store.list_datasets(ADMIN, project.id, 10, 0)).items
    assert dataset.name == "adult"
    assert (dataset.latest.id, dataset.latest.num_columns) == (second.id, len(COLUMNS))
    versions = (await store.list_versions(ADMIN, first.dataset_id, 10, 0)).items
    assert [(one.id, one.version, one.num_rows) for one in versions] == [
        (made.id, made.version, made.num_rows) for made in (second, first)
    ]
    assert versions[0] == dataset.latest


async def test_a_table_whose_gaps_are_being_filled_stays_as_it_is_until_that_job_has_ended(
    store, project, given_ready_model
):
    model_id = await given_ready_model()
    version, other = [
        (await store.add_dataset_version(ADMIN, project.id, name, "", an_artifact(), COLUMNS, ())).value
        for name in ("gaps", "other")
    ]
    job = (await store.enqueue_impute(ADMIN, model_id, ImputeParams(dataset_version_id=version.id))).value

    async def correct(version) -> None:
        await store.correct_version(ADMIN, version.id, version.artifact_id, an_artifact(), COLUMNS, ())

    with pytest.raises(Conflict) as while_it_waits:
        await correct(version)
    await store.claim_next({JobType.GENERATE})
    with pytest.raises(Conflict) as while_it_runs:
        await correct(version)
    await correct(other)
    await store.cancel(ADMIN, job.id)
    await correct(version)

    assert {while_it_waits.value.code, while_it_runs.value.code} == {"in_use"}


async def test_a_model_is_made_with_the_job_that_trains_it(store, given_training):
    job = await given_training()

    model, jobs = await store.get_model(ADMIN, job.model_id)

    assert model.status is ModelStatus.PENDING
    assert (model.dataset_name, model.dataset_version) == ("adult", 0)
    assert jobs == (job,)
    assert job.job_type is JobType.TRAIN


async def test_a_model_on_the_dataset_of_another_project_is_refused(store, project, given_training):
    job = await given_training()
    model, _ = await store.get_model(ADMIN, job.model_id)
    other = (await store.create_project(ADMIN, "Other")).value
    order = (model.model_type, *_training())

    with pytest.raises(InvalidRequest) as mismatched:
        await store.create_model(ADMIN, other.id, model.dataset_version_id, "m", *order)
    with pytest.raises(NotFound):
        await store.create_model(ADMIN, other.id, uuid4(), "m", *order)

    assert mismatched.value.code == "project_mismatch"


class TestEnqueueGenerate:
    async def test_a_job_is_found_by_either_id(self, store, given_ready_model):
        job = (await store.enqueue_generate(ADMIN, await given_ready_model(), GenerateParams(num_rows=5))).value

        assert await store.get_job(ADMIN, job.id) == job
        assert await store.get_job(ADMIN, job.background_id) == job
        assert job.config["num_rows"] == 5

    async def test_a_model_that_is_not_ready_is_a_conflict(self, store, given_training):
        job = await given_training()

        with pytest.raises(Conflict) as refusal:
            await store.enqueue_generate(ADMIN, job.model_id, GenerateParams())

        assert refusal.value.code == "model_not_ready"

    async def test_conditions_that_the_model_cannot_obey_are_refused(self, store, given_ready_model):
        model_id = await given_ready_model()

        for conditions in ({"nope": 1}, {"income": "rare"}, {"age": "old"}):
            with pytest.raises(InvalidRequest):
                await store.enqueue_generate(ADMIN, model_id, GenerateParams(conditions=conditions))

        assert (await store.list_jobs(ADMIN, None, model_id, None, 10, 0)).total == 1  # its training alone


async def test_jobs_are_listed_by_project_model_and_status(store, project, given_ready_model):
    first, second = await given_ready_model("a"), await given_ready_model("b")
    generation = (await store.enqueue_generate(ADMIN, second, GenerateParams())).value

    assert (await store.list_jobs(ADMIN, project.id, None, None, 10, 0)).total == 3
    assert (await store.list_jobs(ADMIN, uuid4(), None, None, 10, 0)).total == 0
    assert (await store.list_jobs(ADMIN, None, first, None, 10, 0)).total == 1
    assert (await store.list_jobs(ADMIN, None, None, JobStatus.PENDING, 10, 0)).items == (generation,)


async def test_a_model_shows_its_training_and_its_newest_generations(store, project, given_ready_model):
    store._quotas = Quotas(pending_jobs=None)
    model_id = await given_ready_model()
    _, (training,) = await store.get_model(ADMIN, model_id)
    made = [(await store.enqueue_generate(ADMIN, model_id, GenerateParams())).value.id for _ in range(101)]
    await store.enqueue_report(ADMIN, project.id, model_id, ReportParams())

    _, jobs = await store.get_model(ADMIN, model_id)

    assert [job.id for job in jobs] == [*made[:-100:-1], training.id]
    assert len(jobs) == 100


async def test_a_deleted_model_takes_its_jobs_and_files_along(store, given_ready_model):
    model_id = await given_ready_model()
    _, (training,) = await store.get_model(ADMIN, model_id)

    await store.delete_model(ADMIN, model_id)

    for gone in (store.get_model, store.delete_model):
        with pytest.raises(NotFound):
            await gone(ADMIN, model_id)
    with pytest.raises(NotFound):
        await store.get_job(ADMIN, training.id)
    assert f"jobs/{training.id}" in await store.list_erasures()
    await store.erased(await store.list_erasures())
    assert await store.list_erasures() == ()


async def test_a_project_of_many_outputs_is_deleted_with_all_their_files(
    store, project, given_ready_model, monkeypatch
):
    monkeypatch.setattr(erasures, "CHUNK", 2)  # so that five are many
    model_id, outputs = await given_ready_model(), [an_artifact() for _ in range(5)]
    for output in outputs:
        await store.enqueue_generate(ADMIN, model_id, GenerateParams())
        job = (await store.claim_next({JobType.GENERATE})).job
        await store.complete_generation(job.id, job.attempt, output)

    await store.delete_project(ADMIN, project.id, force=True)

    due = await store.list_erasures()
    assert {output.location for output in outputs} < set(due)
    assert len([location for location in due if location.startswith("jobs/")]) == 6
    await store.erased(due)
    assert await store.list_erasures() == ()


async def test_only_the_latest_admin_key_is_known(store):
    await store.set_admin_key("a" * 64)
    await store.set_admin_key("b" * 64)

    assert await store.find_admission("a" * 64) is None
    assert (await store.find_admission("b" * 64)).role is Role.ADMIN


def _training():
    from synthgen_ray.domain.params import GaussianCopulaParams, Resources

    return GaussianCopulaParams(), Resources()
