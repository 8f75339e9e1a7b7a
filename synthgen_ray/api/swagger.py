"""The page of the API's documentation, with all that it loads: it works where nothing else can be reached."""

from importlib.resources import files

from fastapi import FastAPI

from synthgen_ray.api import pages
from synthgen_ray.api.pages import PageFile

_ASSETS = ("favicon.png", "swagger-ui-bundle.js", "swagger-ui.css")
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>SynthGen on Ray: the API</title>
<link rel="icon" href="/docs/assets/favicon.png">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""
# A file of its own, since the policy of the page allows no script within it.
_START = """SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null,
});
"""
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def _files() -> dict[str, PageFile]:
    # The package is there for its files: Swagger UI as it is published.
    folder = files("fastapi_offline").joinpath("static")
    return {
        "/docs": PageFile.of("docs.html", _PAGE.encode(), policy=_POLICY),
        "/docs/start.js": PageFile.of("start.js", _START.encode()),
        **{f"/docs/assets/{name}": PageFile.of(name, folder.joinpath(name).read_bytes()) for name in _ASSETS},
    }


FILES = _files()
PATHS = frozenset({*FILES, "/openapi.json"})


def install(app: FastAPI) -> None:
    # Not compressed: they are large, and whoever asks needs no key.
    pages.install(app, FILES)
