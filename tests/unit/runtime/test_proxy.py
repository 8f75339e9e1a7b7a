"""The wrapping of Serve's HTTP proxy, around something that answers as Serve does."""

import asyncio

import httpx
import pytest
import uvicorn
from ray.serve._private.http_util import parse_disconnect_disabled_header, parse_request_timeout_header
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import Send

from synthgen_ray.api.auth import RequestId
from synthgen_ray.api.bodies import BodyLimit
from synthgen_ray.api.edge import Edge
from synthgen_ray.runtime import proxy
from synthgen_ray.runtime.backpressure import MAX_PAGES
from synthgen_ray.runtime.flow import MARK
from synthgen_ray.runtime.proxy import middlewares


def wrapped(app):
    for middleware in middlewares():
        app = middleware.cls(app, *middleware.args, **middleware.kwargs)
    return app


@pytest.fixture
def ask():
    async def ask(app, path="/", **headers: str) -> httpx.Response:
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(wrapped(app)), base_url="http://localhost"
        ) as client:
            return await client.get(path, headers=headers)

    return ask


async def says_nothing(scope, receive, send):
    return


@pytest.mark.parametrize(
    ("app", "status", "code"),
    [
        (says_nothing, 503, "unavailable"),
        (PlainTextResponse("Deployment is unavailable", 503), 503, "unavailable"),
        (PlainTextResponse("Ping http://.../-/routes", 404), 503, "unavailable"),
        (PlainTextResponse("Request timed out", 408), 408, "request_timeout"),
    ],
)
async def test_what_serve_says_by_itself_becomes_a_problem(ask, app, status, code):
    response = await ask(app)

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.json()["request_id"] == response.headers["x-request-id"]
    assert ("retry-after" in response.headers) == (status == 503)


@pytest.mark.parametrize(
    "app",
    [
        JSONResponse({"a": 1}),
        JSONResponse({"code": "x"}, 404),
        PlainTextResponse("a 1\n"),
        *(PlainTextResponse("not Serve's", status) for status in (400, 416, 418, 451)),
    ],
)
async def test_what_the_application_says_passes(ask, app):
    response = await ask(app)

    assert (response.status_code, response.content) == (app.status_code, app.body)


async def test_serve_sees_none_of_the_headers_that_are_between_it_and_its_proxy(ask):
    seen = {}

    async def app(scope, receive, send):
        seen.update(scope["headers"])
        await JSONResponse({})(scope, receive, send)

    given = {"X-Request-ID": "<script>", "X-Session-Id": "1", "serve-multiplexed-model-id": "m", "Accept": "a/b"}
    response = await ask(app, **given, **{"X-Synthgen-Flow": "theirs"})

    ours = {b"x-request-id", MARK[0]}
    assert set(seen) == {b"host", b"accept", b"accept-encoding", b"connection", b"user-agent"} | ours
    assert seen[MARK[0]] == MARK[1]
    assert seen[b"x-request-id"].decode() == response.headers["x-request-id"] != "<script>"


@pytest.mark.parametrize(
    ("path", "is_watched"),
    [
        ("/api/synthgen/jobs", False),
        ("/api/synthgen/jobs/1", False),
        ("/api/synthgen/models/1", False),
        ("/api/synthgen/jobs/1/download", True),
        ("/api/synthgen/jobs/1/events", True),
        ("/api/reports/1", True),
        ("/", True),
    ],
)
async def test_serve_watches_no_client_for_a_look_where_it_holds_the_connections(ask, monkeypatch, path, is_watched):
    monkeypatch.setattr(proxy, "_holds_connections", lambda: True)
    seen = {}

    async def app(scope, receive, send):
        seen.update(scope["headers"])
        await JSONResponse({})(scope, receive, send)

    await ask(app, path, **{"X-Request-Disconnect-Disabled": "?1", "X-Request-Timeout-Seconds": "0"})

    assert parse_disconnect_disabled_header(seen) is not is_watched
    assert parse_request_timeout_header(seen, 5.0) == (5.0 if is_watched else None)


async def test_uvicorn_believes_nobody_who_says_for_whom_he_asks(monkeypatch):
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    seen = {}

    async def app(scope, receive, send):
        seen.update(scope)
        await JSONResponse({})(scope, receive, send)

    around = wrapped(app)
    config = uvicorn.Config(lambda: around, factory=True, lifespan="off", log_config=None)  # as Serve makes it
    config.load()
    transport = httpx.ASGITransport(config.loaded_app, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        await client.get("/", headers={"X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "https"})

    assert (seen["client"], seen["scheme"]) == (("127.0.0.1", 1), "http")


async def test_what_the_proxy_did_is_not_done_again_by_the_application_behind_it(ask):
    ids = []

    async def app(scope, receive, send):
        ids.append(scope["state"]["request_id"])
        assert send is seen_by_the_layers.pop()
        await JSONResponse({})(scope, receive, send)

    async def application(scope, receive, send):
        seen_by_the_layers.append(send)
        await RequestId(Edge(BodyLimit(app)))(scope, receive, send)

    seen_by_the_layers: list[Send] = []
    response = await ask(application)

    assert response.headers.get_list("x-request-id") == ids
    assert response.headers.get_list("x-frame-options") == ["DENY"]


@pytest.mark.parametrize("path", ["/-/routes", "/-/healthz", "/%2D/routes"])
async def test_the_addresses_of_the_proxy_are_not_there(ask, path):
    response = await ask(JSONResponse({"/": "synthgen"}), path)

    assert (response.status_code, response.json()["code"]) == (404, "not_found")


async def test_serves_own_addresses_are_closed_but_to_haproxy_which_asks_the_replicas_for_their_health(
    ask, monkeypatch
):
    healthy, path = PlainTextResponse("success"), "/-/healthz"
    assert (await ask(healthy, path)).status_code == 404

    monkeypatch.setenv("RAY_SERVE_ENABLE_HA_PROXY", "1")

    async def asks_as_haproxy(scope, receive, send):
        await wrapped(healthy)({**scope, "headers": []}, receive, send)

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(asks_as_haproxy), base_url="http://localhost"
    ) as haproxy:
        assert (await haproxy.get(path)).text == "success"
    assert (await ask(healthy, "/-/routes")).status_code == 404


async def test_haproxy_learns_of_a_replicas_health_however_many_pages_are_not_read(monkeypatch):
    monkeypatch.setenv("RAY_SERVE_ENABLE_HA_PROXY", "1")
    is_read = asyncio.Event()

    async def slow_pages(scope, receive, send):
        if scope["path"] == "/":
            await is_read.wait()
        await PlainTextResponse("success")(scope, receive, send)

    transport = httpx.ASGITransport(wrapped(slow_pages))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        pages = [asyncio.create_task(client.get("/")) for _ in range(MAX_PAGES + 1)]
        done, _ = await asyncio.wait(pages, return_when=asyncio.FIRST_COMPLETED)
        health = await client.get("/-/healthz")
        is_read.set()
        await asyncio.gather(*pages)

    assert [page.result().status_code for page in done] == [429]
    assert health.text == "success"
