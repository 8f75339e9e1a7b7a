"""What may be chance is no news, and what chance cannot explain is, where the hold-out is a tenth of the table."""

import numpy as np
import pandas as pd
import pytest

from synthgen_ray.quality.assessing import assess
from synthgen_ray.quality.assessment import Fidelity, Level, Measure, Scope
from synthgen_ray.quality.cells import Cells, read_cells
from synthgen_ray.quality.fidelity import Tables, matched
from synthgen_ray.quality.groups import column_groups
from synthgen_ray.quality.numbers import mean
from synthgen_ray.quality.shapes import column_shapes
from synthgen_ray.quality.trends import mean_trend, pair_trends
from synthgen_ray.quality.verdict import BESIDE, Noise, verdict
from tests.unit.quality.tables import as_table, given_columns, given_frame, given_table, only_copies

COLUMNS = given_columns()
NONE = Measure(value=None)


def _level_of_trends(found) -> Level:
    return next(finding.level for finding in found.verdict if finding.sentence.startswith("Columns that go together"))


def _shapes(real: Cells, other: Cells) -> float | None:
    return mean(column_shapes(real, other).values())


def _trends(real: Cells, other: Cells) -> float:
    return mean_trend(pair_trends(real, other, column_groups(len(real.names), 2)))


@pytest.mark.parametrize("of", [_shapes, _trends])
def test_a_score_of_as_many_rows_as_were_held_out_is_theirs_where_nothing_is_wrong(of):
    whole, as_many = [], []
    for seed in range(40):
        given = [given_table(seed, 450), given_table(100 + seed, 450), given_table(200 + seed, 50)]
        real, synthetic, holdout = read_cells(given, COLUMNS)[0]
        ceiling = of(real, holdout)
        whole.append(of(real, synthetic) / ceiling)
        as_many.append(matched(Tables(real, synthetic, holdout), of, seed) / ceiling)

    assert np.mean(whole) > 1.04  # it has less noise
    assert np.mean(as_many) == pytest.approx(1, abs=0.02)
    assert np.mean(np.array(as_many) + Noise.of(_scope(450, 50)).holdout < BESIDE[0]) <= 0.05


def test_relations_that_a_third_of_the_rows_lack_are_told_of():
    chance = np.random.default_rng(0)
    frame = given_frame(1, 2_700)
    shuffled = pd.DataFrame({name: chance.permutation(frame[name]) for name in frame}).astype(frame.dtypes)
    lacking = chance.random(len(frame)) < 0.35
    frame[lacking] = shuffled[lacking]

    found = assess(given_table(0, 2_700), as_table(frame), given_table(2, 300), COLUMNS)

    trends = found.fidelity.pair_trends
    assert trends.value > 0.95 * trends.ceiling
    assert _level_of_trends(found) is Level.WARN
    assert f"as many rows as were held out get {trends.matched:.3f}, other real rows {trends.ceiling:.3f}." in " ".join(
        finding.sentence for finding in found.verdict
    )


def _scope(rows: int, held_out: int) -> Scope:
    return Scope(
        real_rows=rows,
        synthetic_rows=rows,
        holdout_rows=held_out,
        max_rows=50_000,
        columns=(),
        left_out=(),
        seed=0,
        k=5,
    )


def _verdict_on_copies(copies: int, drawn: int, expected: int, held_out: int) -> Level:
    privacy = only_copies(Measure(value=copies / drawn, ceiling=expected / held_out))
    found = verdict(Fidelity(**dict.fromkeys(Fidelity.model_fields, NONE)), (), None, privacy, _scope(drawn, held_out))
    return next(finding.level for finding in found if "copies" in finding.sentence)


@pytest.mark.parametrize("common", [0.01, 0.05, 0.3])
def test_copies_that_real_rows_have_as_often_are_no_leak(common):
    chance = np.random.default_rng(0)
    levels = [
        _verdict_on_copies(chance.binomial(900, common), 900, chance.binomial(100, common), 100) for _ in range(500)
    ]

    assert levels.count(Level.GOOD) >= 0.95 * len(levels)
    assert levels.count(Level.BAD) <= 0.02 * len(levels)


def test_copies_that_other_real_rows_have_not_are_a_leak():
    assert _verdict_on_copies(90, 900, 0, 100) is Level.BAD
    assert _verdict_on_copies(450, 900, 20, 100) is Level.BAD
