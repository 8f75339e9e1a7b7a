"""The client has a method for every route, and the command line a command for every method."""

import ast
import inspect
import re
from pathlib import Path
from typing import Any

import httpx

import synthgen_ray.commands
from synthgen_ray import cli
from synthgen_ray.client import SynthGen

PUBLIC = {name for name, _ in inspect.getmembers(SynthGen, inspect.isfunction) if not name.startswith("_")}
METHODS = PUBLIC - {"close"}  # which asks nothing
ROUTES_WITHOUT_A_METHOD = {
    ("GET", "/healthz"),  # for what keeps the process alive; `is_ready` asks for more
}
ANSWER = {"model_types": [], "model": {}, "jobs": [], "status": "completed"}
SOME_ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


def asked_by(method: str, file: Path) -> set[tuple[str, str]]:
    """The requests that a method makes."""
    asked = set()

    def answer(request: httpx.Request) -> httpx.Response:
        request.read()
        asked.add((request.method, request.url.path))
        return httpx.Response(200, json=ANSWER)

    with SynthGen("http://synthgen", transport=httpx.MockTransport(answer)) as client:
        call = getattr(client, method)
        answered = call(**arguments_of(call, file))
        if inspect.isgenerator(answered):
            list(answered)
    return asked


def arguments_of(call: Any, file: Path) -> dict[str, Any]:
    needed = [p for p in inspect.signature(call).parameters.values() if p.default is inspect.Parameter.empty]
    return {p.name: file if p.annotation is Path else 0 if p.annotation is int else SOME_ID for p in needed}


async def test_every_route_has_a_method(client, tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"a\n1\n")
    paths = (await client.get("/openapi.json")).json()["paths"]
    routes = {(method.upper(), path) for path, methods in paths.items() for method in methods}

    asked = set().union(*(asked_by(method, file) for method in METHODS))

    def is_asked(method: str, path: str) -> bool:
        pattern = re.sub(r"\{\w+\}", "[^/]+", path)
        return any(method == verb and re.fullmatch(pattern, address) for verb, address in asked)

    assert {route for route in routes if not is_asked(*route)} == ROUTES_WITHOUT_A_METHOD


async def test_a_method_knows_a_repeat_where_its_route_does(client, tmp_path):
    paths = (await client.get("/openapi.json")).json()["paths"]
    takers = {
        path
        for path, methods in paths.items()
        for call in methods.values()
        if any(parameter["name"] == "Idempotency-Key" for parameter in call.get("parameters", ()))
    }
    assert takers

    keyed = set()

    def answer(request: httpx.Request) -> httpx.Response:
        if "idempotency-key" in request.headers:
            keyed.add(request.url.path.replace(SOME_ID, "{model_id}"))
        return httpx.Response(200, json=ANSWER)

    with SynthGen("http://synthgen", transport=httpx.MockTransport(answer)) as synthgen:
        for method in METHODS:
            call = getattr(synthgen, method)
            (tmp_path / "file").write_bytes(b"a\n1\n")
            call(**arguments_of(call, tmp_path / "file"))

    assert keyed == takers


def test_every_method_has_a_command():
    sources = [*Path(synthgen_ray.commands.__path__[0]).glob("*.py"), Path(cli.__file__)]
    trees = [ast.parse(source.read_text()) for source in sources]
    used = {node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)}

    assert used >= METHODS
