"""The client has a method for every route, and the command line a command for every method."""

import ast
import inspect
import re
from pathlib import Path
from typing import Any

import httpx
import pytest

import synthgen_ray.commands
from synthgen_ray import cli
from synthgen_ray.client import SynthGen
from synthgen_ray.client.files import FilePath

PUBLIC = {name for name, _ in inspect.getmembers(SynthGen, inspect.isfunction) if not name.startswith("_")}
METHODS = PUBLIC - {"close"}  # which asks nothing
ROUTES_WITHOUT_A_METHOD = {
    ("GET", "/healthz"),  # for what keeps the process alive; `is_ready` asks for more
}
ANSWER = {"model_types": [], "model": {}, "jobs": [], "items": [], "status": "completed"}
SOME_ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


@pytest.fixture
async def calls(client) -> dict[tuple[str, str], dict]:
    """What the OpenAPI page says of each route."""
    paths = (await client.get("/openapi.json")).json()["paths"]
    return {(method.upper(), path): call for path, methods in paths.items() for method, call in methods.items()}


@pytest.fixture
def asked(tmp_path) -> list[httpx.Request]:
    """A request of every kind that the client makes."""
    requests: list[httpx.Request] = []
    file = tmp_path / "file"

    def answer(request: httpx.Request) -> httpx.Response:
        request.read()
        requests.append(request)
        return httpx.Response(200, json=ANSWER)

    with SynthGen("http://synthgen", transport=httpx.MockTransport(answer)) as synthgen:
        for method in METHODS:
            file.write_bytes(b"a\n1\n")
            call = getattr(synthgen, method)
            answered = call(**arguments_of(call, file))
            if inspect.isgenerator(answered):
                list(answered)
    return requests


def arguments_of(call: Any, file: Path) -> dict[str, Any]:
    needed = [p for p in inspect.signature(call).parameters.values() if p.default is inspect.Parameter.empty]
    return {p.name: file if p.annotation == FilePath else 0 if p.annotation is int else SOME_ID for p in needed}


def is_of(request: httpx.Request, route: tuple[str, str]) -> bool:
    method, path = route
    pattern = re.sub(r"\{version\}", "[0-9]+", path)
    pattern = re.sub(r"\{\w+\}", "[0-9a-f-]{36}", pattern)
    return request.method == method and bool(re.fullmatch(pattern, request.url.path))


def test_every_route_has_a_method(calls, asked):
    left = {route for route in calls if not any(is_of(request, route) for request in asked)}

    assert left == ROUTES_WITHOUT_A_METHOD


def test_a_method_knows_a_repeat_where_its_route_does(calls, asked):
    for route, call in calls.items():
        takes_key = any(parameter["name"] == "Idempotency-Key" for parameter in call.get("parameters", ()))
        for request in asked:
            if is_of(request, route):
                assert ("idempotency-key" in request.headers) is takes_key, route


def test_every_method_has_a_command():
    sources = [*Path(synthgen_ray.commands.__path__[0]).glob("*.py"), Path(cli.__file__)]
    trees = [ast.parse(source.read_text()) for source in sources]
    used = {node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)}

    assert used >= METHODS
