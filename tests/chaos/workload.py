"""Clients at work while processes die, what they were answered, and what must be true of it afterwards."""

import hashlib
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from synthgen_ray.client import SynthGen
from tests.servers import UpServer, every, wait_until

ROWS = 500
QUIET_S = 120.0
REQUEST_S = 10.0
PAUSE_S = 0.2
# What a call may meet while something dies: the proxy's words for a dying replica, and ours for a store that is away.
FAULTY = (500, 502, 503, 504)


@dataclass(frozen=True)
class Answer:
    """Of one call: its status, or None for a connection that broke or stayed silent."""

    sent: float  # of the monotonic clock
    ended: float
    kind: str
    key: str
    status: int | None
    made: str | None  # the id of what a 2xx made

    @property
    def is_unknown(self) -> bool:
        """It may or may not have been done."""
        return self.status is None or self.status in FAULTY


@dataclass(frozen=True)
class Shop:
    """What the clients work on: a project with a model that is ready."""

    server: UpServer
    client: SynthGen
    project_id: str
    version_id: str
    model_id: str


@dataclass
class Workload:
    """Clients that make projects and generations, each call once, with a key of its own, and look at what is there."""

    shop: Shop
    name: str
    pause_s: float = PAUSE_S
    answers: list[Answer] = field(default_factory=list)

    @contextmanager
    def running(self) -> Iterator[None]:
        stop = threading.Event()
        work = (self._project, self._generation, self._look)
        threads = [threading.Thread(target=self._repeat, args=(one, stop)) for one in work]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def outage_s(self, since: float) -> float:
        """From a moment to the end of the last call that was not answered as it should be."""
        ends = (answer.ended for answer in self.answers if answer.is_unknown)
        return max((since, *ends)) - since

    def faults_before(self, moment: float) -> list[Answer]:
        return [answer for answer in self.answers if answer.is_unknown and answer.ended < moment]

    def refusals(self) -> list[Answer]:
        """What was answered neither as done nor as a fault."""
        return [one for one in self.answers if not one.is_unknown and one.status not in (200, 201)]

    def check(self) -> list[str]:
        """What is not as promised, once all is quiet: every call that is repeated with its key exists once, every
        acknowledged one did all the time, every job has ended, and outputs are what their hashes say."""
        made = {one.key: one.made for one in self.answers if one.made}
        with self._connected() as client:
            settled = {one.key: self._settle(client, one) for one in self.answers if one.kind != "look"}
        findings = [
            f"{key}: acknowledged as {made[key]}, now {settled[key]}" for key in made if settled[key] != made[key]
        ]
        rows = Counter(project["name"] for project in every(self.shop.client.list_projects))
        rows += Counter(self._mine().values())
        findings += [f"{key}: there are {rows[key]}" for key in settled if rows[key] != 1]
        wait_until(
            lambda: all(job["status"] in ("completed", "failed") for job in self._jobs()), "all jobs end", QUIET_S
        )
        return findings + [finding for job_id in self._mine() for finding in self._wrong_with(job_id)]

    def _repeat(self, call: Callable[[httpx.Client, str], Answer], stop: threading.Event) -> None:
        with self._connected() as client:
            for number in count():
                if stop.wait(self.pause_s):
                    return
                self.answers.append(call(client, f"{self.name}{call.__name__}-{number}".replace(" ", "-")))

    def _connected(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.shop.server.key}"}
        return httpx.Client(base_url=self.shop.server.url, headers=headers, timeout=REQUEST_S)

    def _project(self, client: httpx.Client, key: str) -> Answer:
        return self._send(client, "project", key)

    def _generation(self, client: httpx.Client, key: str) -> Answer:
        return self._send(client, "generation", key)

    def _look(self, client: httpx.Client, key: str) -> Answer:
        sent = time.monotonic()
        try:
            answer = client.get(f"/api/synthgen/models/{self.shop.model_id}")
        except httpx.TransportError:
            return Answer(sent, time.monotonic(), "look", key, None, None)
        return Answer(sent, time.monotonic(), "look", key, answer.status_code, None)

    def _send(self, client: httpx.Client, kind: str, key: str) -> Answer:
        path, body, made = "/api/projects", {"name": key}, "id"
        if kind == "generation":
            path, made = f"/api/synthgen/models/{self.shop.model_id}/generate", "synthgen_job_id"
            body = {"num_rows": ROWS, "seed": _seed(key)}
        sent = time.monotonic()
        try:
            answer = client.post(path, json=body, headers={"Idempotency-Key": key})
        except httpx.TransportError:
            return Answer(sent, time.monotonic(), kind, key, None, None)
        thing = answer.json()[made] if answer.is_success else None
        return Answer(sent, time.monotonic(), kind, key, answer.status_code, thing)

    def _settle(self, client: httpx.Client, answer: Answer) -> str | None:
        """The id that the call has in the end, asked for with its key until it is told."""
        settled: list[Answer] = []

        def is_told() -> bool:
            settled.append(self._send(client, answer.kind, answer.key))
            return settled[-1].made is not None

        wait_until(is_told, f"{answer.key} is answered", QUIET_S)
        return settled[-1].made

    def _jobs(self) -> list[dict[str, Any]]:
        return every(lambda **page: self.shop.client.list_jobs(model_id=self.shop.model_id, **page))

    def _mine(self) -> dict[str, str]:
        """Of each job that came of these calls its id, and the key of its call."""
        keys = {_seed(answer.key): answer.key for answer in self.answers if answer.kind == "generation"}
        return {job["id"]: keys[seed] for job in self._jobs() if (seed := job["config"].get("seed")) in keys}

    def _wrong_with(self, job_id: str) -> Iterator[str]:
        job = self.shop.client.get_job(job_id)
        if job["status"] != "completed":
            yield f"job {job['id']} ended {job['status']}: {job['error']}"
            return
        with tempfile.TemporaryDirectory() as folder:
            content = self.shop.client.download(job["id"], Path(folder) / "rows.csv").read_bytes()
        if hashlib.sha256(content).hexdigest() != job["result"]["sha256"] or content.count(b"\n") != ROWS + 1:
            yield f"the output of job {job['id']} is not what its row says"


def _seed(key: str) -> int:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4])
