"""The Idempotency-Key: a call that is sent again makes nothing again."""

import asyncio
import os
from uuid import uuid4

import pytest

from synthgen_ray.domain.quotas import Quotas
from synthgen_ray.store import sessions
from tests.api.conftest import SYNTHGEN, a_table, files_of
from tests.databases import on_both_databases

KEYS = int(os.environ.get("SYNTHGEN_KEYS", "4"))  # `make fuzz` sends more


@pytest.fixture
def generate(client, given_ready_model):
    async def call(model_id: str, key: str, **params):
        headers = {"Idempotency-Key": key}
        return await client.post(f"{SYNTHGEN}/models/{model_id}/generate", json=params, headers=headers)

    return call


async def test_a_repeat_answers_what_the_first_call_did(client, server, given_ready_model, generate):
    model_id = await given_ready_model()

    first = await generate(model_id, "a", num_rows=5)
    await server.run_queue()
    again = await generate(model_id, "a", num_rows=5)

    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert (first.headers.get("idempotent-replayed"), again.headers["idempotent-replayed"]) == (None, "true")
    assert (await client.get(f"{SYNTHGEN}/jobs", params={"model_id": model_id})).json()["total"] == 2


async def test_another_key_or_route_is_another_call(given_ready_model, generate):
    first_model, second_model = await given_ready_model(), await given_ready_model(name="Second")

    made = [await generate(first_model, "a"), await generate(first_model, "b"), await generate(second_model, "a")]

    assert len({response.json()["job_id"] for response in made}) == 3


async def test_an_id_that_is_written_otherwise_is_the_same_id(given_ready_model, generate):
    model_id = await given_ready_model()
    spellings = (model_id, model_id.upper(), model_id.replace("-", ""), model_id.replace("-", "").upper())

    made = [await generate(spelling, "a", num_rows=5) for spelling in spellings]

    assert {response.content for response in made} == {made[0].content}
    assert [response.headers.get("idempotent-replayed") for response in made] == [None, "true", "true", "true"]


async def test_another_body_is_refused(given_ready_model, generate):
    model_id = await given_ready_model()
    await generate(model_id, "a", num_rows=5)

    other = await generate(model_id, "a", num_rows=6)

    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


async def test_the_order_of_a_bodys_fields_does_not_matter(client, given_ready_model):
    model_id, headers = await given_ready_model(), {"Idempotency-Key": "a", "Content-Type": "application/json"}
    bodies = (b'{"num_rows": 5, "seed": 1}', b'{"seed":1,"num_rows":5}')

    made = [
        await client.post(f"{SYNTHGEN}/models/{model_id}/generate", content=body, headers=headers) for body in bodies
    ]

    assert made[0].json() == made[1].json()


async def test_a_refused_call_is_not_remembered(client, server, given_model, generate):
    model_id = (await given_model())["id"]
    refused = await generate(model_id, "a")
    await server.run_queue()

    assert refused.status_code == 409
    assert (await generate(model_id, "a")).status_code == 200


async def test_keys_of_another_api_key_are_its_own(client, given_ready_model, generate, project_id):
    model_id = await given_ready_model()
    first = await generate(model_id, "a")
    key = (await client.post("/api/keys", json={"name": "k", "role": "editor"})).json()["key"]

    second = await client.post(
        f"{SYNTHGEN}/models/{model_id}/generate",
        json={},
        headers={"Idempotency-Key": "a", "Authorization": f"Bearer {key}"},
    )

    assert first.json()["job_id"] != second.json()["job_id"]


@on_both_databases
async def test_a_hundred_concurrent_posts_of_each_key_make_one_job(client, given_ready_model, generate, monkeypatch):
    monkeypatch.setattr(sessions, "TURN_S", 280)  # the ingress lets in 200 at a time, not 1,000
    model_id = await given_ready_model()
    answers = []

    for first in range(0, KEYS, 10):
        names = [str(uuid4()) for _ in range(first, min(first + 10, KEYS))]
        made = await asyncio.gather(*(generate(model_id, name, num_rows=5) for name in names * 100))
        assert {response.status_code for response in made} == {200}
        answers += [{response.content for response in made[place :: len(names)]} for place in range(len(names))]

    assert [len(of_a_key) for of_a_key in answers] == [1] * KEYS
    jobs = await client.get(f"{SYNTHGEN}/jobs", params={"model_id": model_id, "status": "pending"})
    assert jobs.json()["total"] == KEYS


@on_both_databases
async def test_projects_and_models_are_made_once(client, given_dataset, project_id):
    dataset = await given_dataset()
    body = {"project_id": project_id, "dataset_version_id": dataset["dataset_version_id"], "name": "m"}
    headers = {"Idempotency-Key": "a"}

    for path, content in ((f"{SYNTHGEN}/models", body), ("/api/projects", {"name": "Once"})):
        first, again = [await client.post(path, json=content, headers=headers) for _ in range(2)]

        assert (first.status_code, again.status_code) == (201, 201)
        assert first.content == again.content


class TestVersions:
    """They are made of what may have changed, or gone, by the time of the repeat."""

    @pytest.fixture
    def uri(self, tmp_path) -> str:
        (tmp_path / "tables").mkdir()
        (tmp_path / "tables" / "t.csv").write_bytes(a_table(40))
        return f"file://{tmp_path}/tables/t.csv"

    @pytest.fixture
    def fetch(self, client, uri):
        async def call(dataset_id: str, key: str):
            body, headers = {"uri": uri}, {"Idempotency-Key": key}
            return await client.post(f"/api/datasets/{dataset_id}/versions", json=body, headers=headers)

        return call

    @pytest.fixture
    def upload(self, client, project_id):
        async def call(dataset_id: str, key: str, num_rows: int = 40):
            data = {"project_id": project_id, "name": "n", "dataset_id": dataset_id}
            files, headers = {"file": ("t.csv", a_table(num_rows))}, {"Idempotency-Key": key}
            return await client.post("/api/datasets/upload", data=data, files=files, headers=headers)

        return call

    async def test_a_repeat_fetches_nothing(self, given_dataset, fetch, tmp_path):
        dataset_id = (await given_dataset())["dataset_id"]
        first, file = await fetch(dataset_id, "a"), tmp_path / "tables" / "t.csv"

        file.write_bytes(b"garbage;;;")
        changed = await fetch(dataset_id, "a")
        file.unlink()
        gone, anew = await fetch(dataset_id, "a"), await fetch(dataset_id, "b")

        assert first.status_code == 201, first.text
        assert [(again.status_code, again.content) for again in (changed, gone)] == [(201, first.content)] * 2
        assert {again.headers["idempotent-replayed"] for again in (changed, gone)} == {"true"}
        assert (anew.status_code, anew.json()["code"]) == (422, "uri_not_found")

    @on_both_databases
    async def test_a_repeat_is_answered_whatever_became_of_quota_and_dataset(
        self, client, server, given_dataset, fetch, upload
    ):
        dataset_id = (await given_dataset())["dataset_id"]
        first = [await call(dataset_id, "a") for call in (fetch, upload)]
        files = files_of(server)

        server.store._quotas = Quotas(storage_bytes=1)
        over = [await call(dataset_id, "a") for call in (fetch, upload)]
        refused = [await call(dataset_id, "b") for call in (fetch, upload)]
        await client.delete(f"/api/datasets/{dataset_id}")
        deleted = [await call(dataset_id, "a") for call in (fetch, upload)]

        contents = [made.content for made in first]
        assert [made.status_code for made in first] == [201] * 2
        assert [[again.content for again in answers] for answers in (over, deleted)] == [contents] * 2
        assert {again.headers["idempotent-replayed"] for again in (*over, *deleted)} == {"true"}
        assert [answer.json()["code"] for answer in refused] == ["quota_exceeded"] * 2
        assert files_of(server) == files

    async def test_another_file_is_another_request(self, given_dataset, upload):
        dataset_id = (await given_dataset())["dataset_id"]
        await upload(dataset_id, "a")

        other = await upload(dataset_id, "a", num_rows=41)

        assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")


async def test_a_key_is_made_once_and_shown_once(client):
    body, headers = {"name": "nightly", "role": "viewer"}, {"Idempotency-Key": "a"}

    first, again = [await client.post("/api/keys", json=body, headers=headers) for _ in range(2)]

    assert (first.status_code, again.status_code) == (201, 409)
    assert again.json()["code"] == "key_shown_before"
    assert first.json()["id"] in again.json()["detail"]
    assert (await client.get("/api/keys")).json()["total"] == 1


@on_both_databases
async def test_what_a_deleted_project_held_is_made_anew_and_not_answered_again(client, given_dataset, project_id):
    version = (await given_dataset())["dataset_version_id"]
    calls = {
        "/api/projects": {"name": "Once"},
        "/api/keys": {"name": "k", "role": "viewer", "project_ids": [project_id]},
        f"{SYNTHGEN}/models": {"project_id": project_id, "dataset_version_id": version, "name": "m"},
    }
    headers = {"Idempotency-Key": "a"}
    other, _, _ = first = [await client.post(path, json=body, headers=headers) for path, body in calls.items()]
    assert [answer.status_code for answer in first] == [201] * 3

    await client.delete(f"/api/projects/{project_id}", params={"force": True})

    again = [await client.post(path, json=body, headers=headers) for path, body in calls.items()]
    assert (again[0].content, again[0].headers["idempotent-replayed"]) == (other.content, "true")
    assert [answer.status_code for answer in again[1:]] == [404, 404]
    await client.delete(f"/api/projects/{other.json()['id']}")
    anew = await client.post("/api/projects", json=calls["/api/projects"], headers=headers)
    assert (anew.status_code, anew.json()["id"] == other.json()["id"]) == (201, False)
