"""Whole rows by share: what a chunk holds follows from where it begins and ends, and adds up over chunks."""

from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from math import lcm


def rows_between(start: int, end: int, shares: Sequence[float]) -> list[int]:
    """How many of the rows from `start` up to `end` have each share."""
    before, after = _first_rows(start, shares), _first_rows(end, shares)
    return [last - first for first, last in zip(before, after, strict=True)]


def _first_rows(rows: int, shares: Sequence[float]) -> list[int]:
    """How many of the first rows have each share: their share where that is a whole number, else a row or two off.

    The shares are halved by their weight again and again, and rows go to a half by its part of the whole, rounded. So
    no count ever falls from one row to the next, and what a share lacks in one chunk it has in a later one.
    """
    exact = [Fraction(str(share)) for share in shares]
    unit = lcm(*(share.denominator for share in exact))
    ends = [0, *accumulate(int(share * unit) for share in exact)]
    counts = [0] * len(exact)
    todo = [(0, len(exact), rows)]
    while todo:
        first, last, rows = todo.pop()
        if last - first == 1:
            counts[first] = rows
            continue
        half = (ends[first] + ends[last] + 1) // 2
        cut = min(max(bisect_left(ends, half, first, last), first + 1), last - 1)
        part, whole = ends[cut] - ends[first], ends[last] - ends[first]
        taken = (2 * part * rows + whole) // (2 * whole) if whole else 0
        todo += [(first, cut, taken), (cut, last, rows - taken)]
    return counts
