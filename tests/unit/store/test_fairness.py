"""Who is claimed next: the project with the fewest running jobs, then who waits longest."""

from uuid import UUID

import pytest

from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.domain.params import GenerateParams, ModelType
from synthgen_ray.store.store import Store
from tests.databases import on_both_databases
from tests.given import ADMIN, a_trained_model

pytestmark = on_both_databases


@pytest.fixture
def given_generations(store: Store):
    """A project with so many generations that wait."""

    async def given(name: str, count: int) -> UUID:
        project = (await store.create_project(ADMIN, name)).value
        model = (await store.add_trained_model(ADMIN, project.id, "m", ModelType.TVAE, {}, a_trained_model())).value
        for _ in range(count):
            await store.enqueue_generate(ADMIN, model.id, GenerateParams())
        return project.id

    return given


async def test_who_asks_for_much_does_not_keep_others_waiting(store, given_generations):
    much, little = await given_generations("much", 6), await given_generations("little", 2)

    claimed = [(await store.claim_next(JobType)).job.project_id for _ in range(5)]

    assert claimed == [much, little, much, little, much]


async def test_a_slot_that_is_free_again_is_given_to_who_has_fewer(store, given_generations):
    much, little = await given_generations("much", 6), await given_generations("little", 3)
    running = [(await store.claim_next(JobType)).job for _ in range(4)]

    for job in running:
        if job.project_id == much:
            await store.requeue(job.id, job.attempt, lost=True)

    assert (await store.claim_next(JobType)).job.project_id == much
    assert (await store.claim_next(JobType)).job.project_id == much
    assert (await store.claim_next(JobType)).job.project_id == much
    assert (await store.claim_next(JobType)).job.project_id == little


async def test_trainings_that_run_do_not_count_for_generations(store, project, given_training, given_generations):
    other = await given_generations("other", 1)
    await given_training()
    await store.claim_next({JobType.TRAIN})
    model = (await store.add_trained_model(ADMIN, project.id, "m", ModelType.TVAE, {}, a_trained_model())).value
    await store.enqueue_generate(ADMIN, model.id, GenerateParams())

    claimed = [(await store.claim_next({JobType.GENERATE})).job.project_id for _ in range(2)]

    assert claimed == [other, project.id]
