"""`/jobs/{id}/cancel` and `/jobs/{id}/events`."""

import asyncio
import json

import pytest

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
