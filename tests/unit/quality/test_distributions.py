"""Nothing that is shown of a column tells of fewer than k real rows."""

from datetime import date, datetime
from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthgen_ray.domain.columns import ColumnKind
from synthgen_ray.quality.assessment import Bin, BinKind
from synthgen_ray.quality.cells import Cells, read_cells
from synthgen_ray.quality.distributions import distribution
from synthgen_ray.quality.missing import missing_together, missing_values, safe_null_share
from synthgen_ray.quality.validity import coverage, told_coverage, validity
from tests.unit.quality.tables import as_table, given_columns

K = 5


def _bins(real: list, synthetic: list, kind: ColumnKind) -> tuple[Bin, ...]:
    tables = [as_table(pd.DataFrame({"c": pd.Series(values)})) for values in (real, synthetic)]
    (ours, theirs), labels = read_cells(tables, given_columns({"c": kind}))
    bins = distribution(ours, theirs, "c", labels.get("c"), kind, K)
    for shares in ([one.real for one in bins], [one.synthetic for one in bins]):
        assert sum(shares) == pytest.approx(1)
    for one in bins:
        count = round(one.real * len(real), 6)
        assert count in (0, len(real)) or count >= K, one
    return bins


def _shares(bins: tuple[Bin, ...]) -> dict[str, tuple[float, float]]:
    return {one.label or one.kind: (round(one.real, 9), round(one.synthetic, 9)) for one in bins}


def test_categories_of_few_rows_and_new_ones_are_the_rest():
    real = ["a"] * 12 + ["b"] * 6 + ["rare"] * 4 + ["other"] * 3
    bins = _bins(real, ["a"] * 5 + ["rare"] * 2 + ["new"] * 3, ColumnKind.CATEGORICAL)

    assert _shares(bins) == {"a": (0.48, 0.5), "b": (0.24, 0.0), "rest": (0.28, 0.5)}


def test_a_rest_that_is_too_small_takes_the_least_category_with_it():
    bins = _bins(["a"] * 14 + ["b"] * 6 + ["rare"], ["a"] * 10, ColumnKind.CATEGORICAL)

    assert [one.label for one in bins] == ["a", None]
    assert bins[1].real == pytest.approx(7 / 21)


@pytest.mark.parametrize("nulls", [2, 7])
@pytest.mark.parametrize("kind", [ColumnKind.CATEGORICAL, ColumnKind.FLOAT])
def test_nulls_are_told_of_when_they_are_many(kind, nulls):
    values = ["a", "b"] * 20 if kind is ColumnKind.CATEGORICAL else [float(value) for value in range(40)]
    bins = _bins([*values, *[None] * nulls], [*values, None], kind)

    assert (bins[-1].kind is BinKind.NULL) == (nulls >= K)


def test_numbers_are_shown_between_means_of_k_and_none_of_a_single_row():
    chance = np.random.default_rng(0)
    real = [*chance.normal(0, 1, 500), 1e6, -1e6]
    bins = _bins(real, [*chance.normal(1, 1, 300), 5e6], ColumnKind.FLOAT)

    ordered = np.sort(real)
    assert bins[0].low == pytest.approx(ordered[K - 1 : 2 * K - 1].mean())
    assert bins[-1].high == pytest.approx(ordered[-2 * K + 1 : -K + 1].mean())
    assert not ({one.low for one in bins} | {bins[-1].high}) & set(real)
    assert all(one.high == other.low for one, other in pairwise(bins))


def test_coverage_tells_no_extreme_of_a_single_row_to_who_has_the_synthetic_ends():
    pay = np.random.default_rng(0).lognormal(10, 1, 2000).round(2)
    real, ordered = Cells({"c": pay}), np.sort(pay)
    inner, outer = ordered[[4, -5]] * [2, 0.5], ordered[[4, -5]] * [0.5, 0.5]

    first, second = (told_coverage(real, Cells({"c": ends}), "c", K) for ends in (inner, outer))

    width = np.ptp(inner) / first
    high = outer[1] + (1 - second) * width
    assert first == round(first, 3)
    assert not np.isclose(high - width, ordered[:20], rtol=1e-3).any()
    assert not np.isclose(high, ordered[-5:], rtol=1e-3).any()


def test_the_range_that_is_to_be_covered_ends_at_means_of_k():
    real = Cells({"c": np.arange(100.0)})

    assert coverage(real, Cells({"c": np.array([6.0, 93.0])}), "c", K) == 1.0
    assert coverage(real, Cells({"c": np.array([6.0, 50.0])}), "c", K) == pytest.approx(44 / 87)


def test_few_numbers_have_a_bin_each_and_rare_ones_none():
    bins = _bins([1] * 10 + [2] * 10 + [4] * 10 + [3] * 2, [1, 2, 4], ColumnKind.INTEGER)

    assert [(one.low, one.high) for one in bins] == [(0.5, 1.5), (1.5, 3.0), (3.0, 5.0)]


def test_the_ends_of_a_range_have_the_decimals_of_its_values():
    pay = np.random.default_rng(0).lognormal(8, 1, 300)

    for decimals in (0, 2):
        values = pay.round(decimals).tolist()
        bins = _bins(values, values, ColumnKind.FLOAT)
        assert (bins[0].low, bins[-1].high) == (round(bins[0].low, decimals), round(bins[-1].high, decimals))


def test_moments_are_written_out():
    days = pd.date_range("2020-01-01", periods=30).tolist()
    bins = _bins(days, days, ColumnKind.DATETIME)

    assert (bins[0].low, bins[-1].high) == ("2020-01-07T00:00:00", "2020-01-24T00:00:00")


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        ([date(1, 1, 1), date(1, 1, 3)], "0001-01-01T00:00:00", "0001-01-04T00:00:00"),
        ([date(9999, 12, 29), date(9999, 12, 31)], "9999-12-28T00:00:00", "9999-12-31T23:59:59.999999"),
        ([datetime(1, 1, 1), datetime.max], "0001-01-01T00:00:00", "9999-12-31T23:59:59.999999"),
    ],
)
def test_moments_at_the_ends_of_time_are_written_within_it(values, low, high):
    table = pa.table({"c": values * 10})
    (cells,), _ = read_cells([table], given_columns({"c": ColumnKind.DATETIME}))

    bins = distribution(cells, cells, "c", None, ColumnKind.DATETIME, K)

    assert [one.real for one in bins] == [0.5, 0.5]
    assert (bins[0].low, bins[-1].high) == (low, high)


@pytest.mark.parametrize("largest", [8e307, 1.7976931348623157e308])
def test_the_largest_floats_have_finite_bins(largest):
    few = _bins([-largest, 0.0, largest] * 10, [0.0, 1.0], ColumnKind.FLOAT)
    many = _bins(np.linspace(-1, 1, 200) * largest, [0.0, 1.0], ColumnKind.FLOAT)

    assert [one.real for one in few] == pytest.approx([1 / 3] * 3)
    assert (few[0].high, few[1].high) == (-largest / 2, largest / 2)
    assert len(many) > 10
    assert all(one.low < one.high for one in many)


@pytest.mark.parametrize("seed", range(30))
def test_any_table_is_shown_in_bins_of_k_rows_or_none(seed):
    chance = np.random.default_rng(seed)
    rows = int(chance.integers(1, 60))
    numbers = chance.integers(0, chance.integers(1, 30), rows).astype(float) ** 2
    numbers[chance.random(rows) < chance.random()] = np.nan
    texts = [None if np.isnan(number) else f"v{number:.0f}" for number in numbers]

    _bins(numbers.tolist(), [0.0, 1e9, None], ColumnKind.FLOAT)
    _bins(texts, ["v0", "new", None], ColumnKind.CATEGORICAL)


def test_shares_of_nulls_are_told_where_k_rows_have_one_and_k_have_none():
    table = pd.DataFrame({"few": [None] * 3 + [1.0] * 17, "some": [None] * 8 + [1.0] * 12, "none": [1.0] * 20})
    (cells,), _ = read_cells([as_table(table)], given_columns(dict.fromkeys(table, ColumnKind.FLOAT)))

    assert [safe_null_share(cells, name, K) for name in table] == [None, 0.4, 0.0]
    together = {pair.columns: pair.real for pair in missing_together(cells, cells, K)}
    assert together == {("few", "few"): None, ("few", "some"): None, ("some", "some"): 0.4}


def test_no_share_is_told_of_which_a_hidden_one_follows():
    ten = [None] * 10 + [1.0] * 30
    columns = {
        "a": ten,
        "but two": [1.0] * 2 + [None] * 10 + [1.0] * 28,
        "all": [None] * 20 + [1.0] * 20,
        "few": [None] * 3 + [1.0] * 37,
    }
    tables = [as_table(pd.DataFrame(columns)), as_table(pd.DataFrame(columns)[::2])]
    (cells, other), _ = read_cells(tables, given_columns(dict.fromkeys(columns, ColumnKind.FLOAT)))

    together = {pair.columns: pair.real for pair in missing_together(cells, other, K)}
    # 10 lack `a` and 8 both: two lack `a` alone.
    assert together["a", "but two"] is None
    assert (together["a", "all"], together["a", "a"]) == (0.25, 0.25)
    few = Cells({"few": cells.columns["few"]})
    assert missing_values(few, other, K) is None
    assert missing_values(cells, other, K) == 1.0
    assert missing_values(other, cells, K, other_is_real=True) == 1.0


@pytest.mark.parametrize("k", [5, 10, 20])
def test_a_value_that_all_rows_have_is_valid_whatever_its_digits(k):
    for value in np.random.default_rng(0).normal(size=200).round(3):
        cells = Cells({"c": np.full(100, value)})
        assert validity(cells, cells, "c", k) == 1.0
