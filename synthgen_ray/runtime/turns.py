"""Who draws rows in a process: as many at a time as it has CPUs."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from contextvars import copy_context
from typing import TypeVar

from synthgen_ray.domain.errors import Cancelled

T = TypeVar("T")
PARTS = 1000  # threads, each made when it is needed: more than Serve sends parts at a time


class Turns:
    """Work in threads, so that health checks do not wait. Parts of files wait behind rows that somebody waits for: no
    more of them stand in the line than compute at a time, and all others before it.

    What is brief comes one at a time: it hardly leaves Python, and two threads that pass its lock to and fro do less
    than one, in twice its processor time.

    Each kind has threads of its own, which end with this object: of those that all share a few parts that wait for
    their storage would take the last.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._turns = asyncio.Semaphore(count)
        self._parts = asyncio.Semaphore(count)
        self._brief = asyncio.Semaphore(1)
        self._threads_of_rows = ThreadPoolExecutor(count, "rows")
        self._threads_of_parts = ThreadPoolExecutor(PARTS, "part")

    async def rows(self, work: Callable[[], T], *, brief: bool = False) -> T:
        turns = [self._brief, self._turns] if brief else [self._turns]
        return await self._run(lambda _: work(), self._threads_of_rows, *turns)

    async def part(self, work: Callable[[Callable[[], None]], T]) -> T:
        """`work` is given what ends its turn early, for what only waits for a disk or a network, and raises Cancelled
        where nobody waits for it any more."""
        return await self._run(work, self._threads_of_parts, self._parts, self._turns)

    async def aside(self, work: Callable[[], T]) -> T:
        """What mostly waits for a disk or a network, and needs no turn: of asyncio's own threads Serve gives few."""
        return await self._run(lambda _: work(), self._threads_of_parts)

    async def _run(
        self, work: Callable[[Callable[[], None]], T], threads: ThreadPoolExecutor, *turns: asyncio.Semaphore
    ) -> T:
        """In a thread, which goes on when nobody waits for it any more: its turn ends with it, not before."""
        loop, is_left = asyncio.get_running_loop(), threading.Event()

        def end_early() -> None:
            if is_left.is_set():
                raise Cancelled
            loop.call_soon_threadsafe(lambda: held.close())

        with ExitStack() as waiting:
            for turn in turns:
                await turn.acquire()
                waiting.callback(turn.release)
            thread = loop.run_in_executor(threads, copy_context().run, work, end_early)
            held = waiting.pop_all()  # not before: where no thread can be started, nobody would give them back

        def end(ended: "asyncio.Future[T]") -> None:
            held.close()  # once: what is closed has nothing left to give back
            ended.exception()  # who asked may have left, and what nobody hears asyncio logs

        thread.add_done_callback(end)
        try:
            return await asyncio.shield(thread)
        except asyncio.CancelledError:
            is_left.set()
            raise
