"""The process of `sandbox` that has imported what a conversion needs, and forks the processes that convert.

To start a process takes a third of a second; to fork one, a few milliseconds.
"""

import atexit
import functools
import socket
import subprocess
import sys
import threading
from pathlib import Path

import synthgen_ray

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


@functools.cache
def nursery() -> "Nursery":
    """That of this process."""
    return Nursery()


class Nursery:
    """Starts its process when it is first needed, and again when it is gone. It ends with this one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._orders: socket.socket | None = None
        atexit.register(self.close)

    def conversation(self) -> socket.socket:
        """Our end of a conversation with a new process; see `sandbox`. It is over where this one's dies before that."""
        ours, theirs = socket.socketpair()
        with theirs, self._lock:
            while not self._is_sent(theirs):
                self._start()
        return ours

    def close(self) -> None:
        """Let it end once what it has begun is done."""
        if self._orders is not None:
            self._orders.close()
        if self._process is not None:
            self._process.wait()

    def _is_sent(self, end: socket.socket) -> bool:
        """Unless there is no process that could take it."""
        try:
            return self._orders is not None and socket.send_fds(self._orders, [b"."], [end.fileno()]) > 0
        except BrokenPipeError:
            return False

    def _start(self) -> None:
        self.close()
        self._orders, read_by_it = socket.socketpair()
        with read_by_it:  # and by it alone: what it has not taken ends with it
            self._process = subprocess.Popen(  # noqa: S603  (the command is ours)
                COMMAND,
                stdin=read_by_it.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # a library's message may repeat a cell
                env=ENVIRONMENT,
                cwd="/",
                start_new_session=True,
            )
