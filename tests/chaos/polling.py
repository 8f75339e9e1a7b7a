"""A thousand clients that each look at a job every five seconds: all are answered, and soon. Without a pause between
two looks, all are answered or told to come later.

Each has a connection of its own, which it opens once; all of them live in this one process.
"""

import asyncio
import json
import random
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.chaos.workload import Shop

EVERY_S = 5.0
ANSWER_S = 30.0
SLOWEST_S = 5.0  # of the 99th percentile


@dataclass(frozen=True)
class Look:
    at: float  # by the monotonic clock
    took_s: float
    status: int  # 0 for a connection that broke or stayed silent


@dataclass(frozen=True)
class Polling:
    looks: tuple[Look, ...]
    began: float
    lasted_s: float

    @property
    def p99_s(self) -> float:
        return statistics.quantiles((look.took_s for look in self.looks), n=100)[-1]

    def faults(self) -> list[str]:
        return [self._told(status) for status in {look.status for look in self.looks} - {200, 429}]

    def findings(self) -> list[str]:
        return [*self.faults(), *[f"the 99th percentile took {self.p99_s:.1f} s"] * (self.p99_s > SLOWEST_S)]

    def _told(self, status: int) -> str:
        when = [look.at - self.began for look in self.looks if look.status == status]
        return f"{len(when)} looks were answered {status}, from {min(when):.1f} to {max(when):.1f} s"

    def summary(self) -> str:
        statuses = ", ".join(
            f"{status}: {times}" for status, times in Counter(one.status for one in self.looks).items()
        )
        median = statistics.median(look.took_s for look in self.looks)
        rate = len(self.looks) / self.lasted_s
        return f"{len(self.looks)} looks, {rate:.0f}/s, median {median:.2f} s, p99 {self.p99_s:.2f} s; {statuses}"


def polled(shop: Shop, clients: int, seconds: float) -> str:
    """Raises: AssertionError, with what is not as promised."""
    polling = poll(shop, clients, seconds)
    assert not polling.findings(), f"{polling.findings()}; {polling.summary()}"
    return polling.summary()


def crowded(shop: Shop, clients: int, seconds: float) -> str:
    """Raises: AssertionError, with what is not as promised."""
    crowd = poll(shop, clients, seconds, every_s=0.0)
    assert not crowd.faults(), f"{crowd.faults()}; {crowd.summary()}"
    return crowd.summary()


def poll(shop: Shop, clients: int, seconds: float, every_s: float = EVERY_S) -> Polling:
    """`clients` that look at the shop's jobs for so long."""
    jobs = [job["id"] for job in shop.client.list_jobs(model_id=shop.model_id, limit=100)["items"]]
    started = time.monotonic()
    looks = asyncio.run(_all(shop, jobs, clients, started + seconds, every_s))
    return Polling(tuple(looks), started, time.monotonic() - started)


async def _all(shop: Shop, jobs: Sequence[str], clients: int, until: float, every_s: float) -> list[Look]:
    looks: list[Look] = []
    async with asyncio.TaskGroup() as group:
        for number in range(clients):
            job, chance = jobs[number % len(jobs)], random.Random(number)
            group.create_task(_client(shop, job, until, every_s, chance, looks))
    return looks


async def _client(shop: Shop, job: str, until: float, every_s: float, chance: random.Random, looks: list[Look]) -> None:
    request = (
        f"GET /api/synthgen/jobs/{job} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {shop.server.key}\r\n\r\n"
    ).encode()
    connection: _Connection | None = None
    await asyncio.sleep(chance.random() * EVERY_S)  # they did not all come at once
    while (started := time.monotonic()) < until:
        try:
            async with asyncio.timeout(ANSWER_S):
                connection = connection or await _Connection.to(shop.server.port)
                status = await connection.ask(request)
        except (OSError, EOFError, TimeoutError):
            if connection:
                connection.writer.close()
            connection, status = None, 0
        looks.append(Look(started, time.monotonic() - started, status))
        await asyncio.sleep(max(0.0, started + every_s - time.monotonic()))
    if connection:
        connection.writer.close()
        await connection.writer.wait_closed()


@dataclass(frozen=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def to(cls, port: int) -> "_Connection":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, request: bytes) -> int:
        """The status of the answer, which must be JSON."""
        self.writer.write(request)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
        body = await self.reader.readexactly(int(head.split("content-length: ")[1].split("\r\n")[0]))
        json.loads(body)
        return int(head.split(" ", 2)[1])
