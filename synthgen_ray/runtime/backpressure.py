"""Bodies that pass through Serve's proxy as fast as a replica takes them, and no faster.

The proxy puts every message that it receives into a queue without an end, so that a large upload
would stand in its memory. Here it is given the next message only when few bytes are on their way.
"""

import asyncio
from typing import Any
from weakref import finalize

from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BYTES = 8 * 2**20


class _Tracked(dict[str, Any]):
    """A message that can be watched until it is gone: a replica has it then, as a plain one."""

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)


class Backpressure:
    def __init__(self, app: ASGIApp, max_bytes: int = MAX_BYTES) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        on_their_way = 0
        has_room = asyncio.Event()
        has_room.set()

        def release(size: int) -> None:
            nonlocal on_their_way
            on_their_way -= size
            if on_their_way <= self._max_bytes:
                has_room.set()

        async def receive_in_time() -> Message:
            nonlocal on_their_way
            await has_room.wait()
            message = _Tracked(await receive())
            size = len(message.get("body", b""))
            on_their_way += size
            if on_their_way > self._max_bytes:
                has_room.clear()
            finalize(message, release, size)
            return message

        await self._app(scope, receive_in_time, send)
