"""How the server is and what it is at, as its operator asks for it."""

import errno
import shutil
import threading
from pathlib import Path
from typing import NoReturn

import httpx
import pytest

from synthgen_ray.api.checks import Check, Component
from synthgen_ray.domain.errors import Unavailable
from synthgen_ray.domain.keys import key_hash
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.service.service import Service
from synthgen_ray.store.store import Store
from tests.api.conftest import SYNTHGEN, Server, an_app, checks_of
from tests.databases import on_both_databases, on_sqlite

NOWHERE = "postgresql://synthgen:secret@127.0.0.1:1/synthgen"


def counts(status: dict, job_type: str) -> dict[str, int]:
    (figures,) = [each for each in status["queue"] if each["job_type"] == job_type]
    return {name: figures[name] for name in ("pending", "running", "completed", "failed")}


def broken(status: dict) -> dict[str, str]:
    return {check["name"]: check["code"] for check in status["checks"] if not check["ok"]}


async def status_of(server: Server, checks: dict[Component, Check], store: Store | None = None) -> httpx.Response:
    """As a server answers whose checks, or whose store, are others, and that has met the key before."""
    mine = server.app.state.service
    service = Service(store or server.store, server.artifacts, lambda: None, mine._converter, mine._draw)
    app = an_app(service, server.store, checks)
    headers = {"Authorization": f"Bearer {server.key}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        return await client.get("/api/status", headers=headers)


@on_both_databases
async def test_it_tells_what_waits_what_runs_and_what_failed(client, server, given_model):
    await given_model("failed")
    shutil.rmtree(server.artifacts.path("datasets", ""))
    await server.run_queue()
    done = await given_model("done")
    await server.run_queue()
    cancelled = await given_model("cancelled")
    await client.post(f"{SYNTHGEN}/jobs/{cancelled['job_id']}/cancel")
    generation = await client.post(f"{SYNTHGEN}/models/{done['id']}/generate", json={"num_rows": 7})
    await server.store.claim_next(JobType)
    await given_model("waiting")

    response = await client.get("/api/status")

    status = response.json()
    assert response.status_code == 200
    assert status["version"] == server.app.version
    assert broken(status) == {}
    assert status["disk"]["total_bytes"] > status["disk"]["free_bytes"] > 0
    assert [each["job_type"] for each in status["queue"]] == list(JobType)
    assert counts(status, "train") == {"pending": 1, "running": 0, "completed": 1, "failed": 2}
    assert counts(status, "generate") == {"pending": 0, "running": 1, "completed": 0, "failed": 0}
    ages = {each["job_type"]: each["oldest_pending_seconds"] for each in status["queue"]}
    assert ages.pop("train") >= 0
    assert set(ages.values()) == {None}
    (running,) = status["running"]
    assert running["id"] == generation.json()["synthgen_job_id"]
    assert (running["job_type"], running["model_name"], running["project_name"]) == ("generate", "done", "Bank")
    assert (running["attempt"], running["progress"]) == (1, 0)
    (last,) = status["failed"]
    assert last["model_name"] == "failed"
    assert last["error"]["code"] == "artifact_missing"


async def test_the_last_to_fail_comes_first_and_ten_are_shown(client, server, given_model):
    ids = [(await given_model(f"m{number}"))["synthgen_job_id"] for number in range(12)]
    shutil.rmtree(server.artifacts.path("datasets", ""))
    await server.run_queue()

    status = (await client.get("/api/status")).json()

    assert [job["id"] for job in status["failed"]] == ids[:1:-1]
    assert counts(status, "train")["failed"] == 12


@pytest.mark.parametrize("role", ["viewer", "editor", "admin"])
async def test_403_for_all_but_an_admin_of_all_projects(client, project_id, role):
    bound = {"name": "k", "role": role, "project_ids": [project_id]}
    keys = [(await client.post("/api/keys", json=body)).json()["key"] for body in (bound, {"name": "k", "role": role})]

    refused = [await client.get("/api/status", headers={"Authorization": f"Bearer {key}"}) for key in keys]

    codes = [answer.json().get("code") for answer in refused]
    assert codes == (["key_is_bound", None] if role == "admin" else ["missing_role", "missing_role"])
    assert [answer.status_code for answer in refused] == ([403, 200] if role == "admin" else [403, 403])


async def test_artifacts_that_take_no_files_hide_nothing_else(client, server, given_model):
    await given_model()
    scratch = server.artifacts.scratch._folder
    shutil.rmtree(scratch)
    scratch.write_bytes(b"a file where a folder was")

    status = (await client.get("/api/status")).json()

    assert broken(status) == {"artifacts": "artifacts_unavailable"}
    assert counts(status, "train")["pending"] == 1
    assert (await client.get("/readyz")).json()["code"] == "artifacts_unavailable"


async def test_a_disk_that_does_not_answer_is_waited_for_by_one_look_alone(client, server, monkeypatch):
    looks, goes_on = [], threading.Event()

    def hang(path: Path) -> NoReturn:
        looks.append(path)
        goes_on.wait(30)
        raise OSError(errno.ESTALE, "Stale file handle")

    monkeypatch.setattr(shutil, "disk_usage", hang)
    monkeypatch.setattr("synthgen_ray.service.status.PATIENCE_S", 0.1)
    answers = [await client.get("/api/status") for _ in range(3)]
    goes_on.set()
    answers.append(await client.get("/api/status"))

    assert [(answer.status_code, answer.json()["disk"]) for answer in answers] == [(200, None)] * 4
    assert len(looks) <= 2


@on_sqlite
async def test_while_the_store_is_away_the_others_are_told_of(server):
    away = Store(NOWHERE)

    response = await status_of(server, checks_of(away, server.artifacts), away)

    status = response.json()
    assert (response.status_code, broken(status)) == (200, {"store": "store_unavailable"})
    assert [check["ok"] for check in status["checks"]] == [False, True]
    assert (status["queue"], status["running"], status["failed"]) == (None, None, None)
    assert "secret" not in response.text
    assert "127.0.0.1" not in response.text


async def test_no_key_and_no_value_of_a_table_is_in_it(client, server, given_model):
    key = (await client.post("/api/keys", json={"name": "hidden", "role": "viewer"})).json()["key"]
    await given_model()
    await server.store.claim_next(JobType)

    text = (await client.get("/api/status")).text

    folder = str(server.artifacts.path("", ""))
    for secret in (key, key_hash(key), server.key, key_hash(server.key), "AC-000", "<=50K", folder):
        assert secret not in text


async def test_readyz_tells_the_first_that_does_not_work(server):
    async def away() -> None:
        raise Unavailable("The dispatcher does not answer.", "dispatcher_unavailable")

    answers = []
    for checks in (server.checks, {**server.checks, Component.DISPATCHER: away}):
        app = an_app(server.app.state.service, server.store, checks)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as anybody:
            answers.append(await anybody.get("/readyz"))

    assert [(answer.status_code, answer.json().get("code")) for answer in answers] == [
        (200, None),
        (503, "dispatcher_unavailable"),
    ]


async def test_its_version_is_that_of_the_installed_package(server, tmp_path, monkeypatch):
    installed = tmp_path / "installed" / "synthgen_ray-9.9.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: synthgen-ray\nVersion: 9.9\n")
    monkeypatch.syspath_prepend(installed.parent)

    assert an_app(server.app.state.service, server.store, server.checks).version == "9.9"
