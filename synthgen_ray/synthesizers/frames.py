"""Tables as callers of the library have them: data frames of pandas, or Arrow's own."""

import re
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from synthgen_ray.datasets.date_guessing import DATE
from synthgen_ray.datasets.inference import infer_columns
from synthgen_ray.datasets.text_dates import NotDates, dates_of
from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.domain.errors import InvalidTable
from synthgen_ray.synthesizers.columns import arrow, checks
from synthgen_ray.synthesizers.columns.written_moments import WrittenMoments

if TYPE_CHECKING:
    import pandas as pd

IS_DATE = re.compile(DATE)
MOST, FEW = 0.9, 20
UNFIT = (pa.ArrowException, TypeError, OverflowError)  # of a column that becomes none of Arrow's


def taken(table: "pa.Table | pd.DataFrame") -> pa.Table:
    """Raises: InvalidTable."""
    return arrow.without_views(table if isinstance(table, pa.Table) else _of_frame(table))


def columns_of(table: pa.Table, given: Sequence[Column]) -> tuple[Column, ...]:
    """The columns as they are given; the others as an upload of the table as CSV infers them, as far as a reader of
    pandas leaves text: dates and times are no categories and no ids. Warns where text looks like dates that cannot be
    told.

    Raises: InvalidTable.
    """
    known = {column.name: column for column in map(_checked, given)}
    if len(known) < len(given) or not known.keys() <= set(table.column_names):
        raise InvalidTable("A column is given twice, or is none of the table's.", "column_mismatch")
    names, table = table.column_names, table.drop_columns(list(known))
    formats: dict[str, str] = {}
    for place, name in enumerate(table.column_names):
        share = _share_of_dates(table[name]) if table.schema.types[place] in arrow.TEXTS else 0.0
        found = WrittenMoments.find(table[name]) if share == 1 else None
        if found:
            formats[name] = found.format
            table = table.set_column(place, name, found.unwrap(table[name]))
        elif share >= MOST:
            _warn(name, table[name], share)
    known |= {column.name: column for column in infer_columns(table, formats)}
    return tuple(known[name] for name in names)


def _checked(column: object) -> Column:
    """With its kind as one of ours, though it be given as a word."""
    if not isinstance(column, Column):
        detail = f"Columns are told as Column(name, kind), not as a {type(column).__name__}."
        raise InvalidTable(detail, "invalid_columns")
    try:
        return replace(column, kind=ColumnKind(column.kind))
    except ValueError:
        detail = f"Column {column.name!r} can be of no such kind: the kinds are {', '.join(ColumnKind)}."
        raise InvalidTable(detail, "invalid_columns") from None


def _share_of_dates(texts: pa.ChunkedArray) -> float:
    """Of the cells that are there; the first ones tell of most columns that they are none."""
    present = texts.drop_null()
    if not any(map(IS_DATE.fullmatch, present[:FEW].to_pylist())):
        return 0.0
    return float(pc.mean(pc.match_substring_regex(present, f"^(?:{DATE})$")).as_py())


def _warn(name: str, texts: pa.ChunkedArray, share: float) -> None:
    why, how = "holds dates that are not all written in one way", "Write dates as YYYY-MM-DD and times as HH:MM:SS."
    if share < 1:
        why, how = "holds dates, and in some cells something else", "Leave these empty."
    else:
        try:
            dates_of(texts.cast(pa.string()))
        except NotDates as error:
            if not error.code:  # it only looks so
                return
            why = error.reason
            if error.formats:
                ways = " or ".join(f"format={written!r}" for written in error.formats)
                how = f"Say what it is by columns=[Column({name!r}, ColumnKind.DATETIME, ...)] with {ways}."
    # The level: who called `fit`.
    warnings.warn(f"Column {name!r} {why}: it is not learnt as dates. {how}", stacklevel=4)


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
    except UnicodeEncodeError as error:
        raise InvalidTable(
            "A name or a cell of the table is no Unicode: it holds half of a surrogate pair. Read the file in the "
            "encoding that it has, or put a ? there, by .str.encode('utf-8', 'replace').str.decode('utf-8').",
            "invalid_text",
        ) from error
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
