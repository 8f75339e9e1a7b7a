"""The critic of the game: how real it finds packs of rows, and how it learns, without automatic differentiation.

Around any point the critic is linear: each hidden layer multiplies by a slope, 1 or 0.2 (LeakyReLU) times the scale of
dropout. So its loss, its gradient penalty and the gradients of both with respect to the weights have closed forms.
`critic_loss` says the same by automatic differentiation and is what they are tested against.
Shapes: P packs, X = pac (D + C) width of a pack, H width of a hidden layer, L hidden layers.
Source: Gulrajani et al. 2017, arXiv:1704.00028, eq. 3; packs: Lin et al. 2018, arXiv:1712.04086.
"""

import logging
import os
import shutil
from collections.abc import Callable, Sequence
from typing import ParamSpec, TypeVar, cast

import torch
from ctgan.synthesizers.ctgan import Discriminator
from torch import Tensor, nn
from torch.nn import functional as F

log = logging.getLogger(__name__)

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")
PENALTY = 10.0
LEAK = 0.2
SHORTEST = 1e-12  # a slope of length 0 has no direction


def compiled(step: Callable[Arguments, Answer]) -> Callable[Arguments, Answer]:
    """The same step as machine code of its own, made when it is first called; as it is where no compiler is found."""
    if shutil.which(os.environ.get("CXX", "g++")) is None:
        log.warning("No C++ compiler is found: the training goes on without one.")
        return step
    return cast(Callable[Arguments, Answer], torch.compile(step, dynamic=False))


def new_critic(row_width: int, hidden: Sequence[int], pac: int) -> nn.Module:
    """The `ctgan` package's; only its linear layers are used in training. `row_width` is D + C."""
    critic: nn.Module = Discriminator(row_width, hidden, pac)
    return critic


def linear_layers(critic: nn.Module) -> list[nn.Linear]:
    return [layer for layer in critic.modules() if isinstance(layer, nn.Linear)]


def score(critic: nn.Module, packs_PX: Tensor, scales: Sequence[Tensor]) -> Tensor:
    """(P, 1). `scales` are dropout's, (P, H) for each hidden layer: 0 or 2."""
    *hidden, last = linear_layers(critic)
    for layer, scale_PH in zip(hidden, scales, strict=True):
        packs_PX = F.leaky_relu(layer(packs_PX), LEAK) * scale_PH
    return cast(Tensor, last(packs_PX))


def critic_loss(
    critic: nn.Module, real_PX: Tensor, fake_PX: Tensor, mix_P1: Tensor, scales: Sequence[Tensor]
) -> Tensor:
    """mean D(x̃) - mean D(x) + λ penalty; `scales` are (3P, H): for real, generated and mixed packs. Eq. 3."""
    for_real, for_fake, for_mixed = zip(*(scale.chunk(3) for scale in scales), strict=True)
    penalty = gradient_penalty(lambda packs: score(critic, packs, for_mixed), real_PX, fake_PX, mix_P1)
    return score(critic, fake_PX, for_fake).mean() - score(critic, real_PX, for_real).mean() + PENALTY * penalty


def gradient_penalty(score: Callable[[Tensor], Tensor], real_PX: Tensor, fake_PX: Tensor, mix_P1: Tensor) -> Tensor:
    """How far the critic's slope is from 1 between real and generated packs.

    Mean over packs of (‖∇D(x̂)‖₂ - 1)², x̂ on the segment from a real pack to a generated one, at `mix`.
    """
    mixed_PX = torch.lerp(real_PX, fake_PX, mix_P1).requires_grad_()
    (slope_PX,) = torch.autograd.grad(score(mixed_PX).sum(), mixed_PX, create_graph=True)
    length_P = torch.linalg.vector_norm(slope_PX, dim=1)
    return torch.mean((length_P - 1).square())


@torch.no_grad()
def critic_gradients(
    critic: nn.Module,
    real_PX: Tensor,
    fake_PX: Tensor,
    mix_P1: Tensor,
    scales: Sequence[Tensor],
    weight: float = 1.0,
) -> Tensor:
    """Sets the gradients of `critic_loss`, times `weight`, and returns the loss.

    Real, generated and mixed packs go through the layers stacked. With z the input of a hidden layer, s its slope:
    up        z₁ = W₁x + b₁, which for mixed packs is the mix of the two others', and zₗ₊₁ = Wₗ₊₁(sₗ zₗ) + bₗ₊₁
    down      δₗ = sₗ (Wₗ₊₁ᵀ δₗ₊₁), from δ = -1/P, 1/P and 1; at the bottom ∇D(x̂) = W₁ᵀ δ₁ of the mixed packs
    up again  t₀ = ∂penalty/∂∇D = 2λ/P (1 - 1/‖∇D‖) ∇D and tₗ = sₗ (Wₗ tₗ₋₁), of the mixed packs
    Then ∂/∂Wₗ = Σ δₗ aₗ₋₁ᵀ with aₗ₋₁ the layer's input for real and generated packs and tₗ₋₁ for mixed ones; biases
    shift no slope, so that theirs is Σ δₗ over real and generated packs.
    """
    layers = linear_layers(critic)
    packs = len(real_PX)
    mixed = slice(2 * packs, None)

    inputs = [torch.cat([real_PX, fake_PX, torch.empty_like(real_PX)])]
    z_real, z_fake = _linear(inputs[0][: 2 * packs], layers[0]).chunk(2)
    z = torch.cat([z_real, z_fake, torch.lerp(z_real, z_fake, mix_P1)])
    slopes = []
    for layer, scale in zip(layers[1:], scales, strict=True):
        slopes.append(_slope(z, scale))
        inputs.append(z * slopes[-1])
        z = _linear(inputs[-1], layer)

    down = z.new_tensor([-weight / packs, weight / packs, 1.0]).repeat_interleave(packs)[:, None]
    deltas = [down]
    for layer, slope in zip(layers[:0:-1], slopes[::-1], strict=True):
        deltas.insert(0, _product(deltas[0], layer.weight).mul_(slope))
    slope_PX = _product(deltas[0][mixed], layers[0].weight)
    length_P1 = torch.linalg.vector_norm(slope_PX, dim=1, keepdim=True)

    up = slope_PX * (2 * PENALTY * weight / packs * (1 - 1 / length_P1.clamp_min(SHORTEST)))
    for place, (layer, delta) in enumerate(zip(layers, deltas, strict=True)):
        inputs[place][mixed] = up
        layer.weight.grad = _product(delta.T, inputs[place])
        layer.bias.grad = delta[: 2 * packs].sum(0)
        if place < len(slopes):
            up = _product(up, layer.weight.T).mul_(slopes[place][mixed])

    for_real, for_fake, _ = z.chunk(3)
    loss: Tensor = for_fake.mean() - for_real.mean() + PENALTY * (length_P1 - 1).square().mean()
    return loss


@torch.no_grad()
def score_and_slope(critic: nn.Module, packs_PX: Tensor, scales: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """(P, 1) and its gradient with respect to the packs, (P, X); the weights get none."""
    *hidden, last = linear_layers(critic)
    slopes, z = [], packs_PX
    for layer, scale in zip(hidden, scales, strict=True):
        z = _linear(z, layer)
        slopes.append(_slope(z, scale))
        z = z * slopes[-1]
    down = last.weight.expand(len(packs_PX), -1)
    for layer, slope in zip(reversed(hidden), reversed(slopes), strict=True):
        down = _product(down * slope, layer.weight)
    return _linear(z, last), down


# Under autocast products are in 16 bits, and all between them is as wide as it was.


def _linear(input_PH: Tensor, layer: nn.Linear) -> Tensor:
    return F.linear(input_PH, layer.weight, layer.bias).to(input_PH.dtype)


def _product(left: Tensor, right: Tensor) -> Tensor:
    return (left @ right).to(left.dtype)


def _slope(z: Tensor, scale: Tensor) -> Tensor:
    """Of LeakyReLU and dropout, by which a hidden layer multiplies its input z."""
    slope: Tensor = torch.ops.aten.leaky_relu_backward(scale, z, LEAK, False)
    return slope
