"""The critic of the game: how real it finds packs of rows, and how it learns, without automatic differentiation.

Around any point the critic is linear: each hidden layer multiplies by a slope, 1 or 0.2 (LeakyReLU) times the scale of
dropout. So its loss, its gradient penalty and the gradients of both with respect to the weights have closed forms.
`critic_loss` says the same by automatic differentiation and is what they are tested against. A one-hot condition times
a matrix is one of its rows, which is gathered: of a wide table conditions are half of what the first layer sees.
Shapes: P packs of J rows; R = J D width of their rows, Q = J C of their conditions, X = J (D + C) of both as the
`ctgan` package has them, row by row; H width of a hidden layer.
Source: Gulrajani et al. 2017, arXiv:1704.00028, eq. 3; packs: Lin et al. 2018, arXiv:1712.04086.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self, cast

import torch
from ctgan.synthesizers.ctgan import Discriminator
from torch import Tensor, nn
from torch.nn import functional as F

from synthgen_ray.synthesizers.networks.layers import linear, linear_layers, product

PENALTY = 10.0
LEAK = 0.2
SHORTEST = 1e-12  # a slope of length 0 has no direction


@dataclass(frozen=True)
class Packs:
    rows_PR: Tensor
    places_PJ: Tensor | None  # of their conditions among Q, if there are any

    @classmethod
    def of(cls, rows_BD: Tensor, places_B: Tensor | None, pac: int, condition_width: int) -> Self:
        rows_PR = rows_BD.reshape(len(rows_BD) // pac, -1)
        if places_B is None:
            return cls(rows_PR, None)
        slots_J = torch.arange(pac, device=places_B.device) * condition_width
        return cls(rows_PR, places_B.view(-1, pac) + slots_J)


class Critic(nn.Module):
    """The `ctgan` package's, its first layer in two: what multiplies rows, and a row for each place of a condition."""

    def __init__(self, stock: nn.Module, row_width: int, pac: int) -> None:
        super().__init__()
        first, *self.layers = linear_layers(stock)
        for number, layer in enumerate(self.layers, start=1):
            self.add_module(f"layer{number}", layer)
        weight_HJW = first.weight.detach().view(first.out_features, pac, -1)
        self.rows_HR = nn.Parameter(weight_HJW[:, :, :row_width].flatten(1).clone())
        self.conditions_QH = nn.Parameter(weight_HJW[:, :, row_width:].flatten(1).T.contiguous())
        self.bias_H = first.bias

    def first(self, rows_PR: Tensor, places_PJ: Tensor | None) -> Tensor:
        """What the first hidden layer is made of, (P, H)."""
        z_PH = F.linear(rows_PR, self.rows_HR, self.bias_H).to(rows_PR.dtype)
        return z_PH if places_PJ is None else z_PH + F.embedding_bag(places_PJ, self.conditions_QH, mode="sum")


def new_critic(row_width: int, hidden: Sequence[int], pac: int) -> nn.Module:
    """The `ctgan` package's, of which `Critic` is made. `row_width` is D + C."""
    critic: nn.Module = Discriminator(row_width, hidden, pac)
    return critic


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
    critic: Critic, real: Packs, fake: Packs, mix_P1: Tensor, scales: Sequence[Tensor], weight: float = 1.0
) -> Tensor:
    """Sets the gradients of `critic_loss`, times `weight`, and returns the loss.

    Real, generated and mixed packs go through the layers stacked. With z the input of a hidden layer, s its slope:
    up        z₁ = W₁x + b₁, which for mixed packs is the mix of the two others', and zₗ₊₁ = Wₗ₊₁(sₗ zₗ) + bₗ₊₁
    down      δₗ = sₗ (Wₗ₊₁ᵀ δₗ₊₁), from δ = -1/P, 1/P and 1; at the bottom ∇D(x̂) = W₁ᵀ δ₁ of the mixed packs
    up again  t₀ = ∂penalty/∂∇D = 2λ/P (1 - 1/‖∇D‖) ∇D and tₗ = sₗ (Wₗ tₗ₋₁), of the mixed packs
    Then ∂/∂Wₗ = Σ δₗ aₗ₋₁ᵀ with aₗ₋₁ the layer's input for real and generated packs and tₗ₋₁ for mixed ones; biases
    shift no slope, so that theirs is Σ δₗ over real and generated packs.
    """
    packs = len(real.rows_PR)
    mixed = slice(2 * packs, None)
    rows_PR = torch.cat([real.rows_PR, fake.rows_PR, torch.empty_like(real.rows_PR)])
    places_PJ = _both(real.places_PJ, fake.places_PJ)

    z_real, z_fake = critic.first(rows_PR[: 2 * packs], places_PJ).chunk(2)
    z = torch.cat([z_real, z_fake, torch.lerp(z_real, z_fake, mix_P1)])
    slopes, inputs = [], []
    for layer, scale in zip(critic.layers, scales, strict=True):
        slopes.append(_slope(z, scale))
        inputs.append(z * slopes[-1])
        z = linear(inputs[-1], layer)

    down = z.new_tensor([-weight / packs, weight / packs, 1.0]).repeat_interleave(packs)[:, None]
    deltas = [down]
    for layer, slope in zip(critic.layers[::-1], slopes[::-1], strict=True):
        deltas.insert(0, product(deltas[0], layer.weight).mul_(slope))
    first = deltas.pop(0)
    slope_PR = product(first[mixed], critic.rows_HR)
    slope_PQ = product(first[mixed], critic.conditions_QH.T)
    lengths = [torch.linalg.vector_norm(slope, dim=1, keepdim=True) for slope in (slope_PR, slope_PQ)]
    length_P1 = torch.hypot(*lengths)

    steepness_P1 = 2 * PENALTY * weight / packs * (1 - 1 / length_P1.clamp_min(SHORTEST))
    rows_PR[mixed] = slope_PR * steepness_P1
    up_PQ = slope_PQ * steepness_P1
    critic.rows_HR.grad = product(first.T, rows_PR)
    critic.bias_H.grad = first[: 2 * packs].sum(0)
    critic.conditions_QH.grad = product(up_PQ.T, first[mixed])
    if places_PJ is not None:
        each_row = first[: 2 * packs].repeat_interleave(places_PJ.shape[1], 0)
        critic.conditions_QH.grad.index_add_(0, places_PJ.flatten(), each_row)
    up = (product(rows_PR[mixed], critic.rows_HR.T) + product(up_PQ, critic.conditions_QH)).mul_(slopes[0][mixed])
    for place, (layer, delta) in enumerate(zip(critic.layers, deltas, strict=True)):
        inputs[place][mixed] = up
        layer.weight.grad = product(delta.T, inputs[place])
        layer.bias.grad = delta[: 2 * packs].sum(0)
        if place + 1 < len(slopes):
            up = product(up, layer.weight.T).mul_(slopes[place + 1][mixed])

    for_real, for_fake, _ = z.chunk(3)
    loss: Tensor = for_fake.mean() - for_real.mean() + PENALTY * (length_P1 - 1).square().mean()
    return loss


@torch.no_grad()
def score_and_slope(critic: Critic, packs: Packs, scales: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """(P, 1) and its gradient with respect to the rows, (P, R); the weights get none."""
    z = critic.first(packs.rows_PR, packs.places_PJ)
    slopes = []
    for layer, scale in zip(critic.layers, scales, strict=True):
        slopes.append(_slope(z, scale))
        z = linear(z * slopes[-1], layer)
    down = z.new_ones(len(z), 1)
    for layer, slope in zip(critic.layers[::-1], slopes[::-1], strict=True):
        down = product(down, layer.weight) * slope
    return z, product(down, critic.rows_HR)


def _both(real_PJ: Tensor | None, fake_PJ: Tensor | None) -> Tensor | None:
    return None if real_PJ is None or fake_PJ is None else torch.cat([real_PJ, fake_PJ])


def _slope(z: Tensor, scale: Tensor) -> Tensor:
    """Of LeakyReLU and dropout, by which a hidden layer multiplies its input z."""
    slope: Tensor = torch.ops.aten.leaky_relu_backward(scale, z, LEAK, False)
    return slope
