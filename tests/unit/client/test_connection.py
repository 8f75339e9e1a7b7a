"""What is asked, what is answered, and what is asked again."""

import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pandas as pd
import pytest

from synthgen_ray.client import ApiError, ClientError, ConnectionFailed
from tests.unit.client.conftest import JOB, PROBLEM, Server, ok, problem, refused

LOST = [httpx.ReadError("reset"), httpx.RemoteProtocolError("disconnected"), httpx.WriteError("broken pipe")]
CREATING = {
    "a key": lambda client: client.create_key("nightly", "viewer"),
    "a project": lambda client: client.create_project("Bank"),
    "a model": lambda client: client.create_model("p", "v", "Bank"),
    "a generation": lambda client: client.generate("m"),
    "an imputation": lambda client: client.impute("m", "v"),
    "a report": lambda client: client.create_report("p", "m"),
    "a version": lambda client: client.fetch_version("d", "s3://tables/payments.parquet"),
    "an import": lambda client: client.import_model("p", "Bank", Path(__file__)),
    "an upload": lambda client: client.upload_dataset("p", "this file", Path(__file__)),
}
NOT_REPEATABLE = {
    "a deletion": lambda client: client.delete_model("m"),
    "a sample": lambda client: client.sample("m"),
    "a sample to a file": lambda client: client.sample_to("m", Path(tempfile.mkdtemp()) / "rows.csv"),
}


def sent(request: httpx.Request) -> bytes:
    """The body, whose parts are set apart by a line that is drawn by lot."""
    boundary = request.headers["content-type"].partition("boundary=")[2].encode()
    return request.content.replace(boundary, b"-") if boundary else request.content


def test_every_request_carries_the_key():
    server = Server(ok())

    server.client.list_projects()

    assert server.requests[0].headers["authorization"] == "Bearer sg_key"


def test_filters_that_are_not_given_are_not_sent():
    server = Server(ok())

    server.client.list_jobs(status="failed", limit=5)

    assert dict(server.requests[0].url.params) == {"status": "failed", "limit": "5", "offset": "0"}


def test_an_id_stays_in_its_place():
    server = Server(ok())

    server.client.delete_project("p?force=true&x=../../api/keys")

    assert server.requests[0].url.raw_path == b"/api/projects/p%3Fforce%3Dtrue%26x%3D..%2F..%2Fapi%2Fkeys?force=false"


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


def test_reports_are_found_by_their_model_in_the_words_of_the_api():
    server = Server(ok({"items": []}))

    server.client.list_reports(model_id="m", limit=5)

    assert dict(server.requests[0].url.params) == {"entity_id": "m", "limit": "5", "offset": "0"}


def test_a_generation_keeps_the_null_of_a_condition():
    server = Server(ok({"job_id": JOB}))

    server.client.generate("m", 10, seed=1, conditions={"balance": None, "age": {"min": 30}})

    assert json.loads(server.requests[0].content) == {
        "num_rows": 10,
        "seed": 1,
        "conditions": {"balance": None, "age": {"min": 30}},
        "format": "csv",
    }


class TestUpload:
    def test_an_upload_is_a_form_with_the_file(self, tmp_path):
        server = Server(ok({"id": "d"}))
        (tmp_path / "accounts.csv").write_bytes(b"a,b\n1,2\n")

        server.client.upload_dataset("p", "accounts", tmp_path / "accounts.csv")

        sent = server.requests[0].content
        assert b'name="project_id"\r\n\r\np\r\n' in sent
        assert b'filename="accounts.csv"' in sent
        assert b"a,b\n1,2\n" in sent
        assert b"dataset_id" not in sent

    def test_the_file_may_be_named_by_a_text(self, tmp_path):
        server = Server(ok({"id": "d"}))
        (tmp_path / "accounts.csv").write_bytes(b"a,b\n1,2\n")

        server.client.upload_dataset("p", "accounts", f"{tmp_path}/accounts.csv")

        assert b'filename="accounts.csv"' in server.requests[0].content

    def test_a_data_frame_is_no_file(self):
        server = Server(ok({"id": "d"}))

        with pytest.raises(TypeError, match="path of a file is wanted, not a DataFrame"):
            server.client.upload_dataset("p", "accounts", pd.DataFrame({"a": [1]}))

        assert not server.requests

    def test_a_pipe_is_no_file(self):
        server = Server(ok({"id": "d"}))
        reading, writing = os.pipe()

        with pytest.raises(ClientError, match="is no file: write what it holds to one first"):
            server.client.upload_dataset("p", "accounts", f"/dev/fd/{reading}")

        assert not server.requests
        os.close(reading)
        os.close(writing)

    def test_a_name_of_another_encoding_is_said_to_be_one(self, tmp_path):
        server = Server(ok({"id": "d"}))
        file = tmp_path / os.fsdecode("café.csv".encode("latin-1"))
        file.write_bytes(b"a,b\n1,2\n")

        for call in (
            lambda: server.client.upload_dataset("p", "accounts", file),
            lambda: server.client.create_project(file.stem),
        ):
            with pytest.raises(ClientError, match="is not in UTF-8"):
                call()

        assert not server.requests

    def test_what_columns_are_goes_as_json(self, tmp_path):
        server = Server(ok({"id": "d"}))
        (tmp_path / "accounts.csv").write_bytes(b"a,b\n1,2\n")

        server.client.upload_dataset("p", "accounts", tmp_path / "accounts.csv", schema={"primary_key": "a"})

        assert b'name="schema"\r\n\r\n{"primary_key": "a"}\r\n' in server.requests[0].content

    def test_a_large_file_is_read_a_piece_at_a_time_and_counted(self, tmp_path):
        server = Server(ok({"id": "d"}))
        (tmp_path / "large.csv").write_bytes(b"1" * 1_000_000)
        seen: list[tuple[int, int | None]] = []

        server.client.upload_dataset(
            "p", "large", tmp_path / "large.csv", on_bytes=lambda done, size: seen.append((done, size))
        )

        assert seen[0] == (65_536, 1_000_000)
        assert seen[-1] == (1_000_000, 1_000_000)
        assert int(server.requests[0].headers["content-length"]) == len(server.requests[0].content)

    def test_the_server_has_time_to_convert_a_table(self, tmp_path):
        client = (server := Server(ok({"id": "d"}))).client
        (tmp_path / "accounts.csv").write_bytes(b"a,b\n1,2\n")

        client.upload_dataset("p", "accounts", tmp_path / "accounts.csv")
        client.fetch_version("d", "s3://tables/payments.parquet")
        client.correct_version("d", 0, {"primary_key": "account"})
        client.get_dataset("d")

        assert [request.extensions["timeout"]["read"] for request in server.requests] == [1800, 1800, 1800, 60]


class TestRefusals:
    def test_a_problem_becomes_an_error_with_its_fields(self):
        server = Server(problem(PROBLEM))

        with pytest.raises(ApiError, match="must evenly divide") as refusal:
            server.client.create_model("p", "v", "Bank", config={"pac": 7})

        error = refusal.value
        assert (error.status, error.code, error.request_id) == (422, "pac_must_divide_batch_size", "r-1")
        assert error.errors == PROBLEM["errors"]

    @pytest.mark.parametrize(
        "said", ["<html>Bad Gateway</html>", '{"errors": null}', '{"detail": "Away", "errors": [{"code": 1000}]}']
    )
    def test_what_a_proxy_says_is_an_error_too(self, said):
        headers = {"content-type": "application/json", "x-request-id": "r-2"}
        server = Server(httpx.Response(502, text=said, headers=headers))

        with pytest.raises(ApiError, match="502 Bad Gateway") as refusal:
            server.client.list_projects()

        assert (refusal.value.request_id, refusal.value.errors) == ("r-2", [])

    def test_another_program_on_the_port_is_recognised(self):
        server = Server(httpx.Response(200, text="<html>It works!</html>"))

        with pytest.raises(ApiError, match="does not look like SynthGen"):
            server.client.list_projects()


class TestReadingAgain:
    @pytest.mark.parametrize("status", [429, 502, 503, 504])
    def test_after_a_refusal_that_may_pass(self, status, pauses):
        server = Server(refused(status), refused(status), ok())

        server.client.list_projects()

        assert len(server.requests) == 3
        assert pauses == [0.5, 1.0]

    @pytest.mark.parametrize("lost", LOST, ids=lambda error: type(error).__name__)
    def test_after_a_lost_answer(self, lost):
        server = Server(lost, lost, ok())

        server.client.list_projects()

        assert len(server.requests) == 3

    def test_has_an_end(self, pauses):
        server = Server(refused(503, "The queue is full."))

        with pytest.raises(ApiError, match="The queue is full"):
            server.client.get_job(JOB)

        assert len(server.requests) == 6
        assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0]

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 500])
    def test_makes_no_sense_after_a_refusal_that_stays(self, status):
        server = Server(refused(status))

        with pytest.raises(ApiError):
            server.client.list_projects()

        assert len(server.requests) == 1

    def test_waits_as_long_as_the_server_says(self, pauses):
        server = Server(refused(429, **{"Retry-After": "7"}), ok())

        server.client.list_projects()

        assert pauses == [7.0]

    def test_waits_until_the_moment_that_a_proxy_names(self, pauses):
        moment = format_datetime(datetime.now(UTC) + timedelta(seconds=50), usegmt=True)
        server = Server(refused(503, **{"Retry-After": moment}), ok())

        server.client.list_projects()

        assert 30 < pauses[0] <= 50

    @pytest.mark.parametrize(
        "header", ["Wed, 21 Oct 2015 07:28:00 GMT", "Fri, 31 Dec 9999 23:59:59 -2359", "soon", "-5", ""]
    )
    def test_keeps_its_own_pace_where_the_server_names_no_time_to_come(self, pauses, header):
        server = Server(refused(503, **{"Retry-After": header}), ok())

        server.client.list_projects()

        assert pauses == [0.5]

    def test_an_hour_is_not_waited_for(self, pauses):
        server = Server(refused(429, "The quota is used up.", **{"Retry-After": "3600"}))

        with pytest.raises(ApiError, match="quota") as refusal:
            server.client.list_projects()

        assert refusal.value.retry_after_s == 3600
        assert pauses == []

    def test_is_not_done_where_nobody_listens_and_the_caller_hears_how_to_start_a_server(self, pauses):
        server = Server(httpx.ConnectError("refused"))

        with pytest.raises(ConnectionFailed, match="synthgen up"):
            server.client.list_projects()

        assert pauses == []

    def test_a_server_that_has_answered_before_is_expected_back(self):
        client = (server := Server(ok(), httpx.ConnectError("refused"), ok())).client

        client.list_projects()
        client.list_projects()

        assert len(server.requests) == 3

    def test_a_server_that_says_nothing_for_a_minute_is_not_asked_for_another(self):
        server = Server(httpx.ReadTimeout("timed out"))

        with pytest.raises(ConnectionFailed, match="did not answer in 60 s"):
            server.client.list_projects()

        assert len(server.requests) == 1


class TestWritingAgain:
    @pytest.mark.parametrize("create", CREATING.values(), ids=CREATING)
    @pytest.mark.parametrize(
        "trouble",
        [*LOST, refused(503), problem({**PROBLEM, "status": 409, "code": "idempotency_in_progress"})],
        ids=["reset", "disconnected", "broken", "503", "under way"],
    )
    def test_what_is_created_is_asked_for_with_the_same_key_and_body(self, create, trouble):
        server = Server(trouble, ok({"id": "x"}))

        create(server.client)

        first, second = server.requests
        assert first.headers["idempotency-key"] == second.headers["idempotency-key"] != ""
        assert sent(first) == sent(second)

    def test_two_calls_are_two_things(self):
        client = (server := Server(ok({"id": "x"}))).client

        client.create_project("Bank")
        client.create_project("Bank")

        first, second = server.requests
        assert first.headers["idempotency-key"] != second.headers["idempotency-key"]

    @pytest.mark.parametrize("lost", LOST, ids=lambda error: type(error).__name__)
    def test_a_cancellation_and_changes_do_no_harm_twice(self, lost):
        client = (server := Server(lost, ok({"id": JOB}), lost, ok({"id": "p"}), lost, ok({"id": "v"}))).client

        client.cancel_job(JOB)
        client.change_project("p", name="Bank of Kiel")
        client.correct_version("d", 0, {"primary_key": "account"})

        assert [request.method for request in server.requests] == ["POST", "POST"] + ["PATCH"] * 4

    @pytest.mark.parametrize("call", NOT_REPEATABLE.values(), ids=NOT_REPEATABLE)
    @pytest.mark.parametrize("trouble", [*LOST, refused(503)], ids=["reset", "disconnected", "broken", "503"])
    def test_what_may_have_been_done_is_not_asked_for_twice(self, call, trouble):
        server = Server(trouble, ok())

        with pytest.raises(ClientError):
            call(server.client)

        assert len(server.requests) == 1

    @pytest.mark.parametrize("call", NOT_REPEATABLE.values(), ids=NOT_REPEATABLE)
    @pytest.mark.parametrize("status", [429, 503])
    def test_what_was_certainly_not_done_is(self, call, status):
        server = Server(problem({**PROBLEM, "status": status, "code": "busy"}), ok())

        call(server.client)

        assert len(server.requests) == 2


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
