"""Two columns of codes, counted together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synthgen_ray.quality.cells import Array

DENSE = 1_000_000  # cells of a table that is counted as one array


@dataclass(frozen=True, eq=False)
class Joint:
    """Shares, (T, C), of the cells that any of T tables fills, with the codes that meet there, (C,) each, from 0."""

    first: Array
    second: Array
    shares: Array

    def similarity(self, table: int) -> float:
        """1 - the total variation distance of a table from the first one."""
        return float(1 - np.abs(self.shares[0] - self.shares[table]).sum() / 2)


def joint_shares(first: Sequence[Array], second: Sequence[Array]) -> Joint:
    """Of two columns' codes in each table, (N,) of integers from -1."""
    width = 2 + max(int(codes.max()) for codes in second)
    keys = [(a.astype(np.int64) + 1) * width + b + 1 for a, b in zip(first, second, strict=True)]
    size = 1 + max(int(part.max()) for part in keys)
    if size <= DENSE:
        counts = np.stack([np.bincount(part, minlength=size) for part in keys])
        cells = np.flatnonzero(counts.any(axis=0))
        counts = counts[:, cells]
    else:
        cells, places = np.unique(np.concatenate(keys), return_inverse=True)
        ends = np.cumsum([len(part) for part in keys])[:-1]
        counts = np.stack([np.bincount(part, minlength=len(cells)) for part in np.split(places, ends)])
    return Joint(cells // width, cells % width, counts / counts.sum(axis=1, keepdims=True))


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
