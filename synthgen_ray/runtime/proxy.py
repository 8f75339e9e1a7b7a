"""What Ray Serve's HTTP proxy wraps itself in: Serve calls `middlewares` in each proxy process.

The proxy reads some headers before the application sees a request, trusts them, and has addresses of its own.
"""

import os
import re
from collections.abc import Collection

import uvicorn.config
from ray import serve
from ray.serve._private.constants import RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD
from ray.serve.exceptions import RayServeException
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from synthgen_ray.api.auth import OPEN, RequestId
from synthgen_ray.api.bodies import BodyLimit, TooSlow
from synthgen_ray.api.edge import Edge
from synthgen_ray.api.problems import problem_of
from synthgen_ray.domain.errors import NotFound, SynthGenError, Unavailable
from synthgen_ray.runtime.backpressure import Backpressure, Crowded, Room
from synthgen_ray.runtime.counting import CountedAnswers, RefusedUploads
from synthgen_ray.runtime.environment import is_behind_haproxy
from synthgen_ray.runtime.flow import TellsWhatIsSent
from synthgen_ray.runtime.http_protocol import BoundedHttp
from synthgen_ray.runtime.metrics import EdgeMetrics

# With these a client could end its request early, keep it alive for ever, choose its replica or have it wait.
_SERVE_HEADERS = frozenset(
    {
        "serve_multiplexed_model_id",
        "x_request_disconnect_disabled",
        "x_request_timeout_seconds",
        "x_session_id",
        "x_synthgen_flow",
    }
)
_SERVE_PATHS = "/-/"
# Addresses whose GET waits for the metadata alone, and not for long.
_LOOKS = re.compile(r"/api/synthgen/(jobs|models)(/[^/]+)?")
# By these Serve looks neither whether the client has left nor for how long it waits.
_UNWATCHED = ((b"x-request-disconnect-disabled", b"?1"), (b"x-request-timeout-seconds", b"0"))
# What Serve answers by itself: for an application that is not there yet, for one that takes too long, when it is full,
# and when nobody answers (`http_util.send_http_response_on_exception`, `HTTPProxy.not_found_response`).
_SERVES = frozenset({404, 408, 429, 503})
# Where HAProxy is the proxy, all this is in the replicas, which it asks for their health here, without a Host header. A
# client that asks here is answered by HAProxy itself.
_HAPROXY_ASKS = "/-/healthz"


def middlewares() -> list[Middleware]:
    """From the inside out: the last one meets a request first, before the proxy's own."""
    # Serve starts uvicorn right after this call and leaves to it the choice of the protocol, and whom it trusts.
    uvicorn.config.HTTP_PROTOCOLS["auto"] = f"{BoundedHttp.__module__}:{BoundedHttp.__name__}"
    # It would take any X-Forwarded-For that comes from loopback; `api/addresses.py` looks at it, by the settings.
    os.environ["FORWARDED_ALLOW_IPS"] = ""
    metrics = EdgeMetrics()
    return [
        Middleware(Unwatched if _holds_connections() else TellsWhatIsSent),
        # The proxy reads ahead: what it takes is memory.
        Middleware(Backpressure),
        Middleware(BodyLimit),
        Middleware(ServeAnswers),
        Middleware(ServeGate, open_paths={_HAPROXY_ASKS} if is_behind_haproxy() else ()),
        Middleware(Edge),
        Middleware(Room, count=metrics.crowded, probes=OPEN | {_HAPROXY_ASKS}),
        Middleware(RequestId),
        Middleware(RefusedUploads, count=metrics.upload_refused),
        Middleware(CountedAnswers, count=metrics.answered),
    ]


def _holds_connections() -> bool:
    """Whether the application runs in this process, and in the loop that writes to its clients: as in a replica behind
    HAProxy, when Serve is tuned for throughput. Then nothing stands between."""
    try:
        serve.get_replica_context()
    except RayServeException:
        return False
    return not RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD


class Unwatched:
    """Spares Serve two tasks for each look at a job or a model, which clients ask for again and again: where it holds
    their connections these are a tenth of what the process does for one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET" and _LOOKS.fullmatch(scope["path"]):
            scope = {**scope, "headers": [*scope["headers"], *_UNWATCHED]}
        await self._app(scope, receive, send)


class ServeGate:
    """Keeps clients away from what is between Serve and its proxy."""

    def __init__(self, app: ASGIApp, open_paths: Collection[str] = ()) -> None:
        self._app = app
        self._open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"].startswith(_SERVE_PATHS) and scope["path"] not in self._open_paths:
            error = NotFound("There is nothing at this address.", "not_found")
            await problem_of(scope["state"]["request_id"], error)(scope, receive, send)
        else:
            await self._app(_without_serve_headers(scope), receive, send)


class ServeAnswers:
    """Puts into a problem document what Serve says by itself: that nobody answers, or took too long.

    When a replica dies under a request, Serve says nothing at all.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_started = is_serves = False

        async def answer(error: SynthGenError) -> None:
            await problem_of(scope["state"]["request_id"], error)(scope, receive, send)

        async def send_ours(message: Message) -> None:
            nonlocal is_started, is_serves
            if message["type"] == "http.response.start":
                is_started = True
                if is_serves := _is_serves(message):
                    await answer(_error_for(message["status"]))
            if not is_serves:
                await send(message)

        await self._app(scope, receive, send_ours)
        if not is_started:
            await answer(_error_for(503))


def _is_serves(start: Message) -> bool:
    if start["status"] not in _SERVES:
        return False
    # The application's errors are JSON.
    return Headers(raw=start["headers"]).get("content-type", "").startswith("text/plain")


def _error_for(status: int) -> SynthGenError:
    if status == 429:
        return Crowded()
    if status == 408:
        return TooSlow("The answer took too long; the log of the server has the reason.", "request_timeout")
    return Unavailable("The process that answers is starting or was lost; try again.", "unavailable")


def _without_serve_headers(scope: Scope) -> Scope:
    # Serve takes hyphens for underscores.
    headers = [(name, value) for name, value in scope["headers"] if _plain(name) not in _SERVE_HEADERS]
    clean = {**scope, "headers": headers}
    MutableHeaders(scope=clean)["X-Request-ID"] = scope["state"]["request_id"]
    return clean


def _plain(name: bytes) -> str:
    return name.decode("latin-1").lower().replace("-", "_")
