"""What a training leaves behind beside its model's file."""

import numpy as np
import pyarrow as pa
import pytest
from torch import OutOfMemoryError

from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.jobs.failures import public_reason
from synthgen_ray.jobs.train import ESTIMATED_ROWS, KEPT_EPOCHS, curve_of, estimated, keep, learn
from synthgen_ray.synthesizers.gaussian_copula import GaussianCopula
from synthgen_ray.synthesizers.tvae import TVAE
from tests.unit.jobs.test_checkpoints import given_assignment


def test_the_losses_of_each_epoch_are_kept(tmp_path):
    assignment = given_assignment(tmp_path, "tvae", epochs=3, early_stop=False, refine=False)
    artifacts = DiskArtifacts(tmp_path)

    made = keep(learn(assignment, artifacts, lambda progress: None), assignment, artifacts)

    assert [epoch for epoch, _ in made.losses] == [1, 2, 3]
    assert all(named for _, named in made.losses)


def test_a_gpu_without_room_for_it_is_a_reason_as_a_machine_is(tmp_path, monkeypatch):
    assignment = given_assignment(tmp_path, "tvae")

    def fit(*_: object, **__: object) -> None:
        raise OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")

    monkeypatch.setattr(TVAE, "fit", fit)

    with pytest.raises(MemoryError) as failed:
        learn(assignment, DiskArtifacts(tmp_path), lambda progress: None)
    assert public_reason(failed.value).code == "out_of_memory"


@pytest.mark.parametrize("epochs", [0, 1, 300, 301, 10_000])
def test_of_many_epochs_some_are_kept_and_the_last(epochs):
    curve = curve_of({epoch: {"loss": 1.0} for epoch in range(1, epochs + 1)})

    kept = [epoch for epoch, _ in curve]
    assert kept == sorted(kept)
    assert min(epochs, KEPT_EPOCHS) // 2 <= len(kept) <= KEPT_EPOCHS
    assert kept[-1:] == [epochs][:epochs]


def test_the_estimate_is_the_same_each_time_and_looks_at_so_many_rows():
    first = np.random.default_rng(1).normal(size=2 * ESTIMATED_ROWS)
    table = pa.table({"first": first, "second": first > 0, "third": ["a", "b"] * ESTIMATED_ROWS})
    model = GaussianCopula(seed=1).fit(table)

    quality = estimated(model, table)

    assert quality == estimated(model, table)
    assert 0.97 < quality.column_shapes < 1
    assert 0.8 < quality.pair_trends <= 1
