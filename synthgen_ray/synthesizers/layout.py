"""Where the learnt columns stand in the networks' rows, and how codes become such rows.

Shapes: B rows of a batch, K learnt columns, S of them numbers with a scalar, D row width, C condition width.
A number takes one place for its scalar and one for each code; any other column one for each code.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from synthgen_ray.synthesizers.codec import LearntCodec

TEMPERATURE = 0.2


class Layout:
    def __init__(self, columns: Sequence[LearntCodec]) -> None:
        self.widths_K = np.array([codec.width for codec in columns])
        has_scalar_K = np.array([codec.has_scalar for codec in columns])
        ends_K = np.cumsum(self.widths_K + has_scalar_K)
        self.starts_K = ends_K - self.widths_K  # of the codes
        self.scalars_S = self.starts_K[has_scalar_K] - 1
        self.discrete = np.flatnonzero(~has_scalar_K)  # the columns that conditions speak of
        self.width = int(ends_K[-1])
        widths = self.widths_K[self.discrete]
        self.condition_starts = np.cumsum(widths) - widths
        self.condition_width = int(widths.sum())

    @cached_property
    def spans(self) -> tuple[slice, ...]:
        """The places of each column's codes."""
        return tuple(slice(a, a + w) for a, w in zip(self.starts_K.tolist(), self.widths_K.tolist(), strict=True))

    def rows(self, codes_BK: Tensor, scalars_BS: Tensor) -> Tensor:
        """One-hot codes and scalars, (B, D)."""
        rows_BD = scalars_BS.new_zeros(len(codes_BK), self.width)
        rows_BD.scatter_(1, codes_BK + torch.as_tensor(self.starts_K, device=codes_BK.device), 1.0)
        rows_BD[:, torch.as_tensor(self.scalars_S, device=codes_BK.device)] = scalars_BS
        return rows_BD

    def activate(self, logits_BD: Tensor, gumbel_BD: Tensor) -> Tensor:
        """What the critic sees: scalars by tanh, codes by a Gumbel-softmax (Jang et al. 2017, arXiv:1611.01144)."""
        parts, end = [], 0
        sharp_BD = (logits_BD + gumbel_BD) / TEMPERATURE
        for span in self.spans:
            if span.start > end:
                parts.append(torch.tanh(logits_BD[:, end : span.start]))
            parts.append(torch.softmax(sharp_BD[:, span], dim=1))
            end = span.stop
        return torch.cat(parts, dim=1)

    def condition_places(self, columns_B: np.ndarray, codes_B: np.ndarray) -> np.ndarray:
        """The place in the condition vector of a code of a discrete column."""
        return np.asarray(self.condition_starts[columns_B] + codes_B)

    def conditions(self, places_B: Tensor) -> Tensor:
        """One-hot condition vectors, (B, C)."""
        return torch.nn.functional.one_hot(places_B, self.condition_width).float()
