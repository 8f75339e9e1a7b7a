"""What of the bytes on a connection is a request."""

import asyncio
import contextlib
import json

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from uvicorn import Config
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.server import ServerState

from synthgen_ray.runtime import http_protocol
from synthgen_ray.runtime.http_protocol import MOST_WAITING, BoundedHttp

A_GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
LARGE = 8 << 20  # more than a kernel holds for who does not read


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


@pytest.mark.parametrize("protocol", [b"h2c", b"websocket"])
async def test_a_body_behind_an_upgrade_is_no_request(protocol):
    asked = []

    async def app(scope, receive, send):
        asked.append(scope["path"])
        await PlainTextResponse("fine")(scope, receive, send)

    async with connected(app) as (reader, writer), asyncio.timeout(10):
        upgrade = b"Host: localhost\r\nConnection: Upgrade\r\nUpgrade: " + protocol
        writer.write(b"GET /first HTTP/1.1\r\n" + upgrade + b"\r\n\r\n")
        assert (await reader.readuntil(b"fine")).startswith(b"HTTP/1.1 200 ")
        writer.write(b"POST /second HTTP/1.1\r\n%s\r\nContent-Length: %d\r\n\r\n" % (upgrade, len(A_GET)))
        await asyncio.sleep(0.05)  # a proxy hands on a head as soon as it is there
        writer.write(A_GET)
        answer = await reader.read()

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"leave Upgrade out" in answer
    assert asked == ["/first"]


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


class Answers:
    """Tells what was begun, and what has ended."""

    def __init__(self, size=LARGE):
        self.size = size
        self.said = []
        self.has_begun = asyncio.Event()

    async def __call__(self, scope, receive, send):
        self.said.append("begun")
        self.has_begun.set()
        await Response(bytes(self.size))(scope, receive, send)
        self.said.append("ended")


async def test_who_does_not_read_an_answer_has_not_got_it_and_asks_for_nothing_more():
    large = Answers()
    async with connected(large) as (reader, writer):
        writer.write(A_GET * 2)
        await large.has_begun.wait()
        await asyncio.sleep(0.1)
        unread = list(large.said)

        for _ in range(2):
            await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(LARGE)

    assert (unread, large.said) == (["begun"], ["begun", "ended"] * 2)


async def test_what_is_small_is_answered_whether_it_is_read_or_not():
    small = Answers(HIGH_WATER_LIMIT - 1024)
    async with connected(small) as (_, writer):
        asked = 0
        while len(small.said) == 2 * asked:  # until one waits for room, and is not begun
            writer.write(A_GET)
            asked += 1
            await asyncio.sleep(0.005)

        assert small.said[-1] == "ended"


async def test_an_answer_of_which_nobody_takes_anything_is_dropped_with_its_connection(monkeypatch):
    monkeypatch.setattr(http_protocol, "UNREAD_SECONDS", 0.1)
    large = Answers()
    async with connected(large) as (reader, writer):
        writer.write(A_GET)
        async with asyncio.timeout(10):
            while large.said != ["begun", "ended"]:
                await asyncio.sleep(0.05)

        assert len(await reader.read()) < LARGE


async def test_the_head_of_an_answer_leaves_with_the_first_of_its_body():
    has_begun, may_go_on = asyncio.Event(), asyncio.Event()

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
        has_begun.set()
        await may_go_on.wait()
        await send({"type": "http.response.body", "body": b"fi", "more_body": True})
        await send({"type": "http.response.body", "body": b"ne"})

    async with connected(app) as (reader, writer), asyncio.timeout(10):
        writer.write(A_GET)
        await has_begun.wait()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await reader.readexactly(1)
        may_go_on.set()

        assert (await reader.readuntil(b"fine")).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("ends", [b"", b"Connection: close\r\n"])
async def test_an_answer_without_a_body_is_a_head(ends):
    async with connected(PlainTextResponse("fine")) as (reader, writer), asyncio.timeout(10):
        for _ in range(1 if ends else 2):
            writer.write(b"HEAD / HTTP/1.1\r\nHost: localhost\r\n" + ends + b"\r\n")

            assert b"content-length: 4\r\n" in await reader.readuntil(b"\r\n\r\n")
