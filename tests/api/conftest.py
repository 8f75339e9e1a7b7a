"""The real application, service, store and dispatcher over one temporary directory; only Ray is left out."""

import asyncio
import contextlib
import csv
import io
import random
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Route

from synthgen_ray.api.app import create_app
from synthgen_ray.api.checks import Check, Component
from synthgen_ray.api.rate_limits import RateLimits
from synthgen_ray.artifacts import Artifacts
from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.datasets.limits import UploadLimits
from synthgen_ray.domain.keys import key_hash, new_key
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.jobs.dispatcher import Dispatcher
from synthgen_ray.service.service import Service
from synthgen_ray.store.store import Store
from tests.api.bank import Bank, open_bank
from tests.beside import beside
from tests.fakes import RememberingConverter, ThreadLauncher, ThreadSamplers

SYNTHGEN = "/api/synthgen"
NO_LIMITS = RateLimits(requests_per_second=None, open_requests=None, event_streams=None, wrong_keys_per_minute=None)
_routes: list[BaseRoute] = []  # of the first application


@dataclass
class Server:
    store: Store
    artifacts: Any  # on a disk, where a test does not ask for another
    dispatcher: Dispatcher
    app: Any
    key: str
    checks: dict[Component, Check]

    async def run_queue(self) -> None:
        """Run every job that is due, one after the other."""
        while True:
            await self.dispatcher.tick()
            if not self.dispatcher.tasks:
                return
            await asyncio.gather(*self.dispatcher.tasks)

    def client(self) -> httpx.AsyncClient:
        """One that holds the admin's key."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {self.key}"}
        return httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers)


def files_of(server: Server) -> list[Path]:
    """All that its artifacts are, on a disk."""
    return [path for path in server.artifacts.path("", "").rglob("*") if path.is_file()]


def routes_of(app: FastAPI) -> set[tuple[str, str]]:
    """The method and path of all that the application answers, whether the documentation shows it or not."""
    found: set[tuple[str, str]] = set()
    for route in app.routes:
        inner = route.original_router.routes if hasattr(route, "original_router") else [route]
        for one in inner:
            assert isinstance(one, Route | APIRoute), f"{one} may answer more than this can tell"
            found |= {(method, one.path_format) for method in one.methods or ()}
    return found


def checks_of(store: Store, artifacts: Artifacts) -> dict[Component, Check]:
    """The dispatcher's is Ray's."""
    return {Component.STORE: store.ping, Component.ARTIFACTS: lambda: asyncio.to_thread(artifacts.check_writable)}


def an_app(service: Service, store: Store, checks: dict[Component, Check]) -> FastAPI:
    app = create_app(service, store.find_admission, checks, rate_limits=NO_LIMITS)
    # FastAPI makes them ready at the first request, which takes longer than most tests, and they know of no service.
    _routes[:] = _routes or app.router.routes
    app.router.routes[:] = _routes
    return app


@contextlib.asynccontextmanager
async def a_server(
    folder: Path, database_url: str, artifacts: Artifacts | None = None, **limits: float
) -> AsyncIterator[Server]:
    store = Store(database_url)
    key = new_key()
    await store.set_admin_key(key_hash(key))
    artifacts = artifacts or DiskArtifacts(folder / "artifacts")
    artifacts.prepare()
    dispatcher = Dispatcher(store, artifacts, ThreadLauncher(artifacts), dict.fromkeys(JobType, 1))
    tables = [f"file://{folder}/tables"]
    draw = ThreadSamplers(artifacts).draw
    service = Service(store, artifacts, dispatcher.nudge, RememberingConverter(UploadLimits(**limits)), draw, tables)
    checks = checks_of(store, artifacts)
    yield Server(store, artifacts, dispatcher, an_app(service, store, checks), key, checks)
    await asyncio.gather(*dispatcher.tasks)  # a job that a test left running still writes to the store
    await dispatcher.stop()
    await store.dispose()


@pytest.fixture
async def server(tmp_path, database_url: str) -> AsyncIterator[Server]:
    async with a_server(tmp_path, database_url) as server:
        yield server


@pytest.fixture
async def client(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    async with server.client() as client:
        yield client


@pytest.fixture(scope="session")
async def bank(tmp_path_factory, shared_database_url: str) -> AsyncIterator[Bank]:
    """A server with all that can be asked for; its tests may add to it, and take nothing away."""
    folder = tmp_path_factory.mktemp("bank")
    async with a_server(folder, shared_database_url) as server, server.client() as client:
        yield await open_bank(server, client)


@pytest.fixture
def limited(server: Server, client: httpx.AsyncClient):
    """A client of the same server with other limits of uploads."""

    def with_limits(**limits: float) -> httpx.AsyncClient:
        converter, draw = RememberingConverter(UploadLimits(**limits)), ThreadSamplers(server.artifacts).draw
        service = Service(server.store, server.artifacts, server.dispatcher.nudge, converter, draw)
        transport = httpx.ASGITransport(an_app(service, server.store, server.checks), raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=client.headers)

    return with_limits


@pytest.fixture
async def url(server: Server) -> AsyncIterator[str]:
    """The application behind a real socket."""
    # Only of a socket that names its protocol does asyncio switch off Nagle's algorithm, which costs 40 ms an answer.
    listener = socket.socket(proto=socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    web = uvicorn.Server(uvicorn.Config(server.app, log_level="error", lifespan="off", ws="none"))
    serving = asyncio.create_task(web.serve(sockets=[listener]))
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    web.should_exit = True
    await serving


@pytest.fixture
async def working(server: Server) -> AsyncIterator[None]:
    """The dispatcher at work in the background, for tests that poll as a client does."""
    async with beside(server.dispatcher.run()):
        yield


def a_table(num_rows: int = 200) -> bytes:
    """A small table with numbers, categories, booleans, dates, missing values, an id and a constant."""
    chance = random.Random(7)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["account", "age", "income", "balance", "active", "opened", "bank"])
    for i in range(num_rows):
        age = chance.randint(18, 80)
        income = ">50K" if age > 45 and chance.random() < 0.7 else "<=50K"
        balance = "" if chance.random() < 0.1 else f"{chance.gauss(1000, 300):.2f}"
        opened = f"20{chance.randint(10, 24)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
        writer.writerow([f"AC-{i:06}", age, income, balance, chance.random() < 0.5, opened, "First"])
    return text.getvalue().encode()


@pytest.fixture
async def project_id(client) -> str:
    response = await client.post("/api/projects", json={"name": "Bank"})
    return response.json()["id"]


@pytest.fixture
def given_dataset(client, project_id):
    async def given(content: bytes | None = None, name: str = "accounts", filename: str = "accounts.csv") -> dict:
        response = await client.post(
            "/api/datasets/upload",
            data={"project_id": project_id, "name": name},
            files={"file": (filename, content or a_table())},
        )
        assert response.status_code == 201, response.text
        return response.json()

    return given


@pytest.fixture
def given_model(client, project_id, given_dataset):
    """A model whose training waits in the queue."""

    async def given(name: str = "Transactions", **fields: Any) -> dict:
        dataset = await given_dataset()
        body = {
            "project_id": project_id,
            "dataset_version_id": dataset["dataset_version_id"],
            "name": name,
            "model_type": "gaussian_copula",
            **fields,
        }
        response = await client.post(f"{SYNTHGEN}/models", json=body)
        assert response.status_code == 201, response.text
        return response.json()

    return given


@pytest.fixture
def given_ready_model(client, server, given_model):
    async def given(**fields: Any) -> str:
        model = await given_model(**fields)
        await server.run_queue()
        shown = (await client.get(f"{SYNTHGEN}/models/{model['id']}")).json()["model"]
        assert shown["status"] == "ready", (await client.get(f"{SYNTHGEN}/jobs/{model['job_id']}")).json()
        return model["id"]

    return given


@pytest.fixture
def given_output(client, server, given_ready_model):
    """A completed generation."""

    async def given(**params: Any) -> dict:
        model_id = await given_ready_model()
        response = await client.post(f"{SYNTHGEN}/models/{model_id}/generate", json=params)
        assert response.status_code == 200, response.text
        await server.run_queue()
        return (await client.get(f"{SYNTHGEN}/jobs/{response.json()['synthgen_job_id']}")).json()

    return given
