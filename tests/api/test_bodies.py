"""What holds for every body: that it is here in time, small enough, and JSON that all parsers read alike."""

import asyncio
from collections.abc import Awaitable

import httpx
import pytest

from synthgen_ray.api.auth import RequestId
from synthgen_ray.api.bodies import UPLOADS, StrictJson
from synthgen_ray.api.request_limits import RequestLimits
from tests.api.bank import Bank
from tests.api.conftest import SYNTHGEN

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"{", 400, "invalid_json"),
        (b'{"num_rows": 1}{}', 400, "invalid_json"),
        (b"[1,]", 400, "invalid_json"),
        (b"'a'", 400, "invalid_json"),
        (b"{} // rows", 400, "invalid_json"),
        (b"[]", 422, "object_expected"),
        (b"1", 422, "object_expected"),
        (b'"x"', 422, "object_expected"),
        (b'{"num_rows": NaN}', 400, "invalid_json"),
        (b'{"num_rows": 1e400}', 400, "invalid_json"),
        (b'{"num_rows": %s}' % (b"1" * 5000), 400, "invalid_json"),
        (b'{"num_rows": %s}' % (b"1" * 300), 422, "out_of_range"),
        (b'{"num_rows": 1, "num_rows": 2}', 400, "duplicate_key"),
        (b'{"seed": "\\ud800"}', 400, "invalid_unicode"),
        (b'{"conditions": {"\\ud800": 1}}', 400, "invalid_unicode"),
        (b'{"num_rows": "\\ud800"}', 400, "invalid_unicode"),
        *((b'{"conditions": ' + b"[" * levels, 400, "too_deep") for levels in (32, 500, 100_000)),
        *((b"{%s}" % b",".join(b'"%d":0' % i for i in range(keys)), 400, "too_many_keys") for keys in (1001, 10**5)),
        (b"\xff\xfe", 400, "invalid_encoding"),
        (b"\xef\xbb\xbf{}", 400, "invalid_encoding"),
        ('{"seed": 1}'.encode("utf-16"), 400, "invalid_encoding"),
        (b" " * (2**20 + 1), 413, "payload_too_large"),
        (b"[" + b"0," * 10_000_000 + b"0]", 413, "payload_too_large"),
    ],
    ids=lambda part: repr(part)[:40],
)
async def test_a_bad_body_is_a_problem_that_does_not_repeat_it(bank: Bank, content, status, code):
    path = f"{SYNTHGEN}/models/{bank.model_id}/generate"

    await bank.refuses("POST", path, status, code, content=content, headers=JSON)


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"null", 422, "object_expected"),  # a body that is not needed may be null
        (b'{"name": NaN}', 400, "invalid_json"),
        (b'{"name": Infinity}', 400, "invalid_json"),
        (b'{"name": "\\ud800"}', 400, "invalid_unicode"),
        (b'{"name": "\xff"}', 400, "invalid_encoding"),
    ],
)
async def test_nor_is_a_name_repeated_that_is_no_text(bank: Bank, content, status, code):
    await bank.refuses("POST", "/api/projects", status, code, content=content, headers=JSON)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "application/jsonx"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
async def test_415_for_what_is_not_plain_json(client, headers):
    response = await client.post("/api/projects", content=b'{"name": "Bank"}', headers=headers)

    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("media", ["application/json", "Application/JSON; charset=UTF-8", "application/json "])
async def test_json_in_utf_8_passes(client, media):
    response = await client.post("/api/projects", content=b'{"name": "Bank"}', headers={"Content-Type": media})

    assert response.status_code == 201


async def test_no_body_means_the_defaults(client, given_ready_model):
    model_id = await given_ready_model()

    response = await client.post(f"{SYNTHGEN}/models/{model_id}/generate")

    assert response.status_code == 200


async def test_an_endless_body_is_not_read_to_its_end(client):
    taken = 0

    async def endless():
        nonlocal taken
        while True:
            taken += 1
            yield b" " * 65_536

    response = await client.post(
        "/api/projects", content=endless(), headers={"Content-Type": "application/json"}, timeout=20
    )

    assert (response.status_code, response.json()["code"]) == (413, "payload_too_large")
    assert taken <= 20


async def test_a_body_that_does_not_come_is_a_408(client, server):
    async def slow_body():
        yield b"{"
        await asyncio.sleep(60)

    async def app(scope, receive, send):
        raise AssertionError("it must not get this far")

    gate = StrictJson(app, RequestLimits(json_seconds=0.1))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(RequestId(gate)), base_url="http://localhost") as client:
        response = await client.post("/", content=slow_body(), headers={"Content-Type": "application/json"})

    assert (response.status_code, response.json()["code"]) == (408, "request_timeout")


async def test_others_are_answered_while_a_large_body_is_checked(client, given_ready_model):
    path = f"{SYNTHGEN}/models/{await given_ready_model()}/generate"
    ended: list[str] = []

    async def ended_as(name: str, call: Awaitable[httpx.Response]) -> httpx.Response:
        response = await call
        ended.append(name)
        return response

    large = client.post(path, content=b'{"rows": [' + b"[]," * 300_000 + b"1]}", headers=JSON)
    refused, _ = await asyncio.gather(ended_as("large", large), ended_as("small", client.get("/api/limits")))

    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_field")
    assert ended == ["small", "large"]


async def test_every_route_that_takes_a_form_is_known_as_one(client):
    spec = (await client.get("/openapi.json")).json()

    forms = {
        path
        for path, methods in spec["paths"].items()
        for call in methods.values()
        if "multipart/form-data" in call.get("requestBody", {}).get("content", {})
    }

    assert forms == UPLOADS
