"""A folded network in whole numbers of 8 bits.

Each weight is counted in steps of its output, what a unit says in steps of its own, and the latent is drawn in steps to
begin with. So all logits are the same to the last bit wherever they are computed; see `whole_products`.
Sources: Jacob et al. 2018, arXiv:1712.05877, section 2; Krishnamoorthi 2018, "Quantizing deep convolutional networks
for efficient inference", arXiv:1806.08342 (a step for each output).
Shapes: B rows, E latent width, I inputs of a layer, H its outputs, C conditions, D row width. Rows are rows here: the
part of each condition is then copied as a whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Self

import numpy as np
import torch
from scipy.special import ndtri
from torch import Tensor

from synthgen_ray.synthesizers.numerics.streams import stream
from synthgen_ray.synthesizers.numerics.threads import one_torch_thread
from synthgen_ray.synthesizers.numerics.whole_products import MOST, MOST_ADDED, precision, product, steps

LATENT_STEP = 2.0**-5  # so none is beyond 4: one in 16,000 would be
LOOKED_AT = 2000, 10_000  # rows that tell how large a unit's step must be: at least, and for many conditions at most


@dataclass(frozen=True)
class Layer:
    """Sees the last `I` of all that was said before it, the latent first. Before the next one is a ReLU."""

    weight_HI: Tensor
    offset_CH: Tensor  # of each condition; of a network that takes none, one


def latent_steps(num_rows: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """Standard normal numbers, (B, E), in steps: an even one of 65,536 quantiles each."""
    return _quantiles()[rng.integers(0, 1 << 16, (num_rows, width), dtype=np.uint16)]


class QuantizedNetwork:
    def __init__(self, layers: Sequence["_Whole"], latent_width: int) -> None:
        self._layers, self._latent_width = layers, latent_width

    @classmethod
    def of(cls, layers: Sequence[Layer], latent_width: int) -> Self:
        device = layers[0].weight_HI.device
        places_B = _places(len(layers[0].offset_CH))
        latent_BE = torch.from_numpy(latent_steps(len(places_B), latent_width, stream(0)))
        said_BI = latent_BE.double() * LATENT_STEP
        step_I = torch.full((latent_width,), LATENT_STEP, dtype=torch.float64)
        whole = []
        for place, layer in enumerate(layers):
            weight_HI, offset_CH = layer.weight_HI.double().cpu(), layer.offset_CH.double().cpu()
            inputs = weight_HI.shape[1]
            scaled_HI = weight_HI * step_I[-inputs:]
            step_H = _steps_of(torch.maximum(scaled_HI.abs().amax(1), offset_CH.abs().amax(0) * MOST / MOST_ADDED))
            gain_H, half = step_H, 0.0
            if place + 1 < len(layers):
                hidden_BH = torch.relu(said_BI[:, -inputs:] @ weight_HI.T + offset_CH[places_B])
                said_step_H = _steps_of(hidden_BH.amax(0))
                said_BI, step_I = torch.cat([said_BI, hidden_BH], dim=1), torch.cat([step_I, said_step_H])
                gain_H, half = step_H / said_step_H, 0.5  # rounds what is cut off
            weight_IH = (scaled_HI / step_H[:, None]).round().T.to(device, precision(device))
            offset_CH = (offset_CH / step_H + half / gain_H).round().to(device, torch.int32).contiguous()
            whole.append(_Whole(weight_IH, offset_CH, gain_H.to(device, torch.float32)))
        return cls(whole, latent_width)

    def latent(self, num_rows: int, rng: np.random.Generator) -> Tensor:
        """What `logits` takes: standard normal numbers (B, E), in steps."""
        steps_BE = latent_steps(num_rows, self._latent_width, rng)
        return torch.from_numpy(steps_BE).to(self._layers[0].gain_H.device)

    @one_torch_thread()
    def logits(self, latent_BE: Tensor, places_B: Tensor | None = None) -> Tensor:
        """(D, B), given the place of each row's condition if the network takes any."""
        *hidden, last = self._layers
        ends = list(accumulate((len(layer.gain_H) for layer in hidden), initial=self._latent_width))
        said_BI = last.weight_IH.new_empty(len(latent_BE), ends[-1])
        said_BI[:, : ends[0]] = latent_BE
        for layer, start, end in zip(hidden, ends, ends[1:], strict=False):
            total_BH = layer.total(said_BI[:, :start], places_B)
            said_BI[:, start:end] = (total_BH * layer.gain_H).clamp_(0, MOST).floor_()
        return (last.total(said_BI, places_B) * last.gain_H).T.contiguous()


@dataclass(frozen=True)
class _Whole:
    """A layer whose weights and offsets are whole numbers of one step for each output."""

    weight_IH: Tensor  # of 8 bits, or the same numbers as floats
    offset_CH: Tensor  # of 32 bits
    gain_H: Tensor  # of how many steps of what is said an output's step is; of the last layer, its step itself

    def total(self, said_BI: Tensor, places_B: Tensor | None) -> Tensor:
        """(B, H), whole numbers."""
        total_BH = product(said_BI[:, -len(self.weight_IH) :], self.weight_IH)
        return total_BH.add_(self.offset_CH if places_B is None else self.offset_CH.index_select(0, places_B))


def _places(conditions: int) -> Tensor:
    """The conditions of the rows that are looked at, evenly many of each."""
    rows = int(np.clip(conditions, *LOOKED_AT))
    return torch.arange(rows) * conditions // rows


@cache
def _quantiles() -> np.ndarray:
    normal = ndtri((np.arange(1 << 16) + 0.5) / (1 << 16))
    return np.asarray(np.clip(np.rint(normal / LATENT_STEP), -MOST, MOST), dtype=np.int8)


def _steps_of(most_H: Tensor) -> Tensor:
    return torch.from_numpy(steps(most_H.numpy()))
