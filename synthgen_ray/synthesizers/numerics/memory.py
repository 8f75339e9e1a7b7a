"""What a process does with memory that it frees."""

from functools import cache

import numpy as np


@cache
def keep_freed_memory() -> None:
    """From now on 64 MiB of what is freed stay with the process, for what comes next.

    glibc gives blocks of over 128 KiB back to the system, and each of their pages costs a page fault when the next one
    is written: a fifth of the time that one thread takes for a CTGAN's rows. Once a block of nearly 32 MiB was freed,
    it gives back less (mallopt(3), M_MMAP_THRESHOLD and M_TRIM_THRESHOLD). To this one nothing is ever written.
    """
    np.empty((32 << 20) - (64 << 10), dtype=np.uint8)
