"""The measures of `tests/bench/scores.py`, against SDMetrics and answers that can be counted by hand."""

import numpy as np
import pandas as pd
import pytest
from sdmetrics.single_column import KSComplement, TVComplement

from tests.bench import scores


@pytest.fixture
def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two tables of every kind of column, drawn a little differently."""
    return _drawn(0, 400, 0.0), _drawn(1, 300, 0.4)


def _drawn(seed: int, rows: int, shift: float) -> pd.DataFrame:
    chance = np.random.default_rng(seed)
    moments = pd.Timestamp("2020-01-01T00:00:00Z") + pd.to_timedelta(chance.exponential(5 + shift, rows), unit="D")
    return pd.DataFrame(
        {
            "size": np.where(chance.random(rows) < 0.1, np.nan, chance.normal(shift, 1, rows)),
            "step": chance.binomial(9, 0.5 - shift / 5, rows),
            "when": moments.round("s"),
            "city": chance.choice(["a", "b", "c", None], rows, p=[0.5 - shift, 0.2, 0.2 + shift, 0.1]),
            "flag": chance.random(rows) < 0.3 + shift,
        }
    )


def test_column_shapes_are_those_of_sdmetrics(tables):
    real, synthetic = tables

    shapes = [scores.column_shapes(real[[name]], synthetic[[name]]) for name in real]

    measures = [KSComplement, TVComplement, KSComplement, TVComplement, TVComplement]
    wanted = [m.compute(real[name], synthetic[name]) for m, name in zip(measures, real, strict=True)]
    assert shapes == pytest.approx(wanted, abs=1e-12)
    assert scores.column_shapes(real, synthetic) == pytest.approx(np.mean(wanted))


def test_two_way_accuracy_of_shuffled_columns_is_what_the_joint_distribution_loses():
    same = pd.DataFrame({"a": ["x", "y"] * 50, "b": ["x", "y"] * 50})
    independent = pd.DataFrame({"a": ["x", "y"] * 50, "b": ["x", "x", "y", "y"] * 25})

    assert scores.two_way_accuracy(same, same) == 1.0
    assert scores.two_way_accuracy(same, independent) == 0.5


def test_numbers_are_compared_in_ten_quantile_bins_with_the_outside_and_null_apart():
    real = pd.DataFrame({"n": np.arange(1.0, 101.0), "c": ["x"] * 100})

    def with_first(values: list[float]) -> pd.DataFrame:
        return pd.DataFrame({"n": [*values, *real["n"][len(values) :]], "c": ["x"] * 100})

    assert scores.two_way_accuracy(real, with_first([10.0, 2.0, 3.0])) == 1.0  # all in the first tenth
    assert scores.two_way_accuracy(real, with_first([1000.0])) == pytest.approx(0.99)
    assert scores.two_way_accuracy(real, with_first([np.nan, -5.0])) == pytest.approx(0.98)


def test_two_way_accuracy_keeps_the_ten_most_frequent_values_apart_and_the_rest_together():
    values = [letter for place, letter in enumerate("abcdefghijkl") for _ in range(20 - place)]
    real = pd.DataFrame({"c": values, "one": [1.0] * len(values)})

    swapped_rest = real.replace({"c": {"k": "l", "l": "new"}})
    swapped_top = real.replace({"c": {"a": "new"}})

    assert scores.two_way_accuracy(real, swapped_rest) == 1.0
    assert scores.two_way_accuracy(real, swapped_top) == pytest.approx(1 - 20 / len(real))


def test_a_target_is_learnt_from_what_predicts_it_and_not_from_noise():
    chance = np.random.default_rng(0)
    table = scores.plain(pd.DataFrame({"x": chance.normal(size=600), "c": chance.choice(["u", "v"], 600)}))
    table["kind"] = np.select([table["x"] < -0.5, table["x"] < 0.5], ["low", "middle"], "high")

    learnt = scores.target_auc(table[:300], table[300:], "kind")
    shuffled = table.assign(kind=chance.permutation(table["kind"]))
    guessed = scores.target_auc(shuffled[:300], table[300:], "kind")
    without_a_class = scores.target_auc(table[:300].query("kind != 'low'"), table[300:], "kind")

    assert learnt > 0.98
    assert 0.4 < guessed < 0.6
    assert 0.5 < without_a_class < learnt


def test_tables_are_compared_by_value_whatever_their_types(tables):
    real, synthetic = tables
    retyped = synthetic.astype({"city": "category", "step": float}).assign(when=synthetic["when"].astype(str))

    assert scores.scores(real, real, retyped, "city") == scores.scores(real, real, synthetic, "city")


def test_the_command_prints_the_scores_of_files(tables, tmp_path, capsys):
    real, synthetic = tables
    real.to_csv(tmp_path / "real.csv", index=False)
    synthetic.to_parquet(tmp_path / "made.parquet")

    scores.main([*(str(tmp_path / name) for name in ("real.csv", "real.csv", "made.parquet")), "--target", "flag"])

    assert capsys.readouterr().out.strip() == str(scores.scores(real, real, synthetic, "flag"))
