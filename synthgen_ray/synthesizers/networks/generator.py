"""The generator of the game as training runs it: conditions are places, not one-hot rows.

A one-hot row times a matrix is one of its columns, so the part of each layer that sees the condition is gathered.
Shapes: B rows, E width of the latent, C conditions, D row width, H width of a hidden layer.
"""

from collections.abc import Sequence
from typing import Any, cast

import torch
from ctgan.synthesizers.ctgan import Generator
from torch import Tensor, nn
from torch.nn import functional as F

from synthgen_ray.synthesizers.layout import Layout
from synthgen_ray.synthesizers.networks.folded import Dense
from synthgen_ray.synthesizers.training.parallel import SharedBatchNorm


def new_generator(input_width: int, hidden: Sequence[int], row_width: int) -> nn.Module:
    """The `ctgan` package's, with batches that all workers share. `input_width` is E + C."""
    generator = Generator(input_width, hidden, row_width)
    for layer in generator.seq:
        if hasattr(layer, "bn"):
            layer.bn = SharedBatchNorm(layer.bn.num_features)
    return cast(nn.Module, generator)


def generate(generator: nn.Module, latent_BE: Tensor, places_B: Tensor | None) -> Tensor:
    """Logits (B, D): what `generator` says to the latent beside one-hot conditions, if it takes any."""
    *hidden, last = cast(Any, generator).seq
    seen = [latent_BE]
    for layer in hidden:
        seen.insert(0, F.relu(layer.bn(_linear(layer.fc, seen, places_B))))
    return _linear(last, seen, places_B).to(latent_BE.dtype)  # which autocast may have narrowed


def _linear(layer: nn.Linear, seen: Sequence[Tensor], places_B: Tensor | None) -> Tensor:
    """What the layer says to the parts of its input, a product each: in one for all the latent would get a gradient."""
    widths = [part.shape[1] for part in seen]
    *weights, of_condition = torch.split(layer.weight, [*widths, layer.in_features - sum(widths)], dim=1)
    said: Tensor = layer.bias
    if places_B is not None:
        table_CH = (of_condition.T + layer.bias).contiguous()  # whose rows lie together
        said = F.embedding(places_B, table_CH)
    for part, weight in zip(seen, weights, strict=True):
        said = torch.addmm(said, part, weight.T)
    return said


def dense_layers(generator: nn.Module) -> list[Dense]:
    """Its layers as sampling runs them, the last one too."""
    *hidden, last = cast(Any, generator).seq
    return [*(Dense.of(layer.fc, layer.bn) for layer in hidden), Dense.of(last)]


def condition_loss(logits_BD: Tensor, places_B: Tensor | None, layout: Layout) -> Tensor:
    """Cross-entropy between the condition and the column that it speaks of, mean over the batch (Xu et al., 4.3)."""
    if places_B is None:
        return logits_BD.new_zeros(()).requires_grad_()
    spoken_of = layout.spoken_of(places_B)
    return F.cross_entropy(logits_BD.gather(1, spoken_of.places_BW) + spoken_of.outside_BW, spoken_of.codes_B)
