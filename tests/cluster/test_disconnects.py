"""Clients that leave: a call makes its thing whole or not at all, and a retry with its key makes exactly one."""

import json
import os
import random
import re
import socket
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from synthgen_ray.client import SynthGen
from tests.api.bank import customers
from tests.servers import UpServer, every, wait_until

# An upload is converted by a process of its own, a training runs for seconds: of these there are fewer.
# `make fuzz` sends all the thousand.
SHARE = float(os.environ.get("SYNTHGEN_DISCONNECTS", "0.1"))
CLIENTS = {
    kind: round(SHARE * clients)
    for kind, clients in {"project": 430, "generation": 430, "model": 100, "dataset": 40}.items()
}
AT_ONCE = 16
RESET = struct.pack("ii", 1, 0)  # close without a goodbye
BOUNDARY = b"the-boundary"


@dataclass(frozen=True)
class Call:
    """A call that makes one thing, which bears a name of its own (a generation its seed)."""

    kind: str
    number: int
    path: str
    body: bytes
    content_type: str = "application/json"

    @property
    def name(self) -> str:
        return f"{self.kind} {self.number}"

    def request(self, server: UpServer) -> bytes:
        head = [
            f"POST {self.path} HTTP/1.1",
            f"Host: 127.0.0.1:{server.port}",
            f"Authorization: Bearer {server.key}",
            f"Idempotency-Key: {self.kind}-{self.number}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(self.body)}",
            "Connection: close",
        ]
        return "\r\n".join(head).encode() + b"\r\n\r\n" + self.body


@dataclass(frozen=True)
class Shop:
    """Where they call: a project with a table and a model that is ready."""

    server: UpServer
    client: SynthGen
    project_id: str
    version_id: str
    model_id: str

    def call(self, kind: str, number: int) -> Call:
        name = f"{kind} {number}"
        if kind == "project":
            return Call(kind, number, "/api/projects", _json(name=name))
        if kind == "generation":
            path = f"/api/synthgen/models/{self.model_id}/generate"
            return Call(kind, number, path, _json(num_rows=5, seed=number))
        if kind == "model":
            ids = {"project_id": self.project_id, "dataset_version_id": self.version_id}
            return Call(kind, number, "/api/synthgen/models", _json(name=name, model_type="gaussian_copula", **ids))
        form = _form({"project_id": self.project_id, "name": name}, customers())
        return Call(kind, number, "/api/datasets/upload", form, f"multipart/form-data; boundary={BOUNDARY.decode()}")

    def made(self) -> Counter[str]:
        """How often each thing is there."""
        projects = every(self.client.list_projects)
        datasets = every(lambda **page: self.client.list_datasets(self.project_id, **page))
        models = every(lambda **page: self.client.list_models(self.project_id, **page))
        names = [item["name"] for item in (*projects, *datasets, *models)]
        seeds = [f"generation {job['config']['seed']}" for job in self.jobs() if job["job_type"] == "generate"]
        return Counter([*names, *seeds])

    def jobs(self) -> list[dict[str, Any]]:
        return every(lambda **page: self.client.list_jobs(self.project_id, **page))

    def torn(self) -> list[str]:
        """Models without their one training, and jobs without their model."""
        trainings = Counter(job["model_id"] for job in self.jobs() if job["job_type"] == "train")
        models = {model["id"] for model in every(lambda **page: self.client.list_models(self.project_id, **page))}
        return [model for model in models | set(trainings) if model not in models or trainings[model] != 1]


@pytest.fixture(scope="module")
def shop(server, tmp_path_factory) -> Iterator[Shop]:
    file = tmp_path_factory.mktemp("tables") / "customers.csv"
    file.write_bytes(customers())
    with server.client() as client:
        project_id = client.create_project("Shop")["id"]
        version_id = client.upload_dataset(project_id, "customers", file)["dataset_version_id"]
        model_id = client.create_model(project_id, version_id, "first", "gaussian_copula", {})["id"]
        client.wait_for_model(model_id, timeout_s=120)
        yield Shop(server, client, project_id, version_id, model_id)
        for project in every(client.list_projects):
            if project["id"] == project_id or project["name"].startswith("project "):
                client.delete_project(project["id"], force=True)


def test_whoever_leaves_half_way_tears_nothing_and_may_come_back(shop):
    calls = [shop.call(kind, number) for kind, clients in CLIENTS.items() for number in range(clients)]
    random.Random(1).shuffle(calls)

    with ThreadPoolExecutor(AT_ONCE) as clients:
        left = list(clients.map(lambda call: _send_and_leave(shop.server, call), calls))
    wait_until(_stands_still(shop.made), "what was begun ends")
    made, torn = shop.made(), shop.torn()
    with ThreadPoolExecutor(AT_ONCE) as clients:
        statuses = list(clients.map(lambda call: _send(shop.server, call), calls))

    assert sum(left) > len(calls) / 4  # a good part had been sent whole
    assert {made[call.name] for call in calls} == {0, 1}
    assert torn == []
    assert set(statuses) == {200, 201}
    after = shop.made()
    assert [call.name for call in calls if after[call.name] != 1] == []
    assert shop.torn() == []


def _send_and_leave(server: UpServer, call: Call) -> bool:
    """Close the connection somewhere on the way; answers whether the request had been sent to its end."""
    chance = random.Random(call.name)
    request = call.request(server)
    is_whole = chance.random() < 0.5
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        if chance.random() < 0.5:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        connection.sendall(request if is_whole else request[: chance.randrange(len(request))])
        wanted = chance.randrange(500) if is_whole and chance.random() < 0.5 else 0
        while wanted > 0 and (block := connection.recv(wanted)):
            wanted -= len(block)
    return is_whole


def _send(server: UpServer, call: Call) -> int:
    """The status of the answer, once the call that was left is no longer under way."""
    while True:
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
            connection.sendall(call.request(server))
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))
        status = re.match(rb"HTTP/1\.1 ([0-9]{3}) ", answer)
        assert status, answer[:200]
        if int(status[1]) not in (409, 503):
            return int(status[1])


def _stands_still(look: Callable[[], object]) -> Callable[[], bool]:
    seen: list[object] = []

    def is_as_before() -> bool:
        seen.append(look())
        return len(seen) > 1 and seen[-1] == seen[-2]

    return is_as_before


def _json(**body: object) -> bytes:
    return json.dumps(body).encode()


def _form(fields: dict[str, str], content: bytes) -> bytes:
    parts = [(f'name="{name}"', value.encode()) for name, value in fields.items()]
    parts.append(('name="file"; filename="customers.csv"', content))
    lines = (
        b"--%s\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % (BOUNDARY, about.encode(), value)
        for about, value in parts
    )
    return b"".join(lines) + b"--%s--\r\n" % BOUNDARY
