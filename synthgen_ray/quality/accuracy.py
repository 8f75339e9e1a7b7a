"""Accuracy: how much of the distribution of one, two or three columns at a time the synthetic table gets right.

1 - the total variation distance between binned distributions. Numbers are cut at the tenths of the real column (equal
edges merged; a bin holds its upper edge; values beyond them are a bin of their own), categories into the ten most
frequent ones and the rest; null is a bin. Source: Platzer and Reutterer 2021, arXiv:2104.00635.
"""

from collections.abc import Iterable
from itertools import combinations

import numpy as np

from synthgen_ray.quality.cells import NULL, Array, Cells
from synthgen_ray.quality.contingency import cramers_v
from synthgen_ray.quality.groups import Group

BINS = 10
WIDTH = BINS + 2  # with one for the rest, one for null


def binned(real: Cells, cells: Cells) -> Array:
    """The bin of each cell of `cells`, (D, N) of bytes below `WIDTH`: the whole table, so one column at a time."""
    found = np.empty((len(real.names), cells.num_rows), np.int8)
    for place, name in enumerate(real.names):
        found[place] = _bins(real.columns[name], cells.columns[name], real.is_number(name))
    return found


def accuracies(real: Array, synthetic: Array, places: Iterable[Group]) -> list[float]:
    """One for each group of columns. Shapes: (D, N) and (D, M)."""
    return [float(1 - np.abs(_shares(real, group) - _shares(synthetic, group)).sum() / 2) for group in places]


def associations(codes: Array) -> Array:
    """Cramér's V of all pairs of binned columns, (D, D); 0 with a constant. Shape: (D, N)."""
    count = len(codes)
    found = np.eye(count)
    cells = np.arange(WIDTH**2)
    for a, b in combinations(range(count), 2):
        value = cramers_v(cells // WIDTH, cells % WIDTH, _shares(codes, (a, b)))
        found[a, b] = found[b, a] = 0.0 if np.isnan(value) else value
    return found


def _shares(codes: Array, group: Group) -> Array:
    """Of all cells of the table of these columns, (WIDTH ** len(group),)."""
    keys = codes[group[0]].astype(np.int16)  # three columns have 1,728 cells
    for place in group[1:]:
        keys = keys * WIDTH + codes[place]
    return np.asarray(np.bincount(keys, minlength=WIDTH ** len(group)) / codes.shape[1])


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
