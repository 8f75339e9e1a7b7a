"""What passes through Serve's proxy: no more requests at a time, and no more bytes, than a replica takes."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection
from typing import Any
from weakref import finalize

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from synthgen_ray.api.auth import OPEN
from synthgen_ray.api.problems import problem_of
from synthgen_ray.domain.errors import TooMany

MAX_ONGOING = 200  # requests that an ingress answers at a time, and that a proxy hands on
MAX_PAGES = 50  # requests for what needs no key
MAX_BYTES = 8 * 2**20


class Crowded(TooMany):
    retry_after_s = 1

    def __init__(self) -> None:
        super().__init__("More is asked here at once than can be answered: try again in a moment.", "busy")


class Room:
    """Lets in as many requests at a time as an ingress answers, and probes beside them. Pages have room of their own:
    whoever does not read them, which takes no key, keeps nobody out of the API.

    Serve would keep the others in its router for as long as it takes, and slow down by what waits there: of a thousand
    clients that polled, most had left by the time that they were answered. `count` hears of each that is turned away.
    """

    def __init__(self, app: ASGIApp, count: Callable[[], None], probes: Collection[str] = OPEN) -> None:
        self._app = app
        self._count = count
        self._probes = probes
        self._inside = Counter[int]()  # by how many there may be

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._probes:
            await self._app(scope, receive, send)
            return
        most = MAX_ONGOING if scope["path"].startswith("/api/") else MAX_PAGES
        if self._inside[most] >= most:
            self._count()
            await problem_of(scope["state"]["request_id"], Crowded())(scope, receive, send)
        else:
            self._inside[most] += 1
            try:
                await self._app(scope, receive, send)
            finally:
                self._inside[most] -= 1


class _Tracked(dict[str, Any]):
    """A message that can be watched until it is gone: a replica has it then, as a plain one."""

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        return dict, (dict(self),)


class Backpressure:
    """Gives the proxy the next part of a body only when few bytes are on their way.

    It puts every message that it receives into a queue without an end: a large upload would stand in its memory.
    """

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
