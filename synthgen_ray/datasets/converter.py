"""Uploads converted in a process of their own, which may fail or be ended without harm to this one."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

import synthgen_ray
from synthgen_ray.datasets.limits import MIB, UploadLimits, too_complex
from synthgen_ray.datasets.messages import CONVERSION, OUTCOME, REFUSALS, Conversion, Outcome
from synthgen_ray.datasets.reading import TableSummary
from synthgen_ray.domain.corrections import SchemaCorrection
from synthgen_ray.domain.errors import InvalidTable, SynthGenError

log = logging.getLogger(__name__)

COMMAND = (sys.executable, "-s", "-m", "synthgen_ray.datasets.sandbox")
# Nothing is inherited: no key, no address, no switch of a library.
ENVIRONMENT = {
    "PYTHONPATH": str(Path(synthgen_ray.__file__).parents[1]),
    "LANG": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "2",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}
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

    async def convert(
        self,
        source: Path,
        filename: str,
        target: Path,
        correction: SchemaCorrection | None = None,
        formats: Mapping[str, str] | None = None,
    ) -> TableSummary:
        """What `reading.convert` answers and raises.

        Raises: InvalidTable too, for a file that takes too much memory or time.
        """
        conversion = Conversion(source, filename, target, self.limits, correction, dict(formats or {}))
        async with self._turns:
            return await self._run(CONVERSION.dump_json(conversion))

    async def _run(self, request: bytes) -> TableSummary:
        process = subprocess.Popen(  # noqa: ASYNC220, S603  (it returns at once; the command is ours)
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a library's message may repeat a cell
            env=ENVIRONMENT,
            cwd="/",
            start_new_session=True,
        )
        # In a thread and not asyncio's own subprocess, which not every event loop can watch.
        talk = asyncio.ensure_future(asyncio.to_thread(_talk, process, request))
        try:
            await asyncio.wait((talk,), timeout=self._wall_s)
            timed_out = not talk.done()
        finally:
            _end(process)  # the thread sees the end of the pipe
        answer = await talk
        if timed_out:
            raise too_complex(f"{self._wall_s} seconds")
        return self._summary(answer, process.returncode)

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


def _talk(process: subprocess.Popen[bytes], request: bytes) -> bytes:
    """Send all, then read all that it answers, up to a limit."""
    assert process.stdin  # noqa: S101
    assert process.stdout  # noqa: S101
    with process.stdin as to_child, process.stdout as from_child:
        try:
            to_child.write(request)
            to_child.close()
        except BrokenPipeError:
            pass  # it died; the exit code says of what
        answer = from_child.read(MAX_ANSWER_BYTES)
    process.wait()
    return answer


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and whatever it started, unless it has ended."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
