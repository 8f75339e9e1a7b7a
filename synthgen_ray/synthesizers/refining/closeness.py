"""Which columns come closer to the table by being redrawn: by the total variation distance of their pairs with the
columns that they relate to most.

A network that has seen too few rows knows less than the model whose rows it refines: of a price, its tax and their sum
a Gaussian copula keeps more than what the network redraws from each other.
Source: Cramér 1946, "Mathematical Methods of Statistics", sections 18.1 (mean and variance of χ²) and 21.9 (φ²).
Shapes: N rows of the table, B drawn ones, K columns, G groups of a column's codes.
"""

import numpy as np

GROUPS = 10  # of neighbouring codes, of about equally many rows
PARTNERS = 16  # of each column
LOOKED_AT = 2000  # rows that tell which these are
SURPRISING = 4.0  # standard deviations
MOST_ROWS = 100_000  # of the table: more would say little else of it


def closer(real_NK: np.ndarray, drawn_BK: np.ndarray, redrawn_BK: np.ndarray) -> np.ndarray:
    """Of each column, whether its redrawn codes are closer to the table than the drawn ones, (K,)."""
    real_NK = real_NK[np.linspace(0, len(real_NK) - 1, min(len(real_NK), MOST_ROWS)).astype(int)]
    groups = [_groups(codes) for codes in real_NK.T]
    real, drawn, redrawn = (_grouped(codes, groups) for codes in (real_NK, drawn_BK, redrawn_BK))
    is_closer = []
    for column, partners in enumerate(_partners(real)):
        shares = _pair_shares(real, column, partners)
        before, after = (np.abs(_pair_shares(rows, column, partners) - shares).sum() for rows in (drawn, redrawn))
        is_closer.append(after < before)
    return np.array(is_closer)


def _groups(codes_N: np.ndarray) -> np.ndarray:
    """The group of each code, by the rows up to its middle; codes that the table lacks are in the last."""
    counts = np.bincount(codes_N)
    middles = (np.cumsum(counts) - counts / 2) / len(codes_N)
    return np.append(np.minimum(middles * GROUPS, GROUPS - 1), GROUPS - 1).astype(np.int64)


def _grouped(codes_NK: np.ndarray, groups: list[np.ndarray]) -> np.ndarray:
    """(K, N)."""
    return np.stack([of[np.minimum(codes, len(of) - 1)] for codes, of in zip(codes_NK.T, groups, strict=True)])


def _partners(grouped_KN: np.ndarray) -> list[np.ndarray]:
    """Of each column the places of those to which it relates most, by φ²: such as it relates to more than chance
    explains, if there are any. What the table has of the others is noise, which a network may know by heart."""
    columns = len(grouped_KN)
    rows = min(grouped_KN.shape[1], LOOKED_AT)
    some_KN = grouped_KN[:, np.linspace(0, grouped_KN.shape[1] - 1, rows).astype(int)]
    found_KGN = (some_KN[:, None] == np.arange(GROUPS)[:, None]).astype(np.float32)
    shares_KG1 = found_KGN.mean(axis=2, keepdims=True)
    freedom_K = (shares_KG1[..., 0] > 0).sum(axis=1) - 1
    found_KGN = (found_KGN - shares_KG1) / np.sqrt(np.maximum(shares_KG1, 1 / rows))
    off_DN = found_KGN.reshape(columns * GROUPS, -1)
    partners = []
    for column in range(columns):
        related_K = np.square(found_KGN[column] @ off_DN.T).reshape(GROUPS, columns, GROUPS).sum(axis=(0, 2)) / rows
        freedom = freedom_K[column] * freedom_K
        surplus_K = (related_K - freedom) / np.sqrt(2 * np.maximum(freedom, 1))  # of a χ² in its standard deviations
        order = np.argsort(-np.delete(surplus_K, column))[:PARTNERS]
        nearest = np.delete(np.arange(columns), column)[order]
        related = nearest[surplus_K[nearest] > SURPRISING]
        partners.append(related if len(related) else nearest)
    return partners


def _pair_shares(grouped_KN: np.ndarray, column: int, partners: np.ndarray) -> np.ndarray:
    """How frequent each pair of groups is, (partners, G²)."""
    counts = [np.bincount(grouped_KN[column] * GROUPS + grouped_KN[one], minlength=GROUPS**2) for one in partners]
    return np.asarray(np.stack(counts) / grouped_KN.shape[1])
