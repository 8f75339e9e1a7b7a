"""Rows that training never sees, with which a report compares those that it saw."""

import pyarrow as pa
import pyarrow.compute as pc

from synthgen_ray.domain.params import TrainParams
from synthgen_ray.synthesizers.numerics.streams import holdout_mask

# Of a smaller table training needs each row, and a tenth of it would be too few to compare with.
LEAST_ROWS = 1000
FRACTION = 0.1


def with_agreed_holdout(params: TrainParams, num_rows: int) -> TrainParams:
    """The options of a training on a table of so many rows, where they leave the share of the hold-out open."""
    if params.holdout_fraction is not None:
        return params
    return params.model_copy(update={"holdout_fraction": FRACTION if num_rows >= LEAST_ROWS else 0.0})


def learnt_and_held_out(table: pa.Table, params: TrainParams) -> tuple[pa.Table, pa.Table | None]:
    """The rows of a table that training with these options, an agreed share among them, sees; and the others, `None`
    where it sees all."""
    mask = holdout_mask(table.num_rows, params.holdout_fraction or 0.0, params.seed)
    if not mask.any():
        return table, None
    held_out = pa.array(mask)
    return table.filter(pc.invert(held_out)), table.filter(held_out)
