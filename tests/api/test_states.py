"""What the state of a thing allows, also when two ask at once."""

import asyncio
import contextlib
import re
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from synthgen_ray.domain.access import Principal, Role
from synthgen_ray.domain.entities import Artifact, Assignment
from synthgen_ray.domain.lifecycle import JobStatus
from synthgen_ray.jobs.dispatcher import OnProgress
from synthgen_ray.store import engines
from tests.api.conftest import SYNTHGEN
from tests.databases import on_sqlite
from tests.fakes import ThreadLauncher


@pytest.fixture
def jobs(client):
    async def listed() -> int:
        return (await client.get(f"{SYNTHGEN}/jobs")).json()["total"]

    return listed


class TestGenerate:
    async def test_409_for_a_model_that_failed_and_404_for_one_that_was_deleted(self, client, given_model, jobs):
        failed, deleted = await given_model(), await given_model()
        await client.post(f"{SYNTHGEN}/jobs/{failed['job_id']}/cancel")
        await client.delete(f"{SYNTHGEN}/models/{deleted['id']}")

        answers = [await client.post(f"{SYNTHGEN}/models/{made['id']}/generate", json={}) for made in (failed, deleted)]

        assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
            (409, "model_not_ready"),
            (404, "not_found"),
        ]
        assert await jobs() == 1

    async def test_a_delete_beside_it_leaves_no_job_behind(self, client, given_ready_model, jobs):
        for _ in range(10):
            path = f"{SYNTHGEN}/models/{await given_ready_model()}"

            generated, deleted = await asyncio.gather(client.post(f"{path}/generate", json={}), client.delete(path))

            assert deleted.status_code == 200
            assert generated.status_code in (200, 404)
            assert await jobs() == 0


class TestDownload:
    async def test_409_says_why_there_is_nothing(self, client, server, given_ready_model):
        model_id = await given_ready_model()
        made = [(await client.post(f"{SYNTHGEN}/models/{model_id}/generate", json={})).json() for _ in range(2)]
        running, pending = [job["synthgen_job_id"] for job in made]
        assert (await server.store.claim_next(server.dispatcher._slots)).job.id == UUID(running)

        waits, runs = [await client.get(f"{SYNTHGEN}/jobs/{job}/download") for job in (pending, running)]
        await client.post(f"{SYNTHGEN}/jobs/{running}/cancel")
        cancelled = await client.get(f"{SYNTHGEN}/jobs/{running}/download")

        assert [(answer.status_code, answer.json()["code"]) for answer in (waits, runs, cancelled)] == [
            (409, "not_ready"),
            (409, "not_ready"),
            (409, "cancelled"),
        ]

    async def test_409_for_a_job_that_failed(self, client, server, given_ready_model):
        path = f"{SYNTHGEN}/models/{await given_ready_model()}/generate"
        job = (await client.post(path, json={"conditions": {"age": 1000}})).json()
        await server.run_queue()

        response = await client.get(f"{SYNTHGEN}/jobs/{job['job_id']}/download")

        assert (response.status_code, response.json()["code"]) == (409, "job_failed")

    async def test_410_once_its_time_is_over_and_the_same_seed_gives_the_same_rows(
        self, client, server, given_output, project_id
    ):
        job = await given_output(num_rows=50)
        stored = (await client.get(f"/api/projects/{project_id}/usage")).json()["storage_bytes"]

        await server.store.expire_outputs(datetime.now(UTC))
        await server.dispatcher.tidy()

        path = f"{SYNTHGEN}/jobs/{job['id']}"
        shown, refused = (await client.get(path)).json(), await client.get(f"{path}/download")
        usage = (await client.get(f"/api/projects/{project_id}/usage")).json()
        assert (refused.status_code, refused.json()["code"]) == (410, "artifact_expired")
        assert (shown["status"], shown["output_artifact_id"], shown["result"]) == ("completed", None, None)
        assert usage["storage_bytes"] == stored - job["result"]["size_bytes"]
        assert not server.artifacts.path("jobs", job["id"]).exists()

        seed = int(re.search(r"seed (\d+)", refused.json()["detail"])[1])
        again = {"num_rows": 50, "seed": seed}
        made = (await client.post(f"{SYNTHGEN}/models/{job['model_id']}/generate", json=again)).json()
        await server.run_queue()
        assert (await client.get(f"{SYNTHGEN}/jobs/{made['job_id']}")).json()["result"] == job["result"]

    async def test_one_that_has_begun_is_whole_though_its_model_is_deleted(self, client, server, given_output):
        job = await given_output(num_rows=50)
        path = f"{SYNTHGEN}/jobs/{job['id']}/download"
        anyone = Principal(UUID(int=0), Role.VIEWER, None)
        _, artifact = await server.app.state.service.get_output(anyone, UUID(job["id"]))
        read = await server.app.state.service.read(artifact)
        blocks = read(0, artifact.size_bytes)
        first = next(blocks)

        await client.delete(f"{SYNTHGEN}/models/{job['model_id']}")
        await server.dispatcher.tidy()

        assert len(first + b"".join(blocks)) == job["result"]["size_bytes"]
        assert (await client.get(path)).status_code == 404


class TestDelete:
    @pytest.mark.parametrize("what", ["models", "datasets", "projects", "keys"])
    async def test_of_many_at_once_one_deletes(self, client, given_model, project_id, what):
        model = await given_model()
        shown = (await client.get(f"{SYNTHGEN}/models/{model['id']}")).json()["model"]
        if what != "models":
            await client.delete(f"{SYNTHGEN}/models/{model['id']}")
        key = (await client.post("/api/keys", json={"name": "k", "role": "viewer"})).json()
        path = {
            "models": f"{SYNTHGEN}/models/{model['id']}",
            "datasets": f"/api/datasets/{shown['dataset_id']}",
            "projects": f"/api/projects/{project_id}?force=true",
            "keys": f"/api/keys/{key['id']}",
        }[what]

        answers = await asyncio.gather(*(client.delete(path) for _ in range(100)))

        assert sorted(answer.status_code for answer in answers) == [200] + [404] * 99
        assert (await client.delete(path)).status_code == 404

    async def test_409_for_a_table_that_is_being_learnt(self, client, server, given_model):
        model = await given_model()
        shown = (await client.get(f"{SYNTHGEN}/models/{model['id']}")).json()["model"]
        assert (await server.store.claim_next(server.dispatcher._slots)).job.status is JobStatus.RUNNING

        response = await client.delete(f"/api/datasets/{shown['dataset_id']}")

        assert (response.status_code, response.json()["code"]) == (409, "in_use")
        assert (await client.get(f"/api/datasets/{shown['dataset_id']}/download")).status_code == 200


class FullDisk(ThreadLauncher):
    async def generate(self, assignment: Assignment, report: OnProgress) -> Artifact:
        with self._artifacts.writing(assignment.job.folder, "part"):
            await asyncio.to_thread(Path("/dev/full").write_bytes, b"row")
        raise AssertionError("a device that is always full took a row")


class TestStores:
    @on_sqlite
    async def test_503_for_who_writes_while_the_database_is_locked_and_then_all_is_well(
        self, client, server, project_id, tmp_path, monkeypatch
    ):
        monkeypatch.setattr(engines, "BUSY_TIMEOUT_MS", 50)
        await server.store.dispose()  # connections that are made from here on wait no longer
        with contextlib.closing(sqlite3.connect(tmp_path / "synthgen.db", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")

            locked = [await client.post("/api/projects", json={"name": "Another"}) for _ in range(3)]
            read = await client.get("/api/projects")
            other.execute("ROLLBACK")

        assert (read.status_code, read.json()["total"]) == (200, 1)
        assert {(answer.status_code, answer.json()["code"]) for answer in locked} == {(503, "store_unavailable")}
        assert int(locked[0].headers["retry-after"]) > 0
        assert (await client.post("/api/projects", json={"name": "Another"})).status_code == 201
        assert (await client.get("/api/projects")).json()["total"] == 2

    async def test_a_disk_that_is_full_fails_the_job_by_name(self, client, server, given_ready_model):
        model_id = await given_ready_model()
        accepted = (await client.post(f"{SYNTHGEN}/models/{model_id}/generate", json={"num_rows": 500})).json()

        launcher, server.dispatcher._launcher = server.dispatcher._launcher, FullDisk(server.artifacts)
        await server.run_queue()
        server.dispatcher._launcher = launcher

        job = (await client.get(f"{SYNTHGEN}/jobs/{accepted['job_id']}")).json()
        assert (job["status"], job["error"]["code"], job["error"]["retryable"]) == (
            "failed",
            "insufficient_storage",
            True,
        )
        again = await client.post(f"{SYNTHGEN}/models/{model_id}/generate", json={"num_rows": 500})
        await server.run_queue()
        assert (await client.get(f"{SYNTHGEN}/jobs/{again.json()['job_id']}")).json()["status"] == "completed"
