"""Accuracy: how much of the distribution of one, two or three columns at a time the synthetic table gets right.

1 - the total variation distance between binned distributions, of ten bins, one for the rest and one for null.
Categories are cut into the ten most frequent ones and the rest. Of numbers, up to ten values have a bin each, which
also holds what is within a quarter of the way to the next; what is further off is the rest. Where there are more, those
that a tenth of the rows have are bins, and the others are cut into as many alike as are left (a bin holds its upper
edge, what is beyond them is the rest). Source: Platzer and Reutterer 2021, arXiv:2104.00635, who cut by quantiles.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from synthgen_ray.quality.cells import NULL, Array, Cells
from synthgen_ray.quality.contingency import cramers_v
from synthgen_ray.quality.groups import Group

BINS = 10
WIDTH = BINS + 2  # with one for the rest, one for null
BLOCK = 1 << 18  # rows that are counted at a time, in little memory


def binned_tables(real: Cells, tables: Sequence[Cells], k: int) -> list[Array]:
    """The bin of each cell of these tables, (D, N) of bytes below `WIDTH`: whole tables, so one column at a time.

    Which numbers have bins of their own does not hang on values that fewer than k rows of the real table have.
    """
    found = [np.empty((len(real.names), cells.num_rows), np.int8) for cells in tables]
    for place, name in enumerate(real.names):
        if real.is_number(name):
            column = real.columns[name]
            bins = _cut(column[~np.isnan(column)], k)
            for cells, codes in zip(tables, found, strict=True):
                codes[place] = bins.of(cells.columns[name])
        else:
            for cells, codes in zip(tables, found, strict=True):
                codes[place] = _of_categories(real.columns[name], cells.columns[name])
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


class Associated(NamedTuple):
    """Binned columns, (D, N), and Cramér's V of all pairs of them, (D, D)."""

    codes: Array
    strength: Array

    @classmethod
    def of(cls, codes: Array) -> "Associated":
        return cls(codes, associations(codes))


def associations(codes: Array) -> Array:
    """Cramér's V of all pairs of binned columns, (D, D); 0 with a constant. Shape: (D, N)."""
    found, cells = np.eye(len(codes)), np.arange(WIDTH**2)
    pairs = list(combinations(range(len(codes)), 2))
    for (a, b), joint in zip(pairs, shares(codes, pairs), strict=True):
        value = cramers_v(cells // WIDTH, cells % WIDTH, joint)
        found[a, b] = found[b, a] = 0.0 if np.isnan(value) else value
    return found


class _Cut(NamedTuple):
    """The bins of a column of numbers: `values` that have their own, with what is within `reach`, then those between
    `edges`, of which each but the first is in the bin below it."""

    values: Array
    reach: Array
    edges: Array

    def of(self, column: Array) -> Array:
        codes = np.full(len(column), BINS)
        if len(self.edges):
            inside = (column >= self.edges[0]) & (column <= self.edges[-1])
            places = np.maximum(np.searchsorted(self.edges, column) - 1, 0)
            codes = np.where(inside, len(self.values) + places, codes)
        if len(self.values):
            nearest = np.searchsorted(self.values[1:] / 2 + self.values[:-1] / 2, column)
            with np.errstate(over="ignore"):
                is_own = np.abs(column - self.values[nearest]) <= self.reach[nearest]
            codes = np.where(is_own, nearest, codes)
        return np.where(np.isnan(column), BINS + 1, codes)


def _cut(known: Array, k: int) -> _Cut:
    values, counts = np.unique(known, return_counts=True)
    common = counts >= k
    if np.count_nonzero(common) <= BINS and counts[~common].sum() < k:
        values = values[common]
        gaps = np.diff(values / 4, prepend=-np.inf, append=np.inf)
        reach = np.minimum(gaps[:-1], gaps[1:])
        return _Cut(values, np.where(np.isinf(reach), 0.0, reach), np.empty(0))
    is_own = common & (counts >= len(known) / BINS)
    others, below = values[~is_own], np.cumsum(counts[~is_own])
    left = BINS - int(np.count_nonzero(is_own))
    # The lowest value is the first edge, and the second one too where it has a bin to itself.
    upper = others[np.unique(np.searchsorted(below, np.arange(1, left + 1) * below[-1] / left))]
    return _Cut(values[is_own], np.zeros(BINS - left), np.concatenate([others[:1], upper]))


def _of_categories(real: Array, column: Array) -> Array:
    counts = np.bincount(real[real != NULL], minlength=int(max(column.max(), real.max(), 0)) + 1)
    frequent = np.argsort(-counts, kind="stable")[:BINS]
    places = np.full(len(counts), BINS)
    places[frequent[counts[frequent] > 0]] = np.arange(np.count_nonzero(counts[frequent]))
    return np.where(column == NULL, BINS + 1, places[column])
