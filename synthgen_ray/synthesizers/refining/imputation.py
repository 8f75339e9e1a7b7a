"""Missing cells of a table, drawn by what a model knows, given the other cells of their rows.

The network of the refinement was learnt with cells hidden, so that it tells the chances of any cell given any others:
a row's missing cells are drawn one after the other, each given what is there by then.
Sources: Uria et al. 2014, arXiv:1310.1757, section 3; van Buuren & Groothuis-Oudshoorn 2011, "mice: Multivariate
Imputation by Chained Equations in R" (why cells are drawn and not guessed).
"""

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthgen_ray.datasets.decimals import as_floats
from synthgen_ray.datasets.text_typing import BOOLEAN, FLOAT
from synthgen_ray.datasets.writing import as_text
from synthgen_ray.domain.columns import Column, check_same_columns
from synthgen_ray.domain.errors import InvalidTable
from synthgen_ray.synthesizers.codec import TableCodec
from synthgen_ray.synthesizers.columns import arrow
from synthgen_ray.synthesizers.columns.category import CategoryCodec
from synthgen_ray.synthesizers.columns.constant import ConstantCodec
from synthgen_ray.synthesizers.columns.number import NumberCodec
from synthgen_ray.synthesizers.refining.refinement import Refinement


def conformed(table: pa.Table, codec: TableCodec, columns: Sequence[Column] = ()) -> pa.Table:
    """The table with the types that the model's columns had in training, and no cell another than it was; floats keep
    their own precision, and columns that the model does not know their types. `columns` tell how text was written.

    Raises: InvalidTable, when a column is missing or holds what does not fit.
    """
    check_same_columns(table.column_names, codec.learned_columns)
    written = {column.name: column for column in columns}
    categories = {column.name: column for column in codec.columns if isinstance(column, CategoryCodec)}
    for column in codec.columns:
        place = table.column_names.index(column.name)
        given, type_ = table[place], arrow.with_room(arrow.type_of(column.arrow_type), arrow.MANY)
        if given.type == type_ or (_is_float(given.type) and pa.types.is_floating(type_)):
            continue
        try:
            if arrow.is_text(type_) and not arrow.is_text(given.type):
                texts = _texts(arrow.plain(given), written.get(column.name), categories.get(column.name))
                table = table.set_column(place, column.name, arrow.as_type(texts, type_))
            else:
                table = table.set_column(place, column.name, _cast(given, type_))
        except pa.ArrowException as error:
            detail = f"Column {column.name!r} is {given.type}, and does not fit the model's {column.arrow_type}."
            raise InvalidTable(detail, "column_mismatch") from error
    for place, name in enumerate(table.column_names):
        if name in categories and pa.types.is_dictionary(table[place].type):
            table = table.set_column(place, name, _as_narrow(table[place], categories[name]))
    for number in (column for column in codec.columns if isinstance(column, NumberCodec)):
        try:
            number.plain(table[number.name])
        except pa.ArrowException:  # whose text has the cell
            raise InvalidTable(
                f"Column {number.name!r} holds text that is none of its numbers or dates.", "column_mismatch"
            ) from None
    return table


def imputed(table: pa.Table, codec: TableCodec, dependencies: Refinement, rng: np.random.Generator) -> pa.Table:
    """The conformed rows with the missing cells of all columns drawn that the model learnt from.

    Others are made afresh in generated rows, ids and names among them: a made-up one would be none of this row.
    """
    missing = {column.name: np.asarray(column.plain(column.column_of(table)).is_null()) for column in codec.learnt}
    unknown = {column.name: column.is_unknown(column.column_of(table)) for column in codec.learnt}
    known = {column.name: column.cells_of(column.column_of(table), rng) for column in codec.learnt}
    drawn = dependencies.filled(known, missing, unknown, rng)
    filled = codec.written(drawn, rng, missing=missing)
    for column in codec.columns:
        if isinstance(column, ConstantCodec):
            filled[column.name] = column.make(table.num_rows)
            missing[column.name] = np.asarray(arrow.plain(table[column.name]).is_null())
    columns = [
        _filled(column, filled[name], missing[name]) if name in filled else column
        for name, column in zip(table.column_names, table.columns, strict=True)
    ]
    return pa.table(columns, names=table.column_names)


def _texts(values: pa.Array, column: Column | None, known: CategoryCodec | None) -> pa.Array:
    """Cells that were text before they were read as booleans, numbers or dates.

    One that is then none of the model's categories is the one that reads the same: 1.5 may have been 1.50.
    """
    encoded = values.dictionary_encode()
    texts = as_text(encoded.dictionary, column).to_pylist()
    if known is not None and not pa.types.is_temporal(values.type):
        categories = dict.fromkeys(str(category) for category in known.values + known.tail)
        alike: dict[object, list[str]] = {}
        for category in categories:
            alike.setdefault(_reading(category, values.type), []).append(category)
        for place, value in enumerate(encoded.dictionary.to_pylist()):
            found = alike.get(value, [])
            if texts[place] not in categories and len(found) == 1:
                texts[place] = found[0]
    return pa.array(texts, pa.string()).take(encoded.indices)


def _reading(text: str, type_: pa.DataType) -> bool | float | None:
    """What an upload takes the text for in a column of that type; `None` for text."""
    if pa.types.is_boolean(type_):
        return text.lower() == "true" if re.fullmatch(BOOLEAN, text) else None
    return float(text) if re.fullmatch(FLOAT, text) else None


def _cast(column: pa.ChunkedArray, type_: pa.DataType) -> pa.ChunkedArray:
    """Raises: ArrowInvalid, where a cell would be another one: a moment without its time, a number as a moment, a text
    without its zeros, 850 as true."""
    if pa.types.is_dictionary(column.type) and arrow.with_room(column.type, arrow.MANY) == type_:
        return column.cast(type_)
    before, kind = arrow.plain(column), arrow.value_type(type_)
    if before.null_count == len(before):  # of whatever type: None alone has none in a data frame
        return pa.chunked_array([pa.nulls(len(before), type_)])
    if not _may_be(before.type, kind):
        raise pa.ArrowInvalid("cells of another nature")
    if pa.types.is_floating(before.type):
        column = pa.chunked_array([before])  # in which NaN is missing
    is_rounded = pa.types.is_decimal(column.type) and pa.types.is_floating(type_)
    found = (as_floats(column) if is_rounded else column).cast(kind)
    if not _is_same(arrow.plain(found), before):
        raise pa.ArrowInvalid("a cell would be lost")
    return pa.chunked_array([arrow.as_type(arrow.plain(found), type_)]) if kind != type_ else found


def _is_same(found: pa.Array, before: pa.Array) -> bool:
    """Whether cells are what they were before Arrow cast them, where it does not see to that itself."""
    if pa.types.is_decimal(found.type) and pa.types.is_floating(before.type):
        back = as_floats(pa.chunked_array([found])).cast(before.type)
    elif arrow.is_text(before.type) and pa.types.is_temporal(found.type):
        return True
    elif arrow.is_integral(found.type) or pa.types.is_boolean(found.type):
        # Arrow makes a decimal of an integer only where there is room for every integer.
        wide = pa.decimal128(38, before.type.scale) if pa.types.is_decimal(before.type) else before.type
        back, before = found.cast(wide), before.cast(wide)
    else:
        return True
    return bool(pc.all(pc.equal(back, before), min_count=0).as_py())


def _as_narrow(column: pa.ChunkedArray, known: CategoryCodec) -> pa.ChunkedArray:
    """Categories with indices as in training, if these can tell apart those of the column and of the model."""
    values = len(pa.chunked_array([arrow.dictionary_of(column), known.dictionary]).unique().drop_null())
    return column.cast(arrow.with_room(arrow.type_of(known.arrow_type), values))


def _is_float(type_: pa.DataType) -> bool:
    """Of a width that Arrow computes with."""
    return bool(pa.types.is_floating(type_) and not pa.types.is_float16(type_))


def _may_be(given: pa.DataType, wanted: pa.DataType) -> bool:
    """Arrow would count a moment in its unit and a truth as 1, and take what clocks show for UTC; a flag that is
    written 1 and 0 is read as a number."""
    if pa.types.is_boolean(given):
        return bool(pa.types.is_boolean(wanted))
    if pa.types.is_timestamp(given) and pa.types.is_timestamp(wanted) and (given.tz is None) != (wanted.tz is None):
        return False
    return arrow.is_text(given) or pa.types.is_temporal(given) == pa.types.is_temporal(wanted)


def _filled(column: pa.ChunkedArray, values: pa.Array, missing: np.ndarray) -> pa.ChunkedArray | pa.Array:
    """The values where the column has none, which a NaN and a text that stands for a gap are too."""
    plain = arrow.value_type(column.type)
    if pa.types.is_floating(plain) and pa.types.is_floating(values.type):
        values = values.cast(pa.string())  # the 0.1 of a float32 is 0.1 in a float64 too
    filled = pc.if_else(pa.array(missing), values.cast(plain), column.cast(plain)).cast(plain)
    return arrow.in_dictionary_of(column, filled) if pa.types.is_dictionary(column.type) else filled
