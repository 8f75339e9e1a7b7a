"""HTTP on a connection, with an end to what uvicorn gathers without one: heads and trailers that go on and on, requests
that come before the first of them is answered, answers that nobody reads. Trailers are dropped, and so is a wish for
another protocol, of which there is none (RFC 9110, section 7.8)."""

import asyncio
import math
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from synthgen_ray.api.edge import BadRequest, HeadersTooLarge
from synthgen_ray.api.problems import problem_of
from synthgen_ray.domain.errors import SynthGenError

MOST_HELD = 64 * 2**10  # above what the edge takes, so that it is mostly the edge that answers
HEAD_SECONDS = 30.0
UNREAD_SECONDS = 300.0  # in which a client takes nothing at all of what waits for it
_OF_BODIES = {b"content-length", b"transfer-encoding"}
MOST_WAITING = 20  # requests behind the one that is answered: each takes a hundred times the memory of its bytes


class _HeadWithBody(asyncio.Transport):
    """Has the head of an answer wait for the first of its body, as ASGI means it: each write by itself is a system call
    here, and a packet for who reads."""

    def __init__(self, transport: asyncio.Transport) -> None:
        super().__init__()
        self._transport = transport
        self._waiting: list[bytes | bytearray | memoryview] = []
        self.is_head = False  # what is written next

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._waiting.append(data)
        if not self.is_head:
            self.flush()

    def flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting and not self.is_closing():
            self._transport.writelines(waiting)

    def close(self) -> None:
        self.flush()
        self._transport.close()

    def is_closing(self) -> bool:
        return self._transport.is_closing()


class BoundedHttp(HttpToolsProtocol):
    """Closes a connection once its head is too long or too slow, too many requests wait on it, or nobody reads."""

    _answers: _HeadWithBody
    _held = 0  # bytes that the parser took and has told us nothing of yet
    _head_timer: asyncio.TimerHandle | None = None
    _is_head = True
    _unread_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._answers = _HeadWithBody(transport)
        self.ws_protocol_class = None
        transport.set_write_buffer_limits(0)
        self._start_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_head()
        self._end_unread()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._look_at_unread(math.inf)

    def resume_writing(self) -> None:
        self._end_unread()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        self._held += len(data)
        super().data_received(data)
        if self._held > MOST_HELD and not self.transport.is_closing():
            detail = f"The headers of a request must end within {MOST_HELD:,} bytes."
            self._refuse(HeadersTooLarge(detail, "headers_too_large"))

    def on_message_begin(self) -> None:
        if len(self.pipeline) >= MOST_WAITING:
            raise ConnectionAbortedError  # for the parser, which stops: these are no requests to it
        self._start_head()
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        # Not of trailers, which uvicorn would add (RFC 9110, section 6.5.1): no proxy in front has looked at them.
        if self._is_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._end_head()
        if self.parser.should_upgrade() and any(name in _OF_BODIES and value != b"0" for name, value in self.headers):
            # The parser would take the body for requests, which no proxy in front has seen: they would get the answers
            # to, and the keys of, those that others send on the same connection.
            detail = "This server speaks HTTP/1.1 alone: leave Upgrade out of a request that has a body."
            self._refuse(BadRequest(detail, "invalid_upgrade"))
            raise ConnectionAbortedError
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._held = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._held = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self._answers.flush()  # there may be no body
        if not self.transport.is_closing():
            self.transport.set_write_buffer_limits(0)  # paused is now whatever has not all left
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        if self._is_answering or self.transport.is_closing():  # it would be taken for a part of that answer
            self.transport.close()
        else:
            super().send_400_response(msg)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGIApp) -> None:  # type: ignore[override]
        async def as_it_is_read(scope: Scope, receive: Receive, send: Send) -> None:
            # Who does not read must hold no place among the requests that are answered, nor leave a large answer here
            # and none of its place: that took no key. What is small leaves its place whether it is read or not.
            await self.flow.drain()
            if cycle.disconnected:
                return
            self.transport.set_write_buffer_limits(HIGH_WATER_LIMIT)

            async def send_all(message: Message) -> None:
                self._answers.is_head = message["type"] == "http.response.start"
                await send(message)
                if self.transport.get_write_buffer_size() > HIGH_WATER_LIMIT:
                    await self.flow.drain()

            await app(scope, receive, send_all)

        cycle.transport = self._answers
        super()._start_asgi_task(cycle, as_it_is_read)  # type: ignore[arg-type]

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _start_head(self) -> None:
        self._end_head()
        self._is_head = True
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _end_head(self) -> None:
        self._held, self._is_head = 0, False
        if self._head_timer is not None:
            self._head_timer.cancel()

    def _look_at_unread(self, before: float) -> None:
        unread = self.transport.get_write_buffer_size()
        if unread >= before:
            self.transport.abort()
        else:
            self._unread_timer = self.loop.call_later(UNREAD_SECONDS, self._look_at_unread, unread)

    def _end_unread(self) -> None:
        if self._unread_timer is not None:
            self._unread_timer.cancel()

    def _refuse(self, error: SynthGenError) -> None:
        if not self._is_answering:
            answer = problem_of(uuid4().hex, error)
            headers = [b"%s: %s\r\n" % header for header in [*answer.raw_headers, (b"connection", b"close")]]
            self.transport.write(b"".join([STATUS_LINE[error.status], *headers, b"\r\n", bytes(answer.body)]))
        self.transport.close()
