"""A table and its columns as their owner wants them, where inference guessed otherwise."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import pyarrow as pa

from synthgen_ray.datasets.inference import infer_columns
from synthgen_ray.datasets.retyping import retyped
from synthgen_ray.domain.columns import FRESH, Column, ColumnKind
from synthgen_ray.domain.corrections import ColumnCorrection, SchemaCorrection
from synthgen_ray.domain.errors import FieldError, InvalidTable

LEARNT = (ColumnKind.CATEGORICAL, ColumnKind.INTEGER, ColumnKind.FLOAT)
TAKEN_FOR_TEXT = "and was read as text"
TAKEN_FOR_INTEGERS, TAKEN_FOR_PERSONAL = "dates_as_integers:", "personal_data:"


def corrected(
    table: pa.Table, columns: tuple[Column, ...], schema: SchemaCorrection
) -> tuple[pa.Table, tuple[Column, ...], tuple[str, ...]]:
    """The canonical table, retyped where a declared kind needs it, its columns, and warnings.

    Raises: InvalidTable, which names the column, for a column that is not there and for values
    that cannot be what is declared.
    """
    wanted = _wanted(columns, schema)
    described, warnings = list(columns), []
    for place, column in enumerate(columns):
        if column.name not in wanted:
            continue
        typed = retyped(table.column(place), column, wanted[column.name])
        table = table.set_column(place, column.name, typed.values)
        described[place] = _described(typed.values, column, typed.format, wanted[column.name].kind)
        warnings += [*typed.warnings, *_privacy_warning(column, described[place])]
        if column.name == schema.primary_key:
            _check_key(described[place])
    return table, tuple(described), tuple(warnings)


def settled(warnings: Iterable[str], columns: Sequence[Column]) -> set[str]:
    """Those of the warnings that these columns have outlived, since their owner has said what they are."""
    return {warning for warning in warnings for column in columns if _is_settled(warning, column)}


def _is_settled(warning: str, column: Column) -> bool:
    if f"column '{column.name}' " not in warning:
        return False
    if warning.startswith(TAKEN_FOR_PERSONAL):
        return column.kind in FRESH
    return warning.startswith(TAKEN_FOR_INTEGERS) or TAKEN_FOR_TEXT in warning


def _wanted(columns: tuple[Column, ...], schema: SchemaCorrection) -> dict[str, ColumnCorrection]:
    wanted, key = dict(schema.columns), schema.primary_key
    if key is not None:
        declared = wanted.setdefault(key, ColumnCorrection(kind=ColumnKind.ID))
        if declared.kind is not ColumnKind.ID:
            detail = f"Column '{key}' is the primary key: its kind is id, not {declared.kind}."
            raise InvalidTable(detail, "kind_mismatch", [FieldError(key, "A primary key is of kind id.")])
    unknown = [name for name in wanted if name not in {column.name for column in columns}]
    if unknown:
        detail = "The schema names columns that the table does not have; spell them as in its header."
        errors = [FieldError(name, "There is no such column.") for name in unknown]
        raise InvalidTable(detail, "unknown_column", errors)
    return wanted


def _described(values: pa.ChunkedArray, before: Column, written: str | None, kind: ColumnKind) -> Column:
    (column,) = infer_columns(pa.table({before.name: values}), {before.name: written} if written else {})
    return replace(column, kind=kind, pii=column.pii or before.pii if kind is ColumnKind.TEXT else None)


def _privacy_warning(before: Column, after: Column) -> tuple[str, ...]:
    """Where values that belong to somebody are to be learnt; those of an id only if they repeat, else none is kept."""
    what = f"personal data ({before.pii})" if before.pii else "an id"
    is_learnt = after.kind is ColumnKind.CATEGORICAL if before.pii else after.kind in LEARNT
    if not is_learnt or not (before.pii or (before.kind is ColumnKind.ID and not before.unique)):
        return ()
    return (
        f"personal_data: column '{after.name}' looks like {what}; as {after.kind}, values that many rows share can"
        " appear in what is generated.",
    )


def _check_key(column: Column) -> None:
    if column.nullable or not column.unique:
        detail = f"Column '{column.name}' is no primary key: it has missing or repeated values."
        raise InvalidTable(detail, "not_unique", [FieldError(column.name, "A primary key tells all rows apart.")])
