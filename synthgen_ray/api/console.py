"""`GET /`: the web console. Its files are read once; what is not among them has no address, so none can be guessed."""

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
# No script and no style stands within the page, it speaks to this server alone, and no text of it ever becomes markup.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)


@dataclass(frozen=True)
class ConsoleFile:
    content: bytes
    media_type: str
    etag: str


def _read(folder: Traversable, address: str) -> dict[str, ConsoleFile]:
    """The files of the console by their addresses."""
    found: dict[str, ConsoleFile] = {}
    for entry in folder.iterdir():
        if entry.is_dir():
            found |= _read(entry, f"{address}/{entry.name}")
        elif media_type := MEDIA_TYPES.get(entry.name[entry.name.rfind(".") :]):
            content = entry.read_bytes()
            etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
            found[f"{address}/{entry.name}"] = ConsoleFile(content, media_type, etag)
    return found


FILES = _read(files("synthgen_ray").joinpath("console"), "/console")
FILES["/"] = FILES.pop("/console/index.html")
PATHS = frozenset(FILES)


def install(app: FastAPI) -> None:
    """Serve the console; `PATHS` need no key, for nothing in them is anybody's."""
    for path in PATHS:
        app.add_route(path, _answer, include_in_schema=False)


async def _answer(request: Request) -> Response:
    file = FILES[request.scope["path"]]
    # Asked for again each time, and answered by a few bytes: after an update nobody runs half of the old page.
    headers = {"ETag": file.etag, "Cache-Control": "no-cache", "Content-Security-Policy": _POLICY}
    if request.headers.get("if-none-match") == file.etag:
        return Response(status_code=304, headers=headers)
    return Response(file.content, headers=headers, media_type=file.media_type)
