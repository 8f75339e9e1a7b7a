"""A request's body, which a replica fetches from the proxy."""

import asyncio
import contextlib
import pickle
from collections.abc import AsyncIterator

import pytest

from synthgen_ray.runtime.receiving import FetchedWhenRead

PART = {"type": "http.request", "body": b"{", "more_body": True}
REST = {"type": "http.request", "body": b"}", "more_body": False}
LEFT = {"type": "http.disconnect"}


class Proxy:
    """Answers each call by the next of these."""

    def __init__(self, *answers: list[dict] | Exception) -> None:
        self._answers = [*answers]
        self.answers = asyncio.Event()  # whether it does so at once
        self.answers.set()
        self.calls = 0

    async def receive_asgi_messages(self, _: object) -> bytes:
        self.calls += 1
        await self.answers.wait()
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return pickle.dumps(answer)


@contextlib.asynccontextmanager
async def a_request(proxy: Proxy, *headers: tuple[bytes, bytes]) -> AsyncIterator[FetchedWhenRead]:
    """As Serve's replica has it, which fetches in a task beside the application."""
    receive = FetchedWhenRead({"type": "http", "headers": headers}, None, proxy.receive_asgi_messages)
    fetching = asyncio.create_task(receive.fetch_until_disconnect())
    await asyncio.sleep(0.01)
    yield receive
    fetching.cancel()
    await asyncio.wait([fetching])


async def test_the_proxy_is_not_asked_for_what_nobody_reads():
    async with a_request(proxy := Proxy()):
        pass

    assert proxy.calls == 0


@pytest.mark.parametrize("header", [(b"content-length", b"2"), (b"transfer-encoding", b"chunked")])
async def test_the_beginning_of_a_body_is_fetched_before_it_is_read_and_no_more(header):
    async with a_request(proxy := Proxy([PART], [REST]), header) as receive:
        assert proxy.calls == 1
        assert await receive() == PART
        await asyncio.sleep(0.01)
        assert proxy.calls == 1

        assert await receive() == REST


async def test_what_is_read_comes_in_its_order_and_then_that_the_client_left():
    async with a_request(proxy := Proxy([PART], [REST, LEFT])) as receive:
        assert [await receive() for _ in range(4)] == [PART, REST, LEFT, LEFT]

    assert proxy.calls == 2


async def test_nothing_is_fetched_after_the_end_of_a_body_unless_somebody_waits_for_the_client_to_leave():
    async with a_request(proxy := Proxy([REST], [LEFT])) as receive:
        assert await receive() == REST
        await asyncio.sleep(0.01)
        assert proxy.calls == 1

        assert await receive() == LEFT


async def test_what_comes_when_nobody_waits_any_more_is_there_for_who_reads_next():
    async with a_request(proxy := Proxy([PART], [REST])) as receive:
        proxy.answers.clear()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(receive(), 0.01)

        proxy.answers.set()

        assert [await receive(), await receive()] == [PART, REST]


async def test_a_request_that_the_proxy_has_let_go_is_one_whose_client_left():
    async with a_request(Proxy(KeyError("no such request"))) as receive:
        assert await receive() == LEFT


async def test_a_proxy_that_is_lost_is_told_of():
    async with a_request(Proxy([PART], ConnectionError())) as receive:
        assert await receive() == PART
        with pytest.raises(ConnectionError):
            await receive()
