"""How many threads this process computes with."""

import os
import sys

from threadpoolctl import threadpool_limits


def compute_with(threads: int) -> None:
    """For PyTorch, now or as soon as it is imported, and for the BLAS that is loaded.

    PyTorch is not imported for it: a Gaussian copula does without its 180 MB and two seconds.
    """
    os.environ["OMP_NUM_THREADS"] = str(threads)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(threads)
    threadpool_limits(threads, user_api="blas")
