"""The random numbers of one training step: the same on every worker, drawn on the CPU, cut to the worker's share."""

import numpy as np
import torch
from torch import Tensor, nn

from synthgen_ray.synthesizers.parallel import Share
from synthgen_ray.synthesizers.streams import TRAIN, WEIGHTS, stream


class Draws:
    def __init__(self, seed: int, step: int, share: Share, device: torch.device) -> None:
        self.rng = stream(seed, TRAIN, step)  # for choices that concern the whole batch
        self.share = share
        self._device = device

    def normal(self, width: int) -> Tensor:
        return self.placed(self.rng.standard_normal((self.share.total, width), dtype=np.float32))

    def uniform(self, width: int, pack: int = 1) -> Tensor:
        """From 0 to 1, one row for each pack of rows."""
        return self.placed(self.rng.random((self.share.total // pack, width), dtype=np.float32))

    def gumbel(self, width: int) -> Tensor:
        return -torch.log(-torch.log(self.uniform(width).clamp(1e-20, 1 - 6e-8)))

    def placed(self, whole: np.ndarray) -> Tensor:
        return torch.from_numpy(self.share.of(whole)).to(self._device)


class SharedDropout(nn.Module):
    """Dropout whose mask comes from the step's draws. `draws` is set before each use."""

    draws: Draws

    def __init__(self, p: float, pack: int) -> None:
        super().__init__()
        self.p, self.pack = p, pack

    def forward(self, x_BH: Tensor) -> Tensor:
        kept = self.draws.uniform(x_BH.shape[1], self.pack) >= self.p
        return x_BH * kept / (1 - self.p)


def start_weights(module: nn.Module, seed: int, place: int) -> None:
    """PyTorch's own start for linear layers, uniform in ±1/√inputs, but from a stream of ours."""
    rng = stream(seed, WEIGHTS, place)
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            reach = layer.in_features**-0.5
            for parameter in (layer.weight, layer.bias):
                start = rng.uniform(-reach, reach, tuple(parameter.shape)).astype(np.float32)
                parameter.data.copy_(torch.from_numpy(start))
