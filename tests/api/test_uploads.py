"""How a form comes in: streamed, within limits, every field checked. What a file may hold is in `test_bad_uploads`."""

import asyncio
import json
import shutil
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from synthgen_ray.api.multipart import MAX_OVERHEAD_BYTES, MAX_PARTS, MAX_TEXT_BYTES
from synthgen_ray.datasets.converter import Converter
from synthgen_ray.datasets.limits import UploadLimits
from synthgen_ray.service.service import Service
from tests.api.conftest import SYNTHGEN, a_table, an_app, files_of
from tests.fakes import ThreadSamplers

URL = "/api/datasets/upload"
BOUNDARY = "frontier"
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
MIB = 2**20


def part(name: str | None, content: bytes, filename: str | None = None) -> bytes:
    disposition = "form-data"
    disposition += f'; name="{name}"' if name is not None else ""
    disposition += f'; filename="{filename}"' if filename is not None else ""
    return f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n\r\n".encode() + content + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()


@pytest.fixture
def texts(project_id) -> bytes:
    return part("project_id", project_id.encode()) + part("name", b"n")


async def _in_pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 100):
        yield content[start : start + 100]


async def nothing_was_kept(client, server) -> bool:
    return (await client.get("/api/datasets")).json()["total"] == 0 and not files_of(server)


@pytest.fixture
async def threads_of_serve() -> AsyncIterator[int]:
    """As many of asyncio's as Serve gives a replica."""
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(5))
    yield 5
    loop.set_default_executor(ThreadPoolExecutor())


async def test_a_disk_that_stalls_under_uploads_leaves_the_server_ready(client, texts, threads_of_serve, monkeypatch):
    stalled, goes_on, disk_usage = [], threading.Event(), shutil.disk_usage

    def stall(path: Path):
        stalled.append(path)
        goes_on.wait(30)
        return disk_usage(path)

    monkeypatch.setattr(shutil, "disk_usage", stall)
    body = texts + part("file", a_table(), "t.csv") + END
    uploads = [asyncio.create_task(client.post(URL, content=body, headers=FORM)) for _ in range(threads_of_serve)]
    while len(stalled) < len(uploads):
        await asyncio.sleep(0.01)

    ready = await client.get("/readyz")
    goes_on.set()

    assert ready.status_code == 200
    assert [(await upload).status_code for upload in uploads] == [201] * threads_of_serve


class TestForm:
    async def test_fields_may_come_in_any_order(self, client, texts):
        response = await client.post(URL, content=part("file", a_table(), "t.csv") + texts + END, headers=FORM)

        assert response.status_code == 201, response.text

    async def test_blank_optional_fields_are_as_good_as_none(self, client, texts):
        blanks = part("dataset_id", b"") + part("schema", b"") + part("description", b"")

        response = await client.post(URL, content=texts + blanks + part("file", a_table(), "t.csv") + END, headers=FORM)

        assert response.status_code == 201, response.text

    @pytest.mark.parametrize(
        ("made", "status", "code"),
        [
            # what is wrong with the form, as a function of two good texts and a good file
            (lambda texts, file: texts + END, 422, "missing_file"),
            (lambda texts, file: texts + part("file", b"a\n1\n") + END, 422, "missing_file"),
            (lambda texts, file: texts + part("file", b"a\n1\n", "") + END, 422, "missing_file"),
            (lambda texts, file: texts + file + file + END, 422, "duplicate_field"),
            (lambda texts, file: texts + part("name", b"m") + file + END, 422, "duplicate_field"),
            (lambda texts, file: texts + part("owner", b"me") + file + END, 422, "unknown_field"),
            (lambda texts, file: texts + part("extra", b"a\n1\n", "t.csv") + file + END, 422, "unknown_field"),
            (lambda texts, file: texts + part(None, b"x") + file + END, 400, "invalid_multipart"),
            (lambda texts, file: texts + part("description", b"\xff") + file + END, 400, "invalid_multipart"),
            (lambda texts, file: texts + file, 400, "invalid_multipart"),
            (lambda texts, file: (texts + file)[:-40], 400, "invalid_multipart"),
            (lambda texts, file: b"", 400, "invalid_multipart"),
            (lambda texts, file: b"a,b\n1,2\n", 400, "invalid_multipart"),
            (lambda texts, file: texts + file + END[:-4] + b"xx", 400, "invalid_multipart"),
            (lambda texts, file: texts + part("h" * 5000, b"x") + file + END, 400, "invalid_multipart"),
            (lambda texts, file: texts + part("description", b"x" * (MAX_TEXT_BYTES + 1)), 400, "field_too_large"),
            (lambda texts, file: b"".join(part(f"f{i}", b"") for i in range(MAX_PARTS + 1)), 400, "too_many_parts"),
        ],
    )
    async def test_a_bad_form_is_a_problem_and_leaves_nothing(self, client, server, texts, made, status, code):
        response = await client.post(URL, content=made(texts, part("file", a_table(), "t.csv")), headers=FORM)

        assert (response.status_code, response.json()["code"]) == (status, code), response.text
        assert await nothing_was_kept(client, server)

    @pytest.mark.parametrize(
        ("content_type", "status", "code"),
        [
            ("multipart/form-data", 400, "invalid_multipart"),
            ("multipart/form-data; boundary=", 400, "invalid_multipart"),
            (f"multipart/form-data; boundary={'b' * 1000}", 400, "invalid_multipart"),
            ("application/json", 415, "unsupported_media_type"),
            ("application/x-www-form-urlencoded", 415, "unsupported_media_type"),
            ("", 415, "unsupported_media_type"),
        ],
    )
    async def test_a_body_that_is_no_form_is_a_problem(self, client, server, content_type, status, code):
        response = await client.post(URL, content=b"{}", headers={"Content-Type": content_type})

        assert (response.status_code, response.json()["code"]) == (status, code)
        assert await nothing_was_kept(client, server)

    async def test_nor_is_a_file_by_itself_however_large_it_is(self, client):
        response = await client.post(URL, content=b"1,2\n" * 2**19, headers={"Content-Type": "text/csv"})

        assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")

    @pytest.mark.parametrize(
        ("field", "value", "code"),
        [
            ("project_id", "7", "invalid_id"),
            ("project_id", None, "missing_field"),
            ("name", None, "missing_field"),
            ("name", "", "out_of_range"),
            ("name", "  ", "invalid_value"),
            ("name", "x" * 256, "out_of_range"),
            ("name", "a\0b", "invalid_value"),
            ("name", "a\nb", "invalid_value"),
            ("description", "x" * 2001, "out_of_range"),
            ("dataset_id", "none", "invalid_id"),
            ("schema", "{", "invalid_json"),
            ("schema", "[]", "object_expected"),
            ("schema", '{"primary_key": "a", "primary_key": "b"}', "duplicate_key"),
            ("schema", '{"columns": NaN}', "invalid_json"),
            ("schema", "[" * 60_000, "too_deep"),
            ("schema", '{"primary_key": "\\ud800"}', "invalid_unicode"),
            ("schema", '{"columns": {"age": {"kind": "number"}}}', "unknown_value"),
            ("schema", '{"column": {}}', "unknown_field"),
        ],
    )
    async def test_422_for_a_field_that_does_not_fit(self, client, server, project_id, field, value, code):
        fields = {"project_id": project_id, "name": "n", field: value}
        data = {name: text for name, text in fields.items() if text is not None}

        response = await client.post(URL, data=data, files={"file": ("t.csv", a_table())})

        assert (response.status_code, response.json()["code"]) == (422, code), response.text
        assert response.json()["errors"][0]["field"].startswith(field)
        assert await nothing_was_kept(client, server)

    @pytest.mark.parametrize(
        "filename", ["../../etc/passwd", "C:\\x", "con", "n" * 4096, "a\x01b", "a\0b", "é\u202e.csv", "/dev/null"]
    )
    async def test_a_filename_is_never_a_path(self, client, server, texts, filename):
        response = await client.post(URL, content=texts + part("file", a_table(), filename) + END, headers=FORM)

        assert response.status_code == 201, response.text
        assert [path.name for path in files_of(server)] == ["table.parquet"]


class TestLimits:
    async def test_413_by_the_content_length_at_once(self, limited, texts):
        async with limited(max_bytes=MIB) as client:
            length = {"Content-Length": str(MIB + MAX_OVERHEAD_BYTES + 1)}
            response = await client.post(URL, content=texts, headers=FORM | length)

        assert (response.status_code, response.json()["code"]) == (413, "payload_too_large")

    async def test_413_while_it_streams_without_a_length(self, limited, client, server, texts):
        sent = 0

        async def endless() -> AsyncIterator[bytes]:
            nonlocal sent
            yield texts + part("file", b"", "t.csv")[:-2]
            while True:
                sent += 1
                yield b"1,2\n" * 16_384

        async with limited(max_bytes=3 * MIB) as small:
            response = await small.post(URL, content=endless(), headers=FORM)

        assert (response.status_code, response.json()["code"]) == (413, "payload_too_large")
        assert sent * 65_536 <= 6 * MIB
        assert await nothing_was_kept(client, server)

    @pytest.mark.parametrize("sent", [bytes, _in_pieces], ids=["with a length", "without"])
    async def test_the_last_byte_that_is_allowed_is(self, limited, texts, sent):
        content = b"a\n" + b"1\n" * 99
        async with limited(max_bytes=200) as client:
            fits, too_long = [
                await client.post(URL, content=sent(texts + part("file", file, "t.csv") + END), headers=FORM)
                for file in (content, content + b"1")
            ]

        assert fits.status_code == 201
        assert (too_long.status_code, too_long.json()["code"]) == (413, "payload_too_large")

    async def test_507_on_a_full_disk(self, limited, client, server, texts):
        async with limited(min_free_bytes=2**60) as full:
            response = await full.post(URL, content=texts + part("file", a_table(), "t.csv") + END, headers=FORM)

        assert (response.status_code, response.json()["code"]) == (507, "insufficient_storage")
        assert await nothing_was_kept(client, server)

    async def test_422_for_a_table_that_takes_too_much_memory_and_the_next_is_taken(
        self, limited, client, server, texts
    ):
        large = b"a,b\n" + b"2024-01-31 10:20:30,x1\n" * 3_000_000
        async with limited(max_memory_bytes=500 * MIB) as strict:
            response = await strict.post(URL, content=texts + part("file", large, "t.csv") + END, headers=FORM)
            assert await nothing_was_kept(client, server)
            after = await strict.post(URL, content=texts + part("file", b"a\n1\n", "t.csv") + END, headers=FORM)

        assert (response.status_code, response.json()["code"]) == (422, "table_too_complex")
        assert after.status_code == 201


class FullDisk(Service):
    """A service whose uploads go to a device that is always full."""

    @asynccontextmanager
    async def upload_folder(self) -> AsyncIterator[Path]:
        async with super().upload_folder() as folder:
            (folder / "upload").symlink_to("/dev/full")
            yield folder


@pytest.mark.parametrize("size", [10, 4 * MIB])
async def test_507_when_the_disk_is_full_half_way(client, server, texts, size):
    draw = ThreadSamplers(server.artifacts).draw
    service = FullDisk(server.store, server.artifacts, server.dispatcher.nudge, Converter(UploadLimits()), draw)
    app = an_app(service, server.store, server.checks)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=client.headers) as full:
        response = await full.post(URL, content=texts + part("file", b"1" * size, "t.csv") + END, headers=FORM)

    assert (response.status_code, response.json()["code"]) == (507, "insufficient_storage")
    assert await nothing_was_kept(client, server)


class TestAborted:
    async def test_nothing_is_left_of_it(self, client, server, texts):
        messages = iter(
            [
                {
                    "type": "http.request",
                    "body": texts + part("file", b"a,b\n" + b"1,2\n" * 2**20, "t.csv"),
                    "more_body": True,
                },
                {"type": "http.disconnect"},
            ]
        )
        seen, sent = [], []

        async def receive() -> dict:
            message = next(messages)
            if message["type"] == "http.disconnect":
                seen.extend(files_of(server))
            return message

        async def send(message: dict) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "path": URL,
            "raw_path": URL.encode(),
            "query_string": b"",
            "client": ("127.0.0.1", 50_000),
            "headers": [
                (name.lower().encode(), value.encode())
                for name, value in {**FORM, "Host": "localhost", "Authorization": f"Bearer {server.key}"}.items()
            ],
        }
        await server.app(scope, receive, send)

        assert [path.name for path in seen] == ["upload"]
        assert sent[0]["status"] == 400
        assert await nothing_was_kept(client, server)


class TestSchema:
    CONTENT = b"zip,day,paid\n" + b"".join(
        f"{i:05},{i % 12 + 1:02}/{i % 12 + 1:02}/2024,{i % 2}\n".encode() for i in range(100, 160)
    )

    async def upload(self, client, project_id, schema: dict) -> httpx.Response:
        data = {"project_id": project_id, "name": "n", "schema": json.dumps(schema)}
        return await client.post(URL, data=data, files={"file": ("t.csv", self.CONTENT)})

    async def test_it_corrects_what_would_be_inferred(self, client, project_id):
        schema = {
            "columns": {
                "day": {"kind": "datetime", "format": "%d/%m/%Y"},
                "paid": {"kind": "boolean", "format": "1/0"},
            },
            "primary_key": "zip",
        }

        response = await self.upload(client, project_id, schema)

        assert response.status_code == 201, response.text
        columns = {column["name"]: column for column in response.json()["columns"]}
        assert {name: column["kind"] for name, column in columns.items()} == {
            "zip": "id",
            "day": "datetime",
            "paid": "boolean",
        }
        assert columns["day"]["format"] == "%d/%m/%Y"
        assert response.json()["warnings"] == []

    async def test_a_warning_is_a_code_for_programs_and_a_sentence_for_people(self, client, project_id):
        schema = {"columns": {"zip": {"kind": "integer"}}}

        response = await self.upload(client, project_id, schema)

        message = "Column 'zip' is written without its leading zeros as a number."
        assert response.json()["warnings"][-1] == {"code": "leading_zeros", "message": message}

    @pytest.mark.parametrize(
        ("schema", "code", "field"),
        [
            ({"columns": {"day": {"kind": "integer"}}}, "kind_mismatch", "day"),
            ({"columns": {"city": {"kind": "text"}}}, "unknown_column", "city"),
            ({"primary_key": "paid"}, "not_unique", "paid"),
        ],
    )
    async def test_422_where_the_values_are_otherwise(self, client, server, project_id, schema, code, field):
        response = await self.upload(client, project_id, schema)

        assert (response.status_code, response.json()["code"]) == (422, code)
        assert [error["field"] for error in response.json()["errors"]] == [field]
        assert await nothing_was_kept(client, server)

    async def test_422_for_a_declared_date_that_does_not_exist(self, client, project_id):
        data = {"project_id": project_id, "name": "n", "schema": '{"columns": {"day": {"kind": "datetime"}}}'}

        response = await client.post(URL, data=data, files={"file": ("t.csv", b"day\n2024-02-30\n2024-02-28\n")})

        assert (response.status_code, response.json()["code"]) == (422, "invalid_date")

    async def test_what_does_not_fit_a_number_can_be_declared_text(self, client, project_id):
        data = {"project_id": project_id, "name": "n", "schema": '{"columns": {"n": {"kind": "text"}}}'}

        response = await client.post(URL, data=data, files={"file": ("t.csv", b"n\n9223372036854775808\n1.50\n")})

        assert response.status_code == 201, response.text


async def test_openapi_shows_the_form(client):
    spec = (await client.get("/openapi.json")).json()

    form = spec["paths"][URL]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]

    assert set(form["properties"]) == {"project_id", "name", "description", "dataset_id", "schema", "file"}
    assert set(form["required"]) == {"project_id", "name", "file"}
    assert "$ref" not in json.dumps(form)


async def test_404_is_answered_for_a_project_that_is_not_there(client, server):
    response = await client.post(URL, data={"project_id": str(uuid4()), "name": "n"}, files={"file": ("t.csv", b"a\n")})

    assert response.status_code == 404
    assert await nothing_was_kept(client, server)


class TestOnce:
    """The same Idempotency-Key with the same form makes one version."""

    async def test_a_repeat_answers_the_same_and_keeps_no_second_table(self, client, server, texts):
        body = texts + part("file", a_table(), "t.csv") + END
        headers = FORM | {"Idempotency-Key": "k1"}

        first = await client.post(URL, content=body, headers=headers)
        again = await client.post(URL, content=body, headers=headers)

        assert (first.status_code, again.status_code) == (201, 201)
        assert again.json() == first.json()
        assert again.headers["idempotent-replayed"] == "true"
        assert len(files_of(server)) == 1

    async def test_422_for_another_file(self, client, server, texts):
        headers = FORM | {"Idempotency-Key": "k1"}
        await client.post(URL, content=texts + part("file", a_table(), "t.csv") + END, headers=headers)

        other = await client.post(URL, content=texts + part("file", a_table(30), "t.csv") + END, headers=headers)

        assert other.status_code == 422
        assert len(files_of(server)) == 1


@pytest.mark.parametrize("what", ["table", "model"])
async def test_401_for_one_whose_key_was_revoked_while_it_came(what, client, server, texts, given_ready_model):
    model = (await client.get(f"{SYNTHGEN}/models/{await given_ready_model()}/export")).content
    key = (await client.post("/api/keys", json={"name": "k", "role": "editor"})).json()
    before = files_of(server)

    async def slowly() -> AsyncIterator[bytes]:
        yield texts
        await client.delete(f"/api/keys/{key['id']}")
        yield part("file", a_table(), "t.csv") if what == "table" else part("file", model, "m.synthgen")
        yield END

    path = URL if what == "table" else f"{SYNTHGEN}/models/import"
    headers = {**FORM, "Authorization": f"Bearer {key['key']}"}
    response = await client.post(path, content=slowly(), headers=headers)

    assert (response.status_code, response.json().get("code")) == (401, "invalid_key")
    assert files_of(server) == before
