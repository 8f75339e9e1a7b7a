"""Whether the synthetic table tells of the rows that training saw more than of others."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from synthgen_ray.datasets.inference import is_scattered
from synthgen_ray.domain.columns import FRESH, Column, ColumnKind
from synthgen_ray.quality.assessment import CopiedValues, Measure, Privacy
from synthgen_ray.quality.copies import (
    LEAST_COLUMNS,
    copied_rows,
    copied_values,
    near_copies,
    rare_copies,
    repeated_rows,
    repeated_share,
)
from synthgen_ray.quality.distances import closest_records, distance_ratio, remembered_rows
from synthgen_ray.quality.fidelity import Tables
from synthgen_ray.quality.id_like import looks_like_ids
from synthgen_ray.quality.inference import inference
from synthgen_ray.quality.numbers import error_of_share, measure
from synthgen_ray.quality.singling_out import singling_out

IDEAL_SHARE = 0.5  # of a table that knows the training rows no better than the hold-out


class Values(NamedTuple):
    """What became of the values of some columns."""

    fresh: tuple[CopiedValues, ...]
    id_like: tuple[CopiedValues, ...]


def privacy(tables: Tables, sample: Tables, values: Values, columns: Sequence[Column], seed: int, k: int) -> Privacy:
    """Copies, remembered and singled out rows are looked for in all rows, the rest is tried on the `sample`."""
    copies, rare, near = copied(tables, k), rarely_copied(tables, k), nearly_copied(tables, sample, seed, k)
    real, synthetic, holdout = sample
    if holdout is None or tables.holdout is None or not real.names:
        return Privacy(
            copies=copies,
            rare_copies=rare,
            near_copies=near,
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
        rare_copies=rare,
        near_copies=near,
        copied_values=values.fresh,
        id_like=values.id_like,
        remembered=_share(*remembered_rows(tables.real, tables.synthetic, tables.holdout, seed)),
        distance_share=measure(share, IDEAL_SHARE, error),
        distance_ratio=measure(ratio.value, ratio.ceiling, ratio.error),
        singling_out=singling_out(tables.real, synthetic, tables.holdout, seed, k=k),
        inference=inference(real, synthetic, holdout, moments, seed, k=k),
    )


def repeated_values(
    real: pa.Table, synthetic: pa.Table, holdout: pa.Table | None, columns: Sequence[Column], k: int
) -> Values:
    """What became of ids, texts and personal data, and of numbers that look like ids."""

    def of(looked_at: Iterable[Column]) -> tuple[CopiedValues, ...]:
        found = []
        for column in looked_at:
            name = column.name
            held_out = None if holdout is None else holdout[name]
            copies = measure(copied_values(real[name], synthetic[name]), _copied_ceiling(real[name], held_out, k))
            scattered = column.kind is ColumnKind.ID and is_scattered(real[name])
            found.append(CopiedValues(column=name, kind=column.kind, copies=copies, scattered=scattered))
        return tuple(found)

    fresh = [column for column in columns if column.kind in FRESH]
    others = (column for column in columns if column.kind not in FRESH)
    return Values(of(fresh), of(column for column in others if looks_like_ids(real[column.name])))


def _share(value: float, error: float) -> Measure:
    """An estimate that may miss 0 to 1 by chance, cut to it; other real rows get 0."""
    found = measure(value, 0.0, error)
    cut = {name: min(max(getattr(found, name), 0.0), 1.0) for name in ("value", "low", "high")}
    return found.model_copy(update=cut)


def _copied_ceiling(real: pa.ChunkedArray, held_out: pa.ChunkedArray | None, k: int) -> float | None:
    """Of the values held out; where those are too few to tell, of those that the real column has more than once."""
    if held_out is not None:
        told = _told_share(copied_values(real, held_out), len(held_out) - held_out.null_count, k)
        if told is not None:
            return told
    return _told_share(repeated_share(real), len(real) - real.null_count, k)


def _told_share(share: float | None, rows: int, k: int) -> float | None:
    """The share of so many real rows, in steps of k of them; `None` where that would be none or all."""
    if share is None or rows < 2 * k:
        return None
    return min(round(share * rows / k) * k / rows, 1.0)


def copied(tables: Tables, k: int = 1) -> Measure:
    """The share of rows that are in the real table, beside what other real rows get."""
    real, synthetic, holdout = tables
    if not real.names:
        return Measure(value=None)
    in_common = repeated_rows(real) if holdout is None else copied_rows(real, holdout)
    ceiling = _told_share(float(in_common.mean()), len(in_common), k)
    return measure(float(np.mean(copied_rows(real, synthetic))), ceiling)


def rarely_copied(tables: Tables, k: int) -> Measure:
    """The share that are rows of the real table which fewer than k of its rows are, beside the real rows among each
    other: they are many, so that there is little chance in it."""
    real, synthetic, _ = tables
    if not real.names:
        return Measure(value=None)
    found, expected = rare_copies(real, synthetic, k)
    return measure(float(found.mean()), _told_share(float(expected.mean()), len(expected), k))


def nearly_copied(tables: Tables, sample: Tables, seed: int, k: int) -> Measure:
    """The same of all columns but one, for the rows of the `sample`."""
    if len(tables.real.names) < LEAST_COLUMNS:
        return Measure(value=None)
    chance = np.random.default_rng(seed)
    found, expected = near_copies(tables.real, sample.synthetic, sample.real, k, chance)
    share, is_sampled = float(found.mean()), len(found) < tables.synthetic.num_rows
    error = error_of_share(share, len(found)) if is_sampled else None
    return measure(share, _told_share(float(expected.mean()), len(expected), k), error)
