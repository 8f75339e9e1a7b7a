"""Shapes, trends and validity are those of SDMetrics, on plain tables and on ugly ones."""

import math
import warnings

import numpy as np
import pandas as pd
import pytest
from sdmetrics.single_column import (
    BoundaryAdherence,
    CategoryAdherence,
    CategoryCoverage,
    KeyUniqueness,
    MissingValueSimilarity,
    RangeCoverage,
)

from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.quality.cells import read_cells
from synthgen_ray.quality.estimating import estimate
from synthgen_ray.quality.groups import column_groups
from synthgen_ray.quality.missing import missing_values
from synthgen_ray.quality.shapes import column_shapes, ks_complement
from synthgen_ray.quality.trends import correlation, pair_trends
from synthgen_ray.quality.validity import coverage, key_uniqueness, validity
from tests.unit.quality.tables import as_table, given_columns, given_frame, metadata

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it is to be called by another name in its next release
    from sdmetrics.reports.single_table import QualityReport

# SDMetrics gives each value that only the synthetic table has a share of 1e-6 / rows in the real one.
CLOSE = 1e-6
SCALES = (5e-324 * 2**40, 1e-300, 1e-19, 1e-9, 1.0, 1e14, 1e205, 1e299, 1e307)


def _report(real: pd.DataFrame, synthetic: pd.DataFrame, columns: list[Column]) -> QualityReport:
    report = QualityReport()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report.generate(real, synthetic, metadata(columns), verbose=False)
    return report


def _is_as_sdmetrics_says(real: pd.DataFrame, synthetic: pd.DataFrame, columns: list[Column]) -> None:
    report = _report(real, synthetic, columns)
    wanted_shapes = report.get_details("Column Shapes").set_index("Column")["Score"].to_dict()
    wanted_pairs = report.get_details("Column Pair Trends").set_index(["Column 1", "Column 2"])
    (ours, theirs), _ = read_cells((as_table(real), as_table(synthetic)), columns)

    assert column_shapes(ours, theirs) == pytest.approx(wanted_shapes, abs=CLOSE, nan_ok=True)
    for trend in pair_trends(ours, [theirs], column_groups(len(ours.names), 2))[0]:
        score = wanted_pairs.loc[trend.columns, "Score"]
        counts = trend.related and not math.isnan(trend.score)
        assert counts == (not math.isnan(score)), trend
        if counts:
            assert trend.score == pytest.approx(score, abs=CLOSE), trend
    totals = report.get_properties().set_index("Property")["Score"]
    estimated = estimate(as_table(real), as_table(synthetic), columns)
    assert estimated.column_shapes == pytest.approx(totals["Column Shapes"], abs=CLOSE)
    assert (estimated.pair_trends or math.nan) == pytest.approx(totals["Column Pair Trends"], abs=CLOSE, nan_ok=True)


def test_shapes_and_trends_of_every_kind_of_column_are_those_of_sdmetrics():
    _is_as_sdmetrics_says(given_frame(0), given_frame(1, 300, 0.2), given_columns())


def test_they_are_on_constants_nulls_new_categories_and_values_out_of_range():
    real, synthetic = given_frame(0, 60), given_frame(1, 45, 0.2)
    real["same"], synthetic["same"] = 1.5, np.linspace(0, 1, 45)
    real["empty"], synthetic["empty"] = np.nan, 2.0
    real["one"], synthetic["one"] = "only", "other"
    real["sparse"] = np.where(np.arange(60) < 57, np.nan, np.arange(60) * 1.0)
    synthetic["sparse"] = 1e9
    synthetic.loc[:5, "city"] = "new"
    synthetic.loc[:5, "step"] = 10_000
    kinds = dict.fromkeys(("same", "empty", "sparse"), ColumnKind.FLOAT) | {"one": ColumnKind.CATEGORICAL}
    columns = [*given_columns(), *given_columns(kinds)]

    _is_as_sdmetrics_says(real, synthetic, columns)


@pytest.mark.parametrize("scale", SCALES)
def test_the_shape_of_a_number_is_the_same_in_any_unit(scale):
    chance = np.random.default_rng(0)
    real, same, other = (chance.normal(mean, 1, 1000) for mean in (0, 0, 3))

    found = [ks_complement(real * scale, values * scale) for values in (same, other)]

    assert found == pytest.approx([ks_complement(real, values) for values in (same, other)], abs=1e-3)


@pytest.mark.parametrize("scale", SCALES)
def test_the_correlation_of_two_numbers_is_the_same_in_any_unit(scale):
    one = np.random.default_rng(0).normal(size=1000)
    other = one + np.random.default_rng(1).normal(size=1000)

    assert correlation(one * scale, other) == pytest.approx(np.corrcoef(one, other)[0, 1], abs=1e-6)


def test_they_are_on_columns_of_many_categories():
    chance = np.random.default_rng(0)
    real, synthetic = (
        pd.DataFrame({name: chance.integers(0, 2000, 3000).astype(str) for name in ("from", "to")}) for _ in range(2)
    )

    _is_as_sdmetrics_says(real, synthetic, given_columns(dict.fromkeys(real, ColumnKind.CATEGORICAL)))


@pytest.mark.parametrize("seed", [1, 2])
def test_validity_coverage_and_missing_values_are_those_of_sdmetrics(seed):
    real, synthetic = given_frame(0, 40), given_frame(seed, 60, 0.2)
    synthetic.loc[:3, "city"] = "new"
    synthetic.loc[2:5, "land"] = None
    (ours, theirs), _ = read_cells((as_table(real), as_table(synthetic)), given_columns())

    for name in real:
        measures = (BoundaryAdherence, RangeCoverage) if ours.is_number(name) else (CategoryAdherence, CategoryCoverage)
        wanted = [measure.compute(real[name], synthetic[name]) for measure in measures]
        assert [validity(ours, theirs, name, k=1), coverage(ours, theirs, name, k=1)] == pytest.approx(wanted), name
    gaps = [MissingValueSimilarity.compute(real[name], synthetic[name]) for name in ("size", "city", "land")]
    assert missing_values(ours, theirs, 1) == pytest.approx(np.mean(gaps))


def test_unique_keys_are_those_of_sdmetrics():
    keys = pd.Series(["a", "b", "a", None, "c", None])

    assert key_uniqueness(as_table(keys.to_frame("k"))["k"]) == KeyUniqueness.compute(keys, keys)
