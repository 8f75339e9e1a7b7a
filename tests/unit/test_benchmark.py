"""What the benchmark says of its figures, and what it counts as a rare value."""

import numpy as np
import pyarrow as pa

from synthgen_ray.domain.params import ModelType
from tests.bench.conditional import rare_category
from tests.bench.quality import OURS, Result, keep, kept, rare_values
from tests.bench.rows import Figure
from tests.bench.tables import generated


def test_a_gain_is_how_much_better_we_are():
    assert Figure(2.0, 5.0, "s").gain == "2.5x"
    assert Figure(500.0, 100.0, "rows/s").gain == "5.0x"
    assert Figure(500.0, 0.0, "rows/s").gain == "∞"
    assert Figure(0.95, 0.9, "score").gain == "+0.050"
    assert Figure(1.5, None, "GiB").gain == "–"


def test_of_pairs_the_gain_is_that_of_runs_beside_each_other():
    slowed_down_half_way = [(1.0, 3.0), (1.1, 3.3), (2.0, 6.0), (2.2, 6.6), (2.0, 2.0)]
    figure = Figure.of_pairs(slowed_down_half_way, "s", "a note")

    assert (figure.ours, figure.peer, figure.note) == (2.0, 3.3, "a note")
    assert figure.gain == "3.0x"
    assert Figure.of_pairs([(500.0, 0.0), (500.0, 0.0), (500.0, 100.0)], "rows/s").gain == "∞"


def test_rare_texts_and_numbers_beyond_the_kth_extremes_are_counted():
    table = pa.table({"city": ["Rome"] * 9 + ["Atlantis"], "age": np.arange(10.0)})

    common = pa.table({"city": ["Rome", "Oslo", None], "age": [2.0, 5.5, 7.0]})
    rare = pa.table({"city": ["Atlantis", "Atlantis", "Rome"], "age": [1.9, 7.1, 5.0]})

    assert rare_values(table, common, k=3) == 0
    assert rare_values(table, rare, k=3) == 4


def test_a_result_that_was_kept_is_found_again(tmp_path):
    results = tmp_path / "results.jsonl"
    first = Result("adult", OURS, ModelType.TVAE, 1, 300, 9.5, 0.1, 0.99, 0.97, 0.9)

    keep(results, first)
    keep(results, Result("adult", "sdv 2.0.0", ModelType.TVAE, 1, 300, 900.0, 1.0, 0.92, 0.89, 0.88))

    assert kept(results, "adult", OURS, ModelType.TVAE, 1) == first
    assert kept(results, "adult", OURS, ModelType.TVAE, 2) is None


def test_the_rare_category_is_the_one_nearest_to_five_in_ten_thousand():
    assert rare_category(generated(40_000)) == ("city", "hamlet")
