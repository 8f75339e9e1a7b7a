"""Gaussian copula: every column made normal by its marginal, then one correlation matrix.

Source: Patki et al. 2016, "The Synthetic Data Vault", section III; Nelsen 2006, "An introduction to copulas".
Shapes: N rows, D dimensions. A column with nulls has two dimensions: its value, and whether it is null. In files of
before one of categories has one, with null behind the others.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, cast

import numpy as np
import pyarrow as pa
from scipy.special import ndtri

from synthgen_ray.domain.errors import corrupt_model
from synthgen_ray.domain.params import GaussianCopulaParams, ModelType
from synthgen_ray.synthesizers.base import Synthesizer, Target, Targets
from synthgen_ray.synthesizers.codec import Cells, CodecOptions, LearntCodec
from synthgen_ray.synthesizers.columns.category import CategoryCells, CategoryCodec, CategoryTarget
from synthgen_ray.synthesizers.columns.marginal import FAR
from synthgen_ray.synthesizers.columns.normal import log_probability
from synthgen_ray.synthesizers.columns.number import NumberCells, NumberCodec, NumberTarget
from synthgen_ray.synthesizers.model_file import Tensors, check_tensors
from synthgen_ray.synthesizers.numerics.blas import one_blas_thread
from synthgen_ray.synthesizers.numerics.streams import TRAIN, stream
from synthgen_ray.synthesizers.sampling.conditional_normal import Bound, CorrelatedNormal
from synthgen_ray.synthesizers.sampling.latent_correlation import (
    in_line,
    latent_correlation,
    line_of,
    seen,
    stretches_of,
)
from synthgen_ray.synthesizers.training.pace import Pace

TINY = 1e-300


class GaussianCopula(Synthesizer):
    """Options: `domain.params.GaussianCopulaParams`. It needs no PyTorch, unless it is refined."""

    model_type: ClassVar[ModelType] = ModelType.GAUSSIAN_COPULA
    maps: ClassVar[frozenset[str]] = frozenset({"marginal"})
    work_before_refinement: ClassVar[float] = 0.1
    sweeps: ClassVar[int] = 2
    params: GaussianCopulaParams

    _normal: CorrelatedNormal
    _splits_categories = True  # into values and nulls

    @one_blas_thread()  # another number of them adds up in another order, and gives another model
    def _learn(self, table: pa.Table, seed: int, pace: Pace) -> None:
        rng = stream(seed, TRAIN)
        self._splits_categories = True  # also where it was loaded from a file of before
        columns = [seen(codec, codec.column_of(table), rng) for codec in self.codec.learnt]
        pace.say(0.5, "learning the correlations")
        ordered, seen_ND = in_line(columns)
        del columns  # as large as the table once more
        self._codec = self.codec.with_learnt(ordered)
        self._normal = CorrelatedNormal(latent_correlation(seen_ND))

    @one_blas_thread()
    def _draw(self, num_rows: int, targets: Targets, rng: np.random.Generator) -> dict[str, Cells]:
        bounds = self._bounds(targets)
        z_DN, chosen = self._normal.draw(list(bounds.values()), num_rows, rng)
        return self._cells(z_DN, targets, dict(zip(bounds, chosen, strict=True)))

    def _cells(self, z_DN: np.ndarray, targets: Targets, choices: Mapping[str, np.ndarray]) -> dict[str, Cells]:
        columns: dict[str, Cells] = {}
        dimension = 0
        for codec in self.codec.learnt:
            target = targets.get(codec.name)
            if target is None:
                null = self._is_null(codec, z_DN, dimension)
            elif self._may_be_null(codec, target):  # as it was chosen: a number may be on the cut
                null = choices[_null_of(codec)] == int(self._has_values(codec, target))
            else:
                null = np.zeros(z_DN.shape[1], dtype=bool)
            if isinstance(codec, CategoryCodec):
                line = line_of(codec, null_too=not self._splits_categories)
                cuts = self._stretches_of(codec)[1][line[:-1]]
                codes = line[np.searchsorted(cuts, z_DN[dimension], side="right")]
                if isinstance(target, CategoryTarget) and codec.name in choices:
                    codes = self._values_in(codec, target)[choices[codec.name]]
                codes[null] = codec.width - 1
                columns[codec.name] = CategoryCells(codes, target if isinstance(target, CategoryTarget) else None)
            else:
                numbers = codec.marginal_or_fail.back(z_DN[dimension])
                asked = target if isinstance(target, NumberTarget) else None
                columns[codec.name] = NumberCells.obeying(numbers, null, asked, choices.get(codec.name))
            dimension += self._dimensions(codec)
        return columns

    def _bounds(self, targets: Targets) -> dict[str, Bound]:
        """Where the asked dimensions may be. The bound of a column's value has the column's name; behind that of its
        being null, it does not hold for rows that are."""
        bounds, dimension = {}, 0
        for codec in self.codec.learnt:
            target, dimensions = targets.get(codec.name), self._dimensions(codec)
            if target is not None:
                may_be_null, has_values = self._may_be_null(codec, target), self._has_values(codec, target)
                of_value, share = self._value_bound(codec, target, dimension), 1.0
                if may_be_null and has_values:
                    # Null is chosen in view of how likely the values are, so that few particles are in vain.
                    share = max(float(np.exp(log_probability(of_value.lows, of_value.highs)) @ of_value.weights), TINY)
                    of_value = replace(of_value, weights=of_value.weights / share, lifted=True)
                if dimensions > 1:
                    cut = ndtri(1 - codec.null_share)
                    kinds = np.array([(-FAR, cut, share), (cut, FAR, 1.0)])[[has_values, may_be_null]]
                    bounds[_null_of(codec)] = Bound(dimension + 1, *kinds.T)
                if has_values:
                    bounds[codec.name] = of_value
            dimension += dimensions
        return bounds

    def _value_bound(self, codec: LearntCodec, target: Target, dimension: int) -> Bound:
        if isinstance(codec, NumberCodec):
            wide = codec.parts(cast(NumberTarget, target)).bounds
            return Bound(dimension, wide[:, 0], wide[:, 1], np.ones(len(wide)))
        of_values = cast(CategoryTarget, target)
        allowed, (begins, ends) = self._values_in(codec, of_values), self._stretches_of(codec)
        return Bound(dimension, begins[allowed], ends[allowed], of_values.weights[allowed])

    def _may_be_null(self, codec: LearntCodec, target: Target) -> bool:
        if isinstance(target, NumberTarget):
            return target.null
        return self._dimensions(codec) > 1 and bool(target.weights[-1] > 0)

    def _has_values(self, codec: LearntCodec, target: Target) -> bool:
        if isinstance(target, NumberTarget):
            return len(target.lows) > 0
        return len(self._values_in(cast(CategoryCodec, codec), target)) > 0

    def _values_in(self, codec: CategoryCodec, target: CategoryTarget) -> np.ndarray:
        """The asked codes that are on the line of the column's values."""
        return np.flatnonzero(target.weights[: codec.width - (self._splits_categories and codec.nulls > 0)])

    def _stretches_of(self, codec: CategoryCodec) -> tuple[np.ndarray, np.ndarray]:
        return stretches_of(codec, null_too=not self._splits_categories)

    def _dimensions(self, codec: LearntCodec) -> int:
        is_split = self._splits_categories or isinstance(codec, NumberCodec)
        return 2 if is_split and codec.null_share > 0 else 1

    def _is_null(self, codec: LearntCodec, z_DN: np.ndarray, dimension: int) -> np.ndarray:
        if self._dimensions(codec) == 1:
            return np.zeros(z_DN.shape[1], dtype=bool)
        return np.asarray(z_DN[dimension + 1] > ndtri(1 - codec.null_share))

    @property
    def _codec_options(self) -> CodecOptions:
        return replace(super()._codec_options, marginals=self.params.marginals)

    def _tensors(self) -> Tensors:
        return {"correlation": self._normal.correlation_DD}

    def _restore(self, tensors: Tensors) -> None:
        dimensions = sum(map(self._dimensions, self.codec.learnt))
        if len(tensors.get("correlation", ())) != dimensions:
            self._splits_categories = False
            dimensions = sum(map(self._dimensions, self.codec.learnt))
        check_tensors(tensors, {"correlation": ((dimensions, dimensions), np.dtype(np.float64))})
        matrix = tensors["correlation"]
        if not np.allclose(matrix, matrix.T) or np.min(np.linalg.eigvalsh(matrix)) <= 0:
            raise corrupt_model("its correlations are none")
        self._normal = CorrelatedNormal(matrix)


def _null_of(codec: LearntCodec) -> str:
    """The name of its bound."""
    return f"{codec.name}\0null"
