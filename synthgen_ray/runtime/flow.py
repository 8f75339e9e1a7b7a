"""An answer is made no faster than its reader takes it.

Between a replica and Serve's proxy are two queues without an end: of a download of 1 GiB that nobody read all was in
memory and on disk after five seconds. So the proxy tells the replica how much it has sent, by the way of the request's
body, and the replica waits for that.
"""

import asyncio
from collections import deque

from starlette.types import ASGIApp, Message, Receive, Scope, Send

SENT = "synthgen.sent"
MARK = (b"x-synthgen-flow", b"1")  # by which a replica knows that it will be told; a client's does not come this far
AHEAD_BYTES = 8 * 2**20
STEP_BYTES = 2**20
GONE: Message = {"type": "http.disconnect"}


class TellsWhatIsSent:
    """In the proxy, next to Serve."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent = told = 0
        news, one_at_a_time = asyncio.Event(), asyncio.Lock()
        receiving: asyncio.Future[Message] | None = None

        async def send_counted(message: Message) -> None:
            nonlocal sent
            await send(message)  # waits while the connection has no room
            sent += len(message.get("body", b""))
            if sent - told >= STEP_BYTES:
                news.set()

        async def receive_or_tell() -> Message:
            nonlocal receiving, told
            async with one_at_a_time:
                receiving = receiving or asyncio.ensure_future(receive())
                waiting = asyncio.ensure_future(news.wait())
                try:
                    await asyncio.wait((receiving, waiting), return_when=asyncio.FIRST_COMPLETED)
                finally:
                    waiting.cancel()
                if receiving.done():
                    received, receiving = receiving, None
                    return received.result()
                news.clear()
                told = sent
                return {"type": SENT, "bytes": told}

        try:
            await self._app({**scope, "headers": [*scope["headers"], MARK]}, receive_or_tell, send_counted)
        finally:
            if receiving is not None:
                receiving.cancel()


class WaitsForReader:
    """In the replica, around the application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or MARK not in scope["headers"]:
            await self._app(scope, receive, send)
            return
        made = taken = 0
        is_gone = False
        news = asyncio.Event()
        kept: deque[Message] = deque()  # for the application, which may not ask any more
        listening: asyncio.Future[None] | None = None

        async def hear() -> Message:
            """The next message that is the application's."""
            nonlocal taken, is_gone
            while True:
                message = await receive()
                if message["type"] != SENT:
                    is_gone = is_gone or message["type"] == GONE["type"]
                    return message
                taken = message["bytes"]
                news.set()

        async def listen() -> None:
            nonlocal is_gone
            try:
                while not is_gone:
                    kept.append(await hear())
                    news.set()
            finally:
                is_gone = True
                news.set()

        async def receive_kept() -> Message:
            while listening is not None and not kept and not is_gone:
                news.clear()
                await news.wait()
            if kept:
                return kept.popleft()
            return GONE if is_gone else await hear()

        async def send_in_time(message: Message) -> None:
            nonlocal made, listening
            await send(message)
            made += len(message.get("body", b""))
            while made - taken > AHEAD_BYTES and not is_gone and message.get("more_body"):
                listening = listening or asyncio.ensure_future(listen())
                news.clear()
                await news.wait()

        try:
            await self._app(scope, receive_kept, send_in_time)
        finally:
            if listening is not None:
                listening.cancel()
