"""The audit trail of what clients do."""

from tests.api.conftest import SYNTHGEN


async def trail(client, headers: dict[str, str] | None = None) -> list[dict]:
    """Oldest first."""
    page = (await client.get("/api/audit", params={"limit": 500}, headers=headers)).json()
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


async def test_a_download_that_hands_out_no_byte_is_no_event(client, given_output):
    job = await given_output(num_rows=5)
    paths = (f"{SYNTHGEN}/jobs/{job['id']}/download", f"{SYNTHGEN}/models/{job['model_id']}/export")
    etags = [(await client.head(path)).headers["etag"] for path in paths]
    before = await trail(client)

    for path, etag in zip(paths, etags, strict=True):
        answers = [
            await client.get(path, headers={name: value})
            for name, value in (("If-None-Match", etag), ("If-Match", '"another"'), ("Range", "bytes=99999999-"))
        ]
        assert [answer.status_code for answer in answers] == [304, 412, 416]

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


async def test_the_end_of_a_key_is_an_event_of_its_project_as_its_beginning_is(client, project_id):
    bound = {"project_ids": [project_id]}
    watching, gone = [
        (await client.post("/api/keys", json={"name": role, "role": role, **bound})).json()
        for role in ("admin", "viewer")
    ]

    await client.delete(f"/api/keys/{gone['id']}")

    events = await trail(client, headers={"Authorization": f"Bearer {watching['key']}"})
    of_it = [event for event in events if event["object_id"] == gone["id"]]
    assert [(event["action"], event["key_id"]) for event in of_it] == [("key.create", None), ("key.delete", None)]


async def test_a_bound_admin_learns_nothing_of_others_from_it(client, server, project_id):
    """Neither how much they do nor who and where they are."""
    made = {}
    for name, body in (
        ("own", {"role": "admin", "project_ids": [project_id]}),
        ("gone", {"role": "editor", "project_ids": [project_id]}),
        ("wide", {"role": "editor"}),
    ):
        made[name] = (await client.post("/api/keys", json={"name": name, **body})).json()
    bearer = {name: {"Authorization": f"Bearer {key['key']}"} for name, key in made.items()}
    for name in ("own", "gone", "wide"):
        for _ in range(2 if name == "wide" else 1):
            await client.post("/api/projects", json={"name": "Another"})
        form = {"project_id": project_id, "name": name}
        files = {"file": ("t.csv", b"a,b\n1,2\n3,4\n")}
        sent = await client.post("/api/datasets/upload", data=form, files=files, headers=bearer[name])
        assert sent.status_code == 201, sent.text
    await client.delete(f"/api/keys/{made['gone']['id']}")

    part = (await client.get("/api/audit", headers=bearer["own"])).json()["items"]
    whole = (await client.get("/api/audit")).json()["items"]

    uploads = [(event["key_id"], event["address"]) for event in part if event["action"] == "dataset.upload"]
    known = [(made[name]["id"], "127.0.0.1") for name in ("gone", "own")]
    assert uploads == [(None, None), *known]
    assert {(event["number"], event["previous"], event["hash"]) for event in part} == {(None, None, None)}
    operators = [event for event in part if event["action"] in ("key.create", "project.create")]
    assert {(event["key_id"], event["address"]) for event in operators} == {(None, None)}
    assert not [event for event in whole if None in (event["number"], event["hash"], event["key_id"], event["address"])]
