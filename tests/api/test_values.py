"""What PostgreSQL would not keep, and SQLite does, is refused before it gets there; all else comes back as it was."""

import itertools
import json

from tests.api.conftest import SYNTHGEN, a_table
from tests.databases import on_postgresql

pytestmark = on_postgresql
UNUSUAL = "Zażółć 🐧 ﷽ \ue000 ' \" \\ % $1 ; --"
TEXT = "\u202e\x1b\n" + UNUSUAL * 50
NUL = "a\x00b"


async def test_unusual_text_comes_back_as_it_was(client):
    made = (await client.post("/api/projects", json={"name": UNUSUAL, "description": TEXT})).json()

    shown = (await client.get(f"/api/projects/{made['id']}")).json()

    assert (shown["name"], shown["description"]) == (UNUSUAL, TEXT)


async def test_text_that_is_none_is_refused_wherever_it_comes(client, project_id, given_ready_model):
    model_id = await given_ready_model()
    bodies = {
        "/api/projects": '{"name": "NAME"}',
        f"/api/projects/{project_id}": '{"description": "NAME"}',
        "/api/keys": '{"name": "NAME", "role": "viewer"}',
        f"{SYNTHGEN}/models/{model_id}/generate": '{"conditions": {"income": "NAME"}}',
    }

    for (path, body), name in itertools.product(bodies.items(), (r"a\u0000b", r"\ud800")):
        method = "PATCH" if path == f"/api/projects/{project_id}" else "POST"
        headers = {"Content-Type": "application/json"}
        answer = await client.request(method, path, content=body.replace("NAME", name), headers=headers)

        assert answer.status_code in (400, 422), (path, answer.text)


async def test_nul_in_json_is_refused_by_name(client, project_id, given_ready_model):
    model_id = await given_ready_model()
    conditions = ({"income": NUL}, {NUL: "<=50K"}, {"income": ["<=50K", NUL]})

    answers = [
        await client.post(f"{SYNTHGEN}/models/{model_id}/{how}", json={"conditions": wish})
        for how in ("generate", "sample")
        for wish in conditions
    ]
    form = {"project_id": project_id, "name": "d", "schema": json.dumps({"columns": {NUL: {"kind": "text"}}})}
    upload = await client.post("/api/datasets/upload", data=form, files={"file": ("t.csv", a_table(30))})

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(422, "invalid_value")}
    assert upload.status_code == 422
    assert "NUL" in upload.json()["detail"]


async def test_nul_in_a_form_or_a_table_is_refused(client, project_id):
    for form, table in (
        ({"name": NUL}, a_table(30)),
        ({"name": "d", "description": NUL}, a_table(30)),
        ({"name": "d"}, a_table(30).replace(b"income", b"in\x00come")),
        ({"name": "d"}, a_table(30).replace(b">50K", b">5\x000K")),
    ):
        answer = await client.post(
            "/api/datasets/upload", data={"project_id": project_id, **form}, files={"file": ("t\x00.csv", table)}
        )

        assert answer.status_code in (400, 422), answer.text


async def test_numbers_that_no_column_holds_are_refused(client, given_ready_model, given_dataset):
    model_id, dataset = await given_ready_model(), await given_dataset()
    generate = f"{SYNTHGEN}/models/{model_id}/generate"

    for number in (2**31, 2**63, 10**30):
        answers = [
            await client.post(generate, json={"num_rows": number}),
            await client.post(generate, json={"num_rows": 5, "seed": number * 2}),
            await client.get("/api/projects", params={"offset": number}),
            await client.get("/api/projects", params={"limit": number}),
            await client.get(f"/api/datasets/{dataset['dataset_id']}/versions/{number}"),
        ]

        assert [answer.status_code for answer in answers] == [422, 422, 422, 422, 404]


async def test_a_condition_keeps_a_number_of_any_size(client, given_ready_model):
    model_id = await given_ready_model()

    for number in (10**30, -(2**63), 1e308, 0.1):
        body = {"num_rows": 5, "conditions": {"balance": {"min": -1e308, "max": number}}}
        answer = await client.post(f"{SYNTHGEN}/models/{model_id}/generate", json=body)

        assert answer.status_code in (200, 422), answer.text
