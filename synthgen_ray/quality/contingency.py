"""Two columns of codes, counted together."""

from dataclasses import dataclass

import numpy as np

from synthgen_ray.quality.cells import Array

DENSE = 1_000_000  # cells of a table that is counted as one array

Codes = tuple[Array, Array]  # of the real and of the synthetic table, (N,) and (M,) of integers from 0


@dataclass(frozen=True, eq=False)
class Joint:
    """Shares of the cells that any of the two tables fills: (C,) each, with the codes that meet there."""

    first: Array
    second: Array
    real: Array
    synthetic: Array

    @property
    def similarity(self) -> float:
        """1 - the total variation distance."""
        return float(1 - np.abs(self.real - self.synthetic).sum() / 2)


def joint_shares(first: Codes, second: Codes) -> Joint:
    width = 1 + max(int(codes.max()) for codes in second)
    real, synthetic = (a.astype(np.int64) * width + b for a, b in zip(first, second, strict=True))
    size = 1 + max(int(real.max()), int(synthetic.max()))
    if size <= DENSE:
        counts = [np.bincount(keys, minlength=size) for keys in (real, synthetic)]
        cells = np.flatnonzero(counts[0] + counts[1])
        counts = [count[cells] for count in counts]
    else:
        cells, places = np.unique(np.concatenate([real, synthetic]), return_inverse=True)
        counts = [np.bincount(part, minlength=len(cells)) for part in np.split(places, [len(real)])]
    return Joint(cells // width, cells % width, counts[0] / len(real), counts[1] / len(synthetic))


def cramers_v(first: Array, second: Array, shares: Array) -> float:
    """Association of two columns whose codes meet with these shares, 0 to 1; NaN where one of them is constant.

    √(χ² / n / (min(rows, columns) - 1)). Source: Cramér 1946, Mathematical Methods of Statistics, ch. 21.
    """
    rows, columns = np.bincount(first, shares), np.bincount(second, shares)
    least = min(np.count_nonzero(rows), np.count_nonzero(columns)) - 1
    if least < 1:
        return float("nan")
    filled = shares > 0
    phi_squared = (shares[filled] ** 2 / (rows[first[filled]] * columns[second[filled]])).sum() - 1
    return float(np.sqrt(max(phi_squared, 0.0) / least))
