"""The two numbers that a training ends with."""

from collections.abc import Sequence

import pyarrow as pa

from synthgen_ray.domain.columns import Column
from synthgen_ray.quality.assessment import Estimate


def estimate(real: pa.Table, synthetic: pa.Table, columns: Sequence[Column]) -> Estimate:
    """Column shapes and pair trends of canonical tables, in a moment.

    Raises: InvalidTable where a table lacks a column or has no rows.
    """
    raise NotImplementedError
