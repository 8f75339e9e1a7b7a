"""Columns of many categories, each a few numbers to the networks.

One-hot, a column of K categories is K inputs of the critic for each row of a pack, K outputs of the generator, and as
a condition K inputs of each of its layers. Instead
- the critic sees a row of a fixed random matrix (K, F), by which categories, and mixtures of them, stay about as far
  from each other as they are (Johnson & Lindenstrauss 1984; signs as entries: Achlioptas 2003, "Database-friendly
  random projections", theorem 1.1). It learns nothing, so nothing can be stretched to please the gradient penalty;
- the generator's head is factorised: its last layer writes F numbers, and a second one makes K logits of them;
- a condition is an embedding that the generator learns, and to the critic a row of such a random matrix.
Shapes: B rows, D row width, F numbers, V width of what stands for a row, C conditions, E width of the latent.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple, Protocol, Self, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synthgen_ray.synthesizers.layout import Layout
from synthgen_ray.synthesizers.networks.critic import Packs
from synthgen_ray.synthesizers.networks.folded import Dense, FoldedNetwork, Sampled, add_product
from synthgen_ray.synthesizers.networks.generator import dense_layers, generate, new_generator

NUMBERS = 64


class Piece(NamedTuple):
    """Places of a row, and where what stands for them stands: as they are, or as an embedding."""

    places: slice
    stand: slice
    is_embedded: bool

    @property
    def width(self) -> int:
        return int(self.places.stop - self.places.start)


def pieces_of(layout: Layout, embed_above: int) -> tuple[Piece, ...]:
    """The row from left to right; columns of more categories are embedded."""
    wide = [layout.spans[place] for place in layout.discrete if layout.widths_K[place] > embed_above]
    bounds = [0, *(bound for span in wide for bound in (span.start, span.stop)), layout.width]
    pieces: list[Piece] = []
    start = 0
    for number, (first, last) in enumerate(pairwise(bounds)):
        if first == last:
            continue
        is_embedded = number % 2 == 1
        stop = start + (NUMBERS if is_embedded else last - first)
        pieces.append(Piece(slice(first, last), slice(start, stop), is_embedded))
        start = stop
    return tuple(pieces)


class View(Protocol):
    """What of rows and their conditions the critic sees."""

    row_width: int
    condition_width: int  # of those that are places

    def packs(self, rows_BD: Tensor, places_B: Tensor | None, pac: int) -> Packs: ...

    def gradient(self, slope_PR: Tensor) -> Tensor:
        """With respect to the rows, (B, D), given that with respect to the packs."""


class OneHot:
    """All of it, as it is."""

    def __init__(self, layout: Layout) -> None:
        self.row_width, self.condition_width = layout.width, layout.condition_width

    def packs(self, rows_BD: Tensor, places_B: Tensor | None, pac: int) -> Packs:
        return Packs.of(rows_BD, places_B, pac, self.condition_width)

    def gradient(self, slope_PR: Tensor) -> Tensor:
        return slope_PR.reshape(-1, self.row_width)


class Projected:
    """Embedded columns, and all conditions, by their rows of random matrices."""

    condition_width = 0

    def __init__(self, layout: Layout, pieces: Sequence[Piece], rng: np.random.Generator, device: torch.device) -> None:
        self._pieces = pieces
        self._signs = [_signs(piece.width, rng, device) if piece.is_embedded else None for piece in pieces]
        self._conditions_CF = _signs(layout.condition_width, rng, device)
        self._stand_width = pieces[-1].stand.stop
        self.row_width = self._stand_width + NUMBERS

    def packs(self, rows_BD: Tensor, places_B: Tensor | None, pac: int) -> Packs:
        if places_B is None:
            raise ValueError("an embedded column is one that conditions speak of")
        seen = [
            rows_BD[:, piece.places] if signs_KF is None else rows_BD[:, piece.places] @ signs_KF
            for piece, signs_KF in zip(self._pieces, self._signs, strict=True)
        ]
        return Packs.of(torch.cat([*seen, self._conditions_CF[places_B]], dim=1), None, pac, 0)

    def gradient(self, slope_PR: Tensor) -> Tensor:
        slope_BR = slope_PR.reshape(-1, self.row_width)
        return torch.cat(
            [
                slope_BR[:, piece.stand] if signs_KF is None else slope_BR[:, piece.stand] @ signs_KF.T
                for piece, signs_KF in zip(self._pieces, self._signs, strict=True)
            ],
            dim=1,
        )


class EmbeddingGenerator(nn.Module):
    """The `ctgan` package's generator between a table of conditions and factorised heads."""

    def __init__(self, latent_width: int, hidden: Sequence[int], pieces: Sequence[Piece], condition_width: int) -> None:
        super().__init__()
        self.pieces = pieces
        self.conditions = nn.Embedding(condition_width, NUMBERS)
        self.inner = new_generator(latent_width + NUMBERS, hidden, pieces[-1].stand.stop)
        self.heads = nn.ModuleList(nn.Linear(NUMBERS, piece.width) for piece in pieces if piece.is_embedded)

    def generate(self, latent_BE: Tensor, places_B: Tensor | None) -> Tensor:
        """Logits, (B, D)."""
        seen_BE = torch.cat([latent_BE, F.embedding(cast(Tensor, places_B), self.conditions.weight)], dim=1)
        stand_BV = generate(self.inner, seen_BE, None)
        heads = iter(self.heads)
        logits = [
            next(heads)(stand_BV[:, piece.stand]).to(stand_BV.dtype) if piece.is_embedded else stand_BV[:, piece.stand]
            for piece in self.pieces
        ]
        return torch.cat(logits, dim=1)

    def folded(self, latent_width: int) -> "FoldedHeads":
        """As sampling runs it."""
        conditions_CF = self.conditions.weight.double()
        network = FoldedNetwork.of_skips(dense_layers(self.inner), latent_width, conditions_CF)
        return FoldedHeads(network, self.pieces, [Dense.of(cast(nn.Linear, head)) for head in self.heads])


class SampledHeads:
    """A network as sampling runs it, and the heads behind it."""

    def __init__(self, network: Sampled, pieces: Sequence[Piece], heads: Sequence[Dense]) -> None:
        self._network, self._pieces, self._heads = network, pieces, heads

    def latent(self, num_rows: int, rng: np.random.Generator) -> Tensor:
        """What `logits` takes."""
        return self._network.latent(num_rows, rng)

    def logits(self, latent: Tensor, places_B: Tensor | None = None) -> Tensor:
        """(D, B)."""
        stand_VB = self._network.logits(latent, places_B)
        heads = iter(self._heads)
        parts = []
        for piece in self._pieces:
            part = stand_VB[piece.stand]
            if piece.is_embedded:
                head, numbers_FB = next(heads), part.contiguous()
                part = head.offset[:, None].repeat(1, numbers_FB.shape[1])
                add_product(part, head.weight, numbers_FB)
            parts.append(part)
        return torch.cat(parts)


class FoldedHeads(SampledHeads):
    """A folded network, and the heads behind it."""

    def __init__(self, network: FoldedNetwork, pieces: Sequence[Piece], heads: Sequence[Dense]) -> None:
        floats = [Dense(head.weight.float().contiguous(), head.offset.float()) for head in heads]
        super().__init__(network, pieces, floats)
        self._folded = network

    def plus(self, offsets_D: Tensor) -> Self:
        """The same with something added to its logits."""
        heads = iter(self._heads)
        added, of_stand = [], []
        for piece in self._pieces:
            offsets = offsets_D[piece.places]
            if piece.is_embedded:
                head = next(heads)
                added.append(Dense(head.weight, head.offset + offsets.to(head.offset)))
                offsets = offsets.new_zeros(NUMBERS)
            of_stand.append(offsets)
        return type(self)(self._folded.plus(torch.cat(of_stand)), self._pieces, added)

    def narrowed(self) -> SampledHeads:
        """The same with products in 16 bits, bfloat16."""
        heads = [Dense(head.weight.bfloat16(), head.offset) for head in self._heads]
        return SampledHeads(self._folded.narrowed(), self._pieces, heads)

    def quantized(self) -> SampledHeads:
        """The same with the network before the heads in whole numbers of 8 bits."""
        return SampledHeads(self._folded.quantized(), self._pieces, self._heads)


def _signs(rows: int, rng: np.random.Generator, device: torch.device) -> Tensor:
    """(rows, F), each of length 1."""
    signs = rng.choice(np.array([-1, 1], dtype=np.float32), (rows, NUMBERS)) / np.float32(NUMBERS**0.5)
    return torch.from_numpy(signs).to(device)
