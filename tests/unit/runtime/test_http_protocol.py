"""What of the bytes on a connection is a request."""

import asyncio
import contextlib
import json

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from uvicorn import Config
from uvicorn.server import ServerState

from synthgen_ray.runtime.http_protocol import MOST_WAITING, BoundedHttp

A_GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@contextlib.asynccontextmanager
async def connected(app):
    config = Config(app, lifespan="off")
    config.load()
    loop = asyncio.get_running_loop()
    async with await loop.create_server(lambda: BoundedHttp(config, ServerState(), {}), "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        yield reader, writer
        writer.close()


async def test_a_trailer_is_no_header():
    async def headers_again(scope, receive, send):
        request = Request(scope, receive)
        await request.body()
        await JSONResponse(request.headers.items())(scope, receive, send)

    async with connected(headers_again) as (reader, writer):
        head = b"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        writer.write(head + b"1\r\nx\r\n0\r\nX-Forwarded-For: 10.0.0.1\r\nAuthorization: Bearer x\r\n\r\n")
        answer = await reader.read()

    names = [name for name, _ in json.loads(answer.partition(b"\r\n\r\n")[2])]
    assert names == ["host", "connection", "transfer-encoding"]


async def test_requests_that_wait_behind_another_are_answered_in_their_turn():
    async with connected(PlainTextResponse("fine")) as (reader, writer):
        writer.write(A_GET * MOST_WAITING)

        for _ in range(MOST_WAITING):
            assert (await reader.readuntil(b"fine")).startswith(b"HTTP/1.1 200 ")


async def test_a_connection_on_which_a_thousand_wait_is_closed_without_a_word_in_the_answer_to_the_first():
    has_begun, may_end = asyncio.Event(), asyncio.Event()
    asked = 0

    async def slow(scope, receive, send):
        nonlocal asked
        asked += 1
        has_begun.set()
        await may_end.wait()
        await PlainTextResponse("fine")(scope, receive, send)

    async with connected(slow) as (reader, writer):
        writer.write(A_GET)
        await has_begun.wait()
        writer.write(A_GET * 1000)
        async with asyncio.timeout(10):
            answer = await reader.read()

    assert (asked, answer) == (1, b"")
    may_end.set()
