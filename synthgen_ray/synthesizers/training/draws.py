"""The random numbers of one training step: the same on every worker, drawn on the CPU, cut to the worker's share."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from synthgen_ray.synthesizers.numerics.noise import normals
from synthgen_ray.synthesizers.numerics.streams import TRAIN, WEIGHTS, stream
from synthgen_ray.synthesizers.training.parallel import Share


class Draws:
    def __init__(self, seed: int, step: int, share: Share, device: torch.device) -> None:
        self.rng = stream(seed, TRAIN, step)  # for choices that concern the whole batch
        self.share = share
        self._device = device

    def normal(self, width: int) -> Tensor:
        return self.placed(normals(self.rng, self.share.total, width))

    def uniform(self, width: int, pack: int = 1) -> Tensor:
        """From 0 to 1, one row for each pack of rows."""
        return self.placed(self.rng.random((self.share.total // pack, width), dtype=np.float32))

    def gumbel(self, width: int) -> Tensor:
        return self.uniform(width).clamp_(1e-20, 1 - 6e-8).log_().neg_().log_().neg_()

    def dropout(self, widths: Sequence[int], pack: int, times: int = 1) -> list[Tensor]:
        """The scales, 0 or 2, of layers that lose half of their units: (times · P, H) for each width, P packs.

        Half is what the `ctgan` package's critic loses, and one bit a unit draws it.
        """
        packs, width = self.share.total // pack, times * sum(widths)
        bits = np.frombuffer(self.rng.bytes(packs * -(-width // 8)), dtype=np.uint8).reshape(packs, -1)
        kept = self.placed(np.unpackbits(bits, axis=1, count=width)).float().mul_(2)
        by_time = kept.view(len(kept), times, -1).transpose(0, 1).flatten(0, 1)
        return list(torch.split(by_time, list(widths), dim=1))

    def placed(self, whole: np.ndarray) -> Tensor:
        return torch.from_numpy(self.share.of(whole)).to(self._device)


def start_weights(module: nn.Module, seed: int, place: int) -> None:
    """PyTorch's own start for linear layers, uniform in ±1/√inputs, and for embeddings, but from a stream of ours."""
    rng = stream(seed, WEIGHTS, place)
    for layer in module.modules():
        if isinstance(layer, nn.Embedding):
            layer.weight.data.copy_(torch.from_numpy(rng.standard_normal(layer.weight.shape, dtype=np.float32)))
        if isinstance(layer, nn.Linear):
            reach = layer.in_features**-0.5
            for parameter in (layer.weight, layer.bias):
                start = rng.uniform(-reach, reach, tuple(parameter.shape)).astype(np.float32)
                parameter.data.copy_(torch.from_numpy(start))
