"""`GET /`: the web console. Its files are read once; what is not among them has no address, so none can be guessed."""

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePath

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


def _policy(styles: str = "'self'", pictures: str = "'self'", frames: str = "'none'") -> str:
    """No script stands within a page, it speaks to this server alone, and no text of it ever becomes markup."""
    return (
        f"default-src 'none'; script-src 'self'; style-src {styles}; img-src {pictures}; connect-src 'self'; "
        f"frame-src {frames}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )


_POLICY = _policy()
# A report has its style and its pictures within it, and the frame that shows it inherits the policy of the page around.
_REPORT_POLICY = _policy("'self' 'unsafe-inline'", "'self' data:", "blob:")
# By their files: the addresses of the pages, and what they may do.
_PAGES = {"/index.html": ("/", _POLICY), "/report.html": ("/console/report", _REPORT_POLICY)}

# The address of a file has the version of all of them, so that what was fetched once is never asked for again.
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class ConsoleFile:
    content: bytes
    media_type: str
    etag: str
    cache: str
    policy: str


def _contents(folder: Traversable, address: str = "") -> dict[str, bytes]:
    """What the console is made of, by path."""
    found: dict[str, bytes] = {}
    for entry in folder.iterdir():
        path = f"{address}/{entry.name}"
        if entry.is_dir():
            found |= _contents(entry, path)
        elif PurePath(path).suffix in MEDIA_TYPES:
            found[path] = entry.read_bytes()
    return found


def _files(contents: dict[str, bytes]) -> dict[str, ConsoleFile]:
    """The files by their addresses; the pages name the others by their version."""
    others = {path: content for path, content in sorted(contents.items()) if path not in _PAGES}
    root = f"/console/{_digest(b''.join(others.values()))}"
    found = {f"{root}{path}": _file(path, content, _FOR_EVER, _POLICY) for path, content in others.items()}
    for path, (address, policy) in _PAGES.items():
        page = contents[path].replace(b'"/console/', f'"{root}/'.encode())
        found[address] = _file(path, page, "no-cache", policy)
    return found


def _file(path: str, content: bytes, cache: str, policy: str) -> ConsoleFile:
    # Weak: the same file goes out as it is and compressed (RFC 9110, section 8.8.1).
    etag = f'W/"{_digest(content)}"'
    return ConsoleFile(content, MEDIA_TYPES[PurePath(path).suffix], etag, cache, policy)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


FILES = _files(_contents(files("synthgen_ray").joinpath("console")))
PATHS = frozenset(FILES)


def install(app: FastAPI) -> None:
    """Serve the console; `PATHS` need no key, for nothing in them is anybody's."""
    for path in PATHS:
        app.router.routes.append(Route(path, _answer, include_in_schema=False, middleware=[Middleware(GZipMiddleware)]))


async def _answer(request: Request) -> Response:
    file = FILES[request.scope["path"]]
    headers = {"ETag": file.etag, "Cache-Control": file.cache, "Content-Security-Policy": file.policy}
    if request.headers.get("if-none-match") == file.etag:
        return Response(status_code=304, headers=headers)
    return Response(file.content, headers=headers, media_type=file.media_type)
