"""A text with a NUL, which PostgreSQL keeps in JSON and reads no field beside. The API lets none in; other ways may."""

from dataclasses import replace

import pytest

from synthgen_ray.domain.columns import ColumnKind, LearnedColumn
from synthgen_ray.domain.entities import TrainedModel
from synthgen_ray.domain.errors import TooMany
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.domain.once import Once
from synthgen_ray.domain.params import DrawParams, GenerateParams, ModelType
from synthgen_ray.domain.quotas import Quotas
from tests.databases import on_both_databases
from tests.given import ADMIN, a_trained_model

pytestmark = on_both_databases
UNLISTED = (LearnedColumn("city", ColumnKind.CATEGORICAL, nullable=False, unlisted=True),)
CONDITIONS = {"city": "a\x00b"}
ONCE = Once("a", "POST /generate", "ab")


@pytest.fixture
async def model_id(store, project):
    trained: TrainedModel = replace(a_trained_model(), columns=UNLISTED)
    return (await store.add_trained_model(ADMIN, project.id, "m", ModelType.TVAE, {}, trained)).value.id


async def test_in_a_call_it_keeps_nobody_from_deleting_a_project(store, model_id):
    other = (await store.create_project(ADMIN, "Other")).value
    wish = GenerateParams(conditions=CONDITIONS)
    first = await store.enqueue_generate(ADMIN, model_id, wish, ONCE)

    await store.delete_project(ADMIN, other.id, force=False)

    again = await store.enqueue_generate(ADMIN, model_id, wish, ONCE)
    assert (again.value, again.replayed) == (first.value, True)


async def test_the_rows_of_such_a_job_are_still_to_come(store, model_id):
    store._quotas = Quotas(generated_rows=100)
    await store.enqueue_generate(ADMIN, model_id, GenerateParams(num_rows=40, conditions=CONDITIONS))
    await store.begin_batch(ADMIN, model_id, DrawParams(), {"num_rows": 50, "conditions": CONDITIONS})

    await store.enqueue_generate(ADMIN, model_id, GenerateParams(num_rows=10))
    with pytest.raises(TooMany):
        await store.enqueue_generate(ADMIN, model_id, GenerateParams(num_rows=1))

    assert (await store.claim_next({JobType.GENERATE})).job.config["conditions"] == CONDITIONS
