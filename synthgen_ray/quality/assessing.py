"""All measures of a synthetic table, in one `Assessment`."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa

from synthgen_ray.domain.columns import FRESH, Column, ColumnKind
from synthgen_ray.quality.assessment import (
    Assessment,
    ColumnResult,
    Fidelity,
    Groups,
    LeftOut,
    Measure,
    NoUtility,
    Scope,
    Utility,
)
from synthgen_ray.quality.cells import Cells, read_cells, with_gaps
from synthgen_ray.quality.counting import Counted, counted
from synthgen_ray.quality.definitions import DEFINITIONS
from synthgen_ray.quality.detection import detection_auc
from synthgen_ray.quality.fidelity import (
    MOST_ASSOCIATED,
    Compared,
    Tables,
    associated,
    association_matrices,
    beside_halves,
    bins_of,
    column_results,
    columns_alone,
    matched,
    matched_parts,
    pair_results,
    rows_for_trends,
    told_shapes,
    told_trend,
    told_trends,
    weak_relations,
)
from synthgen_ray.quality.groups import all_groups, column_groups
from synthgen_ray.quality.missing import missing_together, missing_values
from synthgen_ray.quality.numbers import mean, measure
from synthgen_ray.quality.privacy import privacy, repeated_values
from synthgen_ray.quality.telling import step, told
from synthgen_ray.quality.utility import NO_COLUMN, Target, choose_target, utility
from synthgen_ray.quality.validity import key_uniqueness, told_coverage
from synthgen_ray.quality.verdict import verdict

MAX_ROWS = 50_000
REASONS = {ColumnKind.ID: "An id: it is made afresh.", ColumnKind.TEXT: "Text or personal data: it is made afresh."}


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
    generated_rows: int | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Assessment:
    """How good, how useful and how private `synthetic` is.

    `real` holds the rows that training saw, `holdout` those that it never saw; all tables are canonical and have the
    `columns`. The same tables and seed give the same assessment. `synthetic` may be some of `generated_rows`.
    `on_progress` hears the share that is done, 0 to 1.

    Raises: InvalidTable where a table lacks a column or has no rows, InvalidRequest for a target that is not compared.
    """
    tell = on_progress or (lambda _: None)
    given = [table for table in (real, synthetic, holdout) if table is not None]
    cells, labels = read_cells(given, columns)
    tables = _tables(cells)
    lacking = _tables([with_gaps(*one, columns) for one in zip(cells, given, strict=True)])
    learnt = choose_target(tables.real, target)
    sample = tables.sample(max_rows, np.random.default_rng(seed))
    tell(0.1)

    pairs, triples = (column_groups(len(tables.real.names), size, seed) for size in (2, 3))
    parts = matched_parts(tables, seed)
    bins = bins_of(tables, k, parts)
    by_size = [counted(bins, groups, k) for groups in (columns_alone(tables.real), pairs, triples)]
    by_column = column_results(tables, by_size[0], columns, labels, k)
    tell(0.2)
    beside = rows_for_trends(tables, pairs, seed)
    trends = told_trends(beside, pairs, matched_parts(beside, seed), k)
    by_pair = pair_results(trends, by_size[1])
    ours, theirs = associated(sample, k)
    associations = association_matrices(tables.real.names[:MOST_ASSOCIATED], ours, theirs, k)
    weak = weak_relations(trends, by_size[1], pairs, ours, theirs, k)
    tell(0.35)
    fidelity = Fidelity(
        **_of_columns(by_column, tables, sample, seed, k),
        **_accuracies(by_size, len(tables.real.names)),
        pair_trends=beside_halves(
            trends.total(all_groups(len(tables.real.names), 2)),
            rows_for_trends(sample, pairs, seed),
            lambda ours, theirs: told_trend(ours, theirs, pairs, k),
            seed,
        ),
        key_uniqueness=_key_uniqueness(real, synthetic, holdout, columns, k),
        missing_values=measure(
            missing_values(lacking.real, lacking.synthetic, k),
            None if lacking.holdout is None else missing_values(lacking.real, lacking.holdout, k, other_is_real=True),
        ),
        detection_auc=_detection(sample, seed),
    )
    tell(0.5)
    useful, no_utility = _utility(sample, learnt, labels, seed, k)
    tell(0.7)
    values = repeated_values(real, synthetic, holdout, columns, k)
    private = privacy(tables, sample, values, columns, seed, k)
    tell(1.0)
    scope = Scope(
        real_rows=real.num_rows,
        synthetic_rows=synthetic.num_rows,
        generated_rows=generated_rows or synthetic.num_rows,
        holdout_rows=None if holdout is None else holdout.num_rows,
        max_rows=max_rows,
        columns=tables.real.names,
        left_out=tuple(
            LeftOut(column=column.name, kind=column.kind, reason=REASONS[column.kind])
            for column in columns
            if column.kind in FRESH
        ),
        pairs=Groups(looked_at=len(pairs), among=all_groups(len(tables.real.names), 2)),
        triples=Groups(looked_at=len(triples), among=all_groups(len(tables.real.names), 3)),
        seed=seed,
        k=k,
    )
    return Assessment(
        scope=scope,
        verdict=verdict(fidelity, by_column, by_pair, useful, private, scope, no_utility, weak),
        fidelity=fidelity,
        columns=by_column,
        pairs=by_pair,
        associations=associations,
        missing_together=missing_together(lacking.real, lacking.synthetic, k),
        utility=useful,
        no_utility=no_utility,
        privacy=private,
        definitions=DEFINITIONS,
    )


def _tables(cells: Sequence[Cells]) -> Tables:
    return Tables(cells[0], cells[1], cells[2] if len(cells) > 2 else None)


def _of_columns(
    results: Sequence[ColumnResult], tables: Tables, sample: Tables, seed: int, k: int
) -> dict[str, Measure]:
    """Means over the columns."""

    def shapes(real: Cells, other: Cells) -> float | None:
        return mean(told_shapes(real, other, k, other_is_real=True).values())

    def covered(real: Cells, other: Cells) -> float | None:
        return mean(told_coverage(real, other, name, k) for name in real.names)

    def total(name: str, of: Compared | None = None) -> Measure:
        found = Measure(
            value=mean(getattr(result, name).value for result in results),
            ceiling=mean(getattr(result, name).ceiling for result in results),
            matched=None if of is None else matched(tables, of, seed),
        )
        return found if of is None else beside_halves(found, sample, of, seed)

    return {
        "column_shapes": total("shape", shapes),
        "validity": total("validity"),
        "coverage": total("coverage", covered),
    }


def _accuracies(by_size: Sequence[Counted], num_columns: int) -> dict[str, Measure]:
    """Means over columns, pairs and triples."""
    return {
        f"accuracy_{size}way": counts.total(all_groups(num_columns, size)) for size, counts in enumerate(by_size, 1)
    }


def _key_uniqueness(
    real: pa.Table, synthetic: pa.Table, holdout: pa.Table | None, columns: Sequence[Column], k: int
) -> Measure:
    """Mean over the ids that are unique in the real table."""
    ids = [column.name for column in columns if column.kind is ColumnKind.ID]
    keys = [name for name in ids if key_uniqueness(real[name]) == 1]
    best = None
    if holdout is not None:
        width = step(holdout.num_rows, k)
        best = mean(float(told(key_uniqueness(holdout[name]), width)) for name in keys)
    return Measure(value=mean(key_uniqueness(synthetic[name]) for name in keys), ceiling=best)


def _detection(sample: Tables, seed: int) -> Measure:
    area, error = detection_auc(sample.real, sample.synthetic, seed)
    ceiling = None if sample.holdout is None else detection_auc(sample.real, sample.holdout, seed)[0]
    return measure(area, ceiling, error)


def _utility(
    sample: Tables, target: Target | None, labels: dict[str, list[str]], seed: int, k: int
) -> tuple[Utility | None, NoUtility | None]:
    """The one or why not."""
    if target is None:
        return None, NoUtility(target=None, was_named=False, reason=NO_COLUMN)
    found = utility(*sample, target, seed, labels.get(target.name), k)
    return (found, None) if isinstance(found, Utility) else (None, found)
