"""How much two columns of codes say of each other.

Sources: Cramér 1946, "Mathematical Methods of Statistics", section 21.9; Bergsma 2013, "A bias-correction for Cramér's
V and Tschuprow's T".
"""

import math

import numpy as np
import pyarrow as pa

TEST_ROWS = 10_000
CERTAIN = 5  # standard deviations from what chance makes of χ²


def association(codes_N: np.ndarray, others_N: np.ndarray) -> float:
    """Cramér's V without its bias, from 0 to 1; 0 too where chance alone makes as much."""
    rows = len(codes_N)
    if rows < 2:
        return 0.0
    width = int(others_N.max()) + 1
    counts = np.bincount(codes_N * width + others_N, minlength=(int(codes_N.max()) + 1) * width).reshape(-1, width)
    counts = counts[counts.any(axis=1)][:, counts.any(axis=0)]
    expected = counts.sum(axis=1, keepdims=True) * (counts.sum(axis=0) / rows)
    chi_squared = float(((counts - expected) ** 2 / expected).sum())
    freedom = math.prod(size - 1 for size in counts.shape)
    if chi_squared <= freedom + CERTAIN * math.sqrt(2 * freedom):
        return 0.0
    least = min(size - (size - 1) ** 2 / (rows - 1) for size in counts.shape) - 1
    return math.sqrt(max(chi_squared / rows - freedom / (rows - 1), 0.0) / least) if least > 0 else 0.0


def few_rows(table: pa.Table) -> pa.Table:
    """Rows from all parts of it, as many as a test needs. In their chunks: one dictionary may not hold all."""
    chosen = np.zeros(table.num_rows, dtype=bool)
    chosen[np.linspace(0, table.num_rows - 1, min(table.num_rows, TEST_ROWS)).astype(np.int64)] = True
    return table.filter(pa.array(chosen))
