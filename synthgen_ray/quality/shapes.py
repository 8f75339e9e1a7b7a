"""Column shapes: how like two columns' distributions are, nulls left out.

Source: SDMetrics, KSComplement and TVComplement, which it averages as "Column Shapes"; equal to its numbers.
"""

import sys

import numpy as np

from synthgen_ray.quality.cells import NULL, Array, Cells

DECIMALS = sys.float_info.dig - 1  # SDMetrics compares no more of a number
SMALL, LARGE = 1e-6, 1e200  # between them these decimals are enough, and do not overflow


def column_shapes(real: Cells, synthetic: Cells) -> dict[str, float]:
    """From 0 to 1 by column; NaN where one of the two has no values."""
    return {name: _shape(real, synthetic, name) for name in real.names}


def _shape(real: Cells, synthetic: Cells, name: str) -> float:
    measure = ks_complement if real.is_number(name) else tv_complement
    return measure(real.columns[name], synthetic.columns[name])


def ks_complement(real: Array, synthetic: Array) -> float:
    """1 - the largest distance between the two empirical distribution functions; NaN cells do not count."""
    a, b = (values[~np.isnan(values)] for values in (real, synthetic))
    if not len(a) or not len(b):
        return float("nan")
    largest = max(np.abs(a).max(), np.abs(b).max())
    if 0 < largest < SMALL or largest > LARGE:
        a, b = a / largest, b / largest
    a, b = (np.sort(values.round(DECIMALS)) for values in (a, b))
    at = np.concatenate([a, b])
    gaps = np.searchsorted(a, at, side="right") / len(a) - np.searchsorted(b, at, side="right") / len(b)
    return float(1 - np.abs(gaps).max())


def tv_complement(real: Array, synthetic: Array) -> float:
    """1 - half the sum of the differences between the shares of each code; codes of null do not count."""
    a, b = (codes[codes != NULL] for codes in (real, synthetic))
    if not len(a) or not len(b):
        return float("nan")
    width = int(max(a.max(), b.max())) + 1
    gaps = np.bincount(a, minlength=width) / len(a) - np.bincount(b, minlength=width) / len(b)
    return float(1 - np.abs(gaps).sum() / 2)
