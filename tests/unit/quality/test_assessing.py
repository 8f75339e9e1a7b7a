"""What an assessment says of tables whose faults are known."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.domain.errors import InvalidRequest, InvalidTable
from synthgen_ray.quality.assessing import assess
from synthgen_ray.quality.assessment import Assessment, Level
from synthgen_ray.quality.estimating import estimate
from synthgen_ray.quality.page import render
from tests.unit.quality.page.assessments import an_about
from tests.unit.quality.page.reading import Page
from tests.unit.quality.tables import KINDS, as_table, given_columns, given_frame, given_table

ROWS = 300
COLUMNS = given_columns()


@pytest.fixture(scope="module")
def real() -> pa.Table:
    return given_table(0, ROWS)


@pytest.fixture(scope="module")
def holdout() -> pa.Table:
    return given_table(1, ROWS)


@pytest.fixture(scope="module")
def of_a_twin(real, holdout) -> Assessment:
    """Other rows of the same source in the place of synthetic ones."""
    return assess(real, given_table(2, ROWS), holdout, COLUMNS)


def _levels(assessment: Assessment, area: str) -> set[Level]:
    return {finding.level for finding in assessment.verdict if finding.area == area}


def test_other_real_rows_are_all_good(of_a_twin):
    assert {finding.level for finding in of_a_twin.verdict} == {Level.GOOD}, of_a_twin.verdict
    fidelity, privacy = of_a_twin.fidelity, of_a_twin.privacy
    assert fidelity.column_shapes.value == pytest.approx(fidelity.column_shapes.ceiling, abs=0.05)
    assert fidelity.detection_auc.low < 0.5 < fidelity.detection_auc.high
    assert privacy.distance_share.low < 0.5 < privacy.distance_share.high
    assert privacy.copies.value == 0


def test_a_copy_of_the_training_table_leaks(real, holdout):
    copy = assess(real, real.take(np.random.default_rng(0).permutation(ROWS)), holdout, COLUMNS)

    assert _levels(copy, "fidelity") == {Level.GOOD}
    assert copy.verdict[0].sentence == "It leaks: 100% of the synthetic rows are copies of rows of the training table."
    assert _levels(copy, "privacy") == {Level.BAD}
    assert copy.privacy.distance_share.value == 1.0
    assert copy.privacy.distance_ratio.value == 0.0
    assert all(attack.risk.low > 0.5 for attack in copy.privacy.singling_out)


def test_shuffled_columns_keep_their_shapes_and_lose_their_relations(real, holdout):
    chance = np.random.default_rng(0)
    shuffled = pa.table({name: real[name].take(chance.permutation(ROWS)) for name in real.column_names})

    found = assess(real, shuffled, holdout, COLUMNS, target="land")

    assert found.fidelity.column_shapes.value == 1.0
    assert found.fidelity.pair_trends.value < 0.75
    sentences = {finding.sentence.split(":")[0]: finding.level for finding in found.verdict}
    assert sentences["The columns by themselves are much like the real ones"] is Level.GOOD
    assert sentences["Columns that go together in the real table do so hardly in this one"] is Level.BAD
    assert found.utility.target == "land"
    assert _levels(found, "utility") == {Level.BAD}


def test_the_same_seed_gives_the_same_and_progress_is_told(real, holdout, of_a_twin):
    heard: list[float] = []

    again = assess(real, given_table(2, ROWS), holdout, COLUMNS, on_progress=heard.append)

    assert again == of_a_twin
    assert heard == sorted(heard)
    assert heard[-1] == 1.0


def test_its_json_is_read_back_and_every_measure_is_defined(of_a_twin):
    assert Assessment.model_validate_json(of_a_twin.model_dump_json()) == of_a_twin
    assert set(of_a_twin.definitions) >= set(type(of_a_twin.fidelity).model_fields)


def test_the_estimate_is_what_the_assessment_says(real, of_a_twin):
    quick = estimate(real, given_table(2, ROWS), COLUMNS)

    told = 2 * of_a_twin.scope.k / ROWS / 2  # half a step of a pair
    assert quick.column_shapes == pytest.approx(of_a_twin.fidelity.column_shapes.value, abs=told / 2)
    assert quick.pair_trends == pytest.approx(of_a_twin.fidelity.pair_trends.value, abs=told)


def test_without_a_holdout_it_says_what_cannot_be_known(real):
    found = assess(real, given_table(2, ROWS), None, COLUMNS)

    assert found.privacy.distance_share is None
    for measure in (found.fidelity.column_shapes, found.fidelity.pair_trends, found.fidelity.coverage):
        assert measure.ceiling is None
        assert measure.matched == pytest.approx(measure.halves, abs=0.05)
    trends = found.fidelity.pair_trends
    told = f"{trends.value:.3f} of 1; beside one half of the real rows as many synthetic ones get {trends.matched:.3f}"
    assert f"{told}, the other half {trends.halves:.3f}." in " ".join(finding.sentence for finding in found.verdict)
    assert found.utility.tested_on == "half of the real rows, which the generator has seen"
    assert [finding.sentence for finding in found.verdict if finding.level is Level.WARN] == [
        "There is no hold-out, so that nobody can tell whether the model remembers rows."
    ]


def test_trends_and_accuracies_are_of_all_rows_and_beside_as_many_as_were_held_out(real, holdout):
    few, all_ = (assess(real, given_table(2, ROWS), holdout, COLUMNS, max_rows=most) for most in (200, ROWS))

    for name in ("accuracy_1way", "accuracy_2way", "accuracy_3way"):
        measure = getattr(few.fidelity, name)
        assert measure == getattr(all_.fidelity, name)
        assert measure.matched == measure.value
        assert (measure.low, measure.high) == (None, None)
    assert few.fidelity.pair_trends == all_.fidelity.pair_trends
    assert few.fidelity.pair_trends.matched == few.fidelity.pair_trends.value
    assert few.pairs == all_.pairs


def test_a_total_is_the_mean_of_what_is_told(of_a_twin):
    shapes, pairs = [column.shape.value for column in of_a_twin.columns], of_a_twin.pairs

    assert of_a_twin.fidelity.column_shapes.value == pytest.approx(np.mean(shapes))
    assert of_a_twin.fidelity.accuracy_2way.value == pytest.approx(np.mean([pair.accuracy.value for pair in pairs]))
    assert of_a_twin.fidelity.accuracy_1way.value == pytest.approx(
        np.mean([column.accuracy.value for column in of_a_twin.columns])
    )


def test_nothing_of_fewer_than_k_rows_is_in_it(holdout):
    frame = given_frame(0, ROWS)
    frame.loc[:3, "city"] = "Atlantis"
    frame.loc[:3, "size"] = [987654.25, 987655.25, -987656.25, -987657.25]
    frame.loc[:3, "when"] = pd.Timestamp("1815-06-18T11:35:00")
    frame["flag"] = frame["flag"].astype(object)
    frame.loc[:2, "flag"] = None
    real = as_table(frame)

    text = assess(real, real, holdout, COLUMNS, max_rows=200).model_dump_json()

    for secret in ("Atlantis", "98765", "1815"):
        assert secret not in text


def test_ids_and_texts_are_left_out_but_for_their_copies_and_gaps(real, holdout):
    columns = [*COLUMNS, Column("key", ColumnKind.ID, unique=True), Column("name", ColumnKind.TEXT, pii="name")]

    def named(table: pa.Table, prefix: str) -> pa.Table:
        names = pa.array([f"{prefix} {n}" if n % 10 else None for n in range(table.num_rows)])
        return table.append_column("key", pa.array(range(table.num_rows))).append_column("name", names)

    found = assess(named(real, "Ann"), named(given_table(2, ROWS), "Ann"), named(holdout, "Bob"), columns)

    assert [left.column for left in found.scope.left_out] == ["key", "name"]
    assert found.scope.columns == tuple(KINDS)
    assert found.fidelity.key_uniqueness.value == 1.0
    copies = {values.column: values.copies for values in found.privacy.copied_values}
    assert (copies["name"].value, copies["name"].ceiling) == (1.0, 0.0)
    together = {pair.columns: pair.real for pair in found.missing_together}
    assert together["name", "name"] == 0.1
    assert ("size", "name") in together
    assert found.verdict[0].sentence == "100% of the values of 'name' are in the training table too."
    assert "Ann 1" not in found.model_dump_json()


def test_a_table_of_nothing_but_ids_has_no_scores():
    table = pa.table({"key": [f"K-{place}" for place in range(60)]})

    found = assess(table, table, table, [Column("key", ColumnKind.ID, unique=True)])

    assert (found.columns, found.pairs, found.utility) == ((), (), None)
    assert found.fidelity.column_shapes.value is None
    assert estimate(table, table, [Column("key", ColumnKind.ID)]).column_shapes is None


def test_short_tables_constants_and_empty_columns_are_no_obstacle():
    frame = given_frame(0, 12).assign(same="x", empty=np.nan, one=1.0)
    extra = {"same": ColumnKind.CONSTANT, "empty": ColumnKind.FLOAT, "one": ColumnKind.FLOAT}

    found = assess(as_table(frame), as_table(frame[:7]), as_table(frame[:1]), [*COLUMNS, *given_columns(extra)])

    assert assess(as_table(frame), as_table(frame[:7]), None, COLUMNS, max_rows=10).pairs[0].trend.low is None
    assert found.utility is None
    shapes = {column.name: column.shape.value for column in found.columns}
    assert (shapes["same"], shapes["empty"], shapes["one"]) == (1.0, None, 1.0)


def test_columns_of_other_types_are_compared_as_text(real, holdout):
    place = real.column_names.index("when")
    written = real.set_column(place, "when", real["when"].cast(pa.string()))

    found = assess(real, written, holdout, COLUMNS)

    assert next(column for column in found.columns if column.name == "when").shape.value == 1.0


def test_of_a_wide_table_some_pairs_are_looked_at():
    chance = np.random.default_rng(0)
    wide = pa.table({f"c{place}": chance.integers(0, 3, 60) for place in range(150)})
    columns = given_columns(dict.fromkeys(wide.column_names, ColumnKind.INTEGER))

    found = assess(wide, wide, wide, columns)

    assert 4_000 < len(found.pairs) <= 5_000
    assert (len(found.associations.columns), len(found.privacy.inference)) == (100, 100)
    assert (found.scope.pairs.looked_at, found.scope.pairs.among) == (len(found.pairs), 11_175)
    assert found.fidelity.accuracy_3way.value == 1.0


def test_of_triples_that_were_drawn_the_error_is_told_and_how_many_there_are():
    def wide(seed: int) -> pa.Table:
        values = np.random.default_rng(seed).integers(0, 9, (22, 300))
        return pa.table({f"c{place}": column for place, column in enumerate(values)})

    found = assess(wide(0), wide(1), None, given_columns(dict.fromkeys(wide(0).column_names, ColumnKind.INTEGER)))

    triples, pairs = found.fidelity.accuracy_3way, found.fidelity.accuracy_2way
    assert triples.value - 0.01 < triples.low < triples.value < triples.high < triples.value + 0.01
    assert (pairs.low, found.scope.pairs.looked_at, found.scope.pairs.among) == (None, 231, 231)
    told = f"Of the 1,540 triples of columns {found.scope.triples.looked_at:,} were looked at"
    assert told in Page(render(found, an_about())).text


def test_columns_that_hardly_relate_are_not_all_good_when_they_are_shuffled():
    def weak(part: int, rows: int, *, shuffled: bool = False) -> pa.Table:
        chance = np.random.default_rng(part)
        values = (0.5 * chance.normal(size=rows) + chance.normal(size=(6, rows))).round(2)
        return pa.table(
            {f"x{i}": chance.permutation(column) if shuffled else column for i, column in enumerate(values)}
        )

    columns = given_columns({f"x{place}": ColumnKind.FLOAT for place in range(6)})
    twin, shuffled = (
        assess(weak(0, 1800), weak(1, 1800, shuffled=is_shuffled), weak(2, 200), columns)
        for is_shuffled in (False, True)
    )

    assert not any(pair.related for pair in shuffled.pairs)
    assert _levels(twin, "fidelity") == {Level.GOOD}
    said = next(finding for finding in shuffled.verdict if finding.sentence.startswith("No two columns go together"))
    assert said.level is Level.WARN
    accuracy = shuffled.fidelity.accuracy_2way
    assert f"as many rows as were held out get {accuracy.matched:.3f}, other real rows" in said.sentence
    assert f"cut to 200 rows: {accuracy.matched:.3f}" in Page(render(shuffled, an_about())).text


def test_tables_that_cannot_be_compared_are_refused(real):
    with pytest.raises(InvalidTable, match="lacks the column 'size'"):
        assess(real, real.drop_columns("size"), None, COLUMNS)
    with pytest.raises(InvalidTable, match="without rows"):
        estimate(real, real.slice(0, 0), COLUMNS)
    with pytest.raises(InvalidRequest, match="'nobody'"):
        assess(real, real, None, COLUMNS, target="nobody")


def test_the_estimate_waits_for_no_heavy_import():
    heavy = "{'sklearn', 'scipy', 'torch', 'sdmetrics'}"
    command = f"import sys, synthgen_ray.quality; assert not {heavy} & set(sys.modules)"

    subprocess.run([sys.executable, "-c", command], check=True)
