"""What may be chance is no news, and what chance cannot explain is, where the hold-out is a tenth of the table."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.quality.assessing import assess
from synthgen_ray.quality.assessment import Finding, Level, Measure
from synthgen_ray.quality.cells import Cells, read_cells
from synthgen_ray.quality.counting import Counted, counted
from synthgen_ray.quality.fidelity import (
    Tables,
    Trends,
    associated,
    beside_halves,
    bins_of,
    column_results,
    columns_alone,
    matched,
    matched_parts,
    pair_results,
    told_shapes,
    told_trend,
    told_trends,
    weak_relations,
)
from synthgen_ray.quality.groups import column_groups
from synthgen_ray.quality.numbers import mean
from synthgen_ray.quality.shapes import column_shapes
from synthgen_ray.quality.trends import Trend, mean_trend, pair_trends
from synthgen_ray.quality.validity import told_coverage
from synthgen_ray.quality.verdict import verdict
from synthgen_ray.quality.verdict.limits import BESIDE, Noise
from tests.unit.quality.tables import (
    NONE,
    UNKNOWN,
    a_scope,
    as_table,
    columns_like_adult,
    given_columns,
    given_frame,
    given_table,
    like_adult,
    only_copies,
)

COLUMNS = given_columns()


def test_levels_are_ordered_from_good_to_bad():
    assert sorted(Level, key=lambda level: level.severity) == [Level.GOOD, Level.WARN, Level.BAD]
    assert Level.worst_of([Level.WARN, Level.BAD, Level.GOOD]) is Level.BAD
    assert Level.worst_of([]) is None


def _level_of_trends(found) -> Level:
    return next(
        finding.level for finding in found.verdict if finding.sentence.startswith("Columns that go together in")
    )


def _shapes(real: Cells, other: Cells) -> float | None:
    return mean(column_shapes(real, other).values())


def _trends(real: Cells, other: Cells) -> float:
    return mean_trend(pair_trends(real, [other], column_groups(len(real.names), 2))[0])


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
    assert np.mean(np.array(as_many) + Noise.of(a_scope(450, 50)).holdout < BESIDE[0]) <= 0.05


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


def _that_agree(seed: int, rows: int) -> Cells:
    """Four columns of ten categories, each of which mostly follows what none of them shows."""
    chance = np.random.default_rng(seed)
    hidden = chance.integers(0, 10, rows)
    drawn = {name: np.where(chance.random(rows) < 0.9, hidden, chance.integers(0, 10, rows)) for name in "abcd"}
    return Cells({name: column.astype(np.int32) for name, column in drawn.items()})


@pytest.mark.parametrize(("rows", "held_out", "k"), [(450, 50, 5), (270, 30, 5), (900, 100, 20)])
def test_steps_in_which_a_short_holdout_is_told_take_no_relations_away(rows, held_out, k):
    pairs, heard = column_groups(4, 2), []
    for seed in range(40):
        tables = Tables(*(_that_agree(1000 * part + seed, size) for part, size in enumerate([rows, rows, held_out])))
        trends = told_trends(tables, pairs, matched_parts(tables, seed), k)
        fidelity = UNKNOWN.model_copy(update={"pair_trends": trends.total(len(pairs))})
        scope = a_scope(rows, held_out).model_copy(update={"k": k})
        said = verdict(fidelity, (), (), None, only_copies(NONE), scope)
        heard += [finding.level for finding in said if finding.area == "fidelity"]

    assert trends.total(len(pairs)).ceiling < 0.8
    assert (len(heard), heard.count(Level.BAD)) == (40, 0)
    assert heard.count(Level.WARN) <= 2


def _without_holdout(real: pa.Table, synthetic: pa.Table, columns: list[Column]) -> list[Level]:
    """What is said of shapes, trends and coverage."""
    tables, k = Tables(*read_cells([real, synthetic], columns)[0], None), 5
    pairs = column_groups(len(tables.real.names), 2)

    def shapes(ours: Cells, theirs: Cells) -> float | None:
        return mean(told_shapes(ours, theirs, k, other_is_real=True).values())

    def covered(ours: Cells, theirs: Cells) -> float | None:
        return mean(told_coverage(ours, theirs, name, k) for name in ours.names)

    totals = {
        "column_shapes": (Measure(value=shapes(*tables[:2])), shapes),
        "coverage": (Measure(value=covered(*tables[:2])), covered),
        "pair_trends": (
            told_trends(tables, pairs, (), k).total(len(pairs)),
            lambda *halves: told_trend(*halves, pairs, k),
        ),
    }
    beside = {name: beside_halves(total, tables, of, 0) for name, (total, of) in totals.items()}
    accuracies = counted(bins_of(tables, k), columns_alone(tables.real), k)
    results = column_results(tables, accuracies, columns, {}, k)
    scope = a_scope(real.num_rows, None, synthetic.num_rows)
    said = verdict(UNKNOWN.model_copy(update=beside), results, (), None, only_copies(NONE), scope)
    return [finding.level for finding in said if finding.area == "fidelity"]


@pytest.mark.parametrize("rows", [50, 100, 200, 300])
@pytest.mark.parametrize(("table", "columns"), [(given_table, COLUMNS), (like_adult, columns_like_adult())])
def test_without_a_holdout_other_real_rows_are_not_bad_beside_half_of_the_real_ones(rows, table, columns):
    found = [_without_holdout(table(seed, rows), table(100 + seed, rows), columns) for seed in range(5)]

    assert all(len(levels) >= 2 for levels in found)
    assert not any(Level.BAD in levels for levels in found)
    assert sum(Level.WARN in levels for levels in found) <= 1


def test_without_a_holdout_a_shuffled_table_is_bad_beside_half_of_the_real_rows():
    bad = 0
    for seed in range(10):
        shuffled, chance = given_table(100 + seed, 200), np.random.default_rng(seed)
        for place, name in enumerate(shuffled.column_names):
            shuffled = shuffled.set_column(place, name, shuffled[name].take(chance.permutation(200)))
        bad += Level.BAD in _without_holdout(given_table(seed, 200), shuffled, COLUMNS)

    assert bad >= 7


def test_pairs_are_in_the_order_of_what_they_lack_of_their_ceiling():
    def of(*scores: float) -> list[Trend]:
        names = [("a", "b"), ("a", "c"), ("b", "c"), ("c", "d")]
        return [
            Trend(columns, "contingency_similarity", score, related=True, lost=columns == ("c", "d"))
            for columns, score in zip(names, scores, strict=True)
        ]

    some = np.full(4, 0.9)
    trends = Trends(of(0.9, 0.5, 0.8, np.nan), of(0.9, 0.3, 0.9, 0.9), [of(0.88, 0.3, 0.7, np.nan)])
    with_ceiling, without = (
        pair_results(given, Counted(some, some, some)) for given in (trends, Trends(trends[0], None, []))
    )

    assert [pair.columns for pair in with_ceiling] == [("c", "d"), ("b", "c"), ("a", "b"), ("a", "c")]
    assert [pair.columns for pair in without] == [("c", "d"), ("a", "c"), ("b", "c"), ("a", "b")]


def _of_columns(real: dict, synthetic: dict) -> list[tuple[Level, str]]:
    """The findings about fidelity, of columns of numbers; no news left out."""
    columns = given_columns(dict.fromkeys(real, ColumnKind.FLOAT))
    tables = Tables(Cells(real), Cells(synthetic), None)
    rows, drawn = (len(next(iter(cells.values()))) for cells in (real, synthetic))
    accuracies = counted(bins_of(tables, 5), columns_alone(tables.real), 5)
    results = column_results(tables, accuracies, columns, {}, 5)
    found = verdict(UNKNOWN, results, (), None, only_copies(NONE), a_scope(rows, None, drawn))
    return [(finding.level, finding.sentence) for finding in found if finding.area == "fidelity"]


def test_columns_without_values_are_told_of_by_name():
    chance = np.random.default_rng(0)
    real = {f"c{place}": chance.normal(size=500) for place in range(6)}
    nothing = np.full(400, np.nan)

    one = _of_columns(real, {name: nothing if name == "c1" else real[name][:400] for name in real})
    five = _of_columns(real, {name: real[name][:400] if name == "c0" else nothing for name in real})

    assert one == [(Level.BAD, "'c1' is without any value here, though not in the real table.")]
    assert five == [
        (Level.BAD, "'c1', 'c2', 'c3' and 2 more columns are without any value here, though not in the real table.")
    ]


def test_values_that_are_missing_far_more_often_are_told_of():
    chance = np.random.default_rng(0)
    real = {"a": chance.normal(size=500), "b": np.where(np.arange(500) < 50, np.nan, 1.5)}
    synthetic = {"a": np.where(np.arange(400) < 100, np.nan, 1.0), "b": np.where(np.arange(400) < 42, np.nan, 1.5)}

    assert _of_columns(real, synthetic) == [
        (Level.WARN, "'a' lacks 25% of its values, and 0.0% in the real table."),
    ]
    rare = {"a": np.where(np.arange(500) < 3, np.nan, real["a"])}
    assert _of_columns(rare, {"a": np.full(400, np.nan)})[0][0] is Level.BAD
    assert (
        _of_columns(rare, {"a": synthetic["a"]})[0][1]
        == "'a' lacks 25% of its values, and hardly any in the real table."
    )


def test_shares_of_missing_values_that_chance_explains_are_no_news():
    heard = 0
    for seed in range(200):
        chance = np.random.default_rng(seed)
        shares = dict(zip("abcdefgh", [0.001, 0.01, 0.05, 0.2, 0.5, 0.9, 0.99, 0.995], strict=True))
        real, synthetic = (
            {name: np.where(chance.random(rows) < share, np.nan, 1.0) for name, share in shares.items()}
            for rows in (1000, 100)
        )
        heard += bool(_of_columns(real, synthetic))

    assert heard <= 4


def _of_pairs(real: dict, synthetic: dict) -> tuple[Level, str] | None:
    """What is said of the pairs of columns of numbers."""
    tables = Cells(real), Cells(synthetic)
    groups = column_groups(len(real), 2)
    found = told_trends(Tables(*tables, None), groups, (), 5)
    rows, drawn = (cells.num_rows for cells in tables)
    pairs = pair_results(found, counted(bins_of(Tables(*tables, None), 5), groups, 5))
    said = verdict(
        UNKNOWN.model_copy(update={"pair_trends": found.total(len(pairs))}),
        (),
        pairs,
        None,
        only_copies(NONE),
        a_scope(rows, None, drawn),
    )
    return next(((one.level, one.sentence) for one in said if one.sentence.startswith("Columns that go")), None)


def test_others_are_said_to_be_like_the_real_ones_only_where_there_are_some():
    chance = np.random.default_rng(0)
    real, holdout, synthetic = (
        pa.table({"a": chance.normal(0, 1, rows), "b": chance.normal(shift, 1, rows)})
        for rows, shift in ((600, 0), (100, 0), (600, 5))
    )

    def sentences(*names: str) -> str:
        columns = [Column(name, ColumnKind.FLOAT) for name in names]
        return " ".join(finding.sentence for finding in assess(real, synthetic, holdout, columns).verdict)

    assert "'b' is unlike the real one, though others are like it." in sentences("a", "b")
    assert "though others" not in sentences("b")


def test_a_relation_that_is_lost_since_a_column_does_not_vary_counts_as_lost():
    chance = np.random.default_rng(0)
    first = chance.normal(size=500)
    real = {"a": first, "b": first + 0.1 * chance.normal(size=500), "c": first + 0.1 * chance.normal(size=500)}

    two = _of_pairs(real, real | {"c": np.zeros(500)})
    all_ = _of_pairs(real, {name: np.zeros(500) for name in real})

    assert two == (
        Level.BAD,
        "Columns that go together in the real table do so hardly in this one: 'a' and 'c' and 1 more pair not at all, "
        "since one does not vary; of the others: 1.000 of 1.",
    )
    assert all_[0] is Level.BAD
    assert _of_pairs(real, real)[0] is Level.GOOD


def test_a_rare_value_that_few_rows_lack_by_chance_is_no_relation_lost():
    heard = 0
    for seed in range(200):
        chance = np.random.default_rng(seed)
        tables = []
        for rows in (2000, 100):
            rare = chance.random(rows) < 0.01
            tables.append({"rare": rare * 1.0, "much": rare * 9 + chance.normal(size=rows) / 3})
        said = _of_pairs(*tables)
        heard += said is not None and said[0] is not Level.GOOD

    assert heard <= 4


def _of_loose_pairs(seed: int, rows: int, held_out: int, *, shuffled: bool) -> list[Finding]:
    """What is said of relations where two columns are one, and six that go together loosely may lose that."""

    def table(part: int, rows: int, *, shuffled: bool = False) -> Cells:
        chance = np.random.default_rng([seed, part])
        values = 0.6 * chance.normal(size=rows) + chance.normal(size=(6, rows))
        numbers = {
            f"x{place}": chance.permutation(column) if shuffled else column for place, column in enumerate(values)
        }
        town = chance.integers(0, 6, rows).astype(np.int32)
        return Cells(numbers | {"town": town, "land": town // 2})

    tables = Tables(table(0, rows), table(1, rows, shuffled=shuffled), table(2, held_out))
    pairs, parts = column_groups(8, 2), matched_parts(tables, 0)
    trends, accuracies = told_trends(tables, pairs, parts, 5), counted(bins_of(tables, 5, parts), pairs, 5)
    weak = weak_relations(trends, accuracies, pairs, *associated(tables, 5), 5)
    fidelity = UNKNOWN.model_copy(update={"pair_trends": trends.total(len(pairs))})
    by_pair = pair_results(trends, accuracies)
    found = verdict(fidelity, (), by_pair, None, only_copies(NONE), a_scope(rows, held_out), weak=weak)
    return [finding for finding in found if finding.area == "fidelity"]


def test_loose_relations_that_are_lost_are_told_of_beside_close_ones_that_are_kept():
    close, loose = sorted(_of_loose_pairs(0, 900, 100, shuffled=True), key=lambda finding: finding.level.severity)

    assert close.sentence.startswith("Columns that go together in the real table do so much the same in this one")
    assert loose.level is Level.WARN
    assert loose.sentence.startswith("Columns that go together loosely in the real table do so only in part; of what")


def test_loose_relations_that_are_lost_in_few_rows_are_not_said_to_be_kept():
    told = [finding.sentence for seed in range(3) for finding in _of_loose_pairs(seed, 200, 30, shuffled=True)]

    loose = [sentence for sentence in told if "loosely" in sentence]
    assert loose
    assert not [sentence for sentence in loose if "do so here too;" in sentence]


@pytest.mark.parametrize(("rows", "held_out"), [(200, 50), (900, 100)])
def test_loose_relations_that_nobody_lost_are_hardly_ever_missed(rows, held_out):
    found = [_of_loose_pairs(seed, rows, held_out, shuffled=False) for seed in range(20)]

    assert sum(any(finding.level is not Level.GOOD for finding in said) for said in found) <= 1
    assert "do so here too" in found[0][1].sentence


@pytest.mark.parametrize("share", [0.3, 0.8])
def test_what_is_not_reached_is_to_be_weighed_and_never_bad(share):
    coverage = Measure(value=share, ceiling=0.98, matched=share)

    found = verdict(
        UNKNOWN.model_copy(update={"coverage": coverage}), (), (), None, only_copies(NONE), a_scope(900, 100)
    )

    said = next(finding for finding in found if finding.area == "fidelity")
    assert said.level is Level.WARN
    assert said.advice == "Generate more rows, or ask for the rare ones by conditions."


@pytest.mark.parametrize(
    ("area", "half_width", "told"),
    [
        (0.62, 0.03, "in 62% of cases; 50% would be chance."),
        (0.48, 0.03, "in 48% of cases, no more than the 50% of chance."),
        (0.11, 0.03, "in 11% of cases, fewer than the 50% of chance: many rows lie next to one of the other table"),
    ],
)
def test_who_tells_rows_apart_less_often_than_chance_is_not_said_to_tell_them(area, half_width, told):
    auc = Measure(value=area, low=area - half_width, high=area + half_width, ceiling=0.49)

    found = verdict(
        UNKNOWN.model_copy(update={"detection_auc": auc}), (), (), None, only_copies(NONE), a_scope(900, 100)
    )

    sentence = next(finding.sentence for finding in found if "two rows" in finding.sentence)
    assert sentence.startswith(f"A classifier tells which of two rows is real {told}")
