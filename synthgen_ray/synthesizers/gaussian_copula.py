"""Gaussian copula: every column made normal by its marginal, then one correlation matrix.

Source: Patki et al. 2016, "The Synthetic Data Vault", section III; Nelsen 2006, "An introduction to copulas".
Shapes: N rows, D dimensions. A column with nulls has two dimensions: its value, and whether it is null. In files of
before one of categories has one, with null behind the others.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any, ClassVar, cast

import numpy as np
import pyarrow as pa
from scipy.special import ndtr, ndtri, softmax

from synthgen_ray.domain.errors import corrupt_model
from synthgen_ray.domain.params import GaussianCopulaParams, ModelType
from synthgen_ray.synthesizers.base import Synthesizer, Target, Targets
from synthgen_ray.synthesizers.codec import Cells, CodecOptions, LearntCodec
from synthgen_ray.synthesizers.columns.category import CategoryCells, CategoryCodec, CategoryTarget
from synthgen_ray.synthesizers.columns.marginal import FAR
from synthgen_ray.synthesizers.columns.number import NumberCells, NumberCodec, NumberTarget
from synthgen_ray.synthesizers.model_file import Tensors, check_tensors
from synthgen_ray.synthesizers.numerics.blas import one_blas_thread
from synthgen_ray.synthesizers.numerics.streams import TRAIN, stream
from synthgen_ray.synthesizers.sampling.conditional_normal import Bound, CorrelatedNormal
from synthgen_ray.synthesizers.sampling.latent_correlation import cuts_of, in_line, latent_correlation, seen
from synthgen_ray.synthesizers.training.pace import Pace

MOST_EITHER = 6  # columns of which null or values are asked for, so that all their patterns can be weighed


class GaussianCopula(Synthesizer):
    model_type: ClassVar[ModelType] = ModelType.GAUSSIAN_COPULA
    maps: ClassVar[frozenset[str]] = frozenset({"marginal"})
    work_before_refinement: ClassVar[float] = 0.1
    params: GaussianCopulaParams

    _normal: CorrelatedNormal
    _splits_categories = True  # into values and nulls

    @one_blas_thread()  # another number of them adds up in another order, and gives another model
    def _learn(self, table: pa.Table, seed: int, pace: Pace) -> None:
        rng = stream(seed, TRAIN)
        self._splits_categories = True  # also where it was loaded from a file of before
        columns = [seen(codec, table[codec.name], rng) for codec in self.codec.learnt]
        pace.say(0.5, "learning the correlations")
        ordered, seen_ND = in_line(columns)
        del columns  # as large as the table once more
        self._codec = self.codec.with_learnt(ordered)
        self._normal = CorrelatedNormal(latent_correlation(seen_ND))

    @one_blas_thread()
    def _draw(self, num_rows: int, targets: Targets, rng: np.random.Generator) -> dict[str, Cells]:
        """Rows whose asked columns are all null or all not are drawn together: they share their bounds."""
        nulls = self._nulls(num_rows, targets, rng)
        z_DN = np.empty((len(self._normal.correlation_DD), num_rows))
        choices = {name: np.zeros(num_rows, dtype=np.int64) for name in targets}
        for together in _alike([null for null in nulls.values() if null.any()]):
            is_null = {name: bool(null[together].any()) for name, null in nulls.items()}
            bounds = self._bounds(targets, is_null)
            rows = z_DN[:1, together].shape[1]
            z_DN[:, together], chosen = self._normal.draw(list(bounds.values()), rows, rng)
            for name, choice in zip(bounds, chosen, strict=True):
                if name in choices:
                    choices[name][together] = choice
        return self._cells(z_DN, targets, choices, nulls)

    def _cells(
        self,
        z_DN: np.ndarray,
        targets: Targets,
        choices: dict[str, np.ndarray],
        nulls: dict[str, np.ndarray],
    ) -> dict[str, Cells]:
        columns: dict[str, Cells] = {}
        dimension = 0
        for codec in self.codec.learnt:
            target = targets.get(codec.name)
            null = self._is_null(codec, z_DN, dimension) if target is None else nulls[codec.name]
            if isinstance(codec, CategoryCodec):
                codes = np.searchsorted(self._cuts_of(codec)[1:-1], z_DN[dimension], side="right")
                if isinstance(target, CategoryTarget):
                    codes = np.append(self._values_in(codec, target), 0)[choices[codec.name]]
                codes[null] = codec.width - 1
                columns[codec.name] = CategoryCells(codes, target if isinstance(target, CategoryTarget) else None)
            else:
                numbers = codec.marginal_or_fail.back(z_DN[dimension])
                asked = target if isinstance(target, NumberTarget) else None
                columns[codec.name] = NumberCells.obeying(numbers, null, asked, choices.get(codec.name))
            dimension += self._dimensions(codec)
        return columns

    def _bounds(self, targets: Targets, is_null: dict[str, bool]) -> dict[str, Bound]:
        """Where the asked dimensions may be. The bound of a column's value has the column's name."""
        bounds, dimension = {}, 0
        for codec in self.codec.learnt:
            target, dimensions = targets.get(codec.name), self._dimensions(codec)
            if target is not None:
                if not is_null[codec.name]:
                    bounds[codec.name] = self._value_bound(codec, target, dimension)
                if dimensions > 1:
                    cut = np.array([ndtri(1 - codec.null_share)])
                    low, high = (cut, np.array([FAR])) if is_null[codec.name] else (np.array([-FAR]), cut)
                    bounds[f"{codec.name}\0null"] = Bound(dimension + 1, low, high, np.ones(1))
            dimension += dimensions
        return bounds

    def _value_bound(self, codec: LearntCodec, target: Target, dimension: int) -> Bound:
        if isinstance(codec, NumberCodec):
            wide = codec.parts(cast(NumberTarget, target)).bounds
            return Bound(dimension, wide[:, 0], wide[:, 1], np.ones(len(wide)))
        of_values = cast(CategoryTarget, target)
        allowed, cuts = self._values_in(codec, of_values), self._cuts_of(codec)
        return Bound(dimension, cuts[allowed], cuts[allowed + 1], of_values.weights[allowed])

    def _nulls(self, num_rows: int, targets: Targets, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Which asked cells are null, (N,): as likely as that is given all that is asked for.

        Of more columns than a few for which both null and values are asked, each by its own chance alone.
        """
        codecs = {codec.name: codec for codec in self.codec.learnt if codec.name in targets}
        null = {name: self._may_be_null(codec, targets[name]) for name, codec in codecs.items()}
        either = [name for name, codec in codecs.items() if null[name] and self._has_values(codec, targets[name])]
        if not either or len(either) > MOST_EITHER:
            certain = {name: np.full(num_rows, is_null) for name, is_null in null.items()}
            chances = {name: self._null_chance(codecs[name], targets[name]) for name in either}
            return certain | {name: rng.random(num_rows) < chance for name, chance in chances.items()}
        patterns = [null | dict(zip(either, one, strict=True)) for one in product((False, True), repeat=len(either))]
        bounds = [list(self._bounds(targets, pattern).values()) for pattern in patterns]
        chances = softmax([self._normal.log_chance(one, rng) for one in bounds])
        drawn = rng.choice(len(patterns), num_rows, p=chances)
        return {name: np.array([pattern[name] for pattern in patterns])[drawn] for name in null}

    def _null_chance(self, codec: LearntCodec, target: Target) -> float:
        """How likely null is among the values that are asked for."""
        wide = self._value_bound(codec, target, 0)
        values = float((ndtr(wide.highs) - ndtr(wide.lows)) @ wide.weights) * (1 - codec.null_share)
        return codec.null_share / (codec.null_share + values)

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

    def _cuts_of(self, codec: CategoryCodec) -> np.ndarray:
        return cuts_of(codec, null_too=not self._splits_categories)

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
        if not np.allclose(matrix, matrix.T) or np.linalg.eigvalsh(matrix).min() <= 0:
            raise corrupt_model("its correlations are none")
        self._normal = CorrelatedNormal(matrix)


def _alike(claims: Sequence[np.ndarray]) -> list[Any]:
    """The rows of each combination of truths (N,), as an index."""
    if not claims:
        return [slice(None)]
    combinations, which = np.unique(np.column_stack(claims), axis=0, return_inverse=True)
    return [np.flatnonzero(which == one) for one in range(len(combinations))]
