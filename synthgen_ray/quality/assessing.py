"""All measures of a synthetic table, in one `Assessment`."""

from collections.abc import Callable, Sequence

import pyarrow as pa

from synthgen_ray.domain.columns import Column
from synthgen_ray.quality.assessment import Assessment

MAX_ROWS = 50_000


def assess(
    real: pa.Table,
    synthetic: pa.Table,
    holdout: pa.Table | None,
    columns: Sequence[Column],
    *,
    target: str | None = None,
    seed: int = 0,
    k: int = 5,
    max_rows: int = MAX_ROWS,
    on_progress: Callable[[float], None] | None = None,
) -> Assessment:
    """How good, how useful and how private `synthetic` is.

    `real` holds the rows that training saw, `holdout` those that it never saw; all tables are canonical and have the
    `columns`. The same tables and seed give the same assessment. `on_progress` hears the share that is done, 0 to 1.

    Raises: InvalidTable where a table lacks a column or has no rows, UnknownColumn for a target that is not there.
    """
    raise NotImplementedError
