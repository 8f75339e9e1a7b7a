"""The outermost gate: what reaches the application has a sound address and sound headers, and every
answer tells browsers to keep their distance."""

import re
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from synthgen_ray.api.problems import problem_of
from synthgen_ray.api.request_limits import LIMITS, RequestLimits
from synthgen_ray.domain.errors import NotFound, SynthGenError

_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]+")
_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    # A page of ours that needs more says so itself.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


class BadRequest(SynthGenError):
    status = 400
    title = "Bad request"


class UrlTooLong(SynthGenError):
    status = 414
    title = "URL too long"


class HeadersTooLarge(SynthGenError):
    status = 431
    title = "Headers too large"


class Edge:
    """Refuses what is unsound, or too large to look at."""

    def __init__(self, app: ASGIApp, limits: RequestLimits = LIMITS) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})  # there is none here
            return
        if scope["type"] != "http" or has_passed(scope, Edge):
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                _guard(MutableHeaders(scope=message), scope["path"])
            await send(message)

        try:
            self._check(scope)
        except SynthGenError as error:
            await problem_of(scope["state"]["request_id"], error)(scope, receive, send_guarded)
        else:
            await self._app(scope, receive, send_guarded)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        self._check_size(headers)
        self._check_url(scope)
        self._check_idempotency_key(headers.getlist("idempotency-key"))

    def _check_size(self, headers: Headers) -> None:
        limits = self._limits
        size = sum(len(name) + len(value) + len(": \r\n") for name, value in headers.raw)
        if len(headers.raw) > limits.headers or size > limits.headers_bytes:
            detail = f"A request may have {limits.headers} headers, {limits.headers_bytes:,} bytes in all."
            raise HeadersTooLarge(detail, "headers_too_large")

    def _check_url(self, scope: Scope) -> None:
        path = scope.get("raw_path") or scope["path"].encode()
        if len(path) + len(scope["query_string"]) > self._limits.url_bytes:
            raise UrlTooLong(f"A URL may have {self._limits.url_bytes:,} bytes.", "url_too_long")
        if not _is_plain_path(unquote_to_bytes(path)):
            raise NotFound("There is nothing at this address: it is no path of text in UTF-8.", "not_found")

    def _check_idempotency_key(self, given: list[str]) -> None:
        longest = self._limits.idempotency_key_chars
        if given and (len(given) > 1 or len(given[0]) > longest or not _VISIBLE_ASCII.fullmatch(given[0])):
            detail = f"Idempotency-Key must be given once, with 1 to {longest} visible ASCII characters."
            raise BadRequest(detail, "invalid_idempotency_key")


def has_passed(scope: Scope, layer: type) -> bool:
    """Whether the request came through such a layer before, in the proxy in front; from now on it has."""
    passed: set[str] = scope["state"].setdefault("passed", set())
    if layer.__name__ in passed:
        return True
    passed.add(layer.__name__)
    return False


def _is_plain_path(path: bytes) -> bool:
    try:
        path.decode()
    except UnicodeDecodeError:
        return False
    return path.startswith(b"/") and b"\0" not in path


def _guard(headers: MutableHeaders, path: str) -> None:
    for name, value in _SECURITY_HEADERS.items():
        headers.setdefault(name, value)
    if path.startswith("/api/"):
        headers["Cache-Control"] = "no-store"
