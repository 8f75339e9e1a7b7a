"""Missing cells of a table, drawn by what a model knows, given the other cells of their rows.

The network of the refinement was learnt with cells hidden, so that it tells the chances of any cell given any others:
a row's missing cells are drawn one after the other, each given what is there by then.
Sources: Uria et al. 2014, arXiv:1310.1757, section 3; van Buuren & Groothuis-Oudshoorn 2011, "mice: Multivariate
Imputation by Chained Equations in R" (why cells are drawn and not guessed).
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthgen_ray.domain.columns import check_same_columns
from synthgen_ray.domain.errors import InvalidTable
from synthgen_ray.synthesizers.codec import TableCodec
from synthgen_ray.synthesizers.columns import arrow
from synthgen_ray.synthesizers.columns.constant import ConstantCodec
from synthgen_ray.synthesizers.refinement import Refinement


def conformed(table: pa.Table, codec: TableCodec) -> pa.Table:
    """The table with the types that the model's columns had in training; others of its columns are as they were.

    Raises: InvalidTable, when a column is missing or holds what does not fit.
    """
    check_same_columns(table.column_names, codec.learned_columns)
    for column in codec.columns:
        place = table.column_names.index(column.name)
        type_ = arrow.type_of(column.arrow_type)
        if table[place].type == type_:
            continue
        try:
            table = table.set_column(place, column.name, table[place].cast(type_))
        except pa.ArrowException as error:
            detail = f"Column {column.name!r} is {table[place].type}, and does not fit the model's {type_}."
            raise InvalidTable(detail, "column_mismatch") from error
    for number in codec.numbers:
        try:
            number.plain(table[number.name])
        except pa.ArrowException:  # whose text has the cell
            raise InvalidTable(f"Column {number.name!r} holds text that is no number.", "column_mismatch") from None
    return table


def imputed(table: pa.Table, codec: TableCodec, dependencies: Refinement, rng: np.random.Generator) -> pa.Table:
    """The conformed rows with the missing cells of all columns drawn that the model learnt from.

    Others are made afresh in generated rows, ids and names among them: a made-up one would be none of this row.
    """
    missing = {column.name: np.asarray(column.plain(table[column.name]).is_null()) for column in codec.learnt}
    unknown = {column.name: column.is_unknown(table[column.name]) for column in codec.learnt}
    known = {column.name: column.cells_of(table[column.name], rng) for column in codec.learnt}
    drawn = dependencies.filled(known, missing, unknown, rng)
    filled = {
        column.name: column.written(drawn[column.name], rng)  # type: ignore[arg-type]
        for column in codec.learnt
        if missing[column.name].any()
    }
    for column in codec.columns:
        if isinstance(column, ConstantCodec):
            filled[column.name] = column.make(table.num_rows)
            missing[column.name] = np.asarray(arrow.plain(table[column.name]).is_null())
    columns = [
        _filled(column, filled[name], missing[name]) if name in filled else column
        for name, column in zip(table.column_names, table.columns, strict=True)
    ]
    return pa.table(columns, names=table.column_names)


def _filled(column: pa.ChunkedArray, values: pa.Array, missing: np.ndarray) -> pa.ChunkedArray:
    """The values where the column has none, which a NaN and a text that stands for a gap are too."""
    plain = arrow.value_type(column.type)
    return pc.if_else(pa.array(missing), values.cast(plain), column.cast(plain)).cast(column.type)
