"""`/jobs/{id}/cancel` and `/jobs/{id}/events`."""

import asyncio
import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from synthgen_ray.api import auth
from synthgen_ray.api.app import create_app
from synthgen_ray.api.rate_limits import RateLimits
from tests.api.conftest import SYNTHGEN


@pytest.fixture
def cancel(client):
    async def call(job_id: str):
        return await client.post(f"{SYNTHGEN}/jobs/{job_id}/cancel")

    return call


class TestCancel:
    async def test_a_waiting_job_never_runs(self, client, server, given_ready_model, cancel):
        model_id = await given_ready_model()
        job = (await client.post(f"{SYNTHGEN}/models/{model_id}/generate", json={})).json()

        cancelled = await cancel(job["job_id"])
        await server.run_queue()

        assert cancelled.status_code == 200
        shown = (await client.get(f"{SYNTHGEN}/jobs/{job['synthgen_job_id']}")).json()
        assert (shown["status"], shown["cancelled"], shown["error"]["code"]) == ("failed", True, "cancelled")
        assert shown["result"] is None
        download = await client.get(f"{SYNTHGEN}/jobs/{job['job_id']}/download")
        assert (download.status_code, download.json()["code"]) == (409, "cancelled")

    async def test_a_training_fails_with_its_model(self, client, given_model, cancel):
        model = await given_model()

        await cancel(model["job_id"])

        assert (await client.get(f"{SYNTHGEN}/models/{model['id']}")).json()["model"]["status"] == "failed"

    async def test_a_running_job_publishes_nothing_and_ends(self, client, server, given_ready_model, cancel):
        model_id = await given_ready_model()
        body = {"num_rows": 2_000_000}
        job = (await client.post(f"{SYNTHGEN}/models/{model_id}/generate", json=body)).json()
        await server.dispatcher.tick()
        (task,) = server.dispatcher.tasks

        cancelled = await cancel(job["job_id"])
        await server.dispatcher.heartbeat()
        await asyncio.wait({task})

        assert cancelled.json()["cancelled"]
        assert (await client.get(f"{SYNTHGEN}/jobs/{job['job_id']}")).json()["result"] is None

    async def test_twice_is_once_and_what_has_ended_cannot_be(self, client, given_output, given_ready_model, cancel):
        job = await given_output(num_rows=5)
        waiting = (await client.post(f"{SYNTHGEN}/models/{job['model_id']}/generate", json={})).json()

        answers = [await cancel(waiting["job_id"]), await cancel(waiting["job_id"]), await cancel(job["id"])]

        assert [answer.status_code for answer in answers] == [200, 200, 409]
        assert answers[-1].json()["code"] == "already_finished"

    async def test_of_a_cancel_and_a_finish_one_wins(self, server, given_ready_model, client, cancel):
        model_id = await given_ready_model()
        for _ in range(10):
            job = (await client.post(f"{SYNTHGEN}/models/{model_id}/generate", json={"num_rows": 5})).json()
            await server.dispatcher.tick()
            tasks = server.dispatcher.tasks

            answer, *_ = await asyncio.gather(cancel(job["job_id"]), *tasks)

            shown = (await client.get(f"{SYNTHGEN}/jobs/{job['job_id']}")).json()
            assert (answer.status_code == 200) == (shown["status"] == "failed") == shown["cancelled"]
            assert (answer.status_code == 409) == (shown["result"] is not None)


class TestEvents:
    async def test_a_job_is_told_until_it_has_ended(self, client, server, given_ready_model, working):
        model_id = await given_ready_model()
        job = (await client.post(f"{SYNTHGEN}/models/{model_id}/generate", json={"num_rows": 5})).json()

        async with client.stream("GET", f"{SYNTHGEN}/jobs/{job['job_id']}/events") as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            assert stream.headers["x-accel-buffering"] == "no"  # nginx would hand on nothing for minutes
            lines = [line async for line in stream.aiter_lines()]

        told = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
        assert told[-1]["status"] == "completed"
        assert told[-1] == (await client.get(f"{SYNTHGEN}/jobs/{job['job_id']}")).json()
        assert [line for line in lines if line.startswith("event: ")] == ["event: job"] * len(told)

    async def test_of_one_that_has_ended_once(self, client, given_output):
        job = await given_output(num_rows=5)

        response = await client.get(f"{SYNTHGEN}/jobs/{job['id']}/events")

        assert response.text.count("event: job") == 1

    async def test_of_none_is_a_404(self, client):
        response = await client.get(f"{SYNTHGEN}/jobs/6f9619ff-8b86-4d01-b42d-00cf4fc964ff/events")

        assert (response.status_code, response.json()["code"]) == (404, "not_found")

    @pytest.mark.parametrize("end", ["revoked", "expired", "deleted"])
    async def test_the_stream_ends_when_there_is_nothing_to_tell_any_more(
        self, client, server, given_model, monkeypatch, caplog, end
    ):
        """The job waits in the queue all the time, for nobody works on it."""
        now, job = [1000.0], await given_model()
        monkeypatch.setattr(auth, "monotonic", lambda: now[0])
        expiry = {"expires_at": (datetime.now(UTC) + timedelta(hours=1)).isoformat()}
        key = (await client.post("/api/keys", json={"name": "k", "role": "viewer", **expiry})).json()
        headers, told = {"Authorization": f"Bearer {key['key']}"}, []

        async def send(message):
            told.append(message)

        watching = asyncio.create_task(
            server.app(a_get(f"{SYNTHGEN}/jobs/{job['job_id']}/events", headers), stay, send)
        )
        while not any(message.get("body") for message in told):
            await asyncio.sleep(0.01)
        if end == "revoked":
            await client.delete(f"/api/keys/{key['id']}")
            now[0] += 5
        elif end == "expired":
            monkeypatch.setattr(auth, "datetime", TwoHoursLater)
        else:
            await client.delete(f"{SYNTHGEN}/models/{job['id']}")

        await asyncio.wait_for(watching, 60)
        assert told[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
        assert b"".join(message.get("body", b"") for message in told).count(b"event: job") == 1
        assert not caplog.records

    async def test_a_key_watches_ten_at_a_time(self, client, server, given_model):
        job = await given_model()
        app = create_app(server.app.state.service, server.store.find_admission, server.checks)
        path, began = f"{SYNTHGEN}/jobs/{job['job_id']}/events", []

        async def send(message):
            began.append(message["type"])

        scopes = [a_get(path, dict(client.headers)) for _ in range(10)]
        watching = [asyncio.create_task(app(scope, stay, send)) for scope in scopes]
        while began.count("http.response.start") < 10:
            await asyncio.sleep(0.01)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as other:
            refused = await other.get(path, headers=client.headers)
            shown = await other.get(path.removesuffix("/events"), headers=client.headers)
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)
            await client.post(f"{SYNTHGEN}/jobs/{job['job_id']}/cancel")
            again = await other.get(path, headers=client.headers)

        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_open")
        assert (shown.status_code, again.status_code) == (200, 200)
        limits = (await client.get("/api/limits")).json()["rate"]
        assert set(limits) == {field.name for field in fields(RateLimits)}


class TwoHoursLater(datetime):
    @classmethod
    def now(cls, tz=None) -> datetime:
        return datetime.now(tz) + timedelta(hours=2)


def a_get(path: str, headers: dict[str, str]) -> dict[str, Any]:
    """What a server hands to the application; httpx would wait for the end of the answer."""
    given = {"host": "localhost", **headers}
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
        "client": ("127.0.0.1", 1),
        "asgi": {"spec_version": "2.4"},  # with which Starlette waits for nobody to leave
    }


async def stay() -> dict[str, Any]:
    """A client that sends nothing and does not leave."""
    await asyncio.Event().wait()
    raise AssertionError
