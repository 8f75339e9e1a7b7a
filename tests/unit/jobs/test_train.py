"""What a training leaves behind beside its model's file."""

import numpy as np
import pyarrow as pa
import pytest

from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.domain.entities import LossCurve
from synthgen_ray.jobs.train import ESTIMATED_ROWS, KEPT_EPOCHS, estimated, keep, learn
from synthgen_ray.synthesizers.gaussian_copula import GaussianCopula
from tests.unit.jobs.test_checkpoints import given_assignment


@pytest.fixture
def losses_of(tmp_path):
    def train(**options) -> LossCurve:
        assignment, artifacts = given_assignment(tmp_path, "tvae", early_stop=False, **options), DiskArtifacts(tmp_path)
        return keep(learn(assignment, artifacts, lambda progress: None), assignment, artifacts).losses

    return train


def test_the_losses_of_each_epoch(losses_of):
    losses = losses_of(epochs=5)

    assert [epoch for epoch, _ in losses] == [1, 2, 3, 4, 5]
    assert all(named for _, named in losses)


def test_of_many_epochs_some_and_the_last(losses_of):
    losses = losses_of(epochs=KEPT_EPOCHS + 10, refine=False)

    assert len(losses) <= KEPT_EPOCHS
    assert losses[-1][0] == KEPT_EPOCHS + 10


def test_the_estimate_is_the_same_each_time_and_looks_at_so_many_rows():
    first = np.random.default_rng(1).normal(size=2 * ESTIMATED_ROWS)
    table = pa.table({"first": first, "second": first > 0, "third": ["a", "b"] * ESTIMATED_ROWS})
    model = GaussianCopula(seed=1).fit(table)

    quality = estimated(model, table)

    assert quality == estimated(model, table)
    assert 0.97 < quality.column_shapes < 1
    assert 0.8 < quality.pair_trends <= 1
