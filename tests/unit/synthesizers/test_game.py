"""The two networks of the game: closed forms against automatic differentiation, and against the stock package."""

import logging
import os
import shutil
from copy import deepcopy
from dataclasses import dataclass
from functools import partial

import pytest
import torch
from ctgan.synthesizers.ctgan import Discriminator, Generator
from ctgan.synthesizers.tvae import Decoder
from torch import Tensor, nn

from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers.layout import Layout
from synthgen_ray.synthesizers.networks.critic import (
    Critic,
    Packs,
    critic_gradients,
    critic_loss,
    gradient_penalty,
    new_critic,
    score,
    score_and_slope,
)
from synthgen_ray.synthesizers.networks.generator import generate, new_generator
from synthgen_ray.synthesizers.training import compiling
from synthgen_ray.synthesizers.training.compiling import compiled
from tests.unit.synthesizers.test_networks import LAYOUT

PACKS = 6


def a_plane(packs_PX: Tensor) -> Tensor:
    return packs_PX @ torch.tensor([3.0, 4.0]).repeat(packs_PX.shape[1] // 2)


def test_gradient_penalty_is_the_squared_distance_of_the_slope_from_one():
    real, fake = torch.randn(50, 2), torch.randn(50, 2)

    assert gradient_penalty(a_plane, real, fake, torch.rand(50, 1)).item() == 16.0  # (‖(3, 4)‖ - 1)²


def test_gradient_penalty_judges_a_pack_as_one_point():
    real, fake = torch.randn(10, 8), torch.randn(10, 8)

    penalty = gradient_penalty(a_plane, real, fake, torch.rand(10, 1))

    assert penalty.item() == pytest.approx((10 - 1) ** 2)  # four rows of slope 5 have together √4 · 5


@pytest.mark.parametrize("hidden", [[7], [6, 5], [8, 4, 9]])
@pytest.mark.parametrize("pac", [1, 2, 5])
@pytest.mark.parametrize("with_conditions", [True, False])
@pytest.mark.parametrize("with_dropout", [True, False])
class TestCritic:
    def test_gradients_are_those_of_automatic_differentiation(self, hidden, pac, with_conditions, with_dropout):
        stock, critic, real, fake, scales = a_critic(hidden, pac, with_conditions, with_dropout)
        mix = torch.rand(PACKS, 1, dtype=torch.float64)
        expected_loss = critic_loss(stock, real.dense(), fake.dense(), mix, scales)
        (expected_loss * 0.7).backward()

        loss = critic_gradients(critic, real.packs, fake.packs, mix, scales, weight=0.7)

        assert loss.item() == pytest.approx(expected_loss.item(), rel=1e-12)
        expected = [weight.detach() for weight in Critic(of_gradients(stock), LAYOUT.width, pac).parameters()]
        largest = max(float(gradient.abs().max()) for gradient in expected if gradient.numel())
        for parameter, gradient in zip(critic.parameters(), expected, strict=True):
            assert torch.allclose(parameter.grad, gradient, rtol=0, atol=1e-12 * largest)

    def test_slope_is_that_of_automatic_differentiation(self, hidden, pac, with_conditions, with_dropout):
        stock, critic, _, fake, scales = a_critic(hidden, pac, with_conditions, with_dropout)
        scales = [scale[:PACKS] for scale in scales]
        fake.rows.requires_grad_()
        expected_score = score(stock, fake.dense(), scales)
        (expected,) = torch.autograd.grad(expected_score.sum(), fake.rows)

        score_P1, slope_PR = score_and_slope(critic, fake.packs, scales)

        assert torch.allclose(score_P1, expected_score, rtol=1e-12, atol=1e-12)
        assert torch.allclose(slope_PR.view_as(expected), expected, rtol=1e-12, atol=1e-12)


@dataclass
class Rows:
    """Of all packs, and the places of their conditions."""

    rows: Tensor
    places: Tensor | None
    pac: int

    @property
    def packs(self) -> Packs:
        return Packs.of(self.rows.detach(), self.places, self.pac, LAYOUT.condition_width)

    def dense(self) -> Tensor:
        """As the stock package's critic sees them."""
        if self.places is None:
            return self.rows.reshape(PACKS, -1)
        return torch.cat([self.rows, LAYOUT.conditions(self.places)], dim=1).reshape(PACKS, -1)


def a_critic(hidden: list[int], pac: int, with_conditions: bool, with_dropout: bool):
    """The stock package's and ours, real and generated rows, and the scales of dropout."""
    torch.manual_seed(len(hidden) * 10 + pac)
    stock = new_critic(LAYOUT.width + with_conditions * LAYOUT.condition_width, hidden, pac).double()
    real, fake = (rows_of(LAYOUT, pac, with_conditions) for _ in range(2))
    scales = [torch.randint(2, (3 * PACKS, width)).double() * 2 for width in hidden]
    scales = scales if with_dropout else [torch.ones_like(scale) for scale in scales]
    return stock, Critic(deepcopy(stock), LAYOUT.width, pac), real, fake, scales


def rows_of(layout: Layout, pac: int, with_conditions: bool) -> Rows:
    rows = layout.activate(*torch.randn(2, PACKS * pac, layout.width, dtype=torch.float64))
    return Rows(rows, torch.randint(layout.condition_width, (PACKS * pac,)) if with_conditions else None, pac)


def into_stock(critic: Critic, pac: int) -> nn.Module:
    """The way back: one first layer, which sees each row beside its condition."""
    width, first = LAYOUT.width + LAYOUT.condition_width, critic.rows_HR.view(len(critic.rows_HR), pac, -1)
    stock = new_critic(width, [layer.in_features for layer in critic.layers], pac).double()
    weight = torch.cat([first, critic.conditions_QH.T.reshape(len(first), pac, -1)], dim=2).flatten(1)
    weights = [weight, critic.bias_H, *(weight for layer in critic.layers for weight in layer.parameters())]
    for parameter, other in zip(stock.parameters(), weights, strict=True):
        parameter.data = other.detach().clone()
    return stock


def of_gradients(module: nn.Module) -> nn.Module:
    """A copy whose weights are the gradients."""
    copy = deepcopy(module)
    for parameter, other in zip(copy.parameters(), module.parameters(), strict=True):
        parameter.data = torch.zeros_like(other) if other.grad is None else other.grad.clone()
    return copy


def test_a_slope_of_length_zero_has_no_direction():
    critic = Critic(new_critic(LAYOUT.width, [4], 1).double(), LAYOUT.width, 1)
    real, fake = (rows_of(LAYOUT, 1, False).packs for _ in range(2))

    loss = critic_gradients(critic, real, fake, torch.rand(PACKS, 1).double(), [torch.zeros(3 * PACKS, 4).double()])

    assert loss.item() == pytest.approx(10)  # λ (0 - 1)²
    assert all((parameter.grad == 0).all() for parameter in critic.parameters())


@pytest.mark.parametrize("hidden", [[5], [6, 5], [4, 6, 5]])
def test_a_gathered_condition_is_a_one_hot_one(hidden):
    generator = new_generator(3 + LAYOUT.condition_width, hidden, LAYOUT.width).double()
    latent, places = torch.randn(20, 3).double(), torch.randint(LAYOUT.condition_width, (20,))
    weights = [*generator.parameters()]

    logits = generate(generator, latent, places)

    expected = generator(torch.cat([latent, LAYOUT.conditions(places)], dim=1))
    assert torch.allclose(logits, expected, rtol=1e-12, atol=1e-12)
    gradients, theirs = (torch.autograd.grad(one.square().sum(), weights) for one in (logits, expected))
    for gradient, other in zip(gradients, theirs, strict=True):
        assert torch.allclose(gradient, other, rtol=1e-9, atol=1e-9)


class TestTheStockPackage:
    def test_takes_a_generator_and_says_the_same(self, usual_model):
        model = usual_model(ModelType.CTGAN)
        width, condition_width = model.layout.width, model.layout.condition_width
        stock = loaded(Generator(16 + condition_width, (32,), width), model.network)
        latent, places = torch.randn(50, 16), torch.randint(condition_width, (50,))

        expected = stock(torch.cat([latent, model.layout.conditions(places)], dim=1))

        assert torch.allclose(generate(model.network, latent, places), expected, rtol=1e-4, atol=1e-5)

    def test_takes_a_critic_and_says_the_same(self):
        _, critic, real, fake, scales = a_critic([8, 8], 5, True, True)
        adam = torch.optim.Adam(critic.parameters(), lr=0.1)
        for _ in range(5):
            critic_gradients(critic, real.packs, fake.packs, torch.rand(PACKS, 1, dtype=torch.float64), scales)
            adam.step()

        width = LAYOUT.width + LAYOUT.condition_width
        stock = loaded(Discriminator(width, (8, 8), 5).double(), into_stock(critic, 5))
        expected = stock(real.dense().view(-1, width))

        own, _ = score_and_slope(critic, real.packs, [torch.ones(PACKS, 8).double()] * 2)
        assert torch.allclose(own, expected, rtol=1e-9, atol=1e-12)
        assert own.abs().max() > 1  # it has learnt something

    def test_takes_a_decoder_and_says_the_same(self, usual_model):
        model = usual_model(ModelType.TVAE)
        latent = torch.randn(50, 16)

        logits, sigma = loaded(Decoder(16, (32,), model.layout.width), model.network)(latent)

        expected, expected_sigma = model.network(latent)
        assert torch.equal(logits, expected)
        assert torch.equal(sigma, expected_sigma)


def loaded(stock: nn.Module, ours: nn.Module) -> nn.Module:
    stock.load_state_dict(ours.state_dict())
    return stock.eval()


@pytest.mark.nightly  # the compiler takes half a minute
@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler")
@pytest.mark.filterwarnings("default")  # the compiler's own
def test_a_compiled_step_does_the_same():
    _, critic, real, fake, scales = a_critic([8, 4], 2, True, True)
    mix = torch.rand(PACKS, 1, dtype=torch.float64)
    critic_gradients(critic, real.packs, fake.packs, mix, scales)
    expected = [parameter.grad.clone() for parameter in critic.parameters()]

    compiled(critic_gradients)(critic, real.packs, fake.packs, mix, scales)

    for parameter, gradient in zip(critic.parameters(), expected, strict=True):
        assert torch.allclose(parameter.grad, gradient, rtol=1e-9, atol=1e-12)


@pytest.mark.nightly  # PyTorch's part of a compiler takes seconds to import
def test_a_process_compiles_the_steps_of_however_many_trainings(monkeypatch):
    made = []

    def counted(graph: torch.fx.GraphModule, _: list[Tensor]) -> torch.fx.GraphModule:
        made.append(graph)
        return graph

    monkeypatch.setenv("CXX", "true")
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=counted))
    for width in range(1, 11):
        assert compiled(torch.no_grad()(torch.sum))(torch.ones(width)) == width

    assert len(made) == 10


def test_without_a_compiler_the_step_stays_as_it_is(monkeypatch, caplog):
    monkeypatch.setenv("CXX", "no-such-compiler")

    with caplog.at_level(logging.WARNING):
        assert compiled(critic_gradients) is critic_gradients

    assert "compiler" in caplog.text


def test_with_a_compiler_that_fails_a_training_goes_on_and_its_own_errors_stay_errors(monkeypatch, caplog):
    def failing(graph: torch.fx.GraphModule, _: list[Tensor]) -> torch.fx.GraphModule:
        raise OSError("no Python.h")

    def step(ones: Tensor, width: int) -> Tensor:
        return torch.mm(ones, torch.ones(width, 1))

    monkeypatch.setenv("CXX", "true")
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=failing))
    machine_code = compiled(step)

    assert [machine_code(torch.ones(1, width), width) for width in (3, 4)] == [3, 4]
    assert caplog.text.count("compiler fails") == 1
    with pytest.raises(RuntimeError, match="shapes"):
        machine_code(torch.ones(1, 3), 4)


def test_without_a_folder_for_what_is_compiled_the_step_stays_as_it_is(tmp_path, monkeypatch, caplog):
    (tmp_path / "file").touch()
    monkeypatch.setenv("CXX", "true")
    monkeypatch.setattr(compiling, "_folder", lambda: tmp_path / "file" / "folder")

    assert compiled(critic_gradients) is critic_gradients
    assert "cannot keep" in caplog.text


def test_no_code_is_run_from_a_folder_that_another_user_has_made(tmp_path, monkeypatch, caplog):
    folder = tmp_path / "open"
    folder.mkdir(mode=0o755)
    monkeypatch.setenv("CXX", "true")
    monkeypatch.setattr(compiling, "_folder", lambda: folder)
    monkeypatch.setattr(torch.compiler, "reset", lambda: None)
    monkeypatch.setattr(torch, "compile", lambda step, **_: deepcopy)  # as anything else

    assert compiled(critic_gradients) is not critic_gradients
    assert folder.stat().st_mode & 0o777 == 0o700
    monkeypatch.setattr(os, "geteuid", lambda: -1)
    assert compiled(critic_gradients) is critic_gradients
    assert "another user's" in caplog.text
