"""The closest rows of a table, by Gower's distance.

Source: Gower 1971, Biometrics 27, 857-871: the sum over the columns of |a - b| / range for numbers, of 0 or 1 for
categories that are the same or not. Null is like null only.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from synthgen_ray.quality.cells import Array, Cells

QUERIES, ROWS = 64, 4_096  # of a block of distances, which stays in the processor's cache


class Neighbours(NamedTuple):
    """Of each query the two closest rows. Shapes: (Q,) each."""

    distances: Array
    second_distances: Array
    places: Array


def ranges(*tables: Cells) -> dict[str, float]:
    """Of the numbers of all tables together; 1 where there is none."""
    found = {}
    for name in tables[0].names:
        if tables[0].is_number(name):
            values = np.concatenate([cells.columns[name] for cells in tables])
            values = values[~np.isnan(values)]
            found[name] = float(np.ptp(values)) or 1.0 if len(values) else 1.0
    return found


def nearest(queries: Cells, rows: Cells, scale: dict[str, float]) -> Neighbours:
    """The closest of `rows` to each of `queries`; the first of those that are equally close."""
    columns = [_Column.of(queries, rows, name, scale) for name in queries.names]
    best = Closest(queries.num_rows)
    for block, start in blocks(queries.num_rows, rows.num_rows):
        distances = sum_of(columns, block, start)
        best.see(distances, block, start)
    return Neighbours(best.distances, best.second_distances, best.places)


def nearest_without_each(queries: Cells, rows: Cells, scale: dict[str, float]) -> dict[str, Array]:
    """By column, the places of the rows that are closest in all other columns, (Q,) each."""
    columns = {name: _Column.of(queries, rows, name, scale) for name in queries.names}
    best = {name: Closest(queries.num_rows) for name in columns}
    for block, start in blocks(queries.num_rows, rows.num_rows):
        distances = sum_of(list(columns.values()), block, start)
        for name, column in columns.items():
            best[name].see(distances - column.distances(block, start), block, start)
    return {name: closest.places for name, closest in best.items()}


class Closest:
    """The two smallest distances of each query so far."""

    def __init__(self, num_queries: int) -> None:
        self.distances = np.full(num_queries, np.inf)
        self.second_distances = np.full(num_queries, np.inf)
        self.places = np.zeros(num_queries, np.int64)

    def see(self, distances: Array, block: slice, start: int) -> None:
        """Overwrites `distances`, (Q, N), of the rows from `start` on."""
        each = np.arange(len(distances))
        place = distances.argmin(axis=1)
        first = distances[each, place]
        distances[each, place] = np.inf
        second = distances.min(axis=1)
        is_closer = first < self.distances[block]
        beaten = np.where(is_closer, self.distances[block], first)
        self.second_distances[block] = np.minimum(np.minimum(self.second_distances[block], second), beaten)
        self.distances[block] = np.minimum(self.distances[block], first)
        self.places[block] = np.where(is_closer, start + place, self.places[block])


def blocks(num_queries: int, num_rows: int) -> Iterator[tuple[slice, int]]:
    for first in range(0, num_queries, QUERIES):
        for start in range(0, num_rows, ROWS):
            yield slice(first, first + QUERIES), start


class _Column(NamedTuple):
    """A column of both tables. Shapes: (Q,) and (N,), scaled."""

    queries: Array
    rows: Array
    is_number: bool
    has_nulls: bool

    @classmethod
    def of(cls, queries: Cells, rows: Cells, name: str, scale: dict[str, float]) -> "_Column":
        if not queries.is_number(name):
            return cls(queries.columns[name], rows.columns[name], False, False)
        arrays = [(cells.columns[name] / scale[name]).astype(np.float64) for cells in (queries, rows)]
        return cls(*arrays, True, any(bool(np.isnan(array).any()) for array in arrays))

    def distances(self, block: slice, start: int) -> Array:
        a, b = self.queries[block, None], self.rows[None, start : start + ROWS]
        if not self.is_number:
            return a != b
        gaps = np.abs(a - b)
        if self.has_nulls:
            gaps = np.where(np.isnan(gaps), np.isnan(a) != np.isnan(b), gaps)
        return gaps


def sum_of(columns: list[_Column], block: slice, start: int) -> Array:
    total: Array = columns[0].distances(block, start).astype(np.float64)
    for column in columns[1:]:
        total += column.distances(block, start)
    return total
