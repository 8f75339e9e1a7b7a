"""How like a table generated rows are: column shapes, 2-way accuracy, and what a classifier learns from them.

    python -m tests.bench.scores REAL.csv HOLDOUT.csv SYNTHETIC.parquet --target income

Moments count as numbers. Source: SDMetrics, KSComplement and TVComplement; the accuracy of pairs on ten bins: Platzer
and Reutterer 2021, arXiv:2104.00635.
"""

import argparse
import sys
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import OrdinalEncoder

MANY_VALUES = 20
BINS = 10
DECIMALS = sys.float_info.dig - 1  # SDMetrics compares no more of a number
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
    """Mean over the columns of 1 - the Kolmogorov-Smirnov or total variation distance; nulls do not count."""
    return float(np.mean([_shape(real[name].dropna(), synthetic[name].dropna()) for name in real]))


def two_way_accuracy(real: pd.DataFrame, synthetic: pd.DataFrame) -> float:
    """Mean over all pairs of columns of 1 - the total variation distance between their binned distributions.

    Numbers are cut at the quantiles of `real` (equal edges merged; a bin holds its upper edge; values outside them
    are a bin of their own), the others into the ten most frequent values and the rest; null is a bin.
    """
    wide = BINS + 3  # with one for the rest, one for null, one to spare
    codes = [(_bins(real[name], real[name]), _bins(real[name], synthetic[name])) for name in real]
    accuracies = []
    for (real_a, made_a), (real_b, made_b) in combinations(codes, 2):
        real_shares = np.bincount(real_a * wide + real_b, minlength=wide**2) / len(real)
        made_shares = np.bincount(made_a * wide + made_b, minlength=wide**2) / len(synthetic)
        accuracies.append(1 - np.abs(real_shares - made_shares).sum() / 2)
    return float(np.mean(accuracies))


def target_auc(train: pd.DataFrame, holdout: pd.DataFrame, target: str) -> float:
    """Area under the ROC curve, on the hold-out, of gradient boosting that learnt `target` from `train`.

    Of several classes each against the rest, weighted alike; a class that `train` lacks is held for impossible.
    Rows without a target are left out.
    """
    train, holdout = train.dropna(subset=[target]), holdout.dropna(subset=[target])
    names = [name for name in train if name != target]
    others = [name for name in names if not _is_numeric(holdout[name])]
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).fit(_labels(train[others]))

    def features(table: pd.DataFrame) -> np.ndarray:
        numbers = [_numbers(table[name]) for name in names if name not in others]
        return np.column_stack([encoder.transform(_labels(table[others])), *numbers])

    classifier = HistGradientBoostingClassifier(random_state=0).fit(features(train), train[target].astype(str))
    truth = holdout[target].astype(str)
    chances = pd.DataFrame(classifier.predict_proba(features(holdout)), columns=classifier.classes_)
    chances = chances.reindex(columns=np.unique(truth), fill_value=0.0)
    return float(np.mean([roc_auc_score(truth == name, chances[name]) for name in chances]))


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


def _numbers(column: pd.Series) -> np.ndarray:
    """Floats; moments as nanoseconds since 1970."""
    if pd.api.types.is_datetime64_any_dtype(column):
        moments = column.dt.tz_localize(None).to_numpy("datetime64[ns]")
        return np.where(column.isna(), np.nan, moments.astype("int64").astype(float))
    return column.to_numpy(float)


def _labels(columns: pd.DataFrame) -> pd.DataFrame:
    """Text; empty for null."""
    return columns.astype(object).where(columns.notna(), "").astype(str)


def _shape(real: pd.Series, synthetic: pd.Series) -> float:
    if real.empty or synthetic.empty:
        return float(real.empty and synthetic.empty)
    if _is_numeric(real) and real.nunique() > MANY_VALUES:
        return 1 - _kolmogorov_smirnov(_numbers(real).round(DECIMALS), _numbers(synthetic).round(DECIMALS))
    shares = real.value_counts(normalize=True)
    return 1 - float(shares.sub(synthetic.value_counts(normalize=True), fill_value=0).abs().sum()) / 2


def _kolmogorov_smirnov(a: np.ndarray, b: np.ndarray) -> float:
    """The largest distance between two empirical distribution functions."""
    a, b = np.sort(a), np.sort(b)
    at = np.concatenate([a, b])
    gaps = np.searchsorted(a, at, side="right") / len(a) - np.searchsorted(b, at, side="right") / len(b)
    return float(np.abs(gaps).max())


def _bins(real: pd.Series, column: pd.Series) -> np.ndarray:
    """The bin of each value, (N,): up to BINS of them, then one for the rest, then one for null."""
    null = column.isna().to_numpy()
    if _is_numeric(real):
        values, edges = _numbers(column), np.unique(np.quantile(_numbers(real.dropna()), np.linspace(0, 1, BINS + 1)))
        inside = np.clip(np.searchsorted(edges, values) - 1, 0, None)
        codes = np.where((values < edges[0]) | (values > edges[-1]), BINS, inside)
    else:
        places: dict[Any, int] = {value: place for place, value in enumerate(real.value_counts().index[:BINS])}
        codes = column.map(places).fillna(BINS).to_numpy(int)
    return np.where(null, BINS + 1, codes)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.scores", description=__doc__)
    for name in ("real", "holdout", "synthetic"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--target", help="the column that the classifier learns")
    options = parser.parse_args(arguments)
    print(scores(read(options.real), read(options.holdout), read(options.synthetic), options.target))


if __name__ == "__main__":
    main()
