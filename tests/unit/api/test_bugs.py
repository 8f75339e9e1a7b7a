"""What the server around the application hears of errors that nobody expected."""

import logging
import traceback

import httpx
import pytest
from fastapi.responses import StreamingResponse

from synthgen_ray.api import problems
from synthgen_ray.api.auth import RequestId
from synthgen_ray.api.bugs import AnswerCutShort, Quiet

CANARY = "a cell of a patient"


def fail() -> None:
    raise ValueError(CANARY)


class FailsBeforeItHasAnId:
    """As a middleware might that is added around all others."""

    def __init__(self, app) -> None:
        self._app = app

    async def __call__(self, scope, receive, send) -> None:
        if scope["path"] == "/before":
            fail()
        await self._app(scope, receive, send)
        if scope["path"] == "/after":
            fail()


@pytest.fixture
def client():
    app = Quiet()
    problems.install(app)
    app.add_middleware(RequestId)
    app.add_middleware(FailsBeforeItHasAnId)
    app.get("/fails")(fail)

    @app.get("/after")
    async def answer() -> str:
        return "whole"

    @app.get("/cut")
    async def cut() -> StreamingResponse:
        def blocks():
            yield b"some"
            fail()

        return StreamingResponse(blocks())

    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


def logged(caplog) -> str:
    assert CANARY not in caplog.text
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    return record.getMessage()


@pytest.mark.parametrize("path", ["/fails", "/before"])
async def test_it_is_answered_logged_once_and_let_out_no_more(client, caplog, path):
    answer = await client.get(path)

    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert CANARY not in answer.text
    assert answer.json()["request_id"] in logged(caplog)
    assert "test_bugs.py" in logged(caplog)


async def test_one_behind_a_whole_answer_is_logged(client, caplog):
    answer = await client.get("/after")

    assert (answer.status_code, answer.json()) == (200, "whole")
    assert "ValueError" in logged(caplog)


async def test_an_answer_that_was_cut_short_does_not_end_well(client, caplog):
    with pytest.raises(AnswerCutShort) as raised:
        await client.get("/cut")

    assert "ValueError" in str(raised.value)
    assert CANARY not in "".join(traceback.format_exception(raised.value))
    assert "ValueError" in logged(caplog)
