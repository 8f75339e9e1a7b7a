"""Answers through two queues without an end, as those between a replica and its proxy."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from synthgen_ray.runtime.flow import AHEAD_BYTES, MARK, STEP_BYTES, TellsWhatIsSent, WaitsForReader

BLOCK = 2**20
BLOCKS = 64


class Application:
    """Answers with a large file."""

    made = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "http.request"
        await StreamingResponse(self._blocks())(scope, receive, send)

    async def _blocks(self) -> AsyncIterator[bytes]:
        for _ in range(BLOCKS):
            self.made += 1
            yield bytes(BLOCK)


def through_queues(replica):
    """The replica behind queues, as the proxy sees it."""

    async def proxied(scope: Scope, receive: Receive, send: Send) -> None:
        asked: asyncio.Queue[Message] = asyncio.Queue()
        answered: asyncio.Queue[Message] = asyncio.Queue()

        async def pass_on() -> None:
            while True:
                asked.put_nowait(await receive())

        passing = asyncio.create_task(pass_on())
        answering = asyncio.create_task(replica(scope, asked.get, answered.put))
        more = True
        while more:
            message = await answered.get()
            await send(message)
            more = message["type"] == "http.response.start" or message.get("more_body", False)
        await answering
        passing.cancel()

    return proxied


class Reader:
    """A client that has room for so many bytes until it reads on."""

    def __init__(self, *headers: tuple[bytes, bytes]) -> None:
        self.got = 0
        self.reads_on = asyncio.Event()
        self.leaves = asyncio.Event()
        self._asked = False
        self.scope = {"type": "http", "asgi": {"spec_version": "2.3"}, "headers": list(headers)}

    async def receive(self) -> Message:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.got += len(message.get("body", b""))
        if self.got >= 2 * BLOCK:
            await self.reads_on.wait()


async def settled(application: Application) -> int:
    """What was made once no more is."""
    before = -1
    while before != application.made:
        before = application.made
        for _ in range(1000):
            await asyncio.sleep(0)
    return before


@pytest.fixture
def application() -> Application:
    return Application()


async def test_nothing_is_made_far_ahead_of_who_does_not_read(application):
    reader = Reader()
    chain = TellsWhatIsSent(through_queues(WaitsForReader(application)))
    answer = asyncio.create_task(chain(reader.scope, reader.receive, reader.send))

    ahead = await settled(application)
    reader.reads_on.set()
    await answer

    assert ahead * BLOCK <= AHEAD_BYTES + STEP_BYTES + 2 * BLOCK
    assert reader.got == BLOCKS * BLOCK


async def test_who_leaves_is_not_waited_for(application):
    reader = Reader()
    chain = WaitsForReader(application)
    answer = asyncio.create_task(chain({**reader.scope, "headers": [MARK]}, reader.receive, reader.send))
    await settled(application)

    reader.reads_on.set()
    reader.leaves.set()

    await answer
