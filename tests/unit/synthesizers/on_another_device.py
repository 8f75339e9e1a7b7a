"""Networks learn and draw on the device that they are sent to, all of it, and there is no difference in the rows.

`test_devices` runs these tests in a process of their own, since the device stays in the one that has made it:
`pytest tests/unit/synthesizers/on_another_device.py`.
"""

import pytest
import torch

from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers import neural
from synthgen_ray.synthesizers.base import create, load
from synthgen_ray.synthesizers.training import pace
from tests.unit.synthesizers.another_device import CAN_BE_MADE, Elsewhere, another_device
from tests.unit.synthesizers.conftest import SMALL, given_table
from tests.unit.synthesizers.test_pace import Earlier

pytestmark = pytest.mark.skipif(not CAN_BE_MADE, reason="this PyTorch takes no device that is written in Python")
NETWORKS = [ModelType.CTGAN, ModelType.TVAE]  # CopulaGAN's is CTGAN's


@pytest.fixture(scope="module")
def elsewhere() -> torch.device:
    return another_device()


def trained(model_type, device, checkpoints=None, **options):
    table, columns = given_table()
    # What refines rows does not go along.
    model = create(model_type, {**SMALL[model_type], "seed": 7, "refine": False, **options}).to(device)
    return model.fit(table, columns=columns, checkpoints=checkpoints)


def devices(model):
    return {tensor.device.type for tensor in model.network.state_dict().values()}


@pytest.mark.parametrize(
    "mix",
    [
        lambda there, here: there + here,
        lambda there, here: here.mul_(there),
        lambda there, here: torch.cat([there, here]),
        lambda there, here: there[here.long()],
        lambda there, here: torch.nn.Linear(4, 2).to(there.device)(here),
        lambda there, here: there.numpy(),
    ],
)
def test_tensors_of_two_devices_do_not_mix(elsewhere, mix):
    with pytest.raises((RuntimeError, TypeError)):
        mix(torch.ones(4, 4).to(elsewhere), torch.ones(4, 4))


@pytest.mark.parametrize("model_type", NETWORKS)
def test_a_network_learns_elsewhere_what_it_learns_here(elsewhere, monkeypatch, model_type):
    monkeypatch.setattr(neural, "BATCHES_BETWEEN_LOOKS", 5)
    there, here = (trained(model_type, device) for device in (elsewhere, "cpu"))

    assert (devices(there), devices(here)) == ({"elsewhere"}, {"cpu"})
    conditions = {"city": "Rome", "age": {"min": 30}}
    assert there.sample(300, seed=1, conditions=conditions).equals(here.sample(300, seed=1, conditions=conditions))


def test_a_model_drawn_as_the_ctgan_package_does_it(elsewhere):
    there, here = (trained(ModelType.CTGAN, device, sampling="ctgan") for device in (elsewhere, "cpu"))

    assert there.sample(300, seed=1).equals(here.sample(300, seed=1))


@pytest.mark.parametrize("model_type", NETWORKS)
def test_an_epoch_brings_nothing_back_but_its_losses(elsewhere, monkeypatch, model_type):
    monkeypatch.setattr(pace, "SECONDS_BETWEEN_REPORTS", 3600)

    def brought_back(epochs):
        before = Elsewhere.brought_back
        trained(model_type, elsewhere, epochs=epochs, calibrate=False, early_stop=False)
        return Elsewhere.brought_back - before

    losses = 2
    assert brought_back(4) - brought_back(2) == 2 * losses


@pytest.mark.parametrize("model_type", NETWORKS)
def test_products_of_16_bits(elsewhere, model_type):
    model = trained(model_type, elsewhere, precision="bf16")

    assert devices(model) == {"elsewhere"}
    assert model.sample(300, seed=1).num_rows == 300


@pytest.mark.parametrize("model_type", NETWORKS)
def test_a_model_goes_from_device_to_device_by_its_file(elsewhere, tmp_path, model_type):
    there = trained(model_type, elsewhere)
    there.save(tmp_path / "model.synthgen")

    rows = [load(tmp_path / "model.synthgen").to(device).sample(300, seed=1) for device in (elsewhere, "cpu")]

    assert rows[0].equals(rows[1])
    assert rows[0].equals(there.sample(300, seed=1))


@pytest.mark.parametrize("model_type", NETWORKS)
def test_a_training_goes_on_elsewhere_from_its_checkpoint(elsewhere, model_type):
    first = Earlier()
    whole = trained(model_type, elsewhere, first, epochs=2)
    step = len(first.kept) // 2

    resumed = trained(model_type, elsewhere, Earlier(latest=first.kept[step]), epochs=2)

    assert resumed.sample(300, seed=1).equals(whole.sample(300, seed=1))
