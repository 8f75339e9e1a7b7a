"""The closest rows of a table, by Gower's distance.

Source: Gower 1971, Biometrics 27, 857-871: the sum over the columns of |a - b| / range for numbers, of 0 or 1 for
categories that are the same or not. Null is like null only.

Shapes: `Q` queries, `N` rows. They are compared in blocks that stay in the processor's cache.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from synthgen_ray.quality.cells import Array, Cells

QUERIES, ROWS = 64, 4_096  # of a block
MOST_HELD = 2**24  # distances at a time, where those of a query to all rows are needed at once
MOST_SMALL_CODE = np.iinfo(np.int16).max
MOST_COUNTED = np.iinfo(np.uint8).max

Block = tuple[slice, slice]


class Neighbours(NamedTuple):
    """Of each query the two closest rows. Shapes: (Q,) each."""

    distances: Array
    second_distances: Array


def ranges(*tables: Cells) -> dict[str, float]:
    """Of the numbers of all tables together; 1 where that would be 0."""
    found = {}
    for name in filter(tables[0].is_number, tables[0].names):
        values = np.concatenate([cells.columns[name] for cells in tables])
        values = values[~np.isnan(values)]
        found[name] = float(np.ptp(values)) if len(values) else 0.0
    return {name: width or 1.0 for name, width in found.items()}


def nearest(queries: Cells, rows: Cells, scale: dict[str, float]) -> Neighbours:
    """How far the two closest of `rows` are from each of `queries`."""
    columns = [_column(queries, rows, name, scale) for name in queries.names]
    best, second = np.full((2, queries.num_rows), np.inf, np.float32)
    for block in _blocks(queries.num_rows, rows.num_rows):
        distances, near = _total(columns, block), block[0]
        each, place = np.arange(len(distances)), distances.argmin(axis=1)
        first = distances[each, place]
        distances[each, place] = np.inf
        second[near] = np.minimum(np.minimum(second[near], distances.min(axis=1)), np.maximum(best[near], first))
        best[near] = np.minimum(best[near], first)
    return Neighbours(best, second)


def popularity(queries: Cells, tables: Sequence[Cells], scale: dict[str, float]) -> Array:
    """Of each row of the tables together, the share of queries that it is closest to; equals have equal parts. (N,)"""
    columns = []
    for name in queries.names:
        rows = Cells({name: np.concatenate([cells.columns[name] for cells in tables])})
        columns.append(_column(queries, rows, name, scale))
    num_rows = sum(cells.num_rows for cells in tables)
    found = np.zeros(num_rows)
    step = max(1, min(QUERIES, MOST_HELD // num_rows))
    size = QUERIES * ROWS // step  # a block is as large with fewer queries
    parts = [slice(first, min(first + size, num_rows)) for first in range(0, num_rows, size)]
    for start in range(0, queries.num_rows, step):
        near = slice(start, min(start + step, queries.num_rows))
        distances = np.concatenate([_total(columns, (near, rows)) for rows in parts], axis=1)
        closest = distances == distances.min(axis=1, keepdims=True)
        query, row = np.nonzero(closest)
        found += np.bincount(row, 1 / np.count_nonzero(closest, axis=1)[query], minlength=num_rows)
    return found / queries.num_rows


def nearest_without_each(
    queries: Cells, rows: Cells, scale: dict[str, float], names: Sequence[str]
) -> dict[str, Array]:
    """By name, the place of the row that is closest in all other columns, the first of equals; (Q,) each."""
    columns = {name: _column(queries, rows, name, scale) for name in queries.names}
    best = {name: np.full(queries.num_rows, np.inf, np.float32) for name in names}
    places = {name: np.zeros(queries.num_rows, np.int64) for name in names}
    for block in _blocks(queries.num_rows, rows.num_rows):
        total, near = _total(list(columns.values()), block), block[0]
        for name in names:
            distances = total - columns[name].distances(block)
            place = distances.argmin(axis=1)
            least = distances[np.arange(len(distances)), place]
            is_closer = least < best[name][near]
            best[name][near] = np.where(is_closer, least, best[name][near])
            places[name][near] = np.where(is_closer, block[1].start + place, places[name][near])
    return places


class _Numbers(NamedTuple):
    """Scaled float32, (Q, 1) and (1, N)."""

    queries: Array
    rows: Array

    def distances(self, block: Block) -> Array:
        a, b = self.queries[block[0]], self.rows[:, block[1]]
        gaps: Array = a - b
        np.abs(gaps, out=gaps)
        unknown = np.isnan(gaps)
        if unknown.any():
            gaps[unknown] = (np.isnan(a) != np.isnan(b))[unknown]
        return gaps


class _Codes(NamedTuple):
    """Codes, (Q, 1) and (1, N)."""

    queries: Array
    rows: Array

    def distances(self, block: Block) -> Array:
        differ: Array = self.queries[block[0]] != self.rows[:, block[1]]
        return differ.view(np.uint8)


_Column = _Numbers | _Codes


def _column(queries: Cells, rows: Cells, name: str, scale: dict[str, float]) -> _Column:
    a, b = queries.columns[name], rows.columns[name]
    if queries.is_number(name):
        # From the middle, so that moments keep their digits in 32 bits; from that of the queries, so that to several
        # tables equal distances stay equal.
        middle = np.nanmedian(a) if not np.isnan(a).all() else 0.0
        a, b = (((values - middle) / scale[name]).astype(np.float32) for values in (a, b))
        return _Numbers(a[:, None], b[None, :])
    small = max(int(a.max()), int(b.max())) <= MOST_SMALL_CODE
    a, b = (codes.astype(np.int16 if small else np.int32) for codes in (a, b))
    return _Codes(a[:, None], b[None, :])


def _blocks(num_queries: int, num_rows: int) -> Iterator[Block]:
    for first in range(0, num_queries, QUERIES):
        for start in range(0, num_rows, ROWS):
            yield slice(first, min(first + QUERIES, num_queries)), slice(start, min(start + ROWS, num_rows))


def _total(columns: list[_Column], block: Block) -> Array:
    """(queries, rows) of the block, float32."""
    shape = [part.stop - part.start for part in block]
    total = np.zeros(shape, np.float32)
    categories = [column for column in columns if isinstance(column, _Codes)]
    for column in columns:
        if isinstance(column, _Numbers):
            total += column.distances(block)
    for start in range(0, len(categories), MOST_COUNTED):
        differing = np.zeros(shape, np.uint8)  # a byte counts faster than a float
        for column in categories[start : start + MOST_COUNTED]:
            differing += column.distances(block)
        total += differing
    return total
