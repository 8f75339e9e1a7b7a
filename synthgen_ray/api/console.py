"""`GET /`: the web console."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePath

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware

from synthgen_ray.api import pages
from synthgen_ray.api.pages import MEDIA_TYPES, PageFile, digest


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


def _files(contents: dict[str, bytes]) -> dict[str, PageFile]:
    """The files by their addresses; the pages name the others by their version."""
    others = {path: content for path, content in sorted(contents.items()) if path not in _PAGES}
    root = f"/console/{digest(b''.join(others.values()))}"
    found = {
        f"{root}{path}": PageFile.of(path, content, cache=_FOR_EVER, policy=_POLICY) for path, content in others.items()
    }
    for path, (address, policy) in _PAGES.items():
        page = contents[path].replace(b'"/console/', f'"{root}/'.encode())
        found[address] = PageFile.of(path, page, policy=policy)
    return found


FILES = _files(_contents(files("synthgen_ray").joinpath("console")))
PATHS = frozenset(FILES)


def install(app: FastAPI) -> None:
    """Serve the console; `PATHS` need no key, for nothing in them is anybody's."""
    pages.install(app, FILES, [Middleware(GZipMiddleware)])
