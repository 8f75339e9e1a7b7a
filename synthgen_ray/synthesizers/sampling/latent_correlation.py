"""The correlations of the normals that stand behind a table's columns, of which the table shows only steps.

Of a number its marginal tells the normal itself; of a category, a null or a value that many rows share, only in which
interval it was. The mean over that interval varies less than the normal, and its correlations are smaller by just that
much: dividing by the lost spread gives them back, exactly where one of the two columns is a number (the polyserial
correlation) and to first order where none is (the polychoric one).
A copula has its categories on a line. They are put there so that neighbours are alike in the other columns.
Sources: Pearson 1913, "On the measurement of the influence of broad categories on correlation"; Olsson 1979, "Maximum
likelihood estimation of the polychoric correlation coefficient"; Gifi 1990, "Nonlinear multivariate analysis".
Shapes: N rows, D dimensions, W codes of a column, V of them its values.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
from scipy.sparse import csr_array
from scipy.special import ndtri

from synthgen_ray.synthesizers.codec import LearntCodec
from synthgen_ray.synthesizers.columns.category import CategoryCodec
from synthgen_ray.synthesizers.columns.marginal import FAR
from synthgen_ray.synthesizers.columns.normal import mean_between

RIDGE = 1e-6
BLOCK_ROWS = 1 << 16


@dataclass(frozen=True)
class Seen:
    """What a column shows of its normals: (N, 1), or (N, 2) of one with nulls, the second whether it is null."""

    codec: LearntCodec
    means: np.ndarray


@dataclass(frozen=True)
class SeenCategory(Seen):
    codec: CategoryCodec
    codes: np.ndarray  # (N,)

    @classmethod
    def of(cls, codec: CategoryCodec, codes: np.ndarray) -> Self:
        means = mean_between(*stretches_of(codec))
        return cls(codec, _with_nulls(codec, (np.append(means, np.nan) if codec.nulls else means)[codes]), codes)

    def in_order(self, order: np.ndarray, tail_at: int | None) -> Self:
        places = np.arange(self.codec.width)
        places[order] = np.arange(len(order))
        return self.of(self.codec.in_order(order, tail_at), places[self.codes])


def seen(codec: LearntCodec, column: pa.ChunkedArray, rng: np.random.Generator) -> Seen:
    if isinstance(codec, CategoryCodec):
        return SeenCategory.of(codec, codec.encode(column, rng)[0])
    return Seen(codec, _with_nulls(codec, codec.normal(column)))


def _with_nulls(codec: LearntCodec, value: np.ndarray) -> np.ndarray:
    if codec.null_share == 0:
        return value[:, None]
    cut = ndtri(1 - codec.null_share)
    null = mean_between(np.array([-FAR, cut]), np.array([cut, FAR]))[np.isnan(value).astype(int)]
    return np.column_stack([value, null])


def stretches_of(codec: CategoryCodec, *, null_too: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Where in the normal space each code begins and ends, (W,) each; that of null only if it is on the line too."""
    line = line_of(codec, null_too=null_too)
    shares = codec.shares[line]
    shares = shares if len(line) == codec.width else shares / shares.sum()
    cuts = np.clip(ndtri(np.append(0.0, np.minimum(np.cumsum(shares), 1.0))), -FAR, FAR)
    places = np.argsort(line)
    return cuts[places], cuts[places + 1]


def line_of(codec: CategoryCodec, *, null_too: bool = False) -> np.ndarray:
    """The codes as they are on the line."""
    return codec.line[: codec.width - (codec.nulls > 0 and not null_too)]


def in_line(columns: Sequence[Seen]) -> tuple[list[LearntCodec], np.ndarray]:
    """The columns with their categories in the order of what the other columns are like, and their means (N, D)."""
    means_ND = np.column_stack([column.means for column in columns])
    unknown_ND = np.isnan(means_ND)
    np.putmask(means_ND, unknown_ND, 0.0)  # the mean of a normal of which nothing is known
    dimension, codecs = 0, []
    for column in columns:
        if isinstance(column, SeenCategory) and len(column.codec.values) > 2:
            means_ND[:, dimension] = 0
            column = column.in_order(*_order(column, means_ND))
            means_ND[:, dimension] = np.nan_to_num(column.means[:, 0])
        codecs.append(column.codec)
        dimension += column.means.shape[1]
    np.putmask(means_ND, unknown_ND, np.nan)
    return codecs, means_ND


def latent_correlation(means_ND: np.ndarray) -> np.ndarray:
    """The correlations of the normals, over the rows where both are known, made positive definite."""
    dimensions = means_ND.shape[1]
    products_DD, squares_DD = np.zeros((2, dimensions, dimensions))
    known_D = np.zeros(dimensions)
    for start in range(0, len(means_ND), BLOCK_ROWS):  # what is worked on takes three times the memory
        known = ~np.isnan(means_ND[start : start + BLOCK_ROWS])
        means = np.where(known, means_ND[start : start + BLOCK_ROWS], 0.0)
        products_DD += means.T @ means
        squares_DD += np.square(means, out=means).T @ known.astype(np.float64)
        known_D += known.sum(axis=0)
    spread_D = np.sqrt(np.diag(squares_DD) / known_D)
    scale_DD = np.sqrt(squares_DD * squares_DD.T) * np.outer(spread_D, spread_D)
    raw_DD = np.divide(products_DD, scale_DD, out=np.zeros_like(scale_DD), where=scale_DD > 0)
    latent_DD = np.clip(raw_DD, -1, 1)
    np.fill_diagonal(latent_DD, 1.0)
    values, vectors = np.linalg.eigh(latent_DD)
    matrix_DD = (vectors * np.maximum(values, RIDGE)) @ vectors.T
    size = np.sqrt(np.diag(matrix_DD))
    matrix_DD = matrix_DD / np.outer(size, size)
    return np.asarray((matrix_DD + matrix_DD.T) / 2)


def _order(column: SeenCategory, others_ND: np.ndarray) -> tuple[np.ndarray, int | None]:
    """The values along the line on which their rows' means in the other columns differ most, (V,), and how many of them
    are before the tail, if there is one."""
    rows = np.arange(len(column.codes))
    one_hot_WN = csr_array((np.ones(len(rows)), (column.codes, rows)), shape=(column.codec.width, len(rows)))
    one_hot_WN = one_hot_WN[: column.codec.width - (column.codec.nulls > 0)]
    counts_W = np.maximum(one_hot_WN.sum(axis=1), 1)
    means_WD = (one_hot_WN @ others_ND) / counts_W[:, None]
    _, _, lines = np.linalg.svd(means_WD * np.sqrt(counts_W)[:, None], full_matrices=False)
    along_W = means_WD @ lines[0]
    along_V = along_W[: len(column.codec.values)]
    return np.argsort(along_V, kind="stable"), int(np.sum(along_V < along_W[-1])) if column.codec.tail else None
