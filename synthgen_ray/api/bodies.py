"""Bodies: how large they may be, and that JSON is JSON. Forms are for the routes that take files."""

import asyncio
import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from synthgen_ray.api.edge import has_passed
from synthgen_ray.api.problems import problem_of
from synthgen_ray.api.request_limits import LIMITS, RequestLimits
from synthgen_ray.api.strict_json import check_json
from synthgen_ray.domain.errors import SynthGenError, TooLarge, UnsupportedMedia

# The routes that take forms; what a file may weigh is their own affair.
UPLOADS = frozenset({"/api/datasets/upload", "/api/synthgen/models/import"})
AT_ONCE_BYTES = 2**16  # of JSON, checked in some ms; more, up to a quarter of a second, would hold up all others
_JSON = re.compile(r'application/json\s*(;\s*charset="?utf-8"?\s*)?', re.IGNORECASE)
_LENGTH = re.compile(r"[0-9]{1,18}")
_DISCONNECT: Message = {"type": "http.disconnect"}


class TooSlow(SynthGenError):
    status = 408
    title = "Request timeout"


class Disconnected(Exception):
    """The client left before its body was here."""


def _may_bring_a_file(path: str, headers: Headers) -> bool:
    """The routes that take one look at the body themselves: what is no form, a file alone, is refused as that there."""
    return path in UPLOADS or headers.get("content-type", "").lower().startswith("multipart/form-data")


class BodyLimit:
    """Answers 413 as soon as a body that brings no file is too large, and takes no more of it."""

    def __init__(self, app: ASGIApp, limits: RequestLimits = LIMITS) -> None:
        self._app = app
        self._most = limits.json_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] != "http"
            or has_passed(scope, BodyLimit)
            or _may_bring_a_file(scope["path"], headers := Headers(scope=scope))
        ):
            await self._app(scope, receive, send)
            return

        async def refuse() -> None:
            error = TooLarge(f"A body without a file may have {self._most:,} bytes.", "payload_too_large")
            await problem_of(scope["state"]["request_id"], error)(scope, receive, send)

        if _declared_bytes(headers) > self._most:
            await refuse()
            return
        taken = 0
        is_answered = False

        async def receive_counted() -> Message:
            nonlocal taken, is_answered
            if taken > self._most:
                return _DISCONNECT
            message = await receive()
            taken += len(message.get("body", b""))
            if taken <= self._most:
                return message
            if not is_answered:
                await refuse()
            return _DISCONNECT

        async def send_unless_refused(message: Message) -> None:
            nonlocal is_answered
            if taken <= self._most or is_answered:
                is_answered = True
                await send(message)

        await self._app(scope, receive_counted, send_unless_refused)


def _declared_bytes(headers: Headers) -> int:
    declared = headers.get("content-length", "")
    return int(declared) if _LENGTH.fullmatch(declared) else 0  # what comes is counted in any case


class StrictJson:
    """Lets bodies pass that are JSON in every respect; a route that takes a form reads its body itself."""

    def __init__(self, app: ASGIApp, limits: RequestLimits = LIMITS) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_json_expected(scope):
            await self._app(scope, receive, send)
            return
        try:
            _check_media_type(Headers(scope=scope))
            body = await self._read(receive)
            if len(body) > AT_ONCE_BYTES:
                await asyncio.to_thread(check_json, body, self._limits)
            elif body:
                check_json(body, self._limits)
        except SynthGenError as error:
            await problem_of(scope["state"]["request_id"], error)(scope, receive, send)
        except Disconnected:
            return
        else:
            await self._app(scope, _again(body, receive), send)

    async def _read(self, receive: Receive) -> bytes:
        limit_s = self._limits.json_seconds
        try:
            async with asyncio.timeout(limit_s):
                return await _whole_body(receive)
        except TimeoutError:
            raise TooSlow(f"The body was not here after {limit_s:.0f} seconds.", "request_timeout") from None


def _is_json_expected(scope: Scope) -> bool:
    if scope["method"] not in ("POST", "PUT", "PATCH") or scope["path"] in UPLOADS:
        return False
    headers = Headers(scope=scope)
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


def _check_media_type(headers: Headers) -> None:
    if not _JSON.fullmatch(headers.get("content-type", "").strip()):
        detail = "The body must be JSON in UTF-8: send it with 'Content-Type: application/json'."
        raise UnsupportedMedia(detail, "unsupported_media_type")
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMedia("The body must not be compressed.", "unsupported_media_type")


async def _whole_body(receive: Receive) -> bytes:
    """Raises: Disconnected."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """The body once more, then whatever the connection says next."""
    rest = [body]

    async def replay() -> Message:
        if rest:
            return {"type": "http.request", "body": rest.pop(), "more_body": False}
        return await receive()

    return replay
