"""How like a table generated rows are: column shapes, 2-way accuracy, and what a classifier learns from them.

    python -m tests.bench.scores REAL.csv HOLDOUT.csv SYNTHETIC.parquet --target income

The measures are those of `synthgen_ray.quality`, on tables of pandas. Moments count as numbers.
"""

import argparse
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.quality.accuracy import binned_tables, shares, similarities
from synthgen_ray.quality.cells import Cells, read_cells
from synthgen_ray.quality.shapes import column_shapes as shapes_of
from synthgen_ray.quality.utility import auc_of, learnt_from, truth_of

MANY_VALUES = 20
MOMENT = r"\d{4}-\d\d-\d\d(?:[ T].*)?"


class Scores(NamedTuple):
    """All from 0 to 1; 1 is best. `auc` is NaN where no target was asked for."""

    shapes: float
    pairs: float
    auc: float

    def __str__(self) -> str:
        return f"shapes {self.shapes:.4f}  2-way {self.pairs:.4f}  AUC {self.auc:.4f}"


def scores(real: pd.DataFrame, holdout: pd.DataFrame, synthetic: pd.DataFrame, target: str | None = None) -> Scores:
    """The three measures of `synthetic`, which was learnt from `real`; the hold-out is for the classifier alone."""
    real = plain(real)
    synthetic = like(synthetic, real)
    auc = target_auc(synthetic, like(holdout, real), target) if target else float("nan")
    return Scores(column_shapes(real, synthetic), two_way_accuracy(real, synthetic), auc)


def column_shapes(real: pd.DataFrame, synthetic: pd.DataFrame) -> float:
    """Mean over the columns of 1 - the Kolmogorov-Smirnov or total variation distance; nulls do not count.

    Numbers of few values are categories.
    """
    many = [name for name in real if _is_numeric(real[name]) and real[name].nunique() > MANY_VALUES]
    shapes = shapes_of(*_cells([real, synthetic], many)).items()
    return float(
        np.mean([_both_empty(real[name], synthetic[name]) if np.isnan(shape) else shape for name, shape in shapes])
    )


def two_way_accuracy(real: pd.DataFrame, synthetic: pd.DataFrame) -> float:
    """Mean over all pairs of columns of 1 - the total variation distance between their binned distributions."""
    ours, theirs = _cells([real, synthetic], [name for name in real if _is_numeric(real[name])])
    pairs = list(combinations(range(len(ours.names)), 2))
    binned_shares = [shares(codes, pairs) for codes in binned_tables(ours, [ours, theirs], k=1)]
    return float(np.mean(similarities(*binned_shares)))


def target_auc(train: pd.DataFrame, holdout: pd.DataFrame, target: str) -> float:
    """Area under the ROC curve, on the hold-out, of gradient boosting that learnt `target` from `train`.

    Rows without a target are left out.
    """
    tables = [table.dropna(subset=[target]) for table in (train, holdout)]
    numbers = [name for name in train if name != target and _is_numeric(holdout[name])]
    return auc_of_cells(*_cells(tables, numbers), target)


def auc_of_cells(train: Cells, holdout: Cells, target: str) -> float:
    """The same; of several classes each that the hold-out has against the rest, weighted alike."""
    classes = np.unique(holdout.columns[target])
    return auc_of(truth_of(holdout, target, classes), learnt_from(train, holdout, target, classes, seed=0))[0]


def plain(table: pd.DataFrame) -> pd.DataFrame:
    """The same values as floats, booleans, moments in UTC and text: what generated rows can be compared in."""
    return pd.DataFrame({name: _plain(table[name]) for name in table})


def like(table: pd.DataFrame, real: pd.DataFrame) -> pd.DataFrame:
    """The columns of `real`, of its types."""
    return pd.DataFrame({name: _typed(table[name], real[name]) for name in real})


def read(path: Path) -> pd.DataFrame:
    """A CSV or Parquet file."""
    return pq.read_table(path).to_pandas() if path.suffix == ".parquet" else pd.read_csv(path)


def _plain(column: pd.Series) -> pd.Series:
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if pd.api.types.is_datetime64_any_dtype(column):
        return pd.to_datetime(column, utc=True)
    if pd.api.types.is_bool_dtype(column):
        return column.astype(bool)
    if pd.api.types.is_numeric_dtype(column):
        return column.astype(float)
    text = column.dropna().astype(str)
    if len(text) and text.str.fullmatch(MOMENT).all():
        return pd.to_datetime(column, utc=True, format="ISO8601")
    return column.where(column.isna(), column.astype(str))


def _typed(column: pd.Series, real: pd.Series) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(real):
        return pd.to_datetime(column, utc=True, format=None if column.dtype.kind == "M" else "ISO8601")
    if pd.api.types.is_bool_dtype(real):
        return column.astype(bool)
    if pd.api.types.is_numeric_dtype(real):
        return pd.to_numeric(column).astype(float)
    return column.astype(object).where(column.isna(), column.astype(str))


def _is_numeric(column: pd.Series) -> bool:
    types = pd.api.types
    return types.is_datetime64_any_dtype(column) or (types.is_numeric_dtype(column) and not types.is_bool_dtype(column))


def _cells(tables: Sequence[pd.DataFrame], numbers: Sequence[str]) -> list[Cells]:
    """The columns of the first, the others but `numbers` as categories."""
    kinds = {name: ColumnKind.FLOAT if name in numbers else ColumnKind.CATEGORICAL for name in tables[0]}
    arrow = [pa.Table.from_pandas(table[list(kinds)], preserve_index=False) for table in tables]
    return read_cells(arrow, [Column(name, kind) for name, kind in kinds.items()])[0]


def _both_empty(real: pd.Series, synthetic: pd.Series) -> float:
    return float(real.isna().all() and synthetic.isna().all())


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.scores", description=__doc__)
    for name in ("real", "holdout", "synthetic"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--target", help="the column that the classifier learns")
    options = parser.parse_args(arguments)
    print(scores(read(options.real), read(options.holdout), read(options.synthetic), options.target))


if __name__ == "__main__":
    main()
