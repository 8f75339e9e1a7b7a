"""What holds for every route: keys, request ids, problems, and the OpenAPI page."""

import re

import httpx
import pytest

from synthgen_ray.api import console
from synthgen_ray.api.app import create_app
from synthgen_ray.api.schemas import audit, common, datasets, jobs, keys, limits, models, projects, reports, status
from tests.api.bank import PROBLEM
from tests.api.conftest import SYNTHGEN, routes_of

SCHEMAS = {
    name: found
    for part in (audit, common, datasets, jobs, keys, limits, models, projects, reports, status)
    for name, found in vars(part).items()
}
DOCS = {"/docs", "/docs/start.js", "/openapi.json"}
ASSETS = {f"/docs/assets/{name}" for name in ("favicon.png", "swagger-ui-bundle.js", "swagger-ui.css")}
OPEN = {"/healthz", "/readyz", *DOCS, *ASSETS, *console.PATHS}
OTHER_METHODS = ("HEAD", "OPTIONS", "PUT", "PATCH", "TRACE", "FOO")


class TestKeys:
    async def test_every_route_but_the_open_ones_needs_a_key(self, client, server):
        closed = [(method, path) for method, path in routes_of(server.app) if path not in OPEN]
        assert len(closed) >= 40
        del client.headers["Authorization"]

        unlisted = [("GET", "/nowhere"), ("GET", "/metrics"), *((method, "/api/projects") for method in OTHER_METHODS)]
        for method, path in [*closed, *unlisted]:
            response = await client.request(method, path)
            assert response.status_code == 401, path
            assert response.headers["www-authenticate"] == "Bearer"
            assert method == "HEAD" or set(response.json()) == PROBLEM

    @pytest.mark.parametrize(
        "header", ["Bearer", "Bearer ", "Basic x", "Bearer wrong", "Bearer " + "k" * 10_000, "bearer\tx"]
    )
    async def test_401_for_a_key_that_is_not_one(self, client, header):
        response = await client.get("/api/projects", headers={"Authorization": header})

        assert response.status_code == 401

    async def test_two_keys_are_none(self, client, server):
        bearer = f"Bearer {server.key}"
        del client.headers["Authorization"]

        response = await client.get("/api/projects", headers=[("Authorization", bearer), ("Authorization", bearer)])

        assert response.status_code == 401

    async def test_the_scheme_may_be_in_lower_case(self, client, server):
        response = await client.get("/api/projects", headers={"Authorization": f"bearer {server.key}"})

        assert response.status_code == 200

    @pytest.mark.parametrize("path", sorted(OPEN))
    async def test_open_routes_need_none(self, client, path):
        del client.headers["Authorization"]

        got, looked_at = await client.get(path), await client.head(path)  # as load balancers look, and wget --spider

        assert (got.status_code, looked_at.status_code) == (200, 200)

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
    async def test_nor_is_a_body_waited_for_there_that_comes_without_a_key(self, client, method):
        async def body():
            pytest.fail("it was read")
            yield b""

        del client.headers["Authorization"]

        response = await client.request(method, "/", content=body(), headers={"Content-Type": "application/json"})

        assert response.status_code == 401


class TestRequestId:
    async def test_a_harmless_one_is_echoed(self, client):
        response = await client.get("/healthz", headers={"X-Request-ID": "trace-1.a_B"})

        assert response.headers["x-request-id"] == "trace-1.a_B"

    @pytest.mark.parametrize("given", ["<script>", "a" * 65, "", "a b", b"\xff"])
    async def test_any_other_is_replaced(self, client, given):
        """Not refused: it is there to find a request by, and a proxy on the way may have put it there."""
        response = await client.get("/api/nowhere", headers={"X-Request-ID": given})

        assert response.headers["x-request-id"] != given
        assert re.fullmatch("[0-9a-f]{32}", response.headers["x-request-id"])
        assert response.json()["request_id"] == response.headers["x-request-id"]


class TestAddressAndHeaders:
    @pytest.mark.parametrize(
        ("path", "headers", "status", "code"),
        [
            ("/healthz", [("X", "y" * 17_000)], 431, "headers_too_large"),
            ("/healthz", [(f"X-{i}", "y") for i in range(101)], 431, "headers_too_large"),
            ("/healthz", [("X-Request-ID", "y" * 100_000)], 431, "headers_too_large"),
            ("/healthz?a=" + "y" * 8192, [], 414, "url_too_long"),
            ("/" + "y" * 8192, [], 414, "url_too_long"),
            ("/api/projects/%00", [], 404, "not_found"),
            ("/api/projects/%ff", [], 404, "not_found"),
            ("/healthz%00", [], 404, "not_found"),
            ("/healthz", [("Host", "")], 400, "missing_host"),
            ("/healthz", [("Host", "localhost"), ("Host", "localhost")], 400, "missing_host"),
            ("/healthz", [("Host", "evil.example")], 421, "unknown_host"),
            ("/healthz", [("Host", "localhost.evil.example:8888")], 421, "unknown_host"),
            ("/healthz", [("Host", "127.0.0.1@evil.example")], 421, "unknown_host"),
            ("/healthz", [("Host", "<script>")], 421, "unknown_host"),
            ("/healthz", [("Idempotency-Key", "")], 400, "invalid_idempotency_key"),
            ("/healthz", [("Idempotency-Key", "k" * 256)], 400, "invalid_idempotency_key"),
            ("/healthz", [("Idempotency-Key", "a b")], 400, "invalid_idempotency_key"),
            ("/healthz", [("Idempotency-Key", b"a\x01b")], 400, "invalid_idempotency_key"),
            ("/healthz", [("Idempotency-Key", b"a\tb")], 400, "invalid_idempotency_key"),
            ("/healthz", [("Idempotency-Key", b"\xff")], 400, "invalid_idempotency_key"),
            ("/healthz", [("Idempotency-Key", "k")] * 2, 400, "invalid_idempotency_key"),
        ],
        ids=lambda part: repr(part)[:40],
    )
    async def test_what_is_unsound_is_refused_by_name(self, client, path, headers, status, code):
        response = await client.get(path, headers=headers)

        assert (response.status_code, response.json()["code"]) == (status, code)
        assert set(response.json()) == PROBLEM
        assert response.json()["request_id"] == response.headers["x-request-id"]
        assert len(response.content) < 1000

    @pytest.mark.parametrize("host", ["localhost", "LocalHost:1", "127.0.0.1:8888", "[::1]:8888", "localhost."])
    async def test_the_loopback_names_are_known_with_any_port(self, client, host):
        assert (await client.get("/healthz", headers={"Host": host})).status_code == 200

    @pytest.mark.parametrize(
        ("hosts", "host", "status"),
        [
            (["synthgen.example"], "synthgen.example:443", 200),
            (["synthgen.example"], "www.synthgen.example", 421),
            (["[2001:db8::1]"], "[2001:DB8::1]:80", 200),
            (["*"], "anything.example", 200),
        ],
    )
    async def test_the_operator_names_the_others(self, client, server, hosts, host, status):
        app = create_app(server.app.state.service, server.store.find_admission, server.checks, hosts=hosts)

        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as other:
            assert (await other.get("/healthz", headers={"Host": host})).status_code == status

    async def test_a_key_of_every_visible_character_is_taken(self, client):
        visible = "".join(chr(code) for code in range(0x21, 0x7F))

        response = await client.get("/healthz", headers={"Idempotency-Key": visible})

        assert response.status_code == 200

    async def test_a_web_socket_is_turned_away(self, server):
        answers = []

        async def send(message):
            answers.append(message["type"])

        await server.app({"type": "websocket", "path": "/", "headers": [], "query_string": b""}, None, send)

        assert answers == ["websocket.close"]


class TestSecurityHeaders:
    @pytest.mark.parametrize("path", ["/healthz", "/docs", "/nowhere", "/api/projects", "/api/projects?nope=1", "/%ff"])
    async def test_every_answer_keeps_browsers_away(self, client, path):
        headers = (await client.get(path)).headers

        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert "access-control-allow-origin" not in headers
        assert (headers.get("cache-control") == "no-store") == path.startswith("/api/")

    async def test_a_401_has_them_too(self, client):
        del client.headers["Authorization"]

        headers = (await client.get("/api/projects")).headers

        assert (headers["x-content-type-options"], headers["cache-control"]) == ("nosniff", "no-store")


class TestQueries:
    @pytest.mark.parametrize(
        ("path", "code"),
        [
            ("/api/projects?limit=1&limit=2", "duplicate_parameter"),
            ("/api/projects?limit=&limit=", "duplicate_parameter"),
            ("/api/projects?nope=1", "unknown_parameter"),
            ("/api/projects?Limit=1", "unknown_parameter"),
            ("/api/projects?%ff=1", "unknown_parameter"),
            (f"{SYNTHGEN}/model-types?limit=1", "unknown_parameter"),
            ("/healthz?key=1", "unknown_parameter"),
        ],
    )
    async def test_422_for_what_the_route_does_not_take(self, client, path, code):
        response = await client.get(path)

        assert (response.status_code, response.json()["code"]) == (422, code)

    async def test_what_it_takes_passes(self, client):
        assert (await client.get("/api/projects?limit=1&offset=0")).status_code == 200


class TestProblems:
    @pytest.mark.parametrize("method", OTHER_METHODS)
    async def test_405_names_the_methods(self, client, method):
        response = await client.request(method, "/api/projects")

        assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")
        assert method == "HEAD" or set(response.json()) == PROBLEM

    async def test_404_is_one_too(self, client):
        nowhere = await client.get("/api/projects/")

        assert nowhere.status_code == 404
        assert set(nowhere.json()) == PROBLEM

    async def test_json_is_answered_whatever_would_be_liked_better(self, client):
        liked, refused = [
            await client.get(path, headers={"Accept": "application/xml"}) for path in ("/api/projects", "/nowhere")
        ]

        assert (liked.status_code, liked.headers["content-type"]) == (200, "application/json")
        assert (refused.status_code, refused.headers["content-type"]) == (404, "application/problem+json")


class TestOpenApi:
    async def test_every_call_has_a_summary_a_description_and_a_model_or_media_of_its_answer(self, client):
        spec = (await client.get("/openapi.json")).json()

        for path, methods in spec["paths"].items():
            for method, call in methods.items():
                assert call["summary"], (method, path)
                assert call["description"], (method, path)

    async def test_every_json_body_has_an_example(self, client):
        spec = (await client.get("/openapi.json")).json()
        schemas = spec["components"]["schemas"]

        for path, methods in spec["paths"].items():
            for method, call in methods.items():
                content = call.get("requestBody", {}).get("content", {}).get("application/json")
                if content is None:
                    continue
                name = content["schema"].get("$ref", "").rpartition("/")[2]
                assert content.get("examples") or content["schema"].get("examples") or schemas[name].get("examples"), (
                    method,
                    path,
                )

    async def test_every_json_answer_has_an_example_that_fits_it(self, client):
        spec = (await client.get("/openapi.json")).json()
        schemas = spec["components"]["schemas"]

        for path, methods in spec["paths"].items():
            for call in methods.values():
                (success,) = [answer for status, answer in call["responses"].items() if status in ("200", "201")]
                if "schema" not in success["content"].get("application/json", {}):  # a file, though of JSON
                    continue
                name = success["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
                if name.startswith("Listed"):
                    name = schemas[name]["properties"]["items"]["items"]["$ref"].rpartition("/")[2]
                model = SCHEMAS[name]
                assert schemas[name]["examples"]  # without the nulls, which FastAPI leaves out
                (shown,) = model.model_config["json_schema_extra"]["examples"]
                assert model.model_validate(shown).model_dump(mode="json") == shown, path

    async def test_the_page_needs_nothing_from_elsewhere(self, client):
        page = await client.get("/docs")

        loaded = re.findall(r'(?:src|href)="([^"]*)"', page.text)
        assert len(loaded) == 4
        del client.headers["Authorization"]
        for address in loaded:
            assert address.startswith("/docs/")
            assert (await client.get(address)).status_code == 200
        # The policy of the page forbids scripts within it.
        assert re.findall(r"<script[^>]*>[^<]", page.text) == []
        assert "script-src 'self';" in page.headers["content-security-policy"]

    @pytest.mark.parametrize("range", ["x", "bytes=999999999-", "bytes=0-0", "bytes=5-1,2-"])
    async def test_its_files_come_whole_whatever_range_is_asked_for(self, client, range):
        del client.headers["Authorization"]

        for path in ("/docs/assets/swagger-ui.css", "/docs/assets/favicon.png", "/docs/start.js", "/docs", "/"):
            plain, ranged = [await client.get(path, headers=headers) for headers in ({}, {"Range": range})]

            assert (ranged.status_code, ranged.content) == (200, plain.content)
            assert ranged.headers["content-type"] == plain.headers["content-type"]

    @pytest.mark.parametrize(
        ("tags", "status"),
        [
            ("{}", 304),
            ("*", 304),
            ('"x, y", {}, W/"z"', 304),
            ('"x",{}', 304),
            ("{}x", 200),
            ('"{}"', 200),
            ("", 200),
            ('"x', 200),
        ],
    )
    async def test_a_file_that_is_had_is_not_sent_again(self, client, tags, status):
        for path in ("/docs/assets/swagger-ui.css", "/"):
            tag = (await client.get(path)).headers["etag"]

            for had in (tag, tag.removeprefix("W/")):
                answer = await client.get(path, headers={"If-None-Match": tags.format(had)})

                assert answer.status_code == status, had

    async def test_docs_can_be_closed(self, client, server):
        app = create_app(server.app.state.service, server.store.find_admission, server.checks, docs=False)

        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as other:
            for path in ("/docs", "/docs/start.js", "/openapi.json"):
                assert (await other.get(path)).status_code == 401
                assert (await other.get(path, headers=client.headers)).status_code == 404


async def test_no_log_holds_what_an_unexpected_error_quotes(server, client, monkeypatch, caplog):
    """The server around the application logs what it lets out, as Serve does."""

    async def broken(*_asked):
        raise ValueError("could not convert string to float: 'a cell of a patient'") from KeyError(
            "a cell of a patient"
        )

    monkeypatch.setattr(server.store, "list_projects", broken)
    transport = httpx.ASGITransport(server.app, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=client.headers) as strict:
        answer = await strict.get("/api/projects")

    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "cell of a patient" not in answer.text + caplog.text
    (line,) = [record.getMessage() for record in caplog.records if "ValueError" in record.getMessage()]
    assert "test_edge.py" in line
    assert answer.json()["request_id"] in line


async def test_allow_names_every_method_of_the_address(client, project_id):
    response = await client.put(f"/api/projects/{project_id}")

    assert (response.status_code, response.headers["allow"]) == (405, "DELETE, GET, PATCH")
