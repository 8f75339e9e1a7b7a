"""Networks in whole numbers say what they say in floats, and the same bits however they are computed."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers.base import load
from synthgen_ray.synthesizers.networks.quantized import LATENT_STEP, Layer, QuantizedNetwork, latent_steps
from synthgen_ray.synthesizers.numerics import whole_products
from synthgen_ray.synthesizers.numerics.whole_products import EXACT, MOST, has_units, product
from tests.unit.synthesizers import golden
from tests.unit.synthesizers.conftest import given_model

NETWORKS = [ModelType.CTGAN, ModelType.COPULAGAN, ModelType.TVAE]
with_units = pytest.mark.skipif(not has_units(), reason="no units for whole numbers of 8 bits")


def given_layers(*widths: int, conditions: int = 1, sees_all: bool = True, seed: int = 0) -> list[Layer]:
    """Random layers over a latent of the first width."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    layers = []
    for place, width in enumerate(widths[1:], start=1):
        inputs = sum(widths[:place]) if sees_all else widths[place - 1]
        layers.append(Layer(normal(width, inputs) / inputs**0.5, normal(conditions, width)))
    return layers


def in_floats(layers: Sequence[Layer], latent_BE: Tensor, places_B: Tensor) -> Tensor:
    """What the layers say without being quantized, (B, D)."""
    said_BI = latent_BE.double() * LATENT_STEP
    for layer in layers[:-1]:
        hidden_BH = said_BI[:, -layer.weight_HI.shape[1] :] @ layer.weight_HI.T + layer.offset_CH[places_B]
        said_BI = torch.cat([said_BI, hidden_BH.relu()], dim=1)
    last = layers[-1]
    return said_BI[:, -last.weight_HI.shape[1] :] @ last.weight_HI.T + last.offset_CH[places_B]


def off(network: QuantizedNetwork, layers: Sequence[Layer], places_B: Tensor) -> Tensor:
    """How far logits are from those in floats, as part of how they vary, root mean square of each."""
    latent_BE = network.latent(len(places_B), np.random.default_rng(2))
    expected_BD = in_floats(layers, latent_BE, places_B)
    places = places_B if len(layers[0].offset_CH) > 1 else None
    off_BD = network.logits(latent_BE, places).T.double() - expected_BD
    return off_BD.square().mean(0).sqrt() / expected_BD.std(0)


@pytest.mark.parametrize("in_units", [pytest.param(True, marks=with_units), False])
@pytest.mark.parametrize("sees_all", [True, False])
@pytest.mark.parametrize("conditions", [1, 30])
def test_it_says_what_the_network_says_in_floats(monkeypatch, in_units, sees_all, conditions):
    monkeypatch.setattr(whole_products, "has_units", lambda: in_units)
    layers = given_layers(128, 96, 64, 40, conditions=conditions, sees_all=sees_all)
    places_B = torch.arange(5000) % conditions

    off_D = off(QuantizedNetwork.of(layers, 128), layers, places_B)

    assert 1e-4 < off_D.max() < 0.05


@with_units
@pytest.mark.parametrize("widths", [(16, 32, 20), (128, 256, 256, 170), (EXACT + 500, 300, 2 * EXACT, 30)])
@pytest.mark.parametrize("conditions", [1, 7])
def test_units_and_floats_say_the_same_bits_on_any_number_of_threads(monkeypatch, widths, conditions):
    layers = given_layers(*widths, conditions=conditions)
    units = QuantizedNetwork.of(layers, widths[0])
    monkeypatch.setattr(whole_products, "has_units", lambda: False)
    floats = QuantizedNetwork.of(layers, widths[0])
    latent_BE = units.latent(300, np.random.default_rng(3))
    places_B = torch.arange(300) % conditions if conditions > 1 else None

    expected = units.logits(latent_BE, places_B)
    for threads in (2, 1):
        torch.set_num_threads(threads)
        assert torch.equal(units.logits(latent_BE, places_B), expected)
        assert torch.equal(floats.logits(latent_BE, places_B), expected)
    for row in (0, 299):  # alone as among others
        place = None if places_B is None else places_B[row : row + 1]
        assert torch.equal(units.logits(latent_BE[row : row + 1], place)[:, 0], expected[:, row])


def test_sums_in_floats_are_exact_however_many_inputs_there_are():
    seen, weights = torch.full((2, 3 * EXACT + 1), float(MOST)), torch.full((3 * EXACT + 1, 2), float(MOST))
    seen[1, -1] = 1

    assert product(seen, weights)[:, 0].tolist() == [
        (3 * EXACT + 1) * MOST**2,
        3 * EXACT * MOST**2 + MOST,
    ]


def test_a_rare_condition_is_as_exact_as_a_frequent_one():
    layers = given_layers(64, 48, 30, conditions=3000)
    layers[0].offset_CH[2990:] *= 20  # far beyond what the others make units say
    network = QuantizedNetwork.of(layers, 64)

    assert off(network, layers, torch.arange(2990, 3000).repeat(500)).max() < 0.1


def test_units_that_never_speak_cost_the_others_nothing():
    layers = given_layers(64, 48, 30)
    layers[0].weight_HI[::2] *= 1e-3
    layers[0].offset_CH[0, ::2] = -1.0

    assert off(QuantizedNetwork.of(layers, 64), layers, torch.zeros(3000, dtype=torch.long)).max() < 0.05


@pytest.mark.parametrize("scale", [0.0, 1e-30, 1e12])
def test_what_hardly_varies_keeps_its_offset(scale):
    layers = given_layers(16, 8, 5)
    layers[-1].weight_HI[0] = 0  # says the same to all
    layers[-1].offset_CH[0] *= scale
    network = QuantizedNetwork.of(layers, 16)

    logits_DB = network.logits(network.latent(50, np.random.default_rng(0)))

    assert logits_DB.isfinite().all()
    assert logits_DB[0].numpy() == pytest.approx(float(layers[-1].offset_CH[0, 0]), rel=1e-6, abs=1e-37)


def test_a_latent_is_standard_normal():
    steps = latent_steps(1000, 500, np.random.default_rng(1))
    latent = steps * LATENT_STEP

    assert steps.dtype == np.int8
    assert latent.mean() == pytest.approx(0, abs=0.005)
    assert latent.var() == pytest.approx(1, abs=0.01)
    assert (latent**4).mean() == pytest.approx(3, abs=0.06)
    assert np.mean(np.abs(latent) > 1.96) == pytest.approx(0.05, abs=0.005)


@pytest.mark.parametrize("model_type", NETWORKS)
def test_rows_are_drawn_so_unless_it_is_declined(model_type):
    quantized_, not_ = (given_model(model_type, quantize=quantize, refine=False) for quantize in (True, False))

    assert isinstance(quantized_.folded, QuantizedNetwork)
    assert not isinstance(not_.folded, QuantizedNetwork)
    assert not quantized_.sample(50, seed=1).equals(not_.sample(50, seed=1))


@with_units
@pytest.mark.parametrize(
    ("model_type", "options"),
    [(ModelType.CTGAN, {}), (ModelType.CTGAN, {"embed_above": 2}), (ModelType.COPULAGAN, {}), (ModelType.TVAE, {})],
)
def test_a_model_draws_the_same_rows_without_units(monkeypatch, tmp_path, model_type, options):
    model = given_model(model_type, **options)
    model.save(tmp_path / "model")
    monkeypatch.setattr(whole_products, "has_units", lambda: False)
    asked = {"city": "Rome"}

    without = load(tmp_path / "model")

    assert without.sample(700, seed=5).equals(model.sample(700, seed=5))
    assert without.sample(70, seed=5, conditions=asked).equals(model.sample(70, seed=5, conditions=asked))


@pytest.mark.parametrize("model_type", NETWORKS)
def test_a_file_of_before_draws_as_it_was_calibrated(model_type):
    assert load(golden.file_of(model_type)).params.quantize is False


@pytest.mark.parametrize(
    ("capabilities", "has"), [({"avx512_vnni": True}, True), ({"avx512_vnni": False}, False), ({}, False)]
)
def test_units_are_used_where_the_processor_has_them(monkeypatch, capabilities, has):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    monkeypatch.setattr(torch._C, "_has_mkldnn", True)

    assert has_units() is has


def test_an_older_pytorch_multiplies_floats(monkeypatch):
    monkeypatch.delattr(torch, "_int_mm")

    assert not has_units()
