"""A replica fetches a request's body from Serve's proxy when the application reads it.

Serve has each request fetch its own at once. So a look at a job, which has none, would be two calls between processes
and not one; the second mostly comes when the look is answered, and fails. In the proxy they all stand in one line with
the controller's question whether it is well: a thousand clients that looked every five seconds filled it faster than it
went down, until the proxy was ended for its silence.
"""

import asyncio
from typing import Any

from ray.serve._private import replica
from ray.serve._private.http_util import ASGIReceiveProxy
from starlette.types import Message


class FetchedWhenRead:
    """The `receive` of a request: `__call__` is the application's, `fetch_until_disconnect` a task beside it."""

    def __init__(self, *given: Any) -> None:
        self._receive = ASGIReceiveProxy(*given)
        self._is_read = asyncio.Event()

    async def fetch_until_disconnect(self) -> None:
        await self._is_read.wait()
        await self._receive.fetch_until_disconnect()

    async def __call__(self) -> Message:
        self._is_read.set()
        message: Message = await self._receive()
        return message


def fetch_when_read() -> None:
    """In the constructor of a replica."""
    replica.ASGIReceiveProxy = FetchedWhenRead
