"""Nobody sees another project's things: each route with own ids, foreign ones and nobody's, by each role."""

from dataclasses import dataclass, field
from itertools import product
from typing import Any
from uuid import uuid4

import httpx
import pytest

from synthgen_ray.api import console, swagger
from synthgen_ray.domain.access import Role
from tests.api.conftest import SYNTHGEN, a_table, routes_of
from tests.databases import on_both_databases

PROJECT, DATASET, MODEL, JOB = "/api/projects/{project_id}", "/api/datasets/{dataset_id}", "/models/{model_id}", "/jobs"
FILE = {"file": ("t.csv", a_table(30))}


@dataclass(frozen=True)
class Call:
    """A route: what a key must be for it, and what is sent; ids stand in braces."""

    role: Role
    json: Any = None
    data: dict[str, str] | None = None
    files: Any = None
    ok: set[int] = field(default_factory=lambda: {200, 201})


VIEWER, EDITOR, ADMIN = Role
CALLS = {
    ("GET", "/api/projects"): Call(VIEWER),
    ("POST", "/api/projects"): Call(ADMIN, json={"name": "New"}, ok={403}),  # not with a bound key
    ("GET", PROJECT): Call(VIEWER),
    ("PATCH", PROJECT): Call(ADMIN, json={"name": "Renamed"}),
    ("DELETE", PROJECT): Call(ADMIN, ok={409}),
    ("GET", f"{PROJECT}/usage"): Call(VIEWER),
    ("GET", "/api/keys"): Call(ADMIN),
    ("POST", "/api/keys"): Call(ADMIN, json={"name": "k", "role": "viewer", "project_ids": ["{project_id}"]}),
    ("DELETE", "/api/keys/{key_id}"): Call(ADMIN),
    ("GET", "/api/limits"): Call(VIEWER),
    ("GET", "/api/audit"): Call(ADMIN),
    ("GET", "/api/status"): Call(ADMIN, ok={403}),  # not with a bound key
    ("POST", "/api/datasets/upload"): Call(EDITOR, data={"project_id": "{project_id}", "name": "d"}, files=FILE),
    ("GET", "/api/datasets"): Call(VIEWER),
    ("GET", DATASET): Call(VIEWER),
    ("DELETE", DATASET): Call(EDITOR, ok={409}),
    ("GET", f"{DATASET}/versions"): Call(VIEWER),
    ("POST", f"{DATASET}/versions"): Call(EDITOR, json={"uri": "s3://elsewhere/t.csv"}, ok={422}),
    ("GET", f"{DATASET}/versions/{{version}}"): Call(VIEWER),
    ("PATCH", f"{DATASET}/versions/{{version}}/schema"): Call(EDITOR, json={}, ok={409}),
    ("GET", f"{DATASET}/columns"): Call(VIEWER),
    ("GET", f"{DATASET}/download"): Call(VIEWER),
    ("GET", f"{SYNTHGEN}/model-types"): Call(VIEWER),
    ("GET", f"{SYNTHGEN}/models"): Call(VIEWER),
    ("POST", f"{SYNTHGEN}/models"): Call(
        EDITOR,
        json={
            "project_id": "{project_id}",
            "dataset_version_id": "{dataset_version_id}",
            "name": "m",
            "model_type": "gaussian_copula",
        },
    ),
    ("POST", f"{SYNTHGEN}/models/import"): Call(
        EDITOR, data={"project_id": "{project_id}", "name": "m"}, files=FILE, ok={422}
    ),
    ("GET", f"{SYNTHGEN}{MODEL}"): Call(VIEWER),
    ("POST", f"{SYNTHGEN}{MODEL}/generate"): Call(EDITOR, json={"num_rows": 5}),
    ("POST", f"{SYNTHGEN}{MODEL}/impute"): Call(EDITOR, json={"dataset_version_id": "{dataset_version_id}"}),
    ("POST", f"{SYNTHGEN}{MODEL}/sample"): Call(EDITOR, json={"num_rows": 5}),
    ("GET", f"{SYNTHGEN}{MODEL}/export"): Call(VIEWER),
    ("DELETE", f"{SYNTHGEN}{MODEL}"): Call(EDITOR),
    ("GET", f"{SYNTHGEN}{JOB}"): Call(VIEWER),
    ("GET", f"{SYNTHGEN}{JOB}/{{job_id}}"): Call(VIEWER),
    ("GET", f"{SYNTHGEN}{JOB}/{{job_id}}/download"): Call(VIEWER),
    ("GET", f"{SYNTHGEN}{JOB}/{{job_id}}/events"): Call(VIEWER),
    ("POST", f"{SYNTHGEN}{JOB}/{{job_id}}/cancel"): Call(EDITOR, ok={409}),
    ("GET", "/api/reports"): Call(VIEWER),
    ("POST", "/api/reports"): Call(
        EDITOR, json={"project_id": "{project_id}", "kind": "synthgen", "entity_id": "{model_id}"}
    ),
    ("GET", "/api/reports/{report_id}"): Call(VIEWER),
    ("GET", "/api/reports/{report_id}/download"): Call(VIEWER),
}
CALLS |= {("HEAD", path): call for (method, path), call in CALLS.items() if path.endswith(("/download", "/export"))}
OPEN = {"/healthz", "/readyz", *swagger.PATHS, *console.PATHS}  # in none of which is anything of anybody
LISTS = ("/api/projects", "/api/datasets", f"{SYNTHGEN}/models", f"{SYNTHGEN}/jobs", "/api/reports")
# What deletes comes last: the others need what it takes away.
IN_ORDER = sorted(CALLS, key=lambda route: route[0] == "DELETE")


@dataclass
class World:
    """Two projects, each with a dataset, a ready model, a completed generation and a key; and keys for the first."""

    client: httpx.AsyncClient
    own: dict[str, str]
    foreign: dict[str, str]
    keys: dict[Role, str]

    async def call(self, method: str, path: str, ids: dict[str, str], role: Role) -> httpx.Response:
        call = CALLS[method, path]
        return await self.client.request(
            method,
            _filled(path, ids),
            json=_filled(call.json, ids),
            data=_filled(call.data, ids),
            files=call.files,
            headers={"Authorization": f"Bearer {self.keys[role]}"},
        )


@pytest.fixture
async def world(client, server) -> World:
    own, foreign = [await _a_project(client, server, name) for name in ("Own", "Foreign")]
    keys = {role: (await _a_key(client, own["project_id"], role))["key"] for role in Role}
    return World(client, own, foreign, keys)


async def test_each_route_is_in_the_table(server):
    closed = {(method, path) for method, path in routes_of(server.app) if path not in OPEN}

    assert closed == set(CALLS)


@on_both_databases
async def test_foreign_ids_are_answered_like_such_as_are_nobodys(world):
    absent = {name: str(uuid4()) for name in world.own} | {"version": "0"}

    for (method, path), role in product(CALLS, Role):
        of_foreign = await world.call(method, path, world.foreign, role)
        of_none = await world.call(method, path, absent, role)

        assert _comparable(of_foreign) == _comparable(of_none), (method, path, role)
        if "_id}" in f"{path} {CALLS[method, path].data} {CALLS[method, path].json}":
            assert of_foreign.status_code in (403, 404), (method, path, role)


async def test_a_key_of_a_lesser_role_is_refused(world):
    """By `missing_role`: keys have one of three roles and no list of scopes, and who may read may download."""
    for (method, path), call in CALLS.items():
        for role in list(Role)[: list(Role).index(call.role)]:
            refused = await world.call(method, path, world.own, role)

            assert (refused.status_code, refused.json()["code"]) == (403, "missing_role"), (method, path, role)


@on_both_databases
async def test_a_key_of_the_role_is_not_refused(world):
    for method, path in IN_ORDER:
        call = CALLS[method, path]

        allowed = await world.call(method, path, world.own, call.role)

        assert allowed.status_code in call.ok, (method, path, allowed.text)


@pytest.mark.parametrize("path", LISTS)
async def test_lists_show_own_things_alone_also_when_a_foreign_project_is_asked_for(world, path):
    headers = {"Authorization": f"Bearer {world.keys[Role.VIEWER]}"}

    listed = (await world.client.get(path, headers=headers)).json()

    foreign = set(world.foreign.values())
    assert listed["total"] == len(listed["items"]) > 0
    assert not foreign & {value for item in listed["items"] for value in item.values() if isinstance(value, str)}
    if path != "/api/projects":
        asked = await world.client.get(path, headers=headers, params={"project_id": world.foreign["project_id"]})
        assert (asked.json()["items"], asked.json()["total"]) == ([], 0)


async def test_a_dataset_of_another_project_cannot_be_learnt(world):
    versions = (world.foreign["dataset_version_id"], str(uuid4()))

    foreign, absent = [
        await world.call("POST", f"{SYNTHGEN}/models", world.own | {"dataset_version_id": version}, Role.ADMIN)
        for version in versions
    ]

    assert (foreign.status_code, foreign.json()["code"]) == (404, "not_found")
    assert _comparable(foreign) == _comparable(absent)


@pytest.mark.parametrize(("path", "of_model"), [(f"{SYNTHGEN}/jobs", "model_id"), ("/api/reports", "entity_id")])
async def test_the_jobs_and_reports_of_another_projects_model_are_none(world, path, of_model):
    headers = {"Authorization": f"Bearer {world.keys[Role.VIEWER]}"}

    for project in (None, world.own["project_id"], world.foreign["project_id"]):
        params = {of_model: world.foreign["model_id"]} | ({"project_id": project} if project else {})
        page = (await world.client.get(path, params=params, headers=headers)).json()

        assert (page["items"], page["total"]) == ([], 0)


async def test_of_two_own_projects_the_dataset_must_be_of_the_one_named(world):
    mixed = world.own | {"dataset_version_id": world.foreign["dataset_version_id"]}
    both = await _a_key(world.client, world.own["project_id"], Role.EDITOR, world.foreign["project_id"])
    world.keys[Role.EDITOR] = both["key"]

    response = await world.call("POST", f"{SYNTHGEN}/models", mixed, Role.EDITOR)

    assert (response.status_code, response.json()["code"]) == (422, "project_mismatch")


async def test_a_deleted_projects_key_sees_nothing_and_not_everything_while_it_is_remembered(world):
    path, headers = f"/api/projects/{world.own['project_id']}", {"Authorization": f"Bearer {world.keys[Role.ADMIN]}"}
    assert (await world.client.get(path, headers=headers)).status_code == 200
    await world.client.delete(path, params={"force": True})

    shown = await world.client.get(path, headers=headers)

    assert (shown.status_code, shown.json()["code"]) == (404, "not_found")
    for address in (*LISTS, "/api/keys"):
        assert (await world.client.get(address, headers=headers)).json()["total"] == 0, address
    assert world.foreign["project_id"] not in (await world.client.get("/api/audit", headers=headers)).text


async def test_no_query_of_a_caller_goes_without_a_principal(server):
    import inspect
    from dataclasses import fields

    from synthgen_ray.domain.entities import DrawRequest
    from synthgen_ray.store.erasures import Erasures
    from synthgen_ray.store.figures import Figures
    from synthgen_ray.store.queue import Queue
    from synthgen_ray.store.retention import Retentions
    from synthgen_ray.store.timekeeping import Timekeeping

    ours = {"migrate", "ping", "dispose", "set_admin_key", "find_admission", "forget_old_calls"}
    ours |= {"renew_batch", "complete_batch"}  # of who holds the job, as those of the dispatcher are
    kinds = (Queue, Figures, Erasures, Retentions, Timekeeping)
    ours |= {name for kind in kinds for name in vars(kind) if name != "cancel"}
    together = {"admit_draws": DrawRequest, "give_back": DrawRequest}  # calls of many, each with its own
    for name, method in inspect.getmembers(type(server.store), inspect.isfunction):
        if not name.startswith("_") and name not in ours:
            first = (
                fields(together[name])[0].name if name in together else list(inspect.signature(method).parameters)[1]
            )
            assert first == "principal", name


async def _a_project(client, server, name: str) -> dict[str, str]:
    project_id = (await client.post("/api/projects", json={"name": name})).json()["id"]
    upload = await client.post("/api/datasets/upload", data={"project_id": project_id, "name": "d"}, files=FILE)
    dataset = upload.json()
    ids = {key: dataset[key] for key in ("dataset_id", "dataset_version_id")} | {"project_id": project_id}
    model = await client.post(
        f"{SYNTHGEN}/models", json=_filled(CALLS["POST", f"{SYNTHGEN}/models"].json, ids) | {"name": name}
    )
    await server.run_queue()
    ids["model_id"] = model.json()["id"]
    job = await client.post(f"{SYNTHGEN}/models/{ids['model_id']}/generate", json={"num_rows": 5})
    order = CALLS["POST", "/api/reports"].json | {"options": {"num_rows": 30}}
    report = await client.post("/api/reports", json=_filled(order, ids))
    await server.run_queue()
    key = await _a_key(client, project_id, Role.VIEWER)
    made = {"job_id": job.json()["synthgen_job_id"], "report_id": report.json()["id"], "key_id": key["id"]}
    return ids | made | {"version": "0"}


async def _a_key(client, project_id: str, role: Role, *more: str) -> dict[str, Any]:
    body = {"name": f"{role} key", "role": role, "project_ids": [project_id, *more]}
    response = await client.post("/api/keys", json=body)
    assert response.status_code == 201, response.text
    return response.json()


def _filled(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, str):
        return value.format_map(ids)
    if isinstance(value, list):
        return [_filled(item, ids) for item in value]
    return {key: _filled(item, ids) for key, item in value.items()} if isinstance(value, dict) else value


def _comparable(response: httpx.Response) -> tuple[int, Any, dict[str, str]]:
    """All that a caller sees but what differs between any two requests."""
    is_json = response.request.method != "HEAD" and "json" in response.headers.get("content-type", "")
    body = response.json() if is_json else {"content": response.content}
    if response.status_code < 300:  # a list, or what the call made: own things, whatever the ids
        return response.status_code, None, {}
    body.pop("request_id", None)
    headers = {
        name: value for name, value in response.headers.items() if name not in ("x-request-id", "content-length")
    }
    return response.status_code, body, headers
