"""Where the learnt columns stand in the networks' rows, and how codes become such rows.

Shapes: B rows of a batch, K learnt columns, S of them numbers with a scalar, D row width, C condition width.
A number takes one place for its scalar and one for each code; any other column one for each code.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import NamedTuple

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
        self._placed: dict[torch.device, Placed] = {}

    @cached_property
    def spans(self) -> tuple[slice, ...]:
        """The places of each column's codes."""
        return tuple(slice(a, a + w) for a, w in zip(self.starts_K.tolist(), self.widths_K.tolist(), strict=True))

    def places(self, codes_BK: Tensor) -> Tensor:
        """Where in the rows the codes stand."""
        return codes_BK + self._on(codes_BK.device).starts_K

    def rows(self, codes_BK: Tensor, scalars_BS: Tensor) -> Tensor:
        """One-hot codes and scalars, (B, D)."""
        rows_BD = scalars_BS.new_zeros(len(codes_BK), self.width)
        rows_BD.scatter_(1, self.places(codes_BK), 1.0)
        rows_BD[:, self._on(codes_BK.device).scalars_S] = scalars_BS
        return rows_BD

    def activate(self, logits_BD: Tensor, gumbel_BD: Tensor) -> Tensor:
        """What the critic sees: scalars by tanh, codes by a Gumbel-softmax (Jang et al. 2017, arXiv:1611.01144)."""
        ordered_DB = self.by_width((logits_BD + gumbel_BD).div_(TEMPERATURE))
        rows_BD = self.as_rows(self.by_column(torch.softmax, ordered_DB)).contiguous()
        scalars_S = self._on(logits_BD.device).scalars_S
        rows_BD[:, scalars_S] = torch.tanh(logits_BD[:, scalars_S])
        return rows_BD

    def activation_gradient(self, rows_BD: Tensor, gradient_BD: Tensor) -> Tensor:
        """The gradient with respect to the logits, given the activated rows y and that with respect to them, g.

        (1 - y²) g for a scalar; y (g - Σ y g) / temperature, summed over its column, for a code.
        """
        placed = self._on(rows_BD.device)
        weighted_BD = rows_BD * gradient_BD
        sums_BK = weighted_BD @ placed.column_of_DK.to(rows_BD.dtype)
        slope_BD = (weighted_BD - rows_BD * (sums_BK @ placed.column_of_DK.T.to(rows_BD.dtype))) / TEMPERATURE
        scalars_BS = rows_BD[:, placed.scalars_S]
        slope_BD[:, placed.scalars_S] = (1 - scalars_BS.square()) * gradient_BD[:, placed.scalars_S]
        return slope_BD

    def conditions(self, places_B: Tensor) -> Tensor:
        """One-hot condition vectors, (B, C)."""
        conditions_BC = torch.zeros(len(places_B), self.condition_width, dtype=torch.float32, device=places_B.device)
        return conditions_BC.scatter_(1, places_B[:, None], 1.0)

    def spoken_of(self, places_B: Tensor) -> "SpokenOf":
        """Where in the rows the columns stand that conditions speak of."""
        placed = self._on(places_B.device)
        column_B = torch.searchsorted(placed.condition_starts_Q, places_B, right=True) - 1
        codes_B = places_B - placed.condition_starts_Q[column_B]
        inside_W = torch.arange(placed.outside_QW.shape[1], device=places_B.device)
        places_BW = (placed.starts_K[placed.discrete_Q[column_B]][:, None] + inside_W).clamp_(max=self.width - 1)
        return SpokenOf(codes_B, places_BW, placed.outside_QW[column_B])

    # Columns of one width go together, and rows stand as columns: ten times as fast on a CPU.

    def by_width(self, rows_BD: Tensor) -> Tensor:
        """Scalars first, then the codes of the narrowest column, (D, B)."""
        return rows_BD.T.index_select(0, self._on(rows_BD.device).by_width_D)

    def as_rows(self, ordered_DB: Tensor) -> Tensor:
        """The way back from `by_width`, (B, D)."""
        return ordered_DB.index_select(0, self._on(ordered_DB.device).back_D).T

    def places_by_width(self, codes_BK: Tensor) -> Tensor:
        """Where the codes stand once ordered, (K, B)."""
        placed = self._on(codes_BK.device)
        return codes_BK.T + placed.back_D[placed.starts_K][:, None]

    def by_column(self, function: Callable[[Tensor, int], Tensor], ordered_DB: Tensor) -> Tensor:
        """A function of the codes of each column; scalars as they are. Both (D, B), by width."""
        parts = [ordered_DB[: len(self.scalars_S)]]
        start = len(self.scalars_S)
        for width, count in self._counts_of_widths:
            block_NWB = ordered_DB[start : start + width * count].view(count, width, -1)
            parts.append(function(block_NWB, 1).flatten(0, 1))
            start += width * count
        return torch.cat(parts)

    @cached_property
    def _counts_of_widths(self) -> list[tuple[int, int]]:
        widths, counts = np.unique(self.widths_K, return_counts=True)
        return list(zip(widths.tolist(), counts.tolist(), strict=True))

    @cached_property
    def _by_width(self) -> np.ndarray:
        """The scalars' places, then the codes' of all columns, the narrowest column first."""
        order = np.argsort(self.widths_K, kind="stable")
        spans = [np.arange(span.start, span.stop) for span in (self.spans[place] for place in order)]
        return np.concatenate([self.scalars_S, *spans])

    def _on(self, device: torch.device) -> "Placed":
        """The places as tensors there."""
        if device not in self._placed:
            column_of_DK = np.zeros((self.width, len(self.spans)), dtype=np.float32)
            for column, span in enumerate(self.spans):
                column_of_DK[span, column] = 1
            widths_Q = self.widths_K[self.discrete]
            inside_QW = np.arange(widths_Q.max(initial=0)) < widths_Q[:, None]
            arrays = (
                *(self.starts_K, self.scalars_S, self._by_width, np.argsort(self._by_width), column_of_DK),
                *(self.discrete, self.condition_starts, np.where(inside_QW, 0, -np.inf).astype(np.float32)),
            )
            self._placed[device] = Placed(*(torch.from_numpy(array).to(device) for array in arrays))
        return self._placed[device]


class SpokenOf(NamedTuple):
    """The code that a condition asks for, and the places of all codes of its column, as wide as the widest: W."""

    codes_B: Tensor
    places_BW: Tensor
    outside_BW: Tensor  # 0 inside the column, minus infinity beyond


class Placed(NamedTuple):
    """Where columns and their codes stand."""

    starts_K: Tensor
    scalars_S: Tensor
    by_width_D: Tensor  # scalars, then codes by the width of their column
    back_D: Tensor  # the way back from there
    column_of_DK: Tensor  # 1 where a code belongs to a column
    discrete_Q: Tensor
    condition_starts_Q: Tensor
    outside_QW: Tensor
