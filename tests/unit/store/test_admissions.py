"""Draws that are admitted together: each as if it had come alone."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import update

from synthgen_ray.domain.access import Origin
from synthgen_ray.domain.audit import Action, find_break
from synthgen_ray.domain.entities import DrawRequest
from synthgen_ray.domain.errors import Conflict, InvalidRequest, NotFound, SynthGenError, TooMany
from synthgen_ray.domain.params import SampleParams
from synthgen_ray.domain.quotas import Quotas
from synthgen_ray.service.together import Together
from synthgen_ray.store.tables import ModelRow
from tests.databases import on_both_databases
from tests.given import ADMIN
from tests.unit.store.plans import statements

pytestmark = on_both_databases


@pytest.fixture
def admitted(store):
    """The artifact's id or the class of the error, for each of these draws at the same time."""

    async def admitted(*asked: DrawRequest) -> list[object]:
        answers = await asyncio.gather(*map(Together(store.admit_draws).ask, asked), return_exceptions=True)
        return [type(one) if isinstance(one, SynthGenError) else one[0].id for one in answers]

    return admitted


async def test_of_a_model_that_cannot_be_read_it_is_refused_alone(store, given_ready_model, admitted, our_lines):
    broken, sound = await given_ready_model("broken"), await given_ready_model("sound")
    _, artifact = await store.get_trained(ADMIN, sound)
    async with store._sessions.writing() as session:
        await session.execute(update(ModelRow).where(ModelRow.id == broken).values(learned_columns=[{"name": "age"}]))

    answers = await admitted(*(DrawRequest(ADMIN, model_id, SampleParams()) for model_id in (broken, sound)))

    assert answers == [SynthGenError, artifact.id]
    assert [line["model_id"] for line in our_lines()] == [str(broken)]


async def test_each_is_answered_for_itself(store, project, given_training, given_ready_model, admitted):
    model_id = await given_ready_model()
    waiting = (await given_training("still waiting")).model_id
    _, artifact = await store.get_trained(ADMIN, model_id)
    stranger = replace(ADMIN, projects=frozenset({uuid4()}))
    owner = replace(ADMIN, projects=frozenset({project.id}))
    ten = SampleParams(num_rows=10)

    answers = await admitted(
        DrawRequest(ADMIN, model_id, ten),
        DrawRequest(stranger, model_id, ten),
        DrawRequest(ADMIN, model_id, SampleParams(num_rows=10, conditions={"age": "old"})),
        DrawRequest(ADMIN, waiting, ten),
        DrawRequest(ADMIN, uuid4(), ten),
        DrawRequest(owner, model_id, ten),
    )

    assert answers == [artifact.id, NotFound, InvalidRequest, Conflict, NotFound, artifact.id]
    assert (await store.get_usage(ADMIN, project.id)).generated_rows == 20


async def test_a_quota_counts_the_rows_of_those_before(store, project, given_ready_model, admitted):
    draw = DrawRequest(ADMIN, await given_ready_model(), SampleParams(num_rows=20))
    store._quotas = Quotas(generated_rows=50)

    answers = await admitted(*[draw] * 4, replace(draw, params=SampleParams(num_rows=10)))

    assert [answer is TooMany for answer in answers] == [False, False, True, True, False]
    assert (await store.get_usage(ADMIN, project.id)).generated_rows == 50


@pytest.mark.parametrize("quotas", [Quotas(storage_bytes=0), Quotas(storage_bytes=10**9)], ids=["over", "within"])
async def test_what_a_project_stores_is_summed_up_once_for_all_of_them(store, given_ready_model, quotas):
    draw = DrawRequest(ADMIN, await given_ready_model(), SampleParams(num_rows=20))
    store._quotas = quotas

    with statements() as seen:
        answers = await store.admit_draws([draw] * 3)

    assert [isinstance(answer, TooMany) for answer in answers] == [quotas.storage_bytes == 0] * 3
    assert sum("sum(artifacts.size_bytes)" in statement for statement, _ in seen) == 1


async def test_each_leaves_its_own_event(store, given_ready_model, admitted):
    model_id = await given_ready_model()
    origins = [Origin(f"request-{number}", f"10.0.0.{number}") for number in range(5)]

    await admitted(*(DrawRequest(replace(ADMIN, origin=origin), model_id, SampleParams()) for origin in origins))

    events = (await store.list_audit(ADMIN, 1000, 0)).items
    assert find_break(events) is None
    drawn = [event for event in reversed(events) if event.action is Action.MODEL_SAMPLE]
    assert [(event.request_id, event.address) for event in drawn] == [
        (origin.request_id, origin.address) for origin in origins
    ]


async def test_what_cannot_be_obeyed_is_refused_without_the_writers_turn(store, given_ready_model, admitted):
    draw = DrawRequest(ADMIN, await given_ready_model(), SampleParams(conditions={"age": "old"}))

    async with store._sessions.writing(), asyncio.timeout(10):
        answers = await admitted(draw, draw)

    assert answers == [InvalidRequest, InvalidRequest]


async def test_of_a_model_that_goes_before_the_writers_turn_nothing_is_drawn(store, given_ready_model):
    model_id = await given_ready_model()
    look = store._found

    async def look_and_lose_it(asked):
        found = await look(asked)
        await store.delete_model(ADMIN, model_id)
        return found

    store._found = look_and_lose_it

    answers = await store.admit_draws([DrawRequest(ADMIN, model_id, SampleParams(num_rows=10))] * 2)

    assert [type(answer) for answer in answers] == [NotFound, NotFound]


async def test_of_what_never_came_each_projects_rows_are_given_back(store, project, given_ready_model, admitted):
    model_id = await given_ready_model()
    asked = [DrawRequest(ADMIN, model_id, SampleParams(num_rows=rows)) for rows in (10, 20, 40)]
    await admitted(*asked)
    gone = replace(asked[0], model_id=uuid4())

    await asyncio.gather(*map(Together(store.give_back).ask, [asked[0], gone, asked[2]]))

    assert (await store.get_usage(ADMIN, project.id)).generated_rows == 20


async def test_a_model_whose_rows_were_asked_for_lately_is_only_looked_for_where_it_may_be_gone(
    store, given_ready_model, admitted
):
    draw = DrawRequest(ADMIN, await given_ready_model(), SampleParams(num_rows=10))
    first = await admitted(draw)

    with statements() as seen:
        assert await admitted(draw) == first

    assert not [statement for statement, _ in seen if "learned_columns" in statement]
    assert [statement for statement, _ in seen if "FROM models" in statement]


async def test_what_is_remembered_is_for_those_who_see_the_same_projects(store, project, given_ready_model, admitted):
    draw = DrawRequest(ADMIN, await given_ready_model(), SampleParams(num_rows=10))
    unwanted = SampleParams(num_rows=10, conditions={"age": "old"})
    stranger, owner = (replace(ADMIN, projects=frozenset({one})) for one in (uuid4(), project.id))
    (artifact_id,) = await admitted(draw)

    for who, expected in ((ADMIN, InvalidRequest), (stranger, NotFound), (owner, InvalidRequest)):
        assert await admitted(replace(draw, principal=who, params=unwanted)) == [expected]
    assert await admitted(replace(draw, principal=stranger)) == [NotFound]
    assert await admitted(replace(draw, principal=owner)) == [artifact_id]


async def test_what_is_remembered_is_forgotten_once_it_is_gone(store, given_ready_model, admitted):
    draw = DrawRequest(ADMIN, await given_ready_model(), SampleParams(num_rows=10))
    await admitted(draw)
    await store.delete_model(ADMIN, draw.model_id)

    unwanted = SampleParams(num_rows=10, conditions={"age": "old"})
    assert await admitted(replace(draw, params=unwanted)) == [NotFound]
    assert await admitted(draw) == [NotFound]
    assert store._ready == {}
