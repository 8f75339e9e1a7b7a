"""How many threads NumPy's matrix products run on, and work that is better spread over these threads as a whole."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import TypeVar

from threadpoolctl import OpenBLASController, ThreadpoolController

Item = TypeVar("Item")
Result = TypeVar("Result")
AHEAD = 2  # of what each thread may have computed or under way, not to hold more than is soon asked for


class _OneThread:
    """For as long as anyone asks for it; the last one out gives the threads back."""

    def __init__(self) -> None:
        self._lock, self._inside = Lock(), 0

    def threads(self) -> int:
        """Those that a product would take now."""
        blas = (library["num_threads"] for library in _controller().info() if library["user_api"] == "blas")
        return max(blas, default=1)

    def enter(self) -> None:
        with self._lock, _by_any_thread():
            if self._inside == 0:
                self._limit = _controller().limit(limits=1, user_api="blas")
            self._inside += 1

    def leave(self) -> None:
        with self._lock, _by_any_thread():
            self._inside -= 1
            if self._inside == 0:
                self._limit.restore_original_limits()


@contextmanager
def _by_any_thread() -> Iterator[None]:
    """OpenBLAS has one number of threads for the whole process. Of threadpoolctl only that thread may set it that was
    the first to, as long as it lives, and for others nothing is done, without a word: nobody is to be it."""
    OpenBLASController.clear_controlling_thread(force=True)
    try:
        yield
    finally:
        OpenBLASController.clear_controlling_thread(force=True)


_controller = cache(ThreadpoolController)  # it takes some ms, and threads that ask first may get one each
_one_thread = _OneThread()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Meanwhile matrix products run on one thread: many small ones gain nothing by two, and on a busy machine,
    where two wait for each other, take five times as long."""
    _one_thread.enter()
    try:
        yield
    finally:
        _one_thread.leave()


def spread(call: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """The results in the order of the items, each computed on one thread, and several at once on as many threads as a
    matrix product would take."""
    threads = _one_thread.threads()
    if threads == 1:
        yield from map(call, items)
        return
    with one_blas_thread(), ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[Result]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(call, item))
                if len(waiting) >= AHEAD * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
