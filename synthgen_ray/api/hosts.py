"""The names by which this server may be called."""

import re
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from synthgen_ray.api.edge import BadRequest
from synthgen_ray.api.problems import problem_of
from synthgen_ray.domain.errors import SynthGenError

ANY_HOST = "*"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::[0-9]{1,5})?")


class UnknownHost(SynthGenError):
    status = 421
    title = "Misdirected request"


class KnownHosts:
    """Lets in requests for one of `hosts` or a loopback name alone: a page that has its own name resolve to this
    machine must not speak to it through its visitor's browser.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] = ()) -> None:
        self._app = app
        self._hosts = LOOPBACK | {host.strip("[]").lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                self._check(Headers(scope=scope).getlist("host"))
            except SynthGenError as error:
                await problem_of(scope["state"]["request_id"], error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _check(self, given: list[str]) -> None:
        if len(given) != 1 or not given[0]:
            raise BadRequest("A request needs one Host header.", "missing_host")
        host = _HOST.fullmatch(given[0])
        name = (host[1] or host[2]).lower().rstrip(".") if host else None
        if name not in self._hosts and ANY_HOST not in self._hosts:
            detail = "This server is not known by the name in the Host header; the operator can allow it."
            raise UnknownHost(detail, "unknown_host")
