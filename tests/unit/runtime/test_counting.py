"""Each answer is counted by its status, and refused uploads by the code that their answer has."""

import httpx
import pytest
from fastapi import FastAPI

from synthgen_ray.api import problems
from synthgen_ray.api.auth import RequestId
from synthgen_ray.domain.errors import InvalidTable
from synthgen_ray.runtime.counting import CountedAnswers, RefusedUploads

UPLOAD = "/api/datasets/upload"


@pytest.fixture
def counted() -> list[str]:
    return []


@pytest.fixture
def answered() -> list[int]:
    return []


@pytest.fixture
async def client(counted, answered):
    app = FastAPI()
    problems.install(app)

    @app.post(UPLOAD)
    @app.post("/elsewhere")
    @app.get(UPLOAD)
    async def refuse(good: bool = False) -> str:
        if good:
            return "taken"
        raise InvalidTable("The file is empty.", "empty_file")

    app.add_middleware(RequestId)
    app.add_middleware(RefusedUploads, count=counted.append)
    app.add_middleware(CountedAnswers, count=answered.append)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        yield client


async def test_one_that_is_refused_is_counted_and_answered(client, counted):
    answer = await client.post(UPLOAD)

    assert (answer.status_code, answer.json()["code"]) == (422, "empty_file")
    assert counted == ["empty_file"]


async def test_each_answer_is_counted_by_its_status(client, answered):
    await client.post(UPLOAD)
    await client.post(UPLOAD, params={"good": True})
    await client.get("/nowhere")

    assert answered == [422, 200, 404]


async def test_nothing_else_is_a_refused_upload(client, counted):
    assert (await client.post(UPLOAD, params={"good": True})).json() == "taken"
    await client.get(UPLOAD)
    await client.post("/elsewhere")

    assert counted == []
