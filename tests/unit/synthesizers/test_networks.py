"""The mathematics of the networks, in closed form."""

import numpy as np
import pyarrow as pa
import pytest
import torch
from threadpoolctl import threadpool_limits
from torch import nn

from synthgen_ray.domain.params import CTGANParams, ModelType
from synthgen_ray.synthesizers.base import load
from synthgen_ray.synthesizers.layout import Layout
from synthgen_ray.synthesizers.networks.generator import condition_loss
from synthgen_ray.synthesizers.neural import is_narrow
from synthgen_ray.synthesizers.sampling.categorical import draw_codes, weights_of
from synthgen_ray.synthesizers.training.draws import Draws, start_weights
from synthgen_ray.synthesizers.training.parallel import Share
from synthgen_ray.synthesizers.training.training_by_sampling import ConditionSampler, cumulated_chances, draw_places
from tests.unit.synthesizers.conftest import given_model

RNG = np.random.default_rng(0)


class Wide:
    """Stands for a column with so many codes."""

    def __init__(self, width: int, has_scalar: bool = False) -> None:
        self.width, self.has_scalar = width, has_scalar


LAYOUT = Layout([Wide(2, has_scalar=True), Wide(3), Wide(4)])


def test_rows_are_one_hot_with_their_scalar():
    rows = LAYOUT.rows(torch.tensor([[1, 2, 0]]), torch.tensor([[0.5]]))

    assert rows.tolist() == [[0.5, 0, 1, 0, 0, 1, 1, 0, 0, 0]]


def test_conditions_light_the_place_of_any_discrete_column():
    conditions = LAYOUT.conditions(torch.tensor([2, 6]))

    assert conditions.tolist() == [[0, 0, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 1]]


def test_condition_loss_is_the_cross_entropy_of_the_column_spoken_of():
    logits = torch.randn(2, 10)

    loss = condition_loss(logits, torch.tensor([2, 3]), LAYOUT)

    expected = -(torch.log_softmax(logits[0, 3:6], 0)[2] + torch.log_softmax(logits[1, 6:10], 0)[0]) / 2
    assert loss.item() == pytest.approx(expected.item())


def test_activation_is_tanh_and_softmax_by_column():
    logits = torch.randn(5, 10)

    rows = LAYOUT.activate(logits, torch.zeros(5, 10))

    assert torch.equal(rows[:, 0], torch.tanh(logits[:, 0]))
    for span in LAYOUT.spans:
        assert torch.allclose(rows[:, span], torch.softmax(logits[:, span] / 0.2, 1))


def test_gradient_of_the_activation_is_that_of_automatic_differentiation():
    logits, gumbel, gradient = torch.randn(3, 5, 10, dtype=torch.float64)
    logits.requires_grad_()
    rows = LAYOUT.activate(logits, gumbel)
    (expected,) = torch.autograd.grad(rows, logits, gradient)

    assert torch.allclose(LAYOUT.activation_gradient(rows.detach(), gradient), expected, rtol=1e-12, atol=1e-12)


def test_codes_are_drawn_by_their_weights():
    weights = np.tile(np.array([[0.4], [0.0], [1.0], [0.6]], dtype=np.float32), (1, 50_000))

    counts = np.bincount(draw_codes(weights, RNG.random(50_000, dtype=np.float32)), minlength=4) / 50_000

    assert counts[1] == 0
    assert counts == pytest.approx([0.2, 0, 0.5, 0.3], abs=0.01)


def test_a_code_without_weight_is_never_drawn_not_even_the_last():
    weights = np.tile(np.array([[0.0], [1e-30], [0.0]], dtype=np.float32), (1, 3))

    assert draw_codes(weights, np.array([0.0, 0.5, 1.0], dtype=np.float32)).tolist() == [1, 1, 1]


@pytest.mark.parametrize("width", [200, 300])
def test_codes_of_wide_columns_are_counted_without_overflow(width):
    weights = np.zeros((width, 1), dtype=np.float32)
    weights[-1] = 1

    assert draw_codes(weights, np.array([0.5], dtype=np.float32)).tolist() == [width - 1]


@pytest.mark.parametrize("model_type", [ModelType.CTGAN, ModelType.TVAE])
@pytest.mark.parametrize(("calibrate", "precision"), [(True, "fp32"), (False, "fp32"), (True, "bf16")])
def test_a_folded_network_is_the_one_that_was_trained_and_calibrated(model_type, calibrate, precision):
    model = given_model(model_type, calibrate=calibrate, precision=precision, quantize=False, refine=False)
    latent_BE = torch.randn(50, model.params.embedding_dim)
    places_B = torch.randint(model.layout.condition_width, (50,))

    if model_type is ModelType.TVAE:
        logits_BD, folded_DB = model.network(latent_BE)[0], model.folded.logits(latent_BE.T)
    else:
        logits_BD = model.network(torch.cat([latent_BE, model.layout.conditions(places_B)], dim=1))
        folded_DB = model.folded.logits(latent_BE.T, places_B)

    added_BD = torch.zeros_like(logits_BD)
    for span, codec in zip(model.layout.spans, model.codec.learnt, strict=True):
        added_BD[:, span] = torch.tensor(codec.offsets or 0.0)
    assert added_BD.any() == calibrate
    assert folded_DB.dtype == torch.float32
    if precision == "bf16":  # whose unit roundoff is 2^-9
        apart = (folded_DB.T - logits_BD - added_BD).abs().max() / logits_BD.abs().max()
        assert 2**-12 < apart < 2**-6
    else:
        assert torch.allclose(folded_DB.T, logits_BD + added_BD, rtol=1e-4, atol=1e-5)


def test_weights_do_not_overflow():
    assert weights_of(np.array([[1e4], [0.0]])).tolist() == [[1.0], [0.0]]


class TestTrainingBySampling:
    CODES = np.column_stack([RNG.choice(3, 6000, p=[0.9, 0.09, 0.01]), RNG.choice(4, 6000)])

    def test_a_row_has_the_category_of_its_condition(self):
        sampler = ConditionSampler(self.CODES, LAYOUT, log_frequency=True)
        columns, places = sampler.draw(5000, RNG)

        rows = sampler.rows_with(places, RNG)

        assert np.array_equal(self.CODES[rows, columns], places - LAYOUT.condition_starts[columns])

    def test_columns_come_evenly_and_categories_by_the_log_of_their_frequency(self):
        sampler = ConditionSampler(self.CODES, LAYOUT, log_frequency=True)

        columns, places = sampler.draw(100_000, RNG)

        weights = np.log1p(np.bincount(self.CODES[:, 0]))
        assert columns.mean() == pytest.approx(0.5, abs=0.01)
        assert np.bincount(places[columns == 0]) / (columns == 0).sum() == pytest.approx(
            weights / weights.sum(), abs=0.01
        )

    def test_every_row_of_a_category_is_as_likely(self):
        sampler = ConditionSampler(self.CODES, LAYOUT, log_frequency=True)

        rows = sampler.rows_with(np.full(50_000, 2), RNG)

        assert set(rows) == set(np.flatnonzero(self.CODES[:, 0] == 2))
        assert np.bincount(rows).max() < 2 * 50_000 / (self.CODES[:, 0] == 2).sum()

    def test_true_frequencies_are_kept(self):
        shares = np.array([0.7, 0.3, 0.1, 0.9])

        columns, places = draw_places(cumulated_chances(shares, np.array([0, 2, 4])), np.array([0, 2, 4]), 50_000, RNG)

        assert np.bincount(places) / 25_000 == pytest.approx(shares, abs=0.02)
        assert set(places[columns == 1]) == {2, 3}


class TestDraws:
    def test_workers_share_what_one_would_have_drawn(self):
        whole = Draws(1, 2, Share(20, 0, 20), torch.device("cpu"))
        parts = [Draws(1, 2, Share(20, start, start + 10), torch.device("cpu")) for start in (0, 10)]

        assert torch.equal(whole.normal(3), torch.cat([part.normal(3) for part in parts]))
        assert torch.equal(whole.uniform(3, pack=5), torch.cat([part.uniform(3, pack=5) for part in parts]))
        together, (one, other) = whole.dropout([3], 5, times=2)[0], (part.dropout([3], 5, times=2)[0] for part in parts)
        assert torch.equal(together.unflatten(0, (2, 4)), torch.cat([one.view(2, 2, 3), other.view(2, 2, 3)], dim=1))

    def test_gumbel_noise_has_its_mean_and_is_finite(self):
        noise = Draws(1, 2, Share(20_000, 0, 20_000), torch.device("cpu")).gumbel(3)

        assert torch.isfinite(noise).all()
        assert noise.mean().item() == pytest.approx(0.5772, abs=0.02)

    def test_dropout_keeps_half_and_the_mean(self):
        first, second = Draws(1, 2, Share(20_000, 0, 20_000), torch.device("cpu")).dropout([4, 3], pack=10, times=3)

        assert first.shape == (6000, 4)
        assert second.shape == (6000, 3)
        assert set(first.unique().tolist()) == {0.0, 2.0}
        assert first.mean().item() == pytest.approx(1, abs=0.03)

    def test_weights_start_as_pytorch_starts_them(self):
        layer = nn.Linear(100, 50)

        start_weights(layer, 1, 0)

        assert layer.weight.abs().max().item() == pytest.approx(0.1, abs=1e-3)
        assert layer.weight.std().item() == pytest.approx(0.1 / 3**0.5, rel=0.05)


def test_a_batch_is_cut_in_whole_packs():
    with pytest.raises(Exception, match="pac"):
        CTGANParams(batch_size=100, pac=7)


@pytest.mark.parametrize(
    ("model_type", "sizes"),
    [
        (ModelType.CTGAN, {"epochs": 1, "generator_dim": [256, 256], "embedding_dim": 128}),
        (ModelType.CTGAN, {"epochs": 1, "generator_dim": [256, 256], "sampling": "ctgan"}),
        (ModelType.TVAE, {"epochs": 1, "decompress_dims": [128, 128], "embedding_dim": 128}),
        (ModelType.CTGAN, {"epochs": 1, "generator_dim": [256, 256], "embedding_dim": 128, "quantize": False}),
        (ModelType.TVAE, {"epochs": 1, "decompress_dims": [128, 128], "embedding_dim": 128, "quantize": False}),
        (ModelType.TVAE, {"epochs": 1, "decompress_dims": [256, 256], "precision": "bf16", "quantize": False}),
        (ModelType.GAUSSIAN_COPULA, {}),
    ],
)
def test_rows_do_not_depend_on_the_number_of_threads(model_type, sizes):
    model = given_model(model_type, **sizes)
    model.chunk_rows = 500

    def rows(threads: int) -> list[pa.Table]:
        torch.set_num_threads(threads)
        with threadpool_limits(threads):
            chunk = model.sample_chunk(0, 421, 1)  # as whoever draws no more than that calls it
            return [chunk] + [
                model.sample(count, seed=1, conditions=asked) for count in (1, 2421) for asked in ({}, {"grade": 2})
            ]

    alone = rows(1)
    several = {threads: rows(threads) for threads in (2, 3, 5)}
    torch.set_num_threads(1)

    for threads, made in several.items():
        assert all(one.equals(other) for one, other in zip(alone, made, strict=True)), threads


@pytest.mark.parametrize("model_type", [ModelType.CTGAN, ModelType.TVAE])
def test_pytorchs_default_type_is_not_asked_for(usual_model, model_type, tmp_path):
    usual_model(model_type).save(tmp_path / "usual")

    torch.set_default_dtype(torch.float64)
    try:
        given_model(model_type).save(tmp_path / "double")
        rows = load(tmp_path / "double").sample(5, seed=1)
    finally:
        torch.set_default_dtype(torch.float32)

    assert (tmp_path / "double").read_bytes() == (tmp_path / "usual").read_bytes()
    assert rows.equals(load(tmp_path / "usual").sample(5, seed=1))


@pytest.mark.parametrize("model_type", [ModelType.CTGAN, ModelType.TVAE])
def test_in_half_precision_a_training_goes_the_same_way(model_type):
    def losses(precision: str) -> list[dict[str, float]]:
        said: list[dict[str, float]] = []
        options = {"epochs": 30, "refine": False, "precision": precision}
        given_model(model_type, **options, on_progress=lambda progress: said.append(progress.losses))
        return [one for one in said if one]

    wide, narrow = losses("fp32"), losses("bf16")

    assert wide != narrow
    moved = max(abs(wide[-1][name] - first) for name, first in wide[0].items())
    apart = max(abs(wide[-1][name] - narrow[-1][name]) for name in wide[0])
    assert moved > 3 * apart


def test_in_half_precision_what_a_tvae_pays_for_its_latent_is_rounded_in_the_products_alone():
    """Of latents near the standard normal the terms of the divergence cancel: in 16 bits it came out below 0."""

    def first_cost(precision: str) -> float:
        options = {"epochs": 1, "batch_size": 10_000, "refine": False, "calibrate": False, "precision": precision}
        return given_model(ModelType.TVAE, **options).losses[1]["kl"]

    assert first_cost("bf16") == pytest.approx(first_cost("fp32"), rel=2e-3)


@pytest.mark.parametrize(
    ("precision", "device", "has_units", "narrow"),
    [
        ("fp32", "cuda", True, False),
        ("bf16", "cpu", False, True),
        ("auto", "cuda", True, True),
        ("auto", "cuda", False, False),
        ("auto", "cpu", True, True),
        ("auto", "cpu", False, False),
    ],
)
def test_auto_is_half_precision_where_there_are_units_for_it(monkeypatch, precision, device, has_units, narrow):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: has_units)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": has_units}, raising=False)

    assert is_narrow(precision, torch.device(device)) is narrow
