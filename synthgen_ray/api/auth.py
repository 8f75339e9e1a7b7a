"""Who may come in. Closed by default: a new route needs a key unless it is listed as open.

The gate tells whose key it is; a route says by `Viewer`, `Editor`, `Admin` or `Operator` what the key must be, and
hands the principal on to the store, which shows it its own projects alone.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import Annotated
from uuid import uuid4

from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from synthgen_ray.api.problems import problem_of
from synthgen_ray.api.rate_limits import RateLimiter, RateLimits
from synthgen_ray.domain.access import Origin, Principal, Role
from synthgen_ray.domain.errors import SynthGenError, Unauthenticated
from synthgen_ray.domain.keys import key_hash
from synthgen_ray.domain.log_context import about
from synthgen_ray.service.together import Together

OPEN = frozenset({"/healthz", "/readyz"})
EVENTS_PATH = "/events"  # how the addresses of streams of events end
CACHE_S = 5.0  # a revoked key works no longer than this
MOST_REMEMBERED = 10_000
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


FindAdmission = Callable[[str], Awaitable[Principal | None]]


class RequestId:
    """Gives each request an id, kept from the client when it is harmless, and answers it. The proxy in front has done
    both where there is an id already.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        if request_id := state.get("request_id"):
            with about(request_id=request_id):
                await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = state["request_id"] = given if _REQUEST_ID.fullmatch(given) else uuid4().hex

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        with about(request_id=request_id):
            await self._app(scope, receive, send_with_id)


class KeyGate:
    """Answers 401 before a body is read, unless the key is known or what is open is only read."""

    def __init__(
        self, app: ASGIApp, find_admission: FindAdmission, open_paths: frozenset[str], limits: RateLimits
    ) -> None:
        self._app = app
        self._find = find_admission
        self._holders: Together[str, Principal | None] = Together(self._found)
        self._limiter = RateLimiter(limits)
        self._open = open_paths
        self._admitted: dict[str, tuple[Principal, float]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # To be read: a body would be waited for, and who has no key could so take all the room there is.
        is_open = scope["type"] != "http" or (scope["path"] in self._open and scope["method"] in ("GET", "HEAD"))
        if is_open:
            await self._app(scope, receive, send)
            return
        try:
            hashed, principal = await self._admit(Headers(scope=scope), scope["client"])
            is_stream = scope["path"].endswith(EVENTS_PATH)
            one_open = self._limiter.one_open(principal, is_stream=is_stream)
        except SynthGenError as error:
            await problem_of(scope["state"]["request_id"], error)(scope, receive, send)
            return
        with one_open:
            address = scope["client"][0] if scope["client"] else ""
            scope["state"]["principal"] = replace(principal, origin=Origin(scope["state"]["request_id"], address))
            scope["state"]["is_admitted"] = partial(self._holds, hashed)
            await self._app(scope, receive, send)

    async def _admit(self, headers: Headers, client: tuple[str, int] | None) -> tuple[str, Principal]:
        """Raises: Unauthenticated; RateLimited."""
        given = headers.getlist("authorization")
        scheme, _, key = given[0].partition(" ") if len(given) == 1 else ("", "", "")
        if scheme.lower() != "bearer" or not key.strip():
            detail = "This needs an API key: send it as 'Authorization: Bearer KEY'."
            raise Unauthenticated(detail, "missing_key")
        hashed = key_hash(key.strip())
        principal = await self._holder(hashed)
        if principal is None:
            self._limiter.count_wrong_key(client[0] if client else "")
            raise Unauthenticated.of_key()
        self._limiter.count_request(hashed)
        return hashed, principal

    async def _holder(self, hashed: str) -> Principal | None:
        principal, until = self._admitted.get(hashed, (None, 0.0))
        if until <= (asked := monotonic()):  # what is answered was so then: a store may take its time
            principal = await self._holders.ask(hashed)
            self._remember(hashed, principal, asked + CACHE_S)
        if principal is None or (principal.expires_at and principal.expires_at <= datetime.now(UTC)):
            return None
        return principal

    async def _found(self, hashes: Sequence[str]) -> Sequence[Principal | None]:
        """A key that many use at once is forgotten for all of them at once."""
        asked = list(dict.fromkeys(hashes))
        found = dict(zip(asked, await asyncio.gather(*map(self._find, asked)), strict=True))
        return [found[hashed] for hashed in hashes]

    async def _holds(self, hashed: str) -> bool:
        """For answers that go on: whether the key still lets in."""
        return await self._holder(hashed) is not None

    def _remember(self, hashed: str, principal: Principal | None, until: float) -> None:
        self._admitted.pop(hashed, None)
        if principal is not None:
            if len(self._admitted) >= MOST_REMEMBERED:
                self._admitted.clear()
            self._admitted[hashed] = (principal, until)


class _HolderOf(SecurityBase):
    """Whom `KeyGate` let in, if the key is of such a role. In the docs it is a lock, and the Authorize button."""

    def __init__(self, role: Role) -> None:
        self.scheme_name = "HTTPBearer"
        self.model = HTTPBearer(description="An API key.")
        self._role = role

    async def __call__(self, request: Request) -> Principal:
        principal: Principal = request.state.principal
        principal.require(self._role)
        return principal


async def _operator(principal: Annotated[Principal, Depends(_HolderOf(Role.ADMIN))]) -> Principal:
    principal.require_unbound()
    return principal


Viewer = Annotated[Principal, Depends(_HolderOf(Role.VIEWER))]
Editor = Annotated[Principal, Depends(_HolderOf(Role.EDITOR))]
Admin = Annotated[Principal, Depends(_HolderOf(Role.ADMIN))]
Operator = Annotated[Principal, Depends(_operator)]  # an admin of all projects
