"""Generators and decoders as sampling runs them: equal to the networks that were trained, in fewer and larger steps.

BatchNorm at rest is a scale and a shift: both go into the layer before it. A one-hot condition times a matrix is one
of its columns: those of all layers are gathered at once. Layers that see all earlier ones need no concatenation: each
input adds what it has to say to all layers behind it. And rows are columns here, so that each code's logits lie
together when codes are drawn.
Shapes: B rows, E latent width, H width of a layer, I of its input, C conditions, W their width, D row width, T of all
layers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol, Self

import numpy as np
import torch
from torch import Tensor, nn

from synthgen_ray.synthesizers.networks.quantized import Layer, QuantizedNetwork
from synthgen_ray.synthesizers.numerics.noise import normals


@dataclass(frozen=True)
class Dense:
    """A linear layer with the batch normalisation behind it, if any. Shapes: (H, I), (H,)."""

    weight: Tensor
    offset: Tensor

    @classmethod
    def of(cls, linear: nn.Linear, norm: nn.BatchNorm1d | None = None) -> Self:
        weight, offset = linear.weight.double(), linear.bias.double()
        if norm is None or norm.running_mean is None or norm.running_var is None:
            return cls(weight, offset)
        scale = norm.weight.double() / (norm.running_var.double() + norm.eps).sqrt()
        return cls(weight * scale[:, None], (offset - norm.running_mean.double()) * scale + norm.bias.double())


class Sampled(Protocol):
    """A network as sampling runs it."""

    def latent(self, num_rows: int, rng: np.random.Generator) -> Tensor:
        """Standard normal numbers as `logits` takes them."""

    def logits(self, latent: Tensor, places_B: Tensor | None = None) -> Tensor:
        """(D, B), given the place of each row's condition if the network takes any."""


class Folded(Sampled, Protocol):
    def plus(self, offsets_D: Tensor) -> Self:
        """The same with something added to its logits."""

    def narrowed(self) -> Sampled:
        """The same with products in 16 bits, bfloat16."""

    def quantized(self) -> Sampled:
        """The same in whole numbers of 8 bits."""


class FoldedNetwork:
    """`offsets_TC` is what each condition adds to all layers, biases included; `weights` what each input, the latent
    and then every hidden layer, adds to the layers behind it, those next to it first; between layers is a ReLU.
    Products are of the weights' precision, sums of 32 bits.
    """

    def __init__(
        self,
        offsets_TC: Tensor,
        weights: Sequence[Tensor],
        widths: Sequence[int],
        precision: torch.dtype = torch.float32,
    ) -> None:
        self._offsets_TC = offsets_TC.float().contiguous()
        self._weights = [weight.to(precision).contiguous() for weight in weights]
        self._widths = widths

    @classmethod
    def of_chain(cls, layers: Sequence[Dense]) -> Self:
        """Each layer sees the one before it."""
        offsets = torch.cat([layer.offset for layer in layers])
        return cls(offsets[:, None], [layer.weight for layer in layers], [len(layer.weight) for layer in layers])

    @classmethod
    def of_skips(cls, layers: Sequence[Dense], latent_width: int, conditions_CW: Tensor | None = None) -> Self:
        """Each layer sees, from left to right, the hidden layers from the last to the first, latent and condition,
        which is one-hot, or of each place its row of `conditions`."""
        widths = [len(layer.weight) for layer in layers]
        condition_width = layers[0].weight.shape[1] - latent_width
        # Where each input ends in a layer's weights, counted from the right.
        ends = list(accumulate([latent_width, *widths[:-1]], initial=condition_width))
        weights = [
            torch.cat([_from_right(layer.weight, end, width) for layer in layers[place:]])
            for place, (end, width) in enumerate(zip(ends, [latent_width, *widths[:-1]], strict=False))
        ]
        offsets = torch.cat([layer.offset for layer in layers])[:, None]
        if condition_width:
            conditioned_TW = torch.cat([_from_right(layer.weight, 0, condition_width) for layer in layers])
            offsets = offsets + (conditioned_TW if conditions_CW is None else conditioned_TW @ conditions_CW.T)
        return cls(offsets, weights, widths)

    def plus(self, offsets_D: Tensor) -> Self:
        """The same with something added to its logits."""
        offsets_TC = self._offsets_TC.clone()
        offsets_TC[-len(offsets_D) :] += offsets_D.to(offsets_TC)[:, None]
        return type(self)(offsets_TC, self._weights, self._widths, self._weights[0].dtype)

    def narrowed(self) -> Self:
        """The same with products in 16 bits, bfloat16."""
        return type(self)(self._offsets_TC, self._weights, self._widths, torch.bfloat16)

    def quantized(self) -> QuantizedNetwork:
        """The same in whole numbers of 8 bits."""
        starts = list(accumulate(self._widths, initial=0))
        layers = []
        for place, width in enumerate(self._widths):
            # Of each input, the rows of its weights that speak to this layer, if it does.
            parts = [
                weight[starts[place] - start :][:width]
                for start, weight in zip(starts, self._weights[: place + 1], strict=False)
            ]
            weight_HI = torch.cat([part for part in parts if len(part)], dim=1)
            layers.append(Layer(weight_HI, self._offsets_TC[starts[place] :][:width].T))
        return QuantizedNetwork.of(layers, self._weights[0].shape[1])

    def latent(self, num_rows: int, rng: np.random.Generator) -> Tensor:
        """What `logits` takes, (E, B)."""
        weight = self._weights[0]
        return torch.from_numpy(normals(rng, weight.shape[1], num_rows)).to(weight.device)

    def logits(self, latent_EB: Tensor, places_B: Tensor | None = None) -> Tensor:
        """(D, B), given the place of each row's condition if the network takes any."""
        if places_B is None:
            behind_TB = self._offsets_TC.repeat(1, latent_EB.shape[1])  # a copy even for one row
        else:
            behind_TB = self._offsets_TC.index_select(1, places_B)
        layer = latent_EB
        for place, (weight, width) in enumerate(zip(self._weights, self._widths, strict=True)):
            add_product(behind_TB[: len(weight)], weight, layer.relu_() if place else layer)
            layer, behind_TB = behind_TB[:width], behind_TB[width:]
        return layer


def add_product(total: Tensor, left: Tensor, right: Tensor) -> None:
    """total += left @ right, in place; on a CPU by NumPy: the last digits of torch's MKL depend on its threads. Those
    of 16 bits do not, since another library makes them."""
    if left.dtype != total.dtype:
        total += left @ right.to(left.dtype)
    elif total.device.type == "cpu":
        total.numpy()[...] += left.numpy() @ right.numpy()
    else:
        total.addmm_(left, right)


def _from_right(weight: Tensor, end: int, width: int) -> Tensor:
    """So many columns, after which `end` are left."""
    stop = weight.shape[1] - end
    return weight[:, stop - width : stop]
