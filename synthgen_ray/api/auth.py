"""Who may come in. Closed by default: a new route needs a key unless it is listed as open."""

import re
import time
from collections.abc import Awaitable, Callable
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from synthgen_ray.api.problems import problem_of
from synthgen_ray.domain.errors import SynthGenError, Unauthenticated
from synthgen_ray.domain.keys import key_hash

OPEN = frozenset({"/", "/healthz", "/readyz"})
DOCS = frozenset({"/docs", "/openapi.json"})
CACHE_S = 5.0  # a revoked key works no longer than this
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestId:
    """Gives each request an id, kept from the client when it is harmless, and answers it."""

    def __init__(self, app: ASGIApp, *, answer: bool) -> None:
        self._app = app
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_with_id(message: Message) -> None:
            if self._answer and message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        await self._app(scope, receive, send_with_id)


class KeyGate:
    """Answers 401 before a body is read, unless the key is known or the path is open."""

    def __init__(self, app: ASGIApp, is_known: Callable[[str], Awaitable[bool]], open_paths: frozenset[str]) -> None:
        self._app = app
        self._is_known = is_known
        self._open = open_paths
        self._known_until: dict[str, float] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in self._open:
            try:
                await self._check(Headers(scope=scope))
            except SynthGenError as error:
                await problem_of(scope["state"]["request_id"], error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _check(self, headers: Headers) -> None:
        given = headers.getlist("authorization")
        scheme, _, key = given[0].partition(" ") if len(given) == 1 else ("", "", "")
        if scheme.lower() != "bearer" or not key.strip():
            detail = "This needs an API key: send it as 'Authorization: Bearer KEY'."
            raise Unauthenticated(detail, "missing_key")
        hashed = key_hash(key.strip())
        now = time.monotonic()
        if self._known_until.get(hashed, 0.0) > now:
            return
        self._known_until.pop(hashed, None)
        if not await self._is_known(hashed):
            raise Unauthenticated("The API key is not known here.", "invalid_key")
        self._known_until[hashed] = now + CACHE_S
