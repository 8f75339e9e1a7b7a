"""Refused uploads are counted by the code that their answer has, and nothing else is."""

import httpx
import pytest
from fastapi import FastAPI

from synthgen_ray.api import problems
from synthgen_ray.api.auth import RequestId
from synthgen_ray.domain.errors import InvalidTable
from synthgen_ray.runtime.refusals import RefusedUploads

UPLOAD = "/api/datasets/upload"


@pytest.fixture
def counted() -> list[str]:
    return []


@pytest.fixture
async def client(counted):
    app = FastAPI()
    problems.install(app)

    @app.post(UPLOAD)
    @app.post("/elsewhere")
    @app.get(UPLOAD)
    async def refuse(good: bool = False) -> str:
        if good:
            return "taken"
        raise InvalidTable("The file is empty.", "empty_file")

    app.add_middleware(RequestId, answer=False)
    app.add_middleware(RefusedUploads, count=counted.append)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


async def test_one_that_is_refused_is_counted_and_answered(client, counted):
    answer = await client.post(UPLOAD)

    assert (answer.status_code, answer.json()["code"]) == (422, "empty_file")
    assert counted == ["empty_file"]


async def test_nothing_else_is(client, counted):
    assert (await client.post(UPLOAD, params={"good": True})).json() == "taken"
    await client.get(UPLOAD)
    await client.post("/elsewhere")

    assert counted == []
