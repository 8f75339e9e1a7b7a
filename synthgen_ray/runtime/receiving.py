"""A replica fetches from Serve's proxy what the application reads of a request, and the beginning of a body at once.

Serve has each request fetch all the time. So a look at a job, which has no body, would be two calls between processes
and not one, and a call for rows three; what is fetched for nobody mostly comes when the request is answered, and fails.
In the proxy these calls all stand in one line with the controller's question whether it is well: a thousand clients
that looked every five seconds filled it faster than it went down, until the proxy was ended for its silence.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from ray.serve._private import replica
from ray.serve._private.http_util import ASGIReceiveProxy
from starlette.types import Message, Scope

ANNOUNCE_A_BODY = {b"content-length", b"transfer-encoding"}  # RFC 9112, section 6


class FetchedWhenRead:
    """The `receive` of a request: the application calls it, and Serve runs `fetch_until_disconnect` in a task beside.
    `fetch` is a call of the proxy that has the request."""

    def __init__(self, scope: Scope, request: object, fetch: Callable[[Any], Awaitable[bytes]]) -> None:
        self._is_wanted = asyncio.Event()
        if not ANNOUNCE_A_BODY.isdisjoint(name for name, _ in scope["headers"]):
            self._is_wanted.set()
        self._fetch = fetch
        self._receive = ASGIReceiveProxy(scope, request, self._fetch_when_wanted)

    async def fetch_until_disconnect(self) -> None:
        await self._receive.fetch_until_disconnect()

    async def __call__(self) -> Message:
        if self._receive.queue.empty():
            self._is_wanted.set()
        message: Message = await self._receive()
        return message

    async def _fetch_when_wanted(self, request: object) -> bytes:
        await self._is_wanted.wait()
        self._is_wanted.clear()
        return await self._fetch(request)


def fetch_when_read() -> None:
    """In the constructor of a replica."""
    replica.ASGIReceiveProxy = FetchedWhenRead
