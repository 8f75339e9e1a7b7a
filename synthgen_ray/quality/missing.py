"""Missing values: how many cells of a column, and which columns lack theirs in the same rows."""

from collections.abc import Sequence
from itertools import combinations_with_replacement

import numpy as np

from synthgen_ray.quality.assessment import MissingTogether
from synthgen_ray.quality.cells import Array, Cells
from synthgen_ray.quality.numbers import mean

MOST_PAIRS = 200
BLOCK = 1 << 18  # rows that are counted at a time, in little memory


def null_share(cells: Cells, name: str) -> float:
    return float(cells.nulls(name).mean())


def safe_null_share(cells: Cells, name: str, k: int) -> float | None:
    """`None` where fewer than k rows lack a value though some do, or fewer than k have one though some do."""
    return _safe(int(cells.nulls(name).sum()), cells.num_rows, k)


def missing_values(real: Cells, other: Cells, k: int, *, other_is_real: bool = False) -> float | None:
    """Mean of 1 - the difference of the shares of nulls, over the columns that have any in one of the tables.

    `None` if none has. A column whose share may not be told is left out: of a mean over few it could be computed.
    Source: SDMetrics, MissingValueSimilarity, which is this for k = 1.
    """
    told_of = k if other_is_real else 1
    shares = [(safe_null_share(real, name, k), safe_null_share(other, name, told_of)) for name in real.names]
    return mean(1 - abs(a - b) for a, b in shares if a is not None and b is not None and (a or b))


def missing_together(real: Cells, synthetic: Cells, k: int) -> tuple[MissingTogether, ...]:
    """Of the pairs of columns with nulls, those whose shares differ most first."""
    names = [name for name in real.names if real.nulls(name).any() or synthetic.nulls(name).any()]
    ours, theirs = (_together(cells, names) for cells in (real, synthetic))
    pairs = [
        MissingTogether(
            columns=(names[a], names[b]),
            real=_safe_together(ours[a, b], ours[a, a], ours[b, b], real.num_rows, k),
            synthetic=theirs[a, b] / synthetic.num_rows,
        )
        for a, b in combinations_with_replacement(range(len(names)), 2)
    ]
    pairs.sort(key=lambda pair: -abs((pair.real or 0.0) - pair.synthetic))
    return tuple(pairs[:MOST_PAIRS])


def _together(cells: Cells, names: Sequence[str]) -> Array:
    """How many rows lack both of two columns, (D, D)."""
    found = np.zeros((len(names), len(names)), np.int64)
    for start in range(0, cells.num_rows, BLOCK):
        block = cells.rows(slice(start, start + BLOCK))
        nulls = np.array([block.nulls(name) for name in names], np.float32)  # as fast as a product is, and exact
        found += (nulls @ nulls.T).astype(np.int64)
    return found


def _safe_together(both: int, first: int, second: int, num_rows: int, k: int) -> float | None:
    """`None` where fewer than k rows are in one of the four cells that follow from the three counts."""
    cells = both, first - both, second - both, num_rows - first - second + both
    return None if any(0 < count < k for count in cells) else both / num_rows


def _safe(count: int, num_rows: int, k: int) -> float | None:
    hidden = 0 < count < k or 0 < num_rows - count < k
    return None if hidden else count / num_rows
