"""What holds for every route: keys, request ids, problems, and the OpenAPI page."""

import pytest
from fastapi.routing import APIRoute

from synthgen_ray.api import schemas as api_schemas
from tests.api.conftest import SYNTHGEN

OPEN = {"/", "/healthz", "/readyz", "/docs", "/openapi.json"}
PROBLEM = {"type", "title", "status", "detail", "code", "request_id", "errors"}


def routes(app) -> list[tuple[str, str]]:
    paths = app.openapi()["paths"]
    return [(method.upper(), path) for path, methods in paths.items() for method in methods]


class TestKeys:
    async def test_every_route_but_the_open_ones_needs_a_key(self, client, server):
        closed = [(method, path) for method, path in routes(server.app) if path not in OPEN]
        assert len(closed) >= 13
        del client.headers["Authorization"]

        for method, path in [*closed, ("GET", "/nowhere"), ("OPTIONS", f"{SYNTHGEN}/models")]:
            response = await client.request(method, path)
            assert response.status_code == 401, path
            assert response.headers["www-authenticate"] == "Bearer"
            assert set(response.json()) == PROBLEM

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

        assert (await client.get(path)).status_code in (200, 307)


class TestRequestId:
    async def test_a_harmless_one_is_echoed(self, client):
        response = await client.get("/healthz", headers={"X-Request-ID": "trace-1.a_B"})

        assert response.headers["x-request-id"] == "trace-1.a_B"

    @pytest.mark.parametrize("given", ["<script>", "a" * 65, "", "a b"])
    async def test_any_other_is_replaced(self, client, given):
        response = await client.get("/api/nowhere", headers={"X-Request-ID": given})

        assert response.headers["x-request-id"] != given
        assert response.json()["request_id"] == response.headers["x-request-id"]


class TestProblems:
    @pytest.mark.parametrize(
        ("content", "status", "code"),
        [
            (b"{", 400, "invalid_json"),
            (b'{"num_rows": 1}{}', 400, "invalid_json"),
            (b"[1,]", 400, "invalid_json"),
            (b"[]", 422, "object_expected"),
            (b"1", 422, "object_expected"),
            (b'{"num_rows": NaN}', 422, None),
            (b'{"num_rows": 1e400}', 422, None),
            (b'{"seed": "\\ud800"}', 422, "invalid_type"),
            (b"\xff\xfe", 400, None),
        ],
    )
    async def test_a_bad_body_is_a_problem_that_does_not_repeat_it(
        self, client, given_ready_model, content, status, code
    ):
        model_id = await given_ready_model()

        response = await client.post(
            f"{SYNTHGEN}/models/{model_id}/generate",
            content=content,
            headers={"Content-Type": "application/json"},
        )

        assert response.status_code == status, response.text
        assert response.headers["content-type"] == "application/problem+json"
        assert set(response.json()) == PROBLEM
        assert code in (None, response.json()["code"])

    async def test_405_names_the_methods_and_404_is_a_problem_too(self, client):
        wrong_method = await client.put("/api/projects")
        nowhere = await client.get("/api/projects/")

        assert (wrong_method.status_code, nowhere.status_code) == (405, 404)
        assert wrong_method.headers["allow"]
        assert set(wrong_method.json()) == set(nowhere.json()) == PROBLEM


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
                if "application/json" not in success["content"]:
                    continue
                name = success["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
                if name.startswith("Listed"):
                    name = schemas[name]["properties"]["items"]["items"]["$ref"].rpartition("/")[2]
                model = getattr(api_schemas, name)
                assert schemas[name]["examples"]  # without the nulls, which FastAPI leaves out
                (shown,) = model.model_config["json_schema_extra"]["examples"]
                assert model.model_validate(shown).model_dump(mode="json") == shown, path

    async def test_docs_can_be_closed(self, server):
        from synthgen_ray.api.app import create_app

        app = create_app(server.app.state.service, server.store.find_admission, server.store.ping, docs=False)

        assert not [route for route in app.routes if isinstance(route, APIRoute) and "docs" in route.path]
        assert app.docs_url is None
