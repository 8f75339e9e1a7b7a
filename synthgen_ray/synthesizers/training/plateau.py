"""When to stop before the last epoch: drawn rows have come no closer to the table for a while.

Close is what the total variation distance says of pairs of columns, mean over the pairs: unlike the losses of two
networks that play against each other, it falls while the rows get better. Looks are so many batches apart, whatever
an epoch has: a table of few rows takes all its epochs, one of a million may settle within a few.
Of such criteria: Prechelt 1998, "Early Stopping - But When?".
Shapes: N rows of the table, B drawn rows, K columns.
"""

import numpy as np

BATCHES_BETWEEN_LOOKS = 500
PATIENCE = 5  # looks without a new best
DRAWN_ROWS = 10_000
MOST_ROWS = 100_000  # of the table: more would say little else of it
MOST_PAIRS = 200
MOST_GROUPS = 20  # of a column's codes: the frequent ones, and all others


class Plateau:
    def __init__(self, codes_NK: np.ndarray, rng: np.random.Generator) -> None:
        if len(codes_NK) > MOST_ROWS:
            codes_NK = codes_NK[np.sort(rng.choice(len(codes_NK), MOST_ROWS, replace=False))]
        self._groups = [_groups(codes) for codes in codes_NK.T]
        self._pairs = _some_pairs(codes_NK.shape[1], rng)
        self._shares = self._pair_shares(codes_NK)
        self.seen = np.array([np.inf, 0.0])  # the nearest so far, and looks since then

    def is_reached(self, drawn_BK: np.ndarray) -> bool:
        """Whether these rows are the last of a few that are no nearer than some before them."""
        distance = self.distance(drawn_BK)
        nearest, looks_since = self.seen
        self.seen[:] = (distance, 0) if distance < nearest else (nearest, looks_since + 1)
        return bool(self.seen[1] >= PATIENCE)

    def distance(self, drawn_BK: np.ndarray) -> float:
        """From 0, rows as in the table, to 1."""
        return float(np.abs(self._pair_shares(drawn_BK) - self._shares).sum(axis=1).mean() / 2)

    def _pair_shares(self, codes_NK: np.ndarray) -> np.ndarray:
        """How frequent each pair of groups is, (pairs, groups²)."""
        grouped_KN = [
            groups[np.minimum(codes, len(groups) - 1)] for groups, codes in zip(self._groups, codes_NK.T, strict=True)
        ]
        counts = [
            np.bincount(grouped_KN[a] * MOST_GROUPS + grouped_KN[b], minlength=MOST_GROUPS**2) for a, b in self._pairs
        ]
        return np.stack(counts) / len(codes_NK)


def _some_pairs(columns: int, rng: np.random.Generator) -> np.ndarray:
    """Of all pairs of columns up to `MOST_PAIRS`, in no order, (pairs, 2). Of 5,000 columns there are 12 million."""
    behind = np.arange(columns)[::-1]  # how many pairs begin with each column
    ends = np.cumsum(behind)
    some = rng.permutation(ends[-1])[:MOST_PAIRS]
    first = np.searchsorted(ends, some, side="right")
    second = columns - (ends[first] - some)
    return np.stack([first, second], axis=1)


def _groups(codes_N: np.ndarray) -> np.ndarray:
    """The group of each code, that of codes which the table does not have last."""
    counts = np.bincount(codes_N)
    groups = np.full(len(counts) + 1, MOST_GROUPS - 1, dtype=np.int16)
    frequent = np.argsort(-counts, kind="stable")[: MOST_GROUPS - 1]
    groups[frequent] = np.arange(len(frequent))
    return groups
