"""Errors that are the machine's fault, whatever it was given to compute."""

import sys


def is_lack_of_memory(error: BaseException) -> bool:
    """Also PyTorch's: it has an error of its own for a GPU's, and only words for a machine's."""
    is_of_cpus = isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)
    return is_of_cpus or isinstance(error, (MemoryError, *_of_torch("OutOfMemoryError")))


def is_of_the_device(error: BaseException) -> bool:
    """Of a GPU that no longer computes anything."""
    return isinstance(error, _of_torch("AcceleratorError"))  # which older ones lack


def _of_torch(name: str) -> tuple[type[BaseException], ...]:
    """None as long as nobody has imported PyTorch: seconds, that a copula does without."""
    error = getattr(sys.modules.get("torch"), name, None)
    return (error,) if error else ()
