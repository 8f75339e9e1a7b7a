"""CopulaGAN: CTGAN on numbers that their marginals have made normal.

Source: the SDV documentation, "CopulaGAN Synthesizer"; the marginal is the Gaussian copula's.
"""

from typing import ClassVar

from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers.ctgan import CTGAN


class CopulaGAN(CTGAN):
    """Options: those of `CTGAN`."""

    model_type: ClassVar[ModelType] = ModelType.COPULAGAN
    maps: ClassVar[frozenset[str]] = frozenset({"marginal", "modes"})
