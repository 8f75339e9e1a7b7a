"""How many threads this process computes with."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

from threadpoolctl import threadpool_limits


def compute_with(threads: int) -> None:
    """For PyTorch, now or as soon as it is imported, and for the BLAS that is loaded.

    PyTorch is not imported for it: a Gaussian copula does without its 180 MB and two seconds.
    """
    os.environ["OMP_NUM_THREADS"] = str(threads)
    if "torch" in sys.modules:
        import torch  # another thread may be about to: this waits for what it lacks yet

        torch.set_num_threads(threads)
    threadpool_limits(threads, user_api="blas")


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Meanwhile PyTorch computes on one what this thread asks for: the last digits of its products depend on how many
    there are. Many small ones gain a tenth by a second one, and on a busy machine, where two wait for each other, take
    ten times as long."""
    import torch

    with _asked.lock:
        # Asked of each: as long as a thread has neither asked nor computed, it gets what any thread wanted last, also
        # after its own wish.
        now = torch.get_num_threads()
        if _asked.inside == 0:
            _asked.usual = now
        _asked.inside += 1
    torch.set_num_threads(1)
    try:
        yield
    finally:
        with _asked.lock:
            _asked.inside -= 1
            torch.set_num_threads(_asked.usual)


@dataclass
class _Asked:
    """For one thread, meanwhile. A thread of Python that is new to PyTorch has as many as the last one asked for: not
    each can know what is usual."""

    inside: int = 0
    usual: int = 1
    lock: Lock = field(default_factory=Lock)


_asked = _Asked()
