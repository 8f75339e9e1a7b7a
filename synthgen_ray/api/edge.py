"""The outermost gate: what reaches the application has a sound address and sound headers, and every
answer tells browsers to keep their distance."""

import re
from collections.abc import Collection
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from synthgen_ray.api.problems import problem_of
from synthgen_ray.api.request_limits import LIMITS, RequestLimits
from synthgen_ray.domain.errors import NotFound, SynthGenError

ANY_HOST = "*"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::[0-9]{1,5})?")
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


class UnknownHost(SynthGenError):
    status = 421
    title = "Misdirected request"


class HeadersTooLarge(SynthGenError):
    status = 431
    title = "Headers too large"


class Edge:
    """Refuses what is not for this server or too large to look at.

    Only requests for one of `hosts` or a loopback name pass: a page that has its own name resolve to
    this machine must not speak to it through its visitor's browser.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] = (), limits: RequestLimits = LIMITS) -> None:
        self._app = app
        self._hosts = LOOPBACK | {host.strip("[]").lower() for host in hosts}
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})  # there is none here
            return
        if scope["type"] != "http":
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
        self._check_host(headers.getlist("host"))
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

    def _check_host(self, given: list[str]) -> None:
        if len(given) != 1 or not given[0]:
            raise BadRequest("A request needs one Host header.", "missing_host")
        host = _HOST.fullmatch(given[0])
        name = (host[1] or host[2]).lower().rstrip(".") if host else None
        if name not in self._hosts and ANY_HOST not in self._hosts:
            detail = "This server is not known by the name in the Host header; the operator can allow it."
            raise UnknownHost(detail, "unknown_host")

    def _check_idempotency_key(self, given: list[str]) -> None:
        longest = self._limits.idempotency_key_chars
        if given and (len(given) > 1 or len(given[0]) > longest or not _VISIBLE_ASCII.fullmatch(given[0])):
            detail = f"Idempotency-Key must be given once, with 1 to {longest} visible ASCII characters."
            raise BadRequest(detail, "invalid_idempotency_key")


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
