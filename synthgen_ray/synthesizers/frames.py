"""Tables as callers of the library have them: data frames of pandas, or Arrow's own."""

from typing import TYPE_CHECKING

import pyarrow as pa

from synthgen_ray.domain.errors import InvalidTable
from synthgen_ray.synthesizers.columns import arrow, checks

if TYPE_CHECKING:
    import pandas as pd

UNFIT = (pa.ArrowException, TypeError, OverflowError)  # of a column that becomes none of Arrow's


def taken(table: "pa.Table | pd.DataFrame") -> pa.Table:
    """Raises: InvalidTable."""
    return arrow.without_views(table if isinstance(table, pa.Table) else _of_frame(table))


def _of_frame(frame: object) -> pa.Table:
    import pandas as pd  # slow to load, and who has no data frame needs none

    if not isinstance(frame, pd.DataFrame):
        detail = f"A pandas DataFrame or a pyarrow Table is wanted, not a {type(frame).__name__}."
        raise InvalidTable(f"{detail} Read a file first, with pandas.read_csv or read_parquet.", "not_a_table")
    checks.check_unique(frame.columns)
    for name in frame.columns:
        _check_dtype(str(name), frame[name])
    try:
        return pa.Table.from_pandas(frame, preserve_index=False)
    except UNFIT as error:
        name = next(str(name) for name in frame.columns if not _fits(frame[name]))
        advice = "give them one, by astype(float) or astype(str) for example"
        raise _unsupported(name, "holds values that have no type in common", advice) from error


def _check_dtype(name: str, values: "pd.Series") -> None:
    import pandas as pd

    if isinstance(values.dtype, pd.SparseDtype):
        raise _unsupported(name, "is sparse", "make it dense, by sparse.to_dense()")
    if values.dtype.kind == "c":
        raise _unsupported(name, "holds complex numbers", "give their parts a column each")


def _fits(values: "pd.Series") -> bool:
    try:
        pa.array(values, from_pandas=True)
    except UNFIT:
        return False
    return True


def _unsupported(name: str, what: str, advice: str) -> InvalidTable:
    return InvalidTable(f"Column {name!r} {what}; {advice}.", "unsupported_type")
