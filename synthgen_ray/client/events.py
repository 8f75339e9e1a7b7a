"""Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html."""

import json
from collections.abc import Iterable, Iterator

from synthgen_ray.client.answers import JSON
from synthgen_ray.client.errors import ConnectionFailed


def events_of(blocks: Iterable[bytes]) -> Iterator[JSON]:
    """What each event holds, as JSON; comments and the names of events are passed over.

    Raises: ConnectionFailed, for what is no such stream.
    """
    told: list[bytes] = []
    for line in _lines(blocks):
        if line.startswith(b"data:"):
            told.append(line.removeprefix(b"data:"))
        elif not line and told:
            yield _json(b"\n".join(told))
            told.clear()


def _lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """By hand: to `splitlines` a name may hold what ends a line too, such as U+2028."""
    rest = b""
    for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        yield from (line.removesuffix(b"\r") for line in lines)


def _json(text: bytes) -> JSON:
    try:
        told = json.loads(text)
    except ValueError as error:
        raise ConnectionFailed("The server's events could not be read.") from error
    if not isinstance(told, dict):
        raise ConnectionFailed("The server's events could not be read.")
    return told
