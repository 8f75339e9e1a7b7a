"""The answers that clients get, whichever layer gives them: Serve counts those of the application alone."""

import json
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from synthgen_ray.api.bodies import UPLOADS


class CountedAnswers:
    """Around all else: `count` hears the status of each answer, as soon as it begins."""

    def __init__(self, app: ASGIApp, count: Callable[[int], None]) -> None:
        self._app = app
        self._count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._count(message["status"])
            await send(message)

        await self._app(scope, receive, send_counted)


class RefusedUploads:
    """Around all that may refuse one: `count` hears the code of each problem that answers an upload."""

    def __init__(self, app: ASGIApp, count: Callable[[str], None]) -> None:
        self._app = app
        self._count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] not in UPLOADS:
            await self._app(scope, receive, send)
            return
        is_refused = False

        async def send_counted(message: Message) -> None:
            nonlocal is_refused
            if message["type"] == "http.response.start":
                is_refused = message["status"] >= 400
            elif is_refused:  # a problem comes in one piece
                self._count(json.loads(message["body"])["code"])
                is_refused = False
            await send(message)

        await self._app(scope, receive, send_counted)
