"""The two numbers that a training ends with."""

from collections.abc import Sequence

import pyarrow as pa

from synthgen_ray.domain.columns import Column
from synthgen_ray.quality.assessment import Estimate
from synthgen_ray.quality.cells import read_cells
from synthgen_ray.quality.groups import column_groups
from synthgen_ray.quality.numbers import defined, mean
from synthgen_ray.quality.shapes import column_shapes
from synthgen_ray.quality.trends import mean_trend, pair_trends


def estimate(real: pa.Table, synthetic: pa.Table, columns: Sequence[Column]) -> Estimate:
    """Column shapes and pair trends of canonical tables, in a moment: those of an `Assessment` of the same rows,
    which tells them in steps. These are exact, for who may see the real table.

    Raises: InvalidTable where a table lacks a column or has no rows.
    """
    (ours, theirs), _ = read_cells((real, synthetic), columns)
    (trends,) = pair_trends(ours, [theirs], column_groups(len(ours.names), 2))
    return Estimate(
        column_shapes=mean(column_shapes(ours, theirs).values()),
        pair_trends=defined(mean_trend(trends)),
    )
