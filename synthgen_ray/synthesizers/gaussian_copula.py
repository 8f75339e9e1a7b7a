"""Gaussian copula: every column made normal by its marginal, then one correlation matrix.

Source: Patki et al. 2016, "The Synthetic Data Vault", section III; Nelsen 2006, "An introduction to copulas".
Shapes: N rows, D dimensions. A column of numbers with nulls has two dimensions: its value, and whether it is null.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from scipy.special import ndtr, ndtri, softmax

from synthgen_ray.domain.errors import corrupt_model
from synthgen_ray.domain.params import GaussianCopulaParams, ModelType
from synthgen_ray.synthesizers.base import Synthesizer, Targets
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
    params: GaussianCopulaParams

    _normal: CorrelatedNormal

    @one_blas_thread()  # another number of them adds up in another order, and gives another model
    def _learn(self, table: pa.Table, seed: int, pace: Pace) -> None:
        rng = stream(seed, TRAIN)
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
            if isinstance(codec, CategoryCodec):
                codes = np.searchsorted(cuts_of(codec)[1:-1], z_DN[dimension], side="right")
                if isinstance(target, CategoryTarget):
                    codes = np.flatnonzero(target.weights)[choices[codec.name]]
                columns[codec.name] = CategoryCells(codes, target if isinstance(target, CategoryTarget) else None)
            else:
                null = _is_null(codec, z_DN, dimension)
                numbers, asked = codec.marginal_or_fail.back(z_DN[dimension]), None
                if isinstance(target, NumberTarget):
                    null, asked = nulls[codec.name], target
                columns[codec.name] = NumberCells.obeying(numbers, null, asked, choices.get(codec.name))
            dimension += _dimensions(codec)
        return columns

    def _bounds(self, targets: Targets, is_null: dict[str, bool]) -> dict[str, Bound]:
        """Where the asked dimensions may be. The bound of a column's value has the column's name."""
        bounds, dimension = {}, 0
        for codec in self.codec.learnt:
            target = targets.get(codec.name)
            if isinstance(target, CategoryTarget) and isinstance(codec, CategoryCodec):
                allowed = np.flatnonzero(target.weights)
                cuts = cuts_of(codec)
                bounds[codec.name] = Bound(dimension, cuts[allowed], cuts[allowed + 1], target.weights[allowed])
            elif isinstance(target, NumberTarget) and isinstance(codec, NumberCodec):
                if not is_null[codec.name]:
                    wide = codec.parts(target).bounds
                    bounds[codec.name] = Bound(dimension, wide[:, 0], wide[:, 1], np.ones(len(wide)))
                if codec.null_share > 0:
                    cut = np.array([ndtri(1 - codec.null_share)])
                    low, high = (cut, np.array([FAR])) if is_null[codec.name] else (np.array([-FAR]), cut)
                    bounds[f"{codec.name}\0null"] = Bound(dimension + 1, low, high, np.ones(1))
            dimension += _dimensions(codec)
        return bounds

    def _nulls(self, num_rows: int, targets: Targets, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Which asked numbers are null, (N,): as likely as that is given all that is asked for.

        Of more columns than a few for which both null and values are asked, each by its own chance alone.
        """
        asked = {name: target for name, target in targets.items() if isinstance(target, NumberTarget)}
        either = [name for name, target in asked.items() if target.null and len(target.lows)]
        if not either or len(either) > MOST_EITHER:
            return {name: rng.random(num_rows) < self._null_chance(name, target) for name, target in asked.items()}
        known = {name: target.null for name, target in asked.items()}
        patterns = [known | dict(zip(either, one, strict=True)) for one in product((False, True), repeat=len(either))]
        bounds = [list(self._bounds(targets, pattern).values()) for pattern in patterns]
        chances = softmax([self._normal.log_chance(one, rng) for one in bounds])
        drawn = rng.choice(len(patterns), num_rows, p=chances)
        return {name: np.array([pattern[name] for pattern in patterns])[drawn] for name in asked}

    def _null_chance(self, name: str, target: NumberTarget) -> float:
        """How likely null is among the values that are asked for."""
        codec = next(codec for codec in self.codec.numbers if codec.name == name)
        if not target.null:
            return 0.0
        wide = codec.parts(target).bounds
        values = float((ndtr(wide[:, 1]) - ndtr(wide[:, 0])).sum()) * (1 - codec.null_share)
        return codec.null_share / (codec.null_share + values)

    @property
    def _codec_options(self) -> CodecOptions:
        return replace(super()._codec_options, marginals=self.params.marginals)

    def _tensors(self) -> Tensors:
        return {"correlation": self._normal.correlation_DD}

    def _restore(self, tensors: Tensors) -> None:
        dimensions = sum(_dimensions(codec) for codec in self.codec.learnt)
        check_tensors(tensors, {"correlation": ((dimensions, dimensions), np.dtype(np.float64))})
        matrix = tensors["correlation"]
        if not np.allclose(matrix, matrix.T) or np.linalg.eigvalsh(matrix).min() <= 0:
            raise corrupt_model("its correlations are none")
        self._normal = CorrelatedNormal(matrix)


def _dimensions(codec: LearntCodec) -> int:
    return 2 if isinstance(codec, NumberCodec) and codec.null_share > 0 else 1


def _alike(claims: Sequence[np.ndarray]) -> list[Any]:
    """The rows of each combination of truths (N,), as an index."""
    if not claims:
        return [slice(None)]
    combinations, which = np.unique(np.column_stack(claims), axis=0, return_inverse=True)
    return [np.flatnonzero(which == one) for one in range(len(combinations))]


def _is_null(codec: NumberCodec, z_DN: np.ndarray, dimension: int) -> np.ndarray:
    if codec.null_share == 0:
        return np.zeros(z_DN.shape[1], dtype=bool)
    return np.asarray(z_DN[dimension + 1] > ndtri(1 - codec.null_share))
