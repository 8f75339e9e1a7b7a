"""Clients that send a byte a second, some of them a head and some a body: others are answered as soon as without them,
and they themselves are let go."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

from tests.chaos.polling import poll
from tests.chaos.workload import Shop

CLIENTS, EVERY_S = 20, 0.5  # of those that are in no hurry, and whose answers are measured
LONGEST_S = 32.0  # until a slow one is let go, with what a busy machine adds
TIMES = 2.0  # that others may wait as long


@dataclass(frozen=True)
class Slow:
    """A connection."""

    kind: str
    lasted_s: float
    answer: bytes

    def findings(self) -> Iterator[str]:
        if self.lasted_s > LONGEST_S:
            yield f"a slow {self.kind} was let go after {self.lasted_s:.0f} s"
        if self.answer and not self.answer.startswith(b"HTTP/1.1 408 "):
            yield f"a slow {self.kind} was answered {self.answer[:40]!r}"


def slowed(shop: Shop, slow: int, seconds: float) -> str:
    """Raises: AssertionError, with what is not as promised."""
    alone = poll(shop, CLIENTS, seconds, EVERY_S)
    with ThreadPoolExecutor(1) as thread:
        all_slow = thread.submit(asyncio.run, _all(shop, slow, time.monotonic() + seconds))
        beside = poll(shop, CLIENTS, seconds, EVERY_S)
        connections = all_slow.result()
    told = f"p99 {alone.p99_s:.3f} s alone, {beside.p99_s:.3f} s beside {len(connections)} slow connections"
    findings = [*beside.faults(), *(finding for one in connections for finding in one.findings())]
    findings += ["others wait too long"] * (beside.p99_s > TIMES * alone.p99_s)
    assert not findings, f"{findings}; {told}"
    return told


async def _all(shop: Shop, slow: int, until: float) -> list[Slow]:
    connections: list[Slow] = []
    async with asyncio.TaskGroup() as group:
        for number in range(slow):
            group.create_task(_one(shop, "body" if number % 2 else "head", until, connections))
    return connections


async def _one(shop: Shop, kind: str, until: float, connections: list[Slow]) -> None:
    """One connection after the other; the last may go on for as long as it is not let go."""
    head = f"POST /api/projects HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {shop.server.key}\r\n"
    if kind == "body":
        head += "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
    while time.monotonic() < until:
        began = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", shop.server.port)
        writer.write(head.encode())
        answering = asyncio.create_task(reader.read(65_536))
        while not (await asyncio.wait({answering}, timeout=1.0))[0]:
            writer.write(b"x")
        answer = b""
        with suppress(ConnectionError):
            answer = answering.result()
        connections.append(Slow(kind, time.monotonic() - began, answer))
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
