"""Values far from all others: the -9999, or the smallest number there is, that stands for "missing"."""

import numpy as np

REMOTE = 100  # distances between the quartiles
MOST_REMOTE = 10  # the commonest; a column of more of them has a heavy tail


def remote_atoms(values: np.ndarray, counts: np.ndarray, k: int) -> np.ndarray:
    """Which of the rising distinct values, (V,), are values of k rows further than REMOTE interquartile distances from
    the median. Such a value says nothing of the numbers around it, and would hide all others in any mean with it."""
    if len(values) == 0:
        return np.zeros(0, dtype=bool)
    rows = np.cumsum(counts)
    first, median, third = values[np.searchsorted(rows, rows[-1] * np.array([0.25, 0.5, 0.75]))]
    far = np.flatnonzero((counts >= k) & (np.abs(values - median) > REMOTE * (third - first)) & (third > first))
    is_atom = np.zeros(len(values), dtype=bool)
    is_atom[far[np.argsort(-counts[far], kind="stable")[:MOST_REMOTE]]] = True
    return is_atom
