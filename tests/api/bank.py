"""A bank for the tests of what is refused: all that a request can name is there, and nothing is changed by them."""

import csv
import io
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from synthgen_ray.domain.params import ModelType

if TYPE_CHECKING:
    from tests.api.conftest import Server

PROBLEM = {"type", "title", "status", "detail", "code", "request_id", "errors"}
RARE = "Longyearbyen"  # in two rows: fewer than a category needs to be learnt
ECHO_CHARS = 5  # shorter texts may stand in any sentence


def customers(num_rows: int = 60) -> bytes:
    """Of each kind of column one; a city tells its country."""
    chance = random.Random(5)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["account", "age", "balance", "city", "country", "active", "opened", "bank"])
    cities = {"Lima": "Peru", "Cusco": "Peru", "Rome": "Italy"}
    for i in range(num_rows):
        city = RARE if i < 2 else chance.choice(list(cities))
        balance = "" if i % 10 == 9 else f"{chance.gauss(1000, 300):.2f}"
        opened = f"20{chance.randint(10, 24)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
        country, active = cities.get(city, "Peru"), chance.random() < 0.5
        writer.writerow([f"AC-{i:06}", chance.randint(18, 80), balance, city, country, active, opened, "First"])
    return text.getvalue().encode()


@dataclass
class Bank:
    server: "Server"
    client: httpx.AsyncClient
    project_id: str
    dataset_id: str
    version_id: str
    model_id: str  # ready
    training_id: str
    output_id: str  # a completed generation

    @property
    def order(self) -> dict[str, Any]:
        """A model that can be made."""
        ids = {"project_id": self.project_id, "dataset_version_id": self.version_id}
        return {**ids, "name": "Another", "model_type": "gaussian_copula"}

    @property
    def ids(self) -> dict[str, str]:
        names = ("project_id", "dataset_id", "version_id", "model_id", "training_id", "output_id")
        return {name: getattr(self, name) for name in names}

    async def counts(self) -> list[int]:
        paths = ("/api/keys", "/api/datasets", "/api/synthgen/models", "/api/synthgen/jobs")
        return [(await self.client.get(path)).json()["total"] for path in paths]

    async def refuses(self, method: str, path: str, status: int, code: str, **request: Any) -> httpx.Response:
        """Hold that a request is refused so: by a whole problem that repeats nothing, without a trace."""
        before = await self.counts()

        response = await self.client.request(method, path, **request)

        assert (response.status_code, response.json()["code"]) == (status, code), response.text
        assert response.headers["content-type"] == "application/problem+json"
        assert set(response.json()) == PROBLEM
        assert response.json()["request_id"] == response.headers["x-request-id"]
        assert len(response.content) < 2000
        assert not [text for text in _texts(_sent(request)) if text in response.text]
        assert await self.counts() == before
        await self.works()
        return response

    async def works(self) -> None:
        """A valid request is answered; it is the same one each time, so nothing more comes of it."""
        path, headers = f"/api/synthgen/models/{self.model_id}/generate", {"Idempotency-Key": "valid"}
        response = await self.client.post(path, json={"num_rows": 5}, headers=headers)
        assert response.status_code == 200, response.text


def _sent(request: dict[str, Any]) -> Any:
    if "content" not in request:
        return request.get("json")
    try:
        return json.loads(request["content"])
    except (ValueError, RecursionError):
        return None


def _texts(value: Any) -> Iterator[str]:
    """The values of a body; its keys are what a problem names as fields."""
    if isinstance(value, str) and len(value) >= ECHO_CHARS and value not in set(ModelType):
        yield value
    elif isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


async def open_bank(server: "Server", client: httpx.AsyncClient) -> Bank:
    project_id = (await client.post("/api/projects", json={"name": "Bank"})).json()["id"]
    form = {"project_id": project_id, "name": "customers"}
    dataset = (await client.post("/api/datasets/upload", data=form, files={"file": ("c.csv", customers())})).json()
    made = Bank(server, client, project_id, dataset["dataset_id"], dataset["dataset_version_id"], "", "", "")
    model = (await client.post("/api/synthgen/models", json=made.order)).json()
    made.model_id, made.training_id = model["id"], model["synthgen_job_id"]
    await server.run_queue()
    path = f"/api/synthgen/models/{made.model_id}/generate"
    made.output_id = (await client.post(path, json={"num_rows": 20})).json()["synthgen_job_id"]
    await server.run_queue()
    await made.works()
    return made
