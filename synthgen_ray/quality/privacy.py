"""Whether the synthetic table tells of the rows that training saw more than of others."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.quality.assessment import CopiedValues, Measure, Privacy
from synthgen_ray.quality.cells import FRESH
from synthgen_ray.quality.copies import copied_rows, copied_values, repeated_rows
from synthgen_ray.quality.distances import closest_records, distance_ratio, remembered_rows
from synthgen_ray.quality.fidelity import Tables
from synthgen_ray.quality.id_like import looks_like_ids
from synthgen_ray.quality.inference import inference
from synthgen_ray.quality.numbers import measure
from synthgen_ray.quality.singling_out import singling_out

IDEAL_SHARE = 0.5  # of a table that knows the training rows no better than the hold-out


class Values(NamedTuple):
    """What became of the values of some columns."""

    fresh: tuple[CopiedValues, ...]
    id_like: tuple[CopiedValues, ...]


def privacy(tables: Tables, sample: Tables, values: Values, columns: Sequence[Column], seed: int, k: int) -> Privacy:
    """Copies, remembered and singled out rows are looked for in all rows, the rest is tried on the `sample`."""
    copies = copied(tables, k)
    real, synthetic, holdout = sample
    if holdout is None or tables.holdout is None or not real.names:
        return Privacy(
            copies=copies,
            copied_values=values.fresh,
            id_like=values.id_like,
            remembered=None,
            distance_share=None,
            distance_ratio=None,
            singling_out=(),
            inference=(),
        )
    share, error = closest_records(real, synthetic, holdout, seed)
    ratio = distance_ratio(tables.real, tables.synthetic, tables.holdout, seed)
    numbers = set(filter(real.is_number, real.names))
    moments = {column.name for column in columns if column.kind is ColumnKind.DATETIME} & numbers
    return Privacy(
        copies=copies,
        copied_values=values.fresh,
        id_like=values.id_like,
        remembered=_share(*remembered_rows(tables.real, tables.synthetic, tables.holdout, seed)),
        distance_share=measure(share, IDEAL_SHARE, error),
        distance_ratio=measure(ratio.value, ratio.ceiling, ratio.error),
        singling_out=singling_out(tables.real, synthetic, tables.holdout, seed),
        inference=inference(real, synthetic, holdout, moments, seed),
    )


def repeated_values(
    real: pa.Table, synthetic: pa.Table, holdout: pa.Table | None, columns: Sequence[Column], k: int
) -> Values:
    """What became of ids, texts and personal data, and of numbers that look like ids."""

    def of(looked_at: Iterable[Column]) -> tuple[CopiedValues, ...]:
        found = []
        for column in looked_at:
            name = column.name
            copies = measure(copied_values(real[name], synthetic[name]), _copied_ceiling(real[name], holdout, name, k))
            found.append(CopiedValues(column=name, kind=column.kind, copies=copies))
        return tuple(found)

    fresh = [column for column in columns if column.kind in FRESH]
    others = (column for column in columns if column.kind not in FRESH)
    return Values(of(fresh), of(column for column in others if looks_like_ids(real[column.name])))


def _share(value: float, error: float) -> Measure:
    """An estimate that may miss 0 to 1 by chance, cut to it; other real rows get 0."""
    found = measure(value, 0.0, error)
    cut = {name: min(max(getattr(found, name), 0.0), 1.0) for name in ("value", "low", "high")}
    return found.model_copy(update=cut)


def _copied_ceiling(real: pa.ChunkedArray, holdout: pa.Table | None, name: str, k: int) -> float | None:
    share = None if holdout is None else copied_values(real, holdout[name])
    if holdout is None or share is None:
        return None
    values = len(holdout[name]) - holdout[name].null_count
    return _in_common(round(share * values), values, k)


def _in_common(count: int, rows: int, k: int) -> float | None:
    """The share of real rows; `None` where it is that of fewer than k, one that leaves k where fewer are left."""
    if 0 < count < k:
        return None
    return (rows - k if 0 < rows - count < k else count) / rows


def copied(tables: Tables, k: int = 1) -> Measure:
    """The share of rows that are in the real table, beside what other real rows get, if that may be told."""
    real, synthetic, holdout = tables
    if not real.names:
        return Measure(value=None)
    in_common = repeated_rows(real) if holdout is None else copied_rows(real, holdout)
    ceiling = _in_common(int(in_common.sum()), len(in_common), k)
    return measure(float(np.mean(copied_rows(real, synthetic))), ceiling)
