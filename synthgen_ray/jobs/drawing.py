"""What is true of every draw of rows, whoever waits for them."""

from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from synthgen_ray.domain.conditions import check_conditions
from synthgen_ray.domain.params import DrawParams
from synthgen_ray.domain.widths import listed, rows_too_large
from synthgen_ray.jobs.failures import computing
from synthgen_ray.synthesizers.base import Synthesizer


@contextmanager
def drawing(model: Synthesizer, params: DrawParams | None = None) -> Iterator[None]:
    """What this block draws.

    Raises: InvalidRequest, for values of a column whose categories were not listed where the rows were asked for;
    JobError, for rows that are too large for Arrow; MemoryError.
    """
    if params is not None and (params.conditions or params.distribution):
        _check_unlisted(model, params)
    try:
        with computing():
            yield
    except pa.ArrowMemoryError:
        raise
    except pa.ArrowException:  # its own message may quote a cell
        raise rows_too_large() from None


def _check_unlisted(model: Synthesizer, params: DrawParams) -> None:
    columns = model.learned_columns
    names = {column.name for column in listed(columns) if column.unlisted}
    if names & (params.conditions.keys() | params.distribution.keys()):
        conditions = {name: value for name, value in params.conditions.items() if name in names}
        distribution = {name: shares for name, shares in params.distribution.items() if name in names}
        check_conditions(conditions, distribution, columns)
