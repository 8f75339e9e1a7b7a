"""What of the bytes on a connection is a request."""

import asyncio
import json

from starlette.requests import Request
from starlette.responses import JSONResponse
from uvicorn import Config
from uvicorn.server import ServerState

from synthgen_ray.runtime.http_protocol import BoundedHttp


async def headers_again(scope, receive, send):
    request = Request(scope, receive)
    await request.body()
    await JSONResponse(request.headers.items())(scope, receive, send)


async def test_a_trailer_is_no_header():
    config = Config(headers_again, lifespan="off")
    config.load()
    loop = asyncio.get_running_loop()
    async with await loop.create_server(lambda: BoundedHttp(config, ServerState(), {}), "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        head = b"POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        writer.write(head + b"1\r\nx\r\n0\r\nX-Forwarded-For: 10.0.0.1\r\nAuthorization: Bearer x\r\n\r\n")
        answer = await reader.read()
        writer.close()

    names = [name for name, _ in json.loads(answer.partition(b"\r\n\r\n")[2])]
    assert names == ["host", "connection", "transfer-encoding"]
