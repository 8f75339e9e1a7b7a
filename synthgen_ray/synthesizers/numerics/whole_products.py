"""Products of matrices of whole numbers of 8 bits, for which many processors have units, four times as fast as floats.

Sums of products of whole numbers are exact in any order: they are the same on any number of threads, on a GPU, and
where floats multiply for want of such units.
Source: Jacob et al. 2018, "Quantization and training of neural networks for efficient integer-arithmetic-only
inference", arXiv:1712.05877, section 2.
"""

import numpy as np
import torch
from torch import Tensor

MOST = 127  # of either sign
MOST_ADDED = 2**22  # to a product, for the sum to be exact too
EXACT = (2**24 - MOST_ADDED) // MOST**2  # inputs that floats of 32 bits add without rounding


def has_units() -> bool:
    """Of this processor. False as well where PyTorch is too old to say, or to multiply with them."""
    if not hasattr(torch.cpu, "get_capabilities") or not hasattr(torch, "_int_mm"):
        return False
    return bool(torch.cpu.get_capabilities().get("avx512_vnni", False) and torch._C._has_mkldnn)


def precision(device: torch.device) -> torch.dtype:
    """In which `product` is told whole numbers there: 8 bits for the units, or floats."""
    return torch.int8 if device.type == "cpu" and has_units() else torch.float32


def product(left: Tensor, right: Tensor) -> Tensor:
    """Of whole numbers up to `MOST`, both in 8 bits or both as floats. The sums are whole numbers of 32 bits, or floats
    where these are exact."""
    if left.dtype == torch.int8:
        return torch._int_mm(left, right)
    if left.shape[1] <= EXACT:
        return _product_of_floats(left, right)
    total = left.new_zeros(len(left), right.shape[1], dtype=torch.int32)
    for some, across in zip(torch.split(left, EXACT, dim=1), torch.split(right, EXACT), strict=True):
        total += _product_of_floats(some, across).int()
    return total


def steps(most: np.ndarray) -> np.ndarray:
    """So wide that the largest number of each place is `MOST` of them: fractions of few digits, which are the same on
    any machine. Where there is only 0, the finest of all: nothing else is counted more coarsely for it.
    """
    said = most > 0
    mantissa, exponent = np.frexp(np.where(said, most, most[said].min() if said.any() else 1.0) / MOST)
    return np.asarray(np.ldexp(np.ceil(mantissa * 64) / 64, exponent))


def _product_of_floats(left: Tensor, right: Tensor) -> Tensor:
    """On a CPU by NumPy, whose library is twice as fast on some processors, and where many rows meet few columns."""
    if left.device.type != "cpu":
        with torch.autocast(left.device.type, enabled=False):
            return left @ right
    if len(left) >= right.shape[1]:
        return torch.from_numpy(left.numpy() @ right.numpy())
    return torch.from_numpy(right.numpy().T @ left.numpy().T).T.contiguous()
