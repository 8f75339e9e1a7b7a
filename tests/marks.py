"""Which forms of a test wait for `make nightly`: those that show in another way what one of them does."""

from collections.abc import Container, Iterable
from typing import Any

import pytest

from synthgen_ray.domain.params import ModelType


def nightly_but(at_once: Container[Any], values: Iterable[Any]) -> list[Any]:
    return [value if value in at_once else pytest.param(value, marks=pytest.mark.nightly) for value in values]


# CopulaGAN is CTGAN on numbers of another shape: what its columns do shows in a copula, what its network does in CTGAN.
TYPES = nightly_but({ModelType.CTGAN, ModelType.TVAE, ModelType.GAUSSIAN_COPULA}, ModelType)
