"""Uploads converted in a process of their own, which may fail or be ended without harm to this one."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from pydantic import ValidationError

from synthgen_ray.datasets.limits import MIB, UploadLimits, too_complex
from synthgen_ray.datasets.messages import CONVERSION, EXIT_CODE, LENGTH, OUTCOME, REFUSALS, Conversion, Outcome
from synthgen_ray.datasets.nursery import nursery
from synthgen_ray.datasets.reading import TableSummary
from synthgen_ray.domain.corrections import SchemaCorrection
from synthgen_ray.domain.errors import InvalidTable, SynthGenError, Unavailable

log = logging.getLogger(__name__)

MAX_ANSWER_BYTES = 16 * MIB
# A busy machine gives a process a third of its time, and takes long to start one.
WALL_PER_CPU = 3
START_S = 30


class Converter:
    """Converts uploads, at most `limits.max_running` at a time."""

    def __init__(self, limits: UploadLimits) -> None:
        self.limits = limits
        self._wall_s = START_S + WALL_PER_CPU * limits.max_cpu_seconds
        self._turns = asyncio.Semaphore(limits.max_running)
        self._threads = ThreadPoolExecutor(limits.max_running, "conversion")

    async def convert(
        self,
        source: Path,
        filename: str,
        target: Path,
        correction: SchemaCorrection | None = None,
        formats: Mapping[str, str] | None = None,
    ) -> TableSummary:
        """What `reading.convert` answers and raises.

        Raises: InvalidTable too, for a file that takes too much memory or time; Unavailable, when its process could not
        be had.
        """
        conversion = Conversion(source, filename, target, self.limits, correction, dict(formats or {}))
        async with self._turns:
            return await self._run(CONVERSION.dump_json(conversion))

    async def _run(self, request: bytes) -> TableSummary:
        with nursery().conversation() as conversation:
            talk = self._threads.submit(_talk, conversation, request)
            try:
                await asyncio.wait((asyncio.wrap_future(talk),), timeout=self._wall_s)
                timed_out = not talk.done()
            finally:
                _end(conversation)
                await _ended(talk)
        if timed_out:
            raise too_complex(f"{self._wall_s} seconds")
        if (said := talk.result()) is None:
            raise Unavailable("The process that reads uploads was lost: send the file again.", "unavailable")
        return self._summary(*said)

    def _summary(self, answer: bytes, exit_code: int) -> TableSummary:
        if exit_code:
            raise self._death(exit_code)
        try:
            outcome: Outcome = OUTCOME.validate_json(answer)
        except ValidationError:
            outcome = Outcome(unexpected="no answer")
        if outcome.refusal and outcome.refusal.kind in REFUSALS:
            raise outcome.refusal.error
        if outcome.summary is None:
            log.error("an upload could not be converted: %s", outcome.unexpected)
            raise unreadable_table()
        return outcome.summary

    def _death(self, exit_code: int) -> SynthGenError:
        log.warning("the conversion of an upload ended with code %d", exit_code)
        if exit_code == -signal.SIGXCPU:
            return too_complex(f"{self.limits.max_cpu_seconds} seconds of computing")
        # The system kills where it has no memory left; C++ aborts where it gets none.
        if exit_code in (-signal.SIGKILL, -signal.SIGABRT):
            return too_complex(f"the memory there is, at most {self.limits.max_memory_bytes:,} bytes,")
        if exit_code == -signal.SIGXFSZ:
            return too_complex("a file of the size that is allowed")
        return unreadable_table()


def unreadable_table() -> InvalidTable:
    detail = "The file could not be read as a table; write it anew, or as another format, and upload that."
    return InvalidTable(detail, "unreadable_table")


def _talk(conversation: socket.socket, request: bytes) -> tuple[bytes, int] | None:
    """Send all, then read all that is answered, up to a limit. Returns: the answer, and its process's exit code; `None`
    where who should have said that was lost itself."""
    with contextlib.suppress(ConnectionError), conversation.makefile("rb") as stream:
        conversation.sendall(LENGTH.pack(len(request)) + request)
        heard = stream.read(MAX_ANSWER_BYTES)
        if len(heard) >= EXIT_CODE.size:
            return heard[: -EXIT_CODE.size], *EXIT_CODE.unpack(heard[-EXIT_CODE.size :])
    return None


async def _ended(talk: Future[tuple[bytes, int] | None]) -> None:
    """However often this is cancelled: the process is gone when we leave."""
    while not talk.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait((asyncio.wrap_future(talk),))


def _end(conversation: socket.socket) -> None:
    """Have the process ended, unless it has ended."""
    with contextlib.suppress(OSError):  # the keeper has ended too
        conversation.shutdown(socket.SHUT_WR)
