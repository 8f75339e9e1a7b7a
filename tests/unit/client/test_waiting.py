"""Waiting for jobs: told by the server, else by asking."""

import json

import httpx
import pytest

from synthgen_ray.client import ApiError, ConnectionFailed, JobFailed, WaitTimedOut
from tests.unit.client.conftest import JOB, Broken, Server, ok, refused

AWAY = httpx.ConnectError("refused")


def a_job(status: str, progress: float = 0.5, **fields: object) -> dict[str, object]:
    return {"id": JOB, "job_type": "train", "status": status, "progress": progress, "message": "", **fields}


def told(*jobs: dict[str, object]) -> bytes:
    return b"".join(b"event: job\ndata: " + json.dumps(job, ensure_ascii=False).encode() + b"\n\n" for job in jobs)


def stream(body: bytes) -> httpx.Response:
    return httpx.Response(200, content=body, headers={"Content-Type": "text/event-stream"})


class TestEvents:
    def test_the_server_tells_until_the_end(self):
        server = Server(stream(told(a_job("pending"), a_job("running"), a_job("completed"))))

        jobs = list(server.client.events(JOB))

        assert [job["status"] for job in jobs] == ["pending", "running", "completed"]
        assert [request.url.path for request in server.requests] == [f"/api/synthgen/jobs/{JOB}/events"]

    def test_signs_of_life_and_line_ends_of_all_kinds_are_no_trouble(self):
        name = "A\u2028B\x85C"
        body = b": still here\r\n\r\n" + told(a_job("completed", model_name=name)).replace(b"\n", b"\r\n")
        server = Server(stream(body))

        (job,) = server.client.events(JOB)

        assert job["model_name"] == name

    @pytest.mark.parametrize(
        "broken",
        [
            lambda: httpx.Response(200, stream=Broken(told(a_job("running")))),
            lambda: httpx.Response(200, stream=Broken(told(a_job("running")) + b"event: job\ndata: {")),
            lambda: stream(told(a_job("running"))),
            lambda: stream(told(a_job("running")) + b"data: {\n\n"),
        ],
        ids=["reset", "reset in an event", "ended", "garbled"],
    )
    def test_where_the_stream_breaks_asking_goes_on(self, broken):
        server = Server(broken, ok(a_job("running")), ok(a_job("running", 0.9)), ok(a_job("completed")))

        jobs = list(server.client.events(JOB))

        assert [(job["status"], job["progress"]) for job in jobs] == [
            ("running", 0.5),
            ("running", 0.9),
            ("completed", 0.5),
        ]

    def test_a_server_too_busy_to_tell_is_asked(self):
        server = Server(refused(503), ok(a_job("running")), ok(a_job("completed")))

        assert [job["status"] for job in server.client.events(JOB)] == ["running", "completed"]

    def test_a_job_that_is_not_there_has_none(self):
        with pytest.raises(ApiError, match="no such job"):
            next(Server(refused(404, "There is no such job.")).client.events(JOB))


class TestWaitForJob:
    def test_the_job_is_returned_when_it_is_completed(self):
        server = Server(stream(told(a_job("pending"), a_job("running"), a_job("completed"))))
        seen: list[str] = []

        job = server.client.wait_for_job(JOB, lambda job: seen.append(job["status"]))

        assert job["status"] == "completed"
        assert seen == ["pending", "running", "completed"]

    def test_a_failed_job_says_why(self):
        error = {"code": "out_of_memory", "message": "The worker ran out of memory.", "retryable": True}
        server = Server(stream(told(a_job("failed", error=error))))

        with pytest.raises(JobFailed, match="ran out of memory") as failed:
            server.client.wait_for_job(JOB)

        assert failed.value.code == "out_of_memory"

    def test_patience_has_an_end(self):
        server = Server(lambda: ok(a_job("running")))

        with pytest.raises(WaitTimedOut, match="goes on"):
            server.client.wait_for_job(JOB, timeout_s=0)

    def test_a_job_that_is_done_in_time_is_returned(self):
        server = Server(ok(a_job("running")), ok(a_job("completed")))

        assert server.client.wait_for_job(JOB, timeout_s=60)["status"] == "completed"

    def test_a_server_that_restarts_is_waited_for(self):
        server = Server(stream(told(a_job("running"))), *[AWAY] * 20, ok(a_job("completed")))

        assert server.client.wait_for_job(JOB)["status"] == "completed"

    def test_a_server_that_was_never_there_is_not(self):
        with pytest.raises(ConnectionFailed):
            Server(AWAY).client.wait_for_job(JOB)


def test_a_model_is_waited_for_through_its_training():
    jobs = [{"id": "g", "job_type": "generate"}, {"id": JOB, "job_type": "train"}]
    training = ok({"model": {"status": "training"}, "jobs": jobs})
    server = Server(training, stream(told(a_job("completed"))), ok({"model": {"status": "ready"}, "jobs": jobs}))

    model = server.client.wait_for_model("m")

    assert model == {"status": "ready"}
    assert server.requests[1].url.path == f"/api/synthgen/jobs/{JOB}/events"
