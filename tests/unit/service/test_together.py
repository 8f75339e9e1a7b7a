"""A call that many share is a part of nobody's request, by which Ray knows what to cancel with it."""

import asyncio
from collections.abc import Sequence
from contextvars import ContextVar

from synthgen_ray.service.together import Together

REQUEST: ContextVar[str | None] = ContextVar("request", default=None)


async def test_what_is_shared_is_part_of_nobodys_request():
    parts_of = []

    async def call(asked: Sequence[str]) -> Sequence[str]:
        parts_of.append(REQUEST.get())
        return asked

    together = Together(call)

    async def request(name: str) -> str:
        REQUEST.set(name)
        answer = await together.ask(name)
        assert name == REQUEST.get()
        return answer

    assert await asyncio.gather(*map(request, ("first", "second", "third"))) == ["first", "second", "third"]
    assert parts_of == [None]
