"""Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from starlette.responses import StreamingResponse

from synthgen_ray.domain.errors import SynthGenError

T = TypeVar("T")
EVENTS = "text/event-stream"
SILENCE_S = 15.0  # after which proxies on the way would take the connection for dead


async def event_stream(values: AsyncIterator[T], name: str, show: Callable[[T], str]) -> StreamingResponse:
    """An event for each value. What the first one raises is raised here, while an error can still be answered; a later
    error ends the stream: who asks again is told."""
    first = await anext(values)

    async def lines() -> AsyncIterator[str]:
        yield f"event: {name}\ndata: {show(first)}\n\n"
        following = asyncio.ensure_future(anext(values, None))
        try:
            while True:
                done, _ = await asyncio.wait({following}, timeout=SILENCE_S)
                if not done:
                    yield ": still here\n\n"
                    continue
                try:
                    value = following.result()
                except SynthGenError:
                    return
                if value is None:
                    return
                yield f"event: {name}\ndata: {show(value)}\n\n"
                following = asyncio.ensure_future(anext(values, None))
        finally:
            following.cancel()

    # For nginx, which otherwise keeps what it has of an answer until there are some kilobytes.
    return StreamingResponse(lines(), media_type=EVENTS, headers={"X-Accel-Buffering": "no"})
