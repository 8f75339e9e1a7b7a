"""Errors that are the machine's fault, whatever it was given to compute."""

import sys


def is_lack_of_memory(error: BaseException) -> bool:
    """Also of a GPU's, for which PyTorch has an error of its own."""
    torch = sys.modules.get("torch")  # seconds of import, that a copula does without
    return isinstance(error, MemoryError) or (torch is not None and isinstance(error, torch.OutOfMemoryError))


def is_of_the_device(error: BaseException) -> bool:
    """Of a GPU that no longer computes anything."""
    return isinstance(error, getattr(sys.modules.get("torch"), "AcceleratorError", ()))  # which older ones lack
