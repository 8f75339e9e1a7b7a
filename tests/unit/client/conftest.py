"""A wire on which a test plays the server."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from synthgen_ray.client import SynthGen

JOB = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
PROBLEM = {
    "type": "about:blank",
    "title": "Invalid request",
    "status": 422,
    "detail": "config.pac: pac (7) must evenly divide batch_size (500)",
    "code": "pac_must_divide_batch_size",
    "request_id": "r-1",
    "errors": [{"field": "config.pac", "message": "pac (7) must evenly divide batch_size (500)"}],
}


@pytest.fixture(autouse=True)
def pauses(monkeypatch) -> list[float]:
    """The clock runs ahead of itself: pauses are noted instead of waited for."""
    taken: list[float] = []
    monkeypatch.setattr("time.sleep", taken.append)
    return taken


class Server:
    """Answers as told, in order, the last answer again and again; remembers what it was asked."""

    def __init__(self, *answers: httpx.Response | Exception | Callable[[], httpx.Response]) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer() if callable(answer) else answer

    @property
    def client(self) -> SynthGen:
        return SynthGen("http://synthgen", "sg_key", transport=httpx.MockTransport(self))


def ok(body: object = None) -> httpx.Response:
    return httpx.Response(200, json={"items": [], "total": 0} if body is None else body)


def refused(status: int, detail: str = "Not now.", **headers: str) -> httpx.Response:
    return problem({**PROBLEM, "status": status, "detail": detail}, **headers)


def problem(body: dict[str, Any], **headers: str) -> httpx.Response:
    headers = {"Content-Type": "application/problem+json", **headers}
    return httpx.Response(body["status"], json=body, headers=headers)


class Broken(httpx.SyncByteStream):
    """A body whose line drops after these bytes."""

    def __init__(self, arrived: bytes) -> None:
        self._arrived = arrived

    def __iter__(self) -> Iterator[bytes]:
        yield self._arrived
        raise httpx.ReadError("connection reset")
