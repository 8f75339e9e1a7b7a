"""`/api/projects`: change, delete, usage and quotas."""

import pytest

from synthgen_ray.domain.quotas import Quotas
from tests.api.conftest import SYNTHGEN


async def test_a_project_is_shown_and_changed(client, project_id):
    changed = await client.patch(f"/api/projects/{project_id}", json={"description": "Cards"})

    assert changed.json() == (await client.get(f"/api/projects/{project_id}")).json()
    assert (changed.json()["name"], changed.json()["description"]) == ("Bank", "Cards")


@pytest.mark.parametrize("body", [{"name": ""}, {"id": "02493dd3-4830-4596-bb2c-a682b412f3a3"}, {"name": 1}])
async def test_422_for_a_change_that_is_none(client, project_id, body):
    assert (await client.patch(f"/api/projects/{project_id}", json=body)).status_code == 422


@pytest.mark.parametrize(
    "name", ["\u200b", "\xa0", "\u2003\u3000", "a\u202eb", "x\u2028y", "a\x9bb", "\ufeffa", "a\u2066b"]
)
async def test_422_for_a_name_that_hides_or_steers(client, project_id, name):
    made = await client.post("/api/projects", json={"name": name})
    key = await client.post("/api/keys", json={"name": name, "role": "viewer"})
    renamed = await client.patch(f"/api/projects/{project_id}", json={"name": name})

    assert [(one.status_code, one.json()["code"]) for one in (made, key, renamed)] == [(422, "invalid_value")] * 3


@pytest.mark.parametrize("name", ["👩\u200d💻", "می\u200cخواهم", "a\xa0b", "ﷺ"])
async def test_a_name_of_any_script_is_taken(client, name):
    assert (await client.post("/api/projects", json={"name": name})).json()["name"] == name


async def test_one_that_holds_something_is_deleted_by_force_alone(client, project_id, given_output, server):
    job = await given_output(num_rows=5)

    refused = await client.delete(f"/api/projects/{project_id}")
    deleted = await client.delete(f"/api/projects/{project_id}", params={"force": "true"})

    assert (refused.status_code, refused.json()["code"]) == (409, "project_not_empty")
    assert deleted.json() == {"ok": True, "project_id": project_id}
    for path in (f"/api/projects/{project_id}", f"{SYNTHGEN}/jobs/{job['id']}", f"{SYNTHGEN}/models/{job['model_id']}"):
        assert (await client.get(path)).status_code == 404
    await server.dispatcher.tidy()
    left = [file.name for file in server.artifacts.path("", "").rglob("*") if file.is_file()]
    assert left == ["owner"]  # of the whole folder


async def test_an_empty_one_is_deleted(client, project_id):
    assert (await client.delete(f"/api/projects/{project_id}")).status_code == 200
    assert (await client.delete(f"/api/projects/{project_id}")).status_code == 404


async def test_usage_says_what_was_made_and_is_held(client, project_id, given_output):
    job = await given_output(num_rows=50)

    before = (await client.get(f"/api/projects/{project_id}/usage")).json()
    await client.delete(f"{SYNTHGEN}/models/{job['model_id']}")
    after = (await client.get(f"/api/projects/{project_id}/usage")).json()

    assert before["generated_rows"] == after["generated_rows"] == 50
    assert before["training_seconds"] == after["training_seconds"] > 0
    assert before["storage_bytes"] > after["storage_bytes"] > 0  # the table stays
    assert before["pending_jobs"] == 0
    assert before["quotas"]["pending_jobs"] == 100


@pytest.mark.parametrize(
    ("quotas", "code"),
    [
        (Quotas(pending_jobs=1), "queue_full"),
        (Quotas(generated_rows=10), "quota_exceeded"),
        (Quotas(generated_rows=20), "quota_exceeded"),  # what waits counts
        (Quotas(storage_bytes=1), "quota_exceeded"),
    ],
    ids=str,
)
async def test_429_for_a_generation_over_a_quota(client, server, given_ready_model, quotas, code):
    model_id = await given_ready_model()
    server.store._quotas = quotas

    made = [await client.post(f"{SYNTHGEN}/models/{model_id}/generate", json={"num_rows": 11}) for _ in range(2)]

    assert (made[-1].status_code, made[-1].json()["code"]) == (429, code)
    assert int(made[-1].headers["retry-after"]) > 0


async def test_generations_that_wait_together_store_no_more_than_one_after_the_other(
    client, server, given_ready_model, project_id
):
    generate = f"{SYNTHGEN}/models/{await given_ready_model()}/generate"
    used = (await client.get(f"/api/projects/{project_id}/usage")).json()["storage_bytes"]
    server.store._quotas = Quotas(storage_bytes=used + 7000)  # room for one of the files
    for _ in range(3):
        (await client.post(generate, json={"num_rows": 100})).raise_for_status()

    await server.run_queue()

    usage = (await client.get(f"/api/projects/{project_id}/usage")).json()
    jobs = (await client.get(f"{SYNTHGEN}/jobs")).json()["items"][:3]
    failed = [job for job in jobs if job["status"] == "failed"]
    assert used < usage["storage_bytes"] <= used + 7000
    assert (len(failed), usage["generated_rows"]) == (2, 100)
    assert (await client.get(f"{SYNTHGEN}/jobs/{failed[0]['id']}")).json()["error"]["code"] == "quota_exceeded"


@pytest.mark.parametrize(
    ("quotas", "status"), [(Quotas(pending_jobs=0), 429), (Quotas(queue_length=0), 503)], ids=["project", "server"]
)
async def test_a_training_or_generation_finds_the_queue_full(
    client, server, given_ready_model, given_dataset, project_id, quotas, status
):
    generate, dataset = f"{SYNTHGEN}/models/{await given_ready_model()}/generate", await given_dataset()
    order = {"project_id": project_id, "dataset_version_id": dataset["dataset_version_id"], "name": "m"}
    server.store._quotas = quotas

    for path, body in ((f"{SYNTHGEN}/models", order), (generate, {})):
        full = await client.post(path, json=body)

        assert (full.status_code, full.json()["code"]) == (status, "queue_full")
        assert int(full.headers["retry-after"]) > 0
    assert (await client.get(f"{SYNTHGEN}/jobs")).json()["total"] == 1


async def test_429_for_an_upload_or_a_training_over_a_quota(client, server, given_dataset, project_id):
    dataset = await given_dataset()
    server.store._quotas = Quotas(storage_bytes=1)
    upload = {"project_id": project_id, "name": "more"}

    uploaded = await client.post("/api/datasets/upload", data=upload, files={"file": ("t.csv", b"a,b\n1,2\n")})
    server.store._quotas = Quotas(training_seconds=0.0)
    model = {"project_id": project_id, "dataset_version_id": dataset["dataset_version_id"], "name": "m"}
    trained = await client.post(f"{SYNTHGEN}/models", json=model)

    assert [uploaded.status_code, trained.status_code] == [429, 429]


async def test_limits_are_those_that_hold(client):
    limits = (await client.get("/api/limits")).json()

    too_long = await client.post(
        "/api/projects", json={"name": "n", "description": "x" * limits["request"]["json_bytes"]}
    )
    too_many = await client.get("/api/projects", params={"limit": 1}, headers={f"X-{n}": "" for n in range(101)})

    assert (too_long.status_code, too_many.status_code) == (413, 431)
    assert limits["rate"]["requests_per_second"] is None
    assert limits["upload"]["max_columns"] == 1000
    assert limits["generate"]["max_rows"] == 10_000_000
