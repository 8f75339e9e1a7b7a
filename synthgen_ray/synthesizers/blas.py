"""How many threads NumPy's matrix products run on."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock

from threadpoolctl import ThreadpoolController


class _OneThread:
    """For as long as anyone asks for it; the last one out gives the threads back."""

    def __init__(self) -> None:
        self._controller = ThreadpoolController()
        self._lock, self._inside = Lock(), 0

    def enter(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._limit = self._controller.limit(limits=1, user_api="blas")
            self._inside += 1

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._limit.restore_original_limits()


_one_thread = cache(_OneThread)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Meanwhile matrix products run on one thread: many small ones gain nothing by two, and on a busy machine,
    where two wait for each other, take five times as long."""
    _one_thread().enter()
    try:
        yield
    finally:
        _one_thread().leave()
