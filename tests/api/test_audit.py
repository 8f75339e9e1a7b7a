"""The audit trail of what clients do."""

from tests.api.conftest import SYNTHGEN


async def trail(client, **query: object) -> list[dict]:
    """Oldest first."""
    page = (await client.get("/api/audit", params={"limit": 500, **query})).json()
    return page["items"][::-1]


async def test_each_thing_that_is_done_is_an_event(client, server, project_id, given_dataset, tmp_path):
    dataset = await given_dataset()
    path = f"/api/datasets/{dataset['dataset_id']}"
    await client.patch(f"{path}/versions/0/schema", json={"columns": {"age": {"kind": "float"}}})
    order = {"project_id": project_id, "dataset_version_id": dataset["dataset_version_id"], "name": "m"}
    model = (await client.post(f"{SYNTHGEN}/models", json={**order, "model_type": "gaussian_copula"})).json()
    await server.run_queue()
    job = (await client.post(f"{SYNTHGEN}/models/{model['id']}/generate", json={"num_rows": 5})).json()
    await server.run_queue()
    waiting = (await client.post(f"{SYNTHGEN}/models/{model['id']}/generate")).json()
    await client.post(f"{SYNTHGEN}/jobs/{waiting['job_id']}/cancel")
    await client.post(f"{SYNTHGEN}/models/{model['id']}/sample")
    await client.get(f"{SYNTHGEN}/jobs/{job['job_id']}/download")
    await client.get(f"{path}/download")
    exported = await client.get(f"{SYNTHGEN}/models/{model['id']}/export")
    form = {"project_id": project_id, "name": "moved"}
    await client.post(f"{SYNTHGEN}/models/import", data=form, files={"file": ("m.synthgen", exported.content)})
    key = (await client.post("/api/keys", json={"name": "k", "role": "viewer"})).json()
    await client.delete(f"/api/keys/{key['id']}")
    await client.patch(f"/api/projects/{project_id}", json={"name": "Kiel"})
    await client.delete(f"{SYNTHGEN}/models/{model['id']}")
    await client.delete(path)
    await client.delete(f"/api/projects/{project_id}?force=true")

    events = await trail(client)

    assert [event["action"] for event in events] == [
        "project.create",
        "dataset.upload",
        "dataset.correct",
        "model.create",
        "job.create",
        "job.create",
        "job.cancel",
        "model.sample",
        "job.download",
        "dataset.download",
        "model.export",
        "model.import",
        "key.create",
        "key.delete",
        "project.change",
        "model.delete",
        "dataset.delete",
        "project.delete",
    ]
    assert {event["project_id"] for event in events} == {project_id, None}
    assert {event["object_id"] for event in events} >= {project_id, dataset["dataset_id"], model["id"], key["id"]}
    assert len({event["key_id"] for event in events}) == 1


async def test_an_event_names_the_request_and_the_client(client):
    headers = {"X-Request-ID": "mine-42"}
    await client.post("/api/projects", json={"name": "Bank"}, headers=headers)

    (event,) = await trail(client)

    assert (event["request_id"], event["address"]) == ("mine-42", "127.0.0.1")


async def test_what_is_only_looked_at_is_no_event(client, given_output):
    job = await given_output(num_rows=5)
    before = await trail(client)

    await client.head(f"{SYNTHGEN}/jobs/{job['id']}/download")
    for path in ("/api/projects", "/api/audit", f"{SYNTHGEN}/jobs/{job['id']}", "/api/keys"):
        assert (await client.get(path)).status_code == 200

    assert await trail(client) == before


async def test_a_part_of_a_file_is_an_event_too(client, given_output):
    job = await given_output(num_rows=5)

    await client.get(f"{SYNTHGEN}/jobs/{job['id']}/download", headers={"Range": "bytes=1-"})

    assert (await trail(client))[-1]["action"] == "job.download"


async def test_admins_alone_see_it_and_bound_ones_a_part(client, project_id):
    await client.post("/api/projects", json={"name": "Another"})
    keys = {}
    for name, role, projects in (("e", "editor", None), ("a", "admin", [project_id])):
        made = await client.post("/api/keys", json={"name": name, "role": role, "project_ids": projects})
        keys[name] = {"Authorization": f"Bearer {made.json()['key']}"}

    refused = await client.get("/api/audit", headers=keys["e"])
    part = (await client.get("/api/audit", headers=keys["a"])).json()["items"]

    assert (refused.status_code, refused.json()["code"]) == (403, "missing_role")
    assert [event["action"] for event in part] == ["key.create", "project.create"]
