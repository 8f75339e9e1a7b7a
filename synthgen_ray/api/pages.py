"""The files of pages that need no key. Each is read once, and what is not among them has no address to be guessed."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from synthgen_ray.api.preconditions import is_had

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True)
class PageFile:
    content: bytes
    media_type: str
    headers: Mapping[str, str]

    @classmethod
    def of(cls, path: str, content: bytes, *, cache: str = "no-cache", policy: str | None = None) -> "PageFile":
        """With `policy` for all that the page may do; without one it is the edge's, which allows nothing."""
        # Weak: the same file goes out as it is and compressed (RFC 9110, section 8.8.1).
        headers = {"ETag": f'W/"{digest(content)}"', "Cache-Control": cache}
        if policy is not None:
            headers["Content-Security-Policy"] = policy
        return cls(content, MEDIA_TYPES[PurePath(path).suffix], headers)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def install(app: FastAPI, files: Mapping[str, PageFile], middleware: Iterable[Middleware] = ()) -> None:
    """Answer each of the files at its address, always whole: a Range header may be ignored (RFC 9110, section 14.2)."""

    async def answer(request: Request) -> Response:
        file = files[request.scope["path"]]
        if is_had(request.headers, file.headers["ETag"]):
            return Response(status_code=304, headers=file.headers)
        return Response(file.content, headers=file.headers, media_type=file.media_type)

    for path in files:
        app.router.routes.append(Route(path, answer, include_in_schema=False, middleware=list(middleware)))
