"""Pairs and triples of columns; of wide tables some, so that what is done with each takes no hours."""

from itertools import combinations
from math import comb

import numpy as np

MOST = {2: 5_000, 3: 1_000}  # groups of a size that are looked at: all pairs of a hundred columns

Group = tuple[int, ...]


def all_groups(num_columns: int, size: int) -> int:
    return comb(num_columns, size)


def column_groups(num_columns: int, size: int, seed: int = 0) -> list[Group]:
    """The places of the columns of all groups of `size`, in order, or of those that the seed draws."""
    if comb(num_columns, size) <= MOST[size]:
        return list(combinations(range(num_columns), size))
    chance = np.random.default_rng(seed)
    drawn = {tuple(sorted(chance.choice(num_columns, size, replace=False).tolist())) for _ in range(MOST[size])}
    return sorted(drawn)
