"""Accuracy: how much of the distribution of one, two or three columns at a time the synthetic table gets right.

1 - the total variation distance between binned distributions. Numbers are cut at the tenths of the real column (equal
edges merged; a bin holds its upper edge; values beyond them are a bin of their own), categories into the ten most
frequent ones and the rest; null is a bin. Source: Platzer and Reutterer 2021, arXiv:2104.00635.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from synthgen_ray.quality.cells import NULL, Array, Cells
from synthgen_ray.quality.contingency import cramers_v
from synthgen_ray.quality.groups import Group

BINS = 10
WIDTH = BINS + 2  # with one for the rest, one for null
BLOCK = 1 << 18  # rows that are counted at a time, in little memory


def binned(real: Cells, cells: Cells) -> Array:
    """The bin of each cell of `cells`, (D, N) of bytes below `WIDTH`: the whole table, so one column at a time."""
    found = np.empty((len(real.names), cells.num_rows), np.int8)
    for place, name in enumerate(real.names):
        found[place] = _bins(real.columns[name], cells.columns[name], real.is_number(name))
    return found


def similarities(real: Array, synthetic: Array) -> Array:
    """1 - the total variation distance of the shares of each group, (G,). Shapes: (G, C)."""
    return np.asarray(1 - np.abs(real - synthetic).sum(axis=1) / 2)


def shares(codes: Array, groups: Sequence[Group]) -> Array:
    """Of all cells of the table of each group's columns, groups of one size, (G, WIDTH ** size). Shape: (D, N)."""
    found = np.zeros((len(groups), WIDTH ** len(groups[0]) if groups else 0))
    for start in range(0, codes.shape[1], BLOCK):
        block = codes[:, start : start + BLOCK]
        for place, group in enumerate(groups):
            keys = block[group[0]].astype(np.int16)  # three columns have 1,728 cells
            for column in group[1:]:
                keys = keys * WIDTH + block[column]
            found[place] += np.bincount(keys, minlength=found.shape[1])
    return np.asarray(found / codes.shape[1])


def associations(codes: Array) -> Array:
    """Cramér's V of all pairs of binned columns, (D, D); 0 with a constant. Shape: (D, N)."""
    found, cells = np.eye(len(codes)), np.arange(WIDTH**2)
    pairs = list(combinations(range(len(codes)), 2))
    for (a, b), joint in zip(pairs, shares(codes, pairs), strict=True):
        value = cramers_v(cells // WIDTH, cells % WIDTH, joint)
        found[a, b] = found[b, a] = 0.0 if np.isnan(value) else value
    return found


def _bins(real: Array, column: Array, is_number: bool) -> Array:
    if is_number:
        null, known = np.isnan(column), real[~np.isnan(real)]
        if not len(known):
            return np.where(null, BINS + 1, BINS)
        edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)))
        inside = np.clip(np.searchsorted(edges, column) - 1, 0, None)
        codes = np.where((column < edges[0]) | (column > edges[-1]), BINS, inside)
    else:
        null = column == NULL
        counts = np.bincount(real[real != NULL], minlength=int(max(column.max(), real.max(), 0)) + 1)
        frequent = np.argsort(-counts, kind="stable")[:BINS]
        places = np.full(len(counts), BINS)
        places[frequent[counts[frequent] > 0]] = np.arange(np.count_nonzero(counts[frequent]))
        codes = places[column]
    return np.where(null, BINS + 1, codes)
