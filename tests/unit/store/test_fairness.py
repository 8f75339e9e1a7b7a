"""Who is claimed next: of the project with the fewest running jobs, then whose last turn is longest ago, then who waits
longest."""

from datetime import timedelta
from uuid import UUID

import pytest

from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.domain.params import GaussianCopulaParams, GenerateParams, ModelType, Resources
from synthgen_ray.store.store import Store
from tests.databases import on_both_databases
from tests.given import ADMIN, COLUMNS, a_trained_model, an_artifact
from tests.unit.store.plans import explained, statements

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


@pytest.fixture
def given_trainings(store: Store):
    """A project with so many trainings that wait."""

    async def given(name: str, count: int) -> UUID:
        project = (await store.create_project(ADMIN, name)).value
        table = (an_artifact(), COLUMNS, ())
        version = (await store.add_dataset_version(ADMIN, project.id, "t", "", *table)).value
        order = (ModelType.GAUSSIAN_COPULA, GaussianCopulaParams(), Resources())
        for _ in range(count):
            await store.create_model(ADMIN, project.id, version.id, "m", *order)
        return project.id

    return given


async def test_who_asks_for_much_does_not_keep_others_waiting(store, given_generations):
    much, little = await given_generations("much", 6), await given_generations("little", 2)

    claimed = [(await store.claim_next(JobType)).job.project_id for _ in range(5)]

    assert claimed == [much, little, much, little, much]


async def claim_one_by_one(store: Store, count: int) -> list[UUID]:
    """Whose they are, where there is one slot."""
    projects = []
    for _ in range(count):
        job = (await store.claim_next({JobType.GENERATE})).job
        await store.complete_generation(job.id, job.attempt, an_artifact())
        projects.append(job.project_id)
    return projects


async def test_where_one_runs_at_a_time_projects_take_turns(store, given_generations):
    much, little = await given_generations("much", 6), await given_generations("little", 2)

    assert await claim_one_by_one(store, 8) == [much, little, much, little, much, much, much, much]


async def test_who_had_no_turn_yet_comes_before_all_others(store, given_generations):
    first, second = await given_generations("first", 4), await given_generations("second", 4)
    await claim_one_by_one(store, 4)
    third = await given_generations("third", 2)

    assert await claim_one_by_one(store, 5) == [third, first, second, third, first]


async def test_who_deletes_what_it_was_given_has_had_its_turn(store, given_trainings):
    first, second = await given_trainings("first", 4), await given_trainings("second", 4)

    projects = []
    for _ in range(6):
        job = (await store.claim_next({JobType.TRAIN})).job
        await store.complete_training(job.id, job.attempt, a_trained_model())
        if job.project_id == first:
            await store.delete_model(ADMIN, job.model_id)
        projects.append(job.project_id)

    assert projects == [first, second] * 3


async def test_a_job_that_is_given_back_was_a_turn(store, given_generations):
    large, second, third = [await given_generations(name, 3) for name in ("large", "second", "third")]

    projects = []
    for _ in range(9):
        job = (await store.claim_next({JobType.GENERATE})).job
        if job.project_id == large:
            await store.requeue(job.id, job.attempt, lost=False)
        else:
            await store.complete_generation(job.id, job.attempt, an_artifact())
        projects.append(job.project_id)

    assert projects == [large, second, third] * 3


async def test_a_turn_by_a_clock_that_was_ahead_keeps_nobody_waiting(store, clock, given_generations):
    first, second = await given_generations("first", 3), await given_generations("second", 3)
    clock.advance(timedelta(days=3650))
    assert await claim_one_by_one(store, 1) == [first]

    clock.advance(timedelta(days=-3650))

    assert await claim_one_by_one(store, 4) == [first, second] * 2


async def test_a_turn_is_found_by_indexes(store, given_generations):
    await given_generations("some", 1)
    with statements() as seen:
        await store.claim_next({JobType.GENERATE})
    (turns,) = [one for one in seen if "GROUP BY" in one[0]]

    plan = await explained(store, *turns)

    assert "pk_turns" in plan or "sqlite_autoindex_turns_1" in plan
    # In a table of one row PostgreSQL may take another index for those that wait, by when it last looked at the table.
    assert "ix_jobs_waiting" in plan or ("Index" in plan and "Seq Scan" not in plan)


async def test_a_slot_that_is_free_again_is_given_to_who_has_fewer(store, given_generations):
    much, little = await given_generations("much", 6), await given_generations("little", 3)
    running = [(await store.claim_next(JobType)).job for _ in range(4)]

    for job in running:
        if job.project_id == much:
            await store.requeue(job.id, job.attempt, lost=True)

    claimed = [(await store.claim_next(JobType)).job.project_id for _ in range(4)]
    assert claimed == [much, much, little, much]


async def test_trainings_that_run_do_not_count_for_generations(store, project, given_training, given_generations):
    other = await given_generations("other", 1)
    await given_training()
    await store.claim_next({JobType.TRAIN})
    model = (await store.add_trained_model(ADMIN, project.id, "m", ModelType.TVAE, {}, a_trained_model())).value
    await store.enqueue_generate(ADMIN, model.id, GenerateParams())

    claimed = [(await store.claim_next({JobType.GENERATE})).job.project_id for _ in range(2)]

    assert claimed == [other, project.id]
