"""The client on a wire that a test plays the server on."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator

import httpx
import pytest

from synthgen_ray.client import ApiError, ConnectionFailed, JobFailed, SynthGen, WaitTimedOut

JOB = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
PROBLEM = {
    "type": "about:blank",
    "title": "Invalid request",
    "status": 422,
    "detail": "config.pac: pac (7) must evenly divide batch_size (500)",
    "code": "pac_must_divide_batch_size",
    "request_id": "r-1",
    "errors": [{"field": "config.pac", "message": "pac (7) must evenly divide batch_size (500)"}],
}


@pytest.fixture(autouse=True)
def pauses(monkeypatch) -> list[float]:
    """The clock runs ahead of itself: pauses are noted instead of waited for."""
    taken: list[float] = []
    monkeypatch.setattr("time.sleep", taken.append)
    return taken


class Server:
    """Answers as told, in order, the last answer again and again; remembers what it was asked."""

    def __init__(self, *answers: httpx.Response | Exception | Callable[[], httpx.Response]) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer() if callable(answer) else answer

    @property
    def client(self) -> SynthGen:
        return SynthGen("http://synthgen", "sg_key", transport=httpx.MockTransport(self))


def ok(body: object = None) -> httpx.Response:
    return httpx.Response(200, json={"items": [], "total": 0} if body is None else body)


def a_job(status: str, **fields: object) -> httpx.Response:
    return ok({"id": JOB, "job_type": "train", "status": status, "progress": 0.5, "message": "", **fields})


class Broken(httpx.SyncByteStream):
    """A body that stops in the middle."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"a,b\n1,"
        raise httpx.ReadError("connection reset")


def test_every_request_carries_the_key():
    server = Server(ok())

    server.client.list_projects()

    assert server.requests[0].headers["authorization"] == "Bearer sg_key"


def test_filters_that_are_not_given_are_not_sent():
    server = Server(ok())

    server.client.list_jobs(status="failed", limit=5)

    assert dict(server.requests[0].url.params) == {"status": "failed", "limit": "5", "offset": "0"}


def test_a_model_is_asked_for_in_the_words_of_the_api():
    server = Server(ok({"id": "m"}))

    server.client.create_model("p", "v", "Bank", "tvae", {"epochs": 5}, {"num_workers": 2})

    assert server.requests[0].url.path == "/api/synthgen/models"
    assert json.loads(server.requests[0].content) == {
        "project_id": "p",
        "dataset_version_id": "v",
        "name": "Bank",
        "model_type": "tvae",
        "config": {"epochs": 5},
        "resources": {"num_workers": 2},
    }


def test_a_generation_keeps_the_null_of_a_condition():
    server = Server(ok({"job_id": JOB}))

    server.client.generate("m", 10, seed=1, conditions={"balance": None, "age": {"min": 30}})

    assert json.loads(server.requests[0].content) == {
        "num_rows": 10,
        "seed": 1,
        "conditions": {"balance": None, "age": {"min": 30}},
        "format": "csv",
    }


def test_an_upload_is_a_form_with_the_file(tmp_path):
    server = Server(ok({"id": "d"}))
    (tmp_path / "accounts.csv").write_bytes(b"a,b\n1,2\n")

    server.client.upload_dataset("p", "accounts", tmp_path / "accounts.csv")

    sent = server.requests[0].content
    assert b'name="project_id"\r\n\r\np\r\n' in sent
    assert b'filename="accounts.csv"' in sent
    assert b"a,b\n1,2\n" in sent
    assert b"dataset_id" not in sent


class TestRefusals:
    def test_a_problem_becomes_an_error_with_its_fields(self):
        server = Server(httpx.Response(422, json=PROBLEM))

        with pytest.raises(ApiError, match="must evenly divide") as refused:
            server.client.create_model("p", "v", "Bank", config={"pac": 7})

        error = refused.value
        assert (error.status, error.code, error.request_id) == (422, "pac_must_divide_batch_size", "r-1")
        assert error.errors == PROBLEM["errors"]

    def test_what_a_proxy_says_is_an_error_too(self):
        server = Server(httpx.Response(502, text="<html>Bad Gateway</html>", headers={"x-request-id": "r-2"}))

        with pytest.raises(ApiError, match="502 Bad Gateway") as refused:
            server.client.list_projects()

        assert refused.value.request_id == "r-2"

    def test_another_program_on_the_port_is_recognised(self):
        server = Server(httpx.Response(200, text="<html>It works!</html>"))

        with pytest.raises(ApiError, match="does not look like SynthGen"):
            server.client.list_projects()


class TestRetries:
    @pytest.mark.parametrize(
        "trouble",
        [httpx.Response(503), httpx.ReadError("reset"), httpx.RemoteProtocolError("disconnected")],
        ids=["busy", "reset", "disconnected"],
    )
    def test_reading_is_tried_again_after(self, trouble, pauses):
        server = Server(trouble, trouble, ok())

        server.client.list_projects()

        assert len(server.requests) == 3
        assert pauses == [0.5, 1.0]

    def test_reading_gives_up_in_the_end(self, pauses):
        server = Server(httpx.Response(503, json={**PROBLEM, "status": 503, "detail": "The queue is full."}))

        with pytest.raises(ApiError, match="The queue is full"):
            server.client.get_job(JOB)

        assert len(server.requests) == 5
        assert sum(pauses) == 7.5

    def test_writing_is_never_tried_again(self):
        server = Server(httpx.ReadError("reset"), ok())

        with pytest.raises(ConnectionFailed):
            server.client.create_project("Bank")

        assert len(server.requests) == 1

    def test_without_a_server_the_answer_comes_at_once_and_says_how_to_start_one(self, pauses):
        server = Server(httpx.ConnectError("refused"))

        with pytest.raises(ConnectionFailed, match="synthgen up"):
            server.client.list_projects()

        assert pauses == []


class TestDownload:
    def test_the_file_holds_the_rows(self, tmp_path):
        server = Server(httpx.Response(200, content=b"a,b\n1,2\n"))

        file = server.client.download(JOB, tmp_path / "rows.csv")

        assert file == tmp_path / "rows.csv"
        assert file.read_bytes() == b"a,b\n1,2\n"
        assert list(tmp_path.iterdir()) == [file]

    def test_a_line_that_drops_is_picked_up_again(self, tmp_path):
        server = Server(lambda: httpx.Response(200, stream=Broken()), httpx.Response(200, content=b"a,b\n1,2\n"))

        file = server.client.download(JOB, tmp_path / "rows.csv")

        assert file.read_bytes() == b"a,b\n1,2\n"
        assert list(tmp_path.iterdir()) == [file]

    def test_half_a_file_never_takes_the_place_of_a_whole_one(self, tmp_path):
        (tmp_path / "rows.csv").write_text("yesterday's")
        server = Server(lambda: httpx.Response(200, stream=Broken()))

        with pytest.raises(ConnectionFailed):
            server.client.download(JOB, tmp_path / "rows.csv")

        assert [file.read_text() for file in tmp_path.iterdir()] == ["yesterday's"]

    def test_a_refusal_leaves_nothing(self, tmp_path):
        server = Server(httpx.Response(409, json={**PROBLEM, "status": 409, "detail": "The job is running."}))

        with pytest.raises(ApiError, match="The job is running"):
            server.client.download(JOB, tmp_path / "rows.csv")

        assert list(tmp_path.iterdir()) == []


class TestWaiting:
    def test_the_job_is_returned_when_it_is_completed(self):
        server = Server(a_job("pending"), a_job("running"), a_job("completed"))
        seen: list[str] = []

        job = server.client.wait_for_job(JOB, lambda job: seen.append(job["status"]))

        assert job["status"] == "completed"
        assert seen == ["pending", "running", "completed"]

    def test_a_failed_job_says_why(self):
        error = {"code": "out_of_memory", "message": "The worker ran out of memory.", "retryable": True}
        server = Server(a_job("failed", error=error))

        with pytest.raises(JobFailed, match="ran out of memory") as failed:
            server.client.wait_for_job(JOB)

        assert failed.value.code == "out_of_memory"

    def test_patience_has_an_end(self):
        server = Server(lambda: a_job("running"))

        with pytest.raises(WaitTimedOut, match="goes on"):
            server.client.wait_for_job(JOB, timeout_s=0)

    def test_a_server_that_restarts_is_waited_for(self):
        away = httpx.ConnectError("refused")
        server = Server(a_job("running"), away, away, a_job("completed"))

        assert server.client.wait_for_job(JOB)["status"] == "completed"

    def test_a_server_that_was_never_there_is_not(self):
        server = Server(httpx.ConnectError("refused"))

        with pytest.raises(ConnectionFailed):
            server.client.wait_for_job(JOB)

    def test_a_model_is_waited_for_through_its_training(self):
        jobs = [{"id": "g", "job_type": "generate"}, {"id": JOB, "job_type": "train"}]
        training = ok({"model": {"status": "training"}, "jobs": jobs})
        server = Server(training, a_job("completed"), ok({"model": {"status": "ready"}, "jobs": jobs}))

        model = server.client.wait_for_model("m")

        assert model == {"status": "ready"}
        assert server.requests[1].url.path == f"/api/synthgen/jobs/{JOB}"


@pytest.mark.parametrize(
    ("answer", "ready"),
    [(ok({"status": "ready"}), True), (httpx.Response(503), False), (httpx.ConnectError("refused"), False)],
    ids=["ready", "not ready", "nobody there"],
)
def test_is_ready_is_a_plain_yes_or_no(answer, ready):
    assert Server(answer).client.is_ready() is ready


def test_the_client_needs_httpx_alone():
    program = "import sys, synthgen_ray.client; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()

    assert "httpx" in loaded
    assert not {"ray", "torch", "fastapi", "pandas", "numpy", "pydantic"} & set(loaded)
