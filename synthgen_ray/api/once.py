"""The Idempotency-Key header: which call it was sent with, and a hash of what was asked for."""

import hashlib
import json
from typing import Annotated

from fastapi import Depends, Header, Request, Response

from synthgen_ray.domain.once import Made, Once, T

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern="^[!-~]+$",  # for the page: the edge has refused any other by then
        description="Makes a repeat harmless: with the same key and body it answers what the first call did.",
    ),
]


def once(request: Request, key: str | None, fingerprint: str) -> Once | None:
    return Once(key, f"{request.method} {_address(request)}", fingerprint) if key else None


def _address(request: Request) -> str:
    """As we write it: an id in capitals, or without hyphens, is the same id."""
    path: str = request.scope["route"].path_format
    return path.format(**request.path_params)


async def _once_of_json(request: Request, key: Key = None) -> Once | None:
    if not key:
        return None
    body = await request.body()
    canonical = json.dumps(json.loads(body), sort_keys=True) if body else ""
    return once(request, key, hashlib.sha256(canonical.encode()).hexdigest())


OnceDep = Annotated[Once | None, Depends(_once_of_json)]


def value_of(made: Made[T], response: Response) -> T:
    """What was made; a repeat says so in a header."""
    if made.replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return made.value
