"""How far a column reaches, by means of k rows: no end is a row's own value, unless k rows hold it."""

import numpy as np


def inner_parts(ordered: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k rows from the k-th smallest upwards, and the k rows up to the k-th largest; of few rows the k in the
    middle. Where the k smallest or largest rows are one value, these: whoever stands for "missing" with a number far
    from all others must get it back, not its mean with some of them. There are k rows at least."""
    first = min(k - 1, (len(ordered) - k) // 2)
    low = ordered[:k] if ordered[0] == ordered[k - 1] else ordered[first : first + k]
    high = ordered[-k:] if ordered[-k] == ordered[-1] else ordered[::-1][first : first + k][::-1]
    return low, high
