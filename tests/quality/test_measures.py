"""What the measures say of real tables whose scores are known."""

import numpy as np
import pyarrow as pa
import pytest

from synthgen_ray.datasets.inference import infer_columns
from synthgen_ray.quality.assessment import Level
from synthgen_ray.quality.cells import read_cells
from synthgen_ray.quality.estimating import estimate
from tests.bench.scores import auc_of_cells
from tests.quality.published import FOLDER, TABLES, TARGET, assessed, read

pytestmark = pytest.mark.usefixtures("real_tables")

# SDV 1.1's four, as published with the rows (Platzer and Reutterer 2023; AUC by LightGBM): shapes, AUC.
PUBLISHED = {
    "ctgan": (0.876, 0.883),
    "copulagan": (0.902, 0.887),
    "gaussian_copula": (0.792, 0.755),
    "tvae": (0.927, 0.888),
}


@pytest.fixture(scope="module")
def halves(real_tables) -> tuple[pa.Table, pa.Table]:
    real, holdout = (read(path) for path in TABLES["fidelity2023_adult"])
    return real, holdout


@pytest.mark.parametrize("model", PUBLISHED)
def test_the_rows_of_sdv_get_the_scores_that_were_published(halves, model):
    real, holdout = halves
    synthetic = read(FOLDER / f"adult_{model}.csv.gz")
    shapes, auc = PUBLISHED[model]

    assert estimate(real, synthetic, infer_columns(real)).column_shapes == pytest.approx(shapes, abs=0.002)
    cells, _ = read_cells((synthetic, holdout), infer_columns(real))
    assert auc_of_cells(*cells, TARGET) == pytest.approx(auc, abs=0.02)


def test_real_rows_teach_what_was_published(halves):
    cells, _ = read_cells(halves, infer_columns(halves[0]))

    assert auc_of_cells(*cells, TARGET) == pytest.approx(0.924, abs=0.005)


def test_a_holdout_in_the_place_of_synthetic_rows_is_all_good(halves):
    real, holdout = halves
    half = holdout.num_rows // 2

    found = assessed(real, holdout.slice(0, half), holdout.slice(half))

    assert {finding.level for finding in found.verdict} == {Level.GOOD}
    assert found.fidelity.column_shapes.value >= 0.98
    assert found.fidelity.pair_trends.value >= 0.98
    assert found.fidelity.detection_auc.value < 0.55
    assert 0.48 <= found.privacy.distance_share.value <= 0.52


def test_a_copy_of_the_training_table_is_a_leak(halves):
    real, holdout = halves

    found = assessed(real, real, holdout)

    assert found.verdict[0].level is Level.BAD
    assert found.verdict[0].sentence.startswith("It leaks: 100% of the synthetic rows are copies")


def test_shuffled_columns_get_high_shapes_and_low_trends(halves):
    real, holdout = halves
    chance = np.random.default_rng(0)
    shuffled = pa.table({name: real[name].take(chance.permutation(real.num_rows)) for name in real.column_names})

    found = assessed(real, shuffled, holdout)

    assert found.fidelity.column_shapes.value == 1.0
    assert found.fidelity.pair_trends.value < 0.8
    assert any(finding.level is Level.BAD and "go together" in finding.sentence for finding in found.verdict)
